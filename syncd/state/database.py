"""The ledger's SQLite file: one connection, short transactions, and what its errors mean."""

from __future__ import annotations

import logging
import sqlite3
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, TypeVar

from syncd.errors import StateDamaged, StateError
from syncd.state.damaged_ledgers import damage_notice, set_aside
from syncd.state.ledger_file import (
    find_damage,
    inode_of,
    is_restored_copy,
    means_damage,
    new_in_memory,
    open_for_reading,
    open_for_writing,
    open_in_place,
    unusable_ledger,
)

log = logging.getLogger("syncd.state")

T = TypeVar("T")


class Database:
    """Owned by one thread, but for `put_later`."""

    def __init__(
        self,
        connection: sqlite3.Connection,
        path: str,
        tell: Callable[[str], None],
        *,
        in_memory: bool = False,
    ) -> None:
        self._db = connection
        self._path = path
        self._tell = tell
        self._in_memory = in_memory
        """A private copy or a look, for what only reads."""
        self._inode = None if in_memory else inode_of(path)
        self._later: dict[tuple[str, object], Sequence[object]] = {}
        self._later_lock = threading.Lock()
        self._last_key: int | None = None

    @classmethod
    def open(cls, path: str, tell: Callable[[str], None]) -> Database:
        """Open to write; a damaged file is set aside, which is told, and a new one begun."""
        return cls(open_for_writing(path, tell), path, tell)

    @classmethod
    def copy(cls, path: str, tell: Callable[[str], None]) -> Database:
        """A private copy in memory; empty if there is no file, or a damaged one, which is told."""
        return cls(open_for_reading(path, tell), path, tell, in_memory=True)

    @classmethod
    def look(cls, path: str) -> Database:
        """The file itself, to read only; a damaged one counts as empty, its writer tells of it."""
        return cls(open_in_place(path), path, lambda _: None, in_memory=True)

    @classmethod
    def blank(cls) -> Database:
        """In memory, and nothing in it."""
        return cls(new_in_memory(), "in memory", log.warning, in_memory=True)

    def reopen(self) -> None:
        """Begin again with the file as it is now: it may have been lost or damaged meanwhile."""
        self._begin_with(open_for_writing(self._path, self._tell))

    def _begin_with(self, connection: sqlite3.Connection) -> None:
        """What waits was for the rows of the file before: it is dropped."""
        with self._later_lock:
            self._later = {}
        self._db.close()
        self._db = connection
        self._inode = None if self._in_memory else inode_of(self._path)

    def close(self) -> None:
        self._db.close()

    @property
    def was_copied_here(self) -> bool:
        """Whether the file was put here after it was written last: what it knows may be old."""
        return is_restored_copy(self._db, self._path)

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All or nothing; failure to write is a StateError."""
        with self._later_lock:
            waiting, self._later = self._later, {}
        try:
            self._db.execute("BEGIN IMMEDIATE")
            for (query, _), row in waiting.items():
                self._db.execute(query, row)
            yield
            query = "UPDATE written SET at = ?, inode = ?"
            self._db.execute(query, (time.time(), self._inode))
            self._db.execute("COMMIT")
        except BaseException as error:
            if self._db.in_transaction:
                self._db.rollback()
            with self._later_lock:
                self._later = waiting | self._later
            if isinstance(error, sqlite3.Error):
                raise self._trouble(error, "written") from None
            raise

    def execute_many(self, query: str, rows: Sequence[Sequence[object]]) -> None:
        """Run a statement of a transaction for each row."""
        if rows:
            self._db.executemany(query, rows)

    def new_key(self) -> int:
        """A key for an intent that none has had."""
        if self._last_key is None:
            query = "SELECT max(seq) FROM sqlite_sequence WHERE name = 'intents'"
            self._last_key = self.query(query)[0][0] or 0
        self._last_key += 1
        return self._last_key

    def put_later(self, query: str, key: object, row: Sequence[object]) -> None:
        """Write a row with the next transaction, in place of an earlier one of the same key.

        May be called by any thread.
        """
        with self._later_lock:
            self._later[query, key] = row

    def put_now(self) -> bool:
        """Write what waits for the next transaction; whether there was anything."""
        if not self._later:
            return False
        with self.transaction():
            return True

    def query(self, query: str, values: Iterable[object] = ()) -> list[tuple[Any, ...]]:
        """All rows of a query, which may not be run within a transaction."""
        return self.read(lambda: self._db.execute(query, tuple(values)).fetchall())

    def read(self, query: Callable[[], T]) -> T:
        """What `query` returns. A file that cannot be read, or was found damaged, is a
        StateError; a damaged copy in memory counts as empty."""
        try:
            return query()
        except (sqlite3.Error, ValueError, TypeError) as error:
            trouble = self._trouble(error, "read")
            if not (self._in_memory and isinstance(trouble, StateDamaged)):
                raise trouble from None
        return query()

    def examine(self) -> None:
        """Check every page, which takes time; damage of a copy is told."""
        self.read(self._examine)

    def _examine(self) -> None:
        found = self._db.execute("PRAGMA quick_check(1)").fetchone()[0]
        if found != "ok":
            error = sqlite3.DatabaseError(found)
            error.sqlite_errorcode = sqlite3.SQLITE_CORRUPT
            raise error

    def _trouble(self, error: Exception, cannot: str) -> StateError:
        """What an error means; a damaged ledger is set aside, and a new one takes its place."""
        nothing_more = "; nothing more is sent"
        if not means_damage(error):
            return unusable_ledger(self._path, error, cannot, nothing_more)
        try:
            if self._in_memory:
                told, new = damage_notice(self._path, str(error)), new_in_memory()
            else:
                damage = find_damage(self._path)
                if damage is None:
                    return unusable_ledger(self._path, error, cannot, nothing_more)
                told = set_aside(self._path, damage)
                new = open_for_writing(self._path, self._tell)
        except (sqlite3.Error, OSError) as trouble:
            return unusable_ledger(self._path, trouble, cannot, nothing_more)
        self._tell(told)
        self._begin_with(new)
        return StateDamaged(f"the ledger {self._path} was damaged: the next run begins anew")
