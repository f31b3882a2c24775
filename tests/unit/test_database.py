"""The ledger's file: transactions that are whole, and rows that wait for the next one."""

from __future__ import annotations

import os
import sqlite3
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from syncd.errors import StateError
from syncd.state.database import Database

PUT = "INSERT OR REPLACE INTO quotas (url, organization_id, state) VALUES (?, ?, ?)"


@pytest.fixture
def path(tmp_path: Path) -> str:
    return str(tmp_path / "ledger.db")


@pytest.fixture
def database(path: str) -> Iterator[Database]:
    opened = Database.open(path, print)
    yield opened
    opened.close()


def quotas(path: str) -> dict[str, str]:
    """As another process reads them."""
    with sqlite3.connect(path) as other:
        return dict(other.execute("SELECT url, state FROM quotas ORDER BY url").fetchall())


def put(database: Database, url: str, state: str) -> None:
    database.execute_many(PUT, [(url, 1, state)])


def put_later(database: Database, url: str, state: str) -> None:
    database.put_later(PUT, url, (url, 1, state))


class TestTransaction:
    def test_the_rows_of_a_transaction_are_in_the_file_when_it_ends(
        self, database: Database, path: str
    ) -> None:
        with database.transaction():
            put(database, "u", "one")
            assert quotas(path) == {}
        assert quotas(path) == {"u": "one"}

    def test_a_failed_one_leaves_nothing_behind(self, database: Database, path: str) -> None:
        def fail() -> None:
            with database.transaction():
                put(database, "u", "one")
                raise ZeroDivisionError

        with pytest.raises(ZeroDivisionError):
            fail()
        assert quotas(path) == {}
        with database.transaction():
            put(database, "u", "two")
        assert quotas(path) == {"u": "two"}

    def test_a_statement_that_fails_takes_the_others_with_it(
        self, database: Database, path: str
    ) -> None:
        def fail() -> None:
            with database.transaction():
                put(database, "u", "one")
                database.execute_many("INSERT INTO quotas VALUES (?, ?, ?)", [("v", 1, None)])

        with pytest.raises(StateError, match="cannot be written"):
            fail()
        assert quotas(path) == {}

    def test_each_transaction_notes_when_the_file_was_written(self, database: Database) -> None:
        assert database.query("SELECT at FROM written") == [(0.0,)]
        with database.transaction():
            pass
        assert database.query("SELECT at FROM written") > [(1_700_000_000.0,)]


class TestPutLater:
    def test_a_row_is_written_with_the_next_transaction(
        self, database: Database, path: str
    ) -> None:
        put_later(database, "u", "one")
        assert quotas(path) == {}
        with database.transaction():
            put(database, "v", "two")
        assert quotas(path) == {"u": "one", "v": "two"}

    def test_only_the_last_row_of_a_key_is_written(self, database: Database, path: str) -> None:
        for state in ("one", "two", "three"):
            put_later(database, "u", state)
        put_later(database, "v", "other")
        database.put_now()
        assert quotas(path) == {"u": "three", "v": "other"}

    def test_a_row_is_written_once(self, database: Database, path: str) -> None:
        put_later(database, "u", "one")
        database.put_now()
        with database.transaction():
            put(database, "u", "two")
        assert quotas(path) == {"u": "two"}

    def test_a_row_outlives_a_failed_transaction(self, database: Database, path: str) -> None:
        put_later(database, "u", "one")
        with pytest.raises(ZeroDivisionError), database.transaction():
            raise ZeroDivisionError
        assert quotas(path) == {}
        database.put_now()
        assert quotas(path) == {"u": "one"}

    def test_a_row_outlives_a_transaction_that_cannot_be_written(
        self, database: Database, path: str
    ) -> None:
        put_later(database, "u", "one")
        database._db.execute("PRAGMA query_only = 1")
        with pytest.raises(StateError):
            database.put_now()
        put_later(database, "v", "two")
        database._db.execute("PRAGMA query_only = 0")
        database.put_now()
        assert quotas(path) == {"u": "one", "v": "two"}

    def test_a_row_is_not_written_to_the_file_that_takes_the_place(
        self, database: Database, path: str
    ) -> None:
        put_later(database, "u", "one")
        os.unlink(path)
        database.reopen()
        database.put_now()
        assert quotas(path) == {}

    def test_where_no_row_waits_there_is_no_transaction(self, database: Database) -> None:
        database.put_now()
        assert database.query("SELECT at FROM written") == [(0.0,)]

    def test_many_threads_may_put_rows(self, database: Database, path: str) -> None:
        def work(name: int) -> None:
            for state in range(50):
                put_later(database, f"u{name}", str(state))

        threads = [threading.Thread(target=work, args=(name,)) for name in range(4)]
        for thread in threads:
            thread.start()
        while any(thread.is_alive() for thread in threads):
            database.put_now()
        database.put_now()
        assert quotas(path) == {f"u{name}": "49" for name in range(4)}


def test_a_copy_in_memory_leaves_the_file_as_it_is(database: Database, path: str) -> None:
    with database.transaction():
        put(database, "u", "one")
    copy = Database.copy(path, print)
    with copy.transaction():
        put(copy, "u", "two")
    assert copy.query("SELECT state FROM quotas") == [("two",)]
    assert quotas(path) == {"u": "one"}
    copy.close()
