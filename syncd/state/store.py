"""The ledger's file: one connection, transactions, and the rows of one task."""

from __future__ import annotations

import logging
import sqlite3
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from syncd.errors import StateDamaged, StateError
from syncd.model import Intent, LedgerEntry, TaskKey
from syncd.state import rows
from syncd.state.opening import (
    calls_it_damaged,
    damage_in,
    empty,
    open_for_writing,
    set_aside,
    unusable,
    will_be_set_aside,
)

log = logging.getLogger("syncd.state")

T = TypeVar("T")


class Store:
    """What every method of the ledger stands on."""

    def __init__(
        self,
        connection: sqlite3.Connection,
        path: str,
        clock: Callable[[], float] = time.time,
        *,
        tell: Callable[[str], None] = log.warning,
        is_copy: bool = False,
    ) -> None:
        self._db = connection
        self._path = path
        self._clock = clock
        self._tell = tell
        self._is_copy = is_copy
        """In memory, for whoever only reads."""

    def close(self) -> None:
        self._db.close()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All or nothing; failure to write is a StateError."""
        try:
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield
            except BaseException:
                if self._db.in_transaction:
                    self._db.execute("ROLLBACK")
                raise
            self._db.execute("UPDATE written SET at = ?", (time.time(),))
            self._db.execute("COMMIT")
        except sqlite3.Error as error:
            if self._db.in_transaction:
                self._db.rollback()
            raise self._trouble(error, "written") from None

    def read(self, query: Callable[[], T]) -> T:
        """What the query finds. A file that cannot be read, or was found damaged, is a
        StateError; a damaged copy is as good as none."""
        try:
            return query()
        except (sqlite3.Error, ValueError, TypeError) as error:
            trouble = self._trouble(error, "read")
            if not (self._is_copy and isinstance(trouble, StateDamaged)):
                raise trouble from None
        return query()

    def _trouble(self, error: Exception, cannot: str) -> StateError:
        """What an error means; a damaged ledger is set aside, and a new one takes its place."""
        nothing_more = "; nothing more is sent"
        if not calls_it_damaged(error):
            return unusable(self._path, error, cannot, nothing_more)
        try:
            if self._is_copy:
                told, new = will_be_set_aside(self._path, str(error)), empty()
            else:
                damage = damage_in(self._path)
                if damage is None:
                    return unusable(self._path, error, cannot, nothing_more)
                told = set_aside(self._path, damage)
                new = open_for_writing(self._path, self._tell)
        except (sqlite3.Error, OSError) as trouble:
            return unusable(self._path, trouble, cannot, nothing_more)
        self._tell(told)
        self._db.close()
        self._db = new
        return StateDamaged(f"the ledger {self._path} was damaged: the next run begins anew")

    def _row(self, task: TaskKey, *, create: bool = False) -> int | None:
        where = (task.url, task.organization_id, task.workspace_id, task.task_id)
        query = (
            "SELECT row FROM tasks WHERE url = ? AND organization_id = ? "
            "AND workspace_id = ? AND task_id = ?"
        )
        found = self._db.execute(query, where).fetchone()
        if found is None and create:
            self._db.execute(
                "INSERT INTO tasks (url, organization_id, workspace_id, task_id) "
                "VALUES (?, ?, ?, ?)",
                where,
            )
            found = self._db.execute(query, where).fetchone()
        return None if found is None else int(found["row"])

    def _insert(self, table: str, row: int | None, values: dict[str, object]) -> sqlite3.Cursor:
        keys = {"task": row}
        return self._db.execute(rows.upsert(table, keys, values), keys | values)

    def _put_entries(self, row: int | None, entries: Iterable[LedgerEntry]) -> None:
        for entry in entries:
            self._insert("attachments", row, rows.entry_values(entry))

    def _put_intents(self, row: int | None, intents: Iterable[Intent]) -> None:
        for intent in intents:
            self._insert("intents", row, {"key": intent.key, **rows.intent_values(intent)})

    def _delete(self, row: int | None, table: str, column: str, values: Iterable[object]) -> None:
        self._db.executemany(
            f"DELETE FROM {table} WHERE task = ? AND {column} = ?",  # noqa: S608
            [(row, value) for value in values],
        )

    def _happened(
        self, row: int | None, what: str, subject: str, at: float, digest: str | None = None
    ) -> None:
        self._db.execute(
            "INSERT INTO history (task, at, what, subject, digest) VALUES (?, ?, ?, ?, ?)",
            (row, at, what, subject, digest),
        )
