"""The ledger: what folder and task last agreed on, in one SQLite file.

It follows outcomes: one short transaction per confirmed action, none held across the
network. A rollback journal rather than WAL, so that readers leave no trace and the file may
lie on a network file system. One connection, owned by one thread.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable
from dataclasses import replace

from syncd.core.books import NO_FRUIT
from syncd.errors import StateDamaged
from syncd.model import FolderIdentity, Intent, LedgerEntry, Past, Refusal, TaskKey
from syncd.state import rows
from syncd.state.memory import Memory
from syncd.state.opening import empty, is_copy, open_for_reading, open_for_writing
from syncd.state.recall import DAY, examine, key_of, past_of
from syncd.state.schema import version_of
from syncd.state.store import log


class Ledger(Memory):
    """All that syncd remembers. Every method raises StateError when it cannot keep its word."""

    @classmethod
    def open(cls, state_dir: str, clock: Callable[[], float] = time.time) -> Ledger:
        """Open to write; a damaged file is set aside, which is told, and a new one begun.

        The owner of the state lock calls this. Creates that were under way when an earlier
        process died are in doubt from now on. How long it takes does not grow with the ledger:
        damage further inside is found, and treated the same, when it is read or written.
        """
        path = os.path.join(state_dir, "ledger.db")
        ledger = cls(open_for_writing(path, log.warning), path, clock)
        try:
            ledger._begin()
        except StateDamaged:
            ledger._begin()
        return ledger

    def renew(self) -> None:
        """Begin again with the file as it is now: it may have been lost or damaged meanwhile."""
        fresh = open_for_writing(self._path, self._tell)
        self._db.close()
        self._db = fresh
        self._begin()

    def _begin(self) -> None:
        """What was under way is in doubt. In a copy that was put here later than it was written
        no list counts as remembered, and no 201 is believed: what it knows may be old."""
        with self.transaction():
            self._db.execute(
                "UPDATE intents SET state = 'doubtful', ended_at = ? WHERE state = 'open'",
                (self._clock(),),
            )
            if is_copy(self._db, self._path):
                self._db.execute("UPDATE tasks SET listing = NULL")
                self._db.execute("UPDATE attachments SET listed = 1")

    @classmethod
    def snapshot(cls, state_dir: str, tell: Callable[[str], None] = log.warning) -> Ledger:
        """A private copy in memory, for whatever must not write; empty if there is none, or if
        it is damaged, which is told."""
        path = os.path.join(state_dir, "ledger.db")
        return cls(open_for_reading(path, tell), path, tell=tell, is_copy=True)

    @classmethod
    def blank(cls) -> Ledger:
        """Where none can be used: in memory, and nothing in it."""
        return cls(empty(), "in memory", is_copy=True)

    def examine(self) -> None:
        """Look at all of a copy, which takes time; damage is told."""
        self.read(lambda: examine(self._db))

    def prove_writable(self) -> None:
        """Write, before anything is sent that could not be recorded afterwards."""
        with self.transaction():
            self._db.execute("DELETE FROM history WHERE at < ?", (self._clock() - DAY,))
            self._db.execute("PRAGMA user_version = " + str(version_of(self._db)))

    def past(self, task: TaskKey, now: float) -> Past:
        """All that is known of a task."""
        return self.read(lambda: past_of(self._db, self._row(task), now))

    def tasks(self) -> list[tuple[TaskKey, str | None, str | None, str | None]]:
        """Every task ever fed: its key, and the config, folder and `each:` parent it had."""
        query = "SELECT * FROM tasks ORDER BY row"
        found = self.read(lambda: self._db.execute(query).fetchall())
        return [(key_of(r), r["config"], r["folder"], r["parent"]) for r in found]

    def register(self, task: TaskKey, config: str, folder: str, parent: str | None) -> None:
        """Note where a task is fed from."""
        values = (config, folder, parent)
        row = self.read(lambda: self._row(task))
        query = "SELECT config, folder, parent FROM tasks WHERE row = ?"
        known = self.read(lambda: self._db.execute(query, (row,)).fetchone())
        if known is not None and tuple(known) == values:
            return
        with self.transaction():
            self._db.execute(
                "UPDATE tasks SET config = ?, folder = ?, parent = ? WHERE row = ?",
                (*values, self._row(task, create=True)),
            )

    def record(self, task: TaskKey, before: Past, after: Past) -> None:
        """Write what a list has changed in the books."""
        with self.transaction():
            row = self._row(task, create=True)
            self._db.execute("UPDATE tasks SET sequence = ? WHERE row = ?", (after.sequence, row))
            kept = {e.id: e for e in after.entries}
            old = {e.id: e for e in before.entries}
            self._delete(row, "attachments", "id", old.keys() - kept.keys())
            self._put_entries(row, (e for e in after.entries if old.get(e.id) != e))
            remaining = {i.key: i for i in after.intents}
            gone = {i.key for i in before.intents} - remaining.keys()
            self._delete(row, "intents", "key", gone)
            self._put_intents(row, (i for i in after.intents if i not in before.intents))
            strangers = before.first_seen.keys() - after.first_seen.keys()
            self._delete(row, "strangers", "id", strangers)
            for id_, sequence in after.first_seen.items():
                if before.first_seen.get(id_) != sequence:
                    self._insert("strangers", row, {"id": id_, "first_seen": sequence})
            now = self._clock()
            for (path, digest), count in after.created.items():
                for _ in range(count - before.created.get((path, digest), 0)):
                    self._happened(row, "create", path, now, digest)

    def put(
        self,
        task: TaskKey,
        entries: Iterable[LedgerEntry],
        *,
        created: Iterable[tuple[str, str]] = (),
        closed: Iterable[int] = (),
        put_back: int | None = None,
        deleted: str | None = None,
    ) -> None:
        """Record a confirmed action: its entries, the intents it closes, what the day's
        counts make of it. `deleted` is the path of a file whose attachment was deleted."""
        now = self._clock()
        with self.transaction():
            row = self._row(task, create=True)
            self._put_entries(row, entries)
            self._delete(row, "intents", "key", closed)
            for path, digest in created:
                self._happened(row, "create", path, now, digest)
            if put_back is not None:
                self._happened(row, "put back", str(put_back), now)
            if deleted is not None:
                # Its user removed the file: should it return, that is a new beginning.
                self._happened(row, "delete", deleted, now)
                self._db.execute(
                    "DELETE FROM history WHERE task = ? AND what = 'create' AND subject = ?",
                    (row, deleted),
                )

    def forget(self, task: TaskKey, ids: Iterable[int]) -> None:
        """Attachments that are ours no more, and were not deleted: no create that is in doubt
        made one of them."""
        gone = tuple(ids)
        with self.transaction():
            row = self._row(task, create=True)
            self._delete(row, "attachments", "id", gone)
            for id_ in gone:
                self._insert("strangers", row, {"id": id_, "first_seen": NO_FRUIT})

    def doubt(self, task: TaskKey, id_: int) -> None:
        """An attachment that may not be there: its 201 is believed no longer, a list is."""
        with self.transaction():
            self._db.execute(
                "UPDATE attachments SET listed = 1 WHERE task = ? AND id = ?",
                (self._row(task, create=True), id_),
            )

    def settle_folder(
        self,
        task: TaskKey,
        identity: FolderIdentity | None,
        mirror_approved: bool,
        held_of: int | None = None,
    ) -> None:
        """Record what the folder is known by, and what the guard has to remember."""
        with self.transaction():
            row = self._row(task, create=True)
            if identity is not None:
                self._db.execute(
                    "UPDATE tasks SET identity = ? WHERE row = ?",
                    (rows.identity_text(identity), row),
                )
            self._db.execute("UPDATE tasks SET held_of = ? WHERE row = ?", (held_of, row))
            if mirror_approved:
                self._db.execute("UPDATE tasks SET mirror_approved = 1 WHERE row = ?", (row,))

    def attempted(self, task: TaskKey, attempt: str) -> None:
        """Attachments were moved to change one sequence into another: once more, if it is the
        same as last time."""
        with self.transaction():
            self._db.execute(
                "UPDATE tasks SET attempts = iif(attempt IS :attempt, attempts, 0) + 1, "
                "attempt = :attempt WHERE row = :row",
                {"attempt": attempt, "row": self._row(task, create=True)},
            )

    def intend(self, task: TaskKey, intents: Iterable[Intent]) -> tuple[Intent, ...]:
        """Commit creates that are about to be sent; returns them with their keys."""
        kept: list[Intent] = []
        with self.transaction():
            row = self._row(task, create=True)
            for intent in intents:
                cursor = self._insert("intents", row, rows.intent_values(intent))
                assert cursor.lastrowid is not None
                kept.append(replace(intent, key=cursor.lastrowid))
        return tuple(kept)

    def update_intents(
        self, task: TaskKey, intents: Iterable[Intent], *, answered: bool = False
    ) -> None:
        """Write what became of creates; one answered with 201 counts as created."""
        with self.transaction():
            row = self._row(task, create=True)
            changed = tuple(intents)
            self._put_intents(row, changed)
            for intent in changed if answered else ():
                if intent.digest:
                    self._happened(row, "create", intent.path, self._clock(), intent.digest)

    def drop_intents(self, task: TaskKey, intents: Iterable[Intent]) -> None:
        """Creates that were surely not carried out."""
        with self.transaction():
            row = self._row(task, create=True)
            self._delete(row, "intents", "key", (i.key for i in intents))

    def refuse(self, task: TaskKey, refusals: Iterable[Refusal]) -> None:
        """Remember refusals, each in place of the one before of the same subject."""
        with self.transaction():
            row = self._row(task, create=True)
            for refusal in refusals:
                self._insert("refusals", row, rows.refusal_values(refusal))

    def forgive(self, task: TaskKey, subjects: Iterable[str] | None = None) -> None:
        """Forget refusals: of these subjects, or all, and then the day's counts, too."""
        with self.transaction():
            row = self._row(task, create=True)
            if subjects is not None:
                self._delete(row, "refusals", "subject", subjects)
                return
            self._db.execute("DELETE FROM refusals WHERE task = ?", (row,))
            self._db.execute("DELETE FROM history WHERE task = ? AND what != 'delete'", (row,))
