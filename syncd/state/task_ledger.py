"""The ledger of one task: its state, loaded once, and the transitions that change it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from syncd.model import DAY, Attachment, FolderIdentity, LoggedAction, LoggedCycle
from syncd.state.change import Change, applied, difference, write
from syncd.state.columns import CYCLE
from syncd.state.database import Database
from syncd.task_state import Event, Intent, LedgerEntry, Refusal, TaskState

ORDER = "order"
"""The subject of an event that put back the order of a task."""


class TaskLedger:
    """Each transition changes `state` at once; `write` commits all since the last one together.

    Whoever sends requests writes before each of them and when a plan is carried out, so that a
    crash loses at most the outcome of one, or what a list told, as if it had come just before.
    `write` raises StateError; from then on `state` is ahead of the file, and is to be loaded anew.
    """

    def __init__(
        self, database: Database, row: int, state: TaskState, clock: Callable[[], float]
    ) -> None:
        self._db = database
        self._row = row
        self._clock = clock
        self._state = state
        self._not_applied: list[Change] = []
        """Changes that `_state` lacks: they are applied together when it is asked for."""
        self._not_written: list[Change] = []
        self._actions: list[LoggedAction] = []
        """Not written either."""

    @property
    def state(self) -> TaskState:
        """The value to plan on."""
        if self._not_applied:
            self._state = applied(self._state, self._not_applied)
            self._not_applied = []
        return self._state

    def write(self) -> None:
        """Commit what was recorded, in one transaction.

        If nothing but the time of the last list is new, it waits for the next transaction of any
        task: losing it costs no more than a list.
        """
        changes, self._not_written = self._not_written, []
        if self._actions:
            changes.append(Change(actions=self._actions))
            self._actions = []
        if not changes:
            return
        if all(change.is_time_of_list for change in changes):
            query = "UPDATE tasks SET listed_at = ? WHERE row = ?"
            self._db.put_later(query, self._row, (changes[-1].task["listed_at"], self._row))
            return
        with self._db.transaction():
            for change in changes:
                write(self._db, self._row, change)

    def record_list(self, after: TaskState) -> None:
        """A believed list: `after` is what it makes of the state (core.listing)."""
        self._record(difference(self.state, after))
        yesterday = self._clock() - DAY
        recent = tuple(e for e in self.state.history if e.at > yesterday)
        self._state = self.state._replace(history=recent)

    def record_plan(
        self,
        records: Iterable[LedgerEntry],
        identity: FolderIdentity | None,
        mirror_approved: bool,
        held_of: int | None,
    ) -> None:
        """What a plan knows without a request: adopted, renamed, detached entries and the like.

        No `identity` leaves the folder's as it is; `mirror_approved` is never taken back.
        """
        state = self.state
        values = {
            "identity": identity or state.identity,
            "mirror_approved": mirror_approved or state.mirror_approved,
            "held_of": held_of,
        }
        entries = {e.id: e for e in records}
        self._record(
            Change(
                entries=entries,
                gone={"strangers": entries.keys() & state.strangers.keys()},
                task=self._new(values),
            )
        )

    def record_order(self, sequence: str, *, kept: bool, put_back: bool = False) -> None:
        """A list shows the wanted sequence (`kept`), or moves have tried to bring it about."""
        state = self.state
        again = state.order_tried == sequence
        values = {
            "order_tried": sequence,
            "order_tries": 0 if kept else 1 + (state.order_tries if again else 0),
            "order_kept": kept or (again and state.order_kept),
        }
        events = [Event(self._clock(), "put back", ORDER)] if put_back else ()
        self._record(Change(events=events, task=self._new(values)))

    def record_sending(self, intents: Sequence[Intent]) -> tuple[Intent, ...]:
        """Creates that are about to be sent, committed; returns them with their keys."""
        keyed = tuple(intent._replace(key=self._db.new_key()) for intent in intents)
        self._record(Change(intents=_by_key(keyed)))
        self.write()
        return keyed

    def record_not_sent(self, intents: Iterable[Intent]) -> None:
        """Creates that were surely not carried out."""
        self._record(Change(gone={"intents": [i.key for i in intents]}))

    def record_doubtful(self, intents: Iterable[Intent]) -> None:
        """Creates that may have been carried out: a later list tells."""
        now = self._clock()
        doubtful = (i._replace(state="doubtful", ended_at=now) for i in intents)
        self._record(Change(intents=_by_key(doubtful)))

    def record_answered(self, intents: Sequence[Intent]) -> None:
        """Creates that were answered with 201 but without ids; each carries its digest."""
        now = self._clock()
        answered = (i._replace(state="answered", ended_at=now) for i in intents)
        self._record_success(intents, Change(intents=_by_key(answered)))

    def record_created(self, intents: Sequence[Intent], entries: Iterable[LedgerEntry]) -> None:
        """Creates that were answered with 201 and the objects; `entries` hold old versions, too."""
        gone = {"intents": [i.key for i in intents]}
        self._record_success(intents, Change(entries={e.id: e for e in entries}, gone=gone))

    def _record_success(self, created: Sequence[Intent], change: Change) -> None:
        """Count confirmed creates, and forget the refusals of their files."""
        now = self._clock()
        events = [Event(now, "create", i.path, i.digest) for i in created if i.digest]
        gone = {**change.gone, "refusals": [i.path for i in created]}
        self._record(change._replace(events=events, gone=gone))

    def record_updated(self, id_: int, name: str, number: int, *, put_back: bool) -> None:
        """A confirmed PUT; `put_back`: of a name that was changed in the task."""
        now, old = self._clock(), self.state.entries[id_]
        entry = old._replace(name=old.name.put(name, now), order=old.order.put(number, now))
        self._record(
            Change(
                entries={id_: entry},
                retired={old.order.seen: now} if number != old.order.seen else {},
                events=[Event(now, "put back", str(id_))] if put_back else (),
            )
        )

    def record_deleted(self, attachment: Attachment, counted_path: str | None) -> None:
        """A confirmed DELETE; `counted_path`: the guard counts it as a delete of that file."""
        now, id_ = self._clock(), attachment.id
        stranger = self.state.strangers.get(id_, attachment)
        old = self.state.entries.get(id_) or LedgerEntry.of_stranger(stranger)
        tombstone = old._replace(role="tombstone", shown=False, listed=True, since=now)
        self._record(
            Change(
                entries={id_: tombstone},
                events=[] if counted_path is None else [Event(now, "delete", counted_path)],
                gone={"strangers": [id_]},
            )
        )

    def record_not_found(self, id_: int) -> None:
        """A 404 for an attachment: its 201 is believed no longer, a list is."""
        entry = self.state.entries.get(id_)
        if entry is not None and not entry.listed:
            self._record(Change(entries={id_: entry._replace(listed=True)}))

    def record_action(self, action: LoggedAction) -> None:
        """What was confirmed, for people to read later."""
        self._actions.append(action)

    def record_cycle(self, cycle: LoggedCycle) -> None:
        """What a run came to; written with the next transaction."""
        query = f"INSERT OR REPLACE INTO cycles (task, {CYCLE}) VALUES (?, ?, ?, ?, ?, ?)"
        self._db.put_later(query, (self._row, cycle.at), (self._row, *cycle))

    def record_refusals(self, refusals: Iterable[Refusal]) -> None:
        """Each in place of the one before of the same subject."""
        self._record(Change(refusals={r.subject: r for r in refusals}))

    def forgive(self, subjects: Iterable[str]) -> None:
        """Forget the refusals of these subjects."""
        self._record(Change(gone={"refusals": [s for s in subjects if s in self.state.refusals]}))

    def forget_waits(self) -> None:
        """Forget all refusals and what was counted, but not the deletes."""
        self._record(Change(gone={"refusals": [*self.state.refusals]}, task={"order_tries": 0}))
        query = "DELETE FROM history WHERE task = ? AND what != 'delete'"
        self._db.put_later(query, self._row, (self._row,))
        deletes = tuple(e for e in self.state.history if e.what == "delete")
        self._state = self.state._replace(history=deletes)

    def _record(self, change: Change) -> None:
        if change:
            self._not_applied.append(change)
            self._not_written.append(change)

    def _new(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """Those of these fields of the state that differ from it."""
        return {k: v for k, v in values.items() if getattr(self.state, k) != v}


def _by_key(intents: Iterable[Intent]) -> dict[int, Intent]:
    return {i.key: i for i in intents}
