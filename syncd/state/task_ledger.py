"""The ledger of one task: its state, loaded once, and the transitions that change it.

Each transition is one transaction, which also makes its outcome the state to plan on.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from syncd.model import Attachment, FolderIdentity
from syncd.state.change import Change, applied, difference, write
from syncd.state.database import Database
from syncd.task_state import Event, Intent, LedgerEntry, Refusal, TaskState

DAY = 86_400.0
ORDER = "order"
"""The subject of an event that put back the order of a task."""


class TaskLedger:
    """`state` is the value to plan on; every method raises StateError if it cannot write."""

    def __init__(
        self, database: Database, row: int, state: TaskState, clock: Callable[[], float]
    ) -> None:
        self._db = database
        self._row = row
        self._clock = clock
        self.state = state

    def record_list(self, after: TaskState) -> None:
        """A believed list: `after` is what it makes of the state (core.listing)."""
        self._commit(difference(self.state, after))
        yesterday = self._clock() - DAY
        recent = tuple(e for e in self.state.history if e.at > yesterday)
        self.state = self.state._replace(history=recent)

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
        records = tuple(records)
        self._commit(
            Change(
                entries=records,
                strangers_gone=[e.id for e in records if e.id in state.strangers],
                task={k: v for k, v in values.items() if getattr(state, k) != v},
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
        self._commit(
            Change(
                events=[Event(self._clock(), "put back", ORDER)] if put_back else (),
                task={k: v for k, v in values.items() if getattr(state, k) != v},
            )
        )

    def record_sending(self, intents: Sequence[Intent]) -> tuple[Intent, ...]:
        """Creates that are about to be sent; returns them with their keys."""
        first = self._next_key()
        kept = tuple(intent._replace(key=first + n) for n, intent in enumerate(intents))
        self._commit(Change(intents=kept))
        return kept

    def record_not_sent(self, intents: Iterable[Intent]) -> None:
        """Creates that were surely not carried out."""
        self._commit(Change(intents_gone=[i.key for i in intents]))

    def record_doubtful(self, intents: Iterable[Intent]) -> None:
        """Creates that may have been carried out: a later list tells."""
        now = self._clock()
        self._commit(Change(intents=[i._replace(state="doubtful", ended_at=now) for i in intents]))

    def record_answered(self, intents: Iterable[Intent]) -> None:
        """Creates that were answered with 201 but without ids; each carries its digest."""
        now = self._clock()
        answered = [i._replace(state="answered", ended_at=now) for i in intents]
        events, forgiven = self._counted(answered)
        self._commit(Change(intents=answered, events=events, refusals_gone=forgiven))

    def record_created(self, intents: Sequence[Intent], entries: Iterable[LedgerEntry]) -> None:
        """Creates that were answered with 201 and the objects; `entries` hold old versions, too."""
        events, forgiven = self._counted(intents)
        self._commit(
            Change(
                entries=tuple(entries),
                intents_gone=[i.key for i in intents],
                events=events,
                refusals_gone=forgiven,
            )
        )

    def record_updated(self, id_: int, name: str, number: int, *, put_back: bool) -> None:
        """A confirmed PUT; `put_back`: of a name that was changed in the task."""
        now, old = self._clock(), self.state.entries[id_]
        entry = old._replace(name=old.name.put(name, now), order=old.order.put(number, now))
        self._commit(
            Change(
                entries=[entry],
                retired={old.order.seen: now} if number != old.order.seen else {},
                events=[Event(now, "put back", str(id_))] if put_back else (),
            )
        )

    def record_deleted(self, attachment: Attachment, counted_path: str | None) -> None:
        """A confirmed DELETE; `counted_path`: the guard counts it as a delete of that file."""
        now, id_ = self._clock(), attachment.id
        stranger = self.state.strangers.get(id_, attachment)
        old = self.state.entries.get(id_) or LedgerEntry.of_stranger(stranger)
        self._commit(
            Change(
                entries=[old._replace(role="tombstone", shown=False, listed=True, since=now)],
                strangers_gone=[id_],
                events=[] if counted_path is None else [Event(now, "delete", counted_path)],
            )
        )

    def record_not_found(self, id_: int) -> None:
        """A 404 to a PUT or DELETE: the attachment's 201 is believed no longer, a list is."""
        entry = self.state.entries.get(id_)
        if entry is not None and not entry.listed:
            self._commit(Change(entries=[entry._replace(listed=True)]))

    def record_refusals(self, refusals: Iterable[Refusal]) -> None:
        """Each in place of the one before of the same subject."""
        self._commit(Change(refusals=tuple(refusals)))

    def forgive(self, subjects: Iterable[str]) -> None:
        """Forget the refusals of these subjects."""
        self._commit(Change(refusals_gone=[s for s in subjects if s in self.state.refusals]))

    def forget_waits(self) -> None:
        """Forget all refusals and what was counted, but not the deletes."""
        history = tuple(e for e in self.state.history if e.what == "delete")
        with self._db.transaction():
            write(self._db, self._row, Change(task={"order_tries": 0}))
            self._db.execute_many(
                "DELETE FROM history WHERE task = ? AND what != 'delete'", [(self._row,)]
            )
            self._db.execute_many("DELETE FROM refusals WHERE task = ?", [(self._row,)])
        self.state = self.state._replace(refusals={}, history=history, order_tries=0)

    def _commit(self, change: Change) -> None:
        if change:
            with self._db.transaction():
                write(self._db, self._row, change)
            self.state = applied(self.state, change)

    def _next_key(self) -> int:
        query = "SELECT coalesce(max(seq), 0) + 1 FROM sqlite_sequence WHERE name = 'intents'"
        return int(self._db.query(query)[0][0])

    def _counted(self, created: Iterable[Intent]) -> tuple[list[Event], list[str]]:
        """What confirmed creates count, and the subjects of the refusals that they end."""
        now = self._clock()
        events = [Event(now, "create", i.path, i.digest) for i in created if i.digest]
        return events, [i.path for i in created if i.path in self.state.refusals]
