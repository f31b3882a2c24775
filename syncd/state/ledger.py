"""The ledger: what folders and tasks last agreed on, in one SQLite file.

It follows outcomes: what was confirmed is written before the next request goes out, in short
transactions, none held across the network. A rollback journal rather than WAL: readers leave no
trace, the file may lie on a network file system, and an old copy put in its place finds no newer
log beside it.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable
from typing import Any

from syncd.errors import StateDamaged
from syncd.model import DAY, LoggedAction, LoggedCycle, TaskKey
from syncd.state.columns import ACTION, CYCLE, EVENT, TABLES, identity_of
from syncd.state.database import Database, log
from syncd.state.task_ledger import TaskLedger
from syncd.task_state import Event, TaskState

_FLUSH_EVERY = 1.0
"""Seconds."""
Place = tuple[TaskKey, str | None, str | None, str | None]
"""A task, and the config, folder and `each:` parent that it is synced from."""
_KEY = "url, organization_id, workspace_id, task_id"
_PLACE = f"{_KEY}, config, folder, parent"
_SINGLE = (
    "mirror_approved, held_of, order_tried, order_tries, order_kept, listed_at, "
    "identity_inode, identity_file_system"
)
"""The columns of single fields of a TaskState."""


class Ledger:
    """All that syncd remembers. Every method raises StateError when it cannot keep its word."""

    def __init__(self, database: Database, clock: Callable[[], float] = time.time) -> None:
        self._db = database
        self._clock = clock
        self._flushed_at = 0.0

    @classmethod
    def open(cls, state_dir: str, clock: Callable[[], float] = time.time) -> Ledger:
        """Open to write; the owner of the state lock calls this.

        How long it takes does not grow with the ledger: damage further inside is found, and the
        file set aside, when it is read or written.
        """
        ledger = cls(Database.open(_path(state_dir), log.warning), clock)
        try:
            ledger._begin()
        except StateDamaged:
            ledger._begin()
        return ledger

    @classmethod
    def snapshot(cls, state_dir: str, tell: Callable[[str], None] = log.warning) -> Ledger:
        """A private copy in memory, for whatever must not write."""
        return cls(Database.copy(_path(state_dir), tell))

    @classmethod
    def look(cls, state_dir: str) -> Ledger:
        """The file as it is written, to read only, beside the process that writes it."""
        return cls(Database.look(_path(state_dir)))

    @classmethod
    def blank(cls) -> Ledger:
        """Where none can be used: in memory, and nothing in it."""
        return cls(Database.blank())

    def renew(self) -> None:
        """Begin again with the file as it is now: it may have been lost or damaged meanwhile."""
        self._db.reopen()
        self._begin()

    def close(self) -> None:
        """Write what waits, and close the file."""
        try:
            self._db.put_now()
        finally:
            self._db.close()

    def examine(self) -> None:
        """Check all of it, which takes time; damage is told."""
        self._db.examine()
        for key, *_ in self.tasks():
            self.state(key)

    def prove_writable(self) -> None:
        """Write, before anything is sent that could not be recorded afterwards."""
        with self._db.transaction():
            before = (self._clock() - DAY,)
            self._db.execute_many("DELETE FROM history WHERE at < ?", [before])

    def task(self, task: TaskKey) -> TaskLedger:
        """The ledger of one task, loaded."""
        row = self._row(task)
        if row is None:
            self.register([(task, None, None, None)])
            row = self._row(task)
            assert row is not None
        return TaskLedger(self._db, row, self._load(row), self._clock)

    def state(self, task: TaskKey) -> TaskState:
        """What is known of one task, to read only."""
        row = self._row(task)
        return TaskState() if row is None else self._load(row)

    def tasks(self) -> list[Place]:
        """Every task ever synced."""
        found = self._db.query(f"SELECT {_PLACE} FROM tasks ORDER BY row")
        return [(TaskKey(*row[:4]), *row[4:]) for row in found]

    def register(self, places: Iterable[Place]) -> None:
        """Note where tasks are synced from now, all in one transaction."""
        known = {*self.tasks()}
        if new := [place for place in places if place not in known]:
            query = (
                f"INSERT INTO tasks ({_PLACE}) VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE "
                "SET config = excluded.config, folder = excluded.folder, parent = excluded.parent"
            )
            with self._db.transaction():
                self._db.execute_many(query, [(*task, *place) for task, *place in new])

    def actions(self, last: int = -1) -> list[tuple[TaskKey, LoggedAction]]:
        """What was done lately, newest last, or so many of the last; some thousands are kept."""
        query = (
            f"SELECT {_KEY}, {ACTION} FROM actions JOIN tasks ON row = task "
            "ORDER BY key DESC LIMIT ?"
        )
        found = reversed(self._db.query(query, (last,)))
        return [(TaskKey(*row[:4]), LoggedAction(*row[4:])) for row in found]

    def cycles(self) -> list[tuple[TaskKey, LoggedCycle]]:
        """The runs of the last day that sent or did something, newest last."""
        query = f"SELECT {_KEY}, {CYCLE} FROM cycles JOIN tasks ON row = task ORDER BY at"
        return [(TaskKey(*row[:4]), LoggedCycle(*row[4:])) for row in self._db.query(query)]

    def counters(self) -> dict[tuple[str, str], int]:
        """Totals by name and label, as far as they are written."""
        found = self._db.query("SELECT name, label, value FROM counters")
        return {(name, label): value for name, label, value in found}

    def keep_counter(self, name: str, label: str, value: int) -> None:
        """Write it with the next transaction; may be called by any thread."""
        query = "INSERT OR REPLACE INTO counters (name, label, value) VALUES (?, ?, ?)"
        self._db.put_later(query, (name, label), (name, label, value))

    def quota(self, url: str, organization_id: int) -> str | None:
        """What was kept of an organization's quota."""
        query = "SELECT state FROM quotas WHERE url = ? AND organization_id = ?"
        found = self._db.query(query, (url, organization_id))
        return found[0][0] if found else None

    def keep_quota(self, url: str, organization_id: int, quota: str) -> None:
        """Write it with the next transaction; may be called by any thread."""
        key = (url, organization_id)
        query = "INSERT OR REPLACE INTO quotas (url, organization_id, state) VALUES (?, ?, ?)"
        self._db.put_later(query, key, (*key, quota))

    def write_waiting(self) -> bool:
        """Write what waits for the next transaction; whether there was anything."""
        return self._db.put_now()

    def flush(self) -> None:
        """Write what waits for the next transaction, but not every second anew."""
        now = self._clock()
        if not 0 <= now - self._flushed_at < _FLUSH_EVERY:
            self._flushed_at = now
            self._db.put_now()

    def _begin(self) -> None:
        """Creates that were on their way when an earlier process died are in doubt.

        In a file that was copied here no list counts as remembered and no 201 is believed: what
        it knows may be old.
        """
        with self._db.transaction():
            query = "UPDATE intents SET state = 'doubtful', ended_at = ? WHERE state = 'open'"
            self._db.execute_many(query, [(self._clock(),)])
            if self._db.was_copied_here:
                self._db.execute_many("UPDATE tasks SET listed_at = ?", [(None,)])
                self._db.execute_many("UPDATE attachments SET listed = ?", [(1,)])

    def _row(self, task: TaskKey) -> int | None:
        key = "url = ? AND organization_id = ? AND workspace_id = ? AND task_id = ?"
        found = self._db.query(f"SELECT row FROM tasks WHERE {key}", task)
        return int(found[0][0]) if found else None

    def _load(self, row: int) -> TaskState:
        return self._db.read(lambda: self._read(row))

    def _read(self, row: int) -> TaskState:
        """The state of the task of this row; one read of each of its tables."""
        single = self._db.query(f"SELECT {_SINGLE} FROM tasks WHERE row = ?", (row,))
        if not single:
            return TaskState()  # A damaged copy counts as empty.
        approved, held_of, tried, tries, kept, listed_at, inode, file_system = single[0]
        mappings: dict[str, Any] = {}
        for table in TABLES:
            query = f"SELECT {table.columns} FROM {table.name} WHERE task = ? ORDER BY {table.key}"
            mappings[table.field] = table.mapping(self._db.query(query, (row,)))
        query = f"SELECT {EVENT} FROM history WHERE task = ? AND at > ? ORDER BY at, rowid"
        events = self._db.query(query, (row, self._clock() - DAY))
        return TaskState(
            **mappings,
            history=tuple(Event(*event) for event in events),
            identity=identity_of(inode, file_system),
            mirror_approved=bool(approved),
            held_of=held_of,
            order_tried=tried,
            order_tries=tries,
            order_kept=bool(kept),
            listed_at=listed_at,
        )


def _path(state_dir: str) -> str:
    return os.path.join(state_dir, "ledger.db")
