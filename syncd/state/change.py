"""One change of a task's state: written to the ledger and applied to the value alike."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from syncd.model import Attachment
from syncd.state import columns
from syncd.state.database import Database
from syncd.task_state import Event, Intent, LedgerEntry, Refusal, TaskState

T = TypeVar("T")


@dataclass(frozen=True)
class Change:
    """What is put in place of what had its key, and the keys of what goes."""

    entries: Collection[LedgerEntry] = ()
    intents: Collection[Intent] = ()
    strangers: Collection[Attachment] = ()
    retired: Mapping[int, float] = field(default_factory=dict)
    refusals: Collection[Refusal] = ()
    events: Collection[Event] = ()
    entries_gone: Collection[int] = ()
    intents_gone: Collection[int] = ()
    strangers_gone: Collection[int] = ()
    retired_gone: Collection[int] = ()
    refusals_gone: Collection[str] = ()
    task: Mapping[str, Any] = field(default_factory=dict)
    """Fields of TaskState that are single values."""

    def __bool__(self) -> bool:
        return any(vars(self).values())


def difference(before: TaskState, after: TaskState) -> Change:
    """The change that makes `after` of `before`, a later state of the same task."""
    entries, entries_gone = _compared(before.entries, after.entries)
    intents, intents_gone = _compared(before.intents, after.intents)
    strangers, strangers_gone = _compared(before.strangers, after.strangers)
    retired, retired_gone = _compared(before.retired, after.retired)
    return Change(
        entries=entries.values(),
        intents=intents.values(),
        strangers=strangers.values(),
        retired=retired,
        events=after.history[len(before.history) :],
        entries_gone=entries_gone,
        intents_gone=intents_gone,
        strangers_gone=strangers_gone,
        retired_gone=retired_gone,
        task={"listed_at": after.listed_at, "clock_skew": after.clock_skew},
    )


def applied(state: TaskState, change: Change) -> TaskState:
    """The state after a change."""
    values: dict[str, Any] = dict(change.task)
    for name, items in (
        ("entries", {e.id: e for e in change.entries}),
        ("intents", {i.key: i for i in change.intents}),
        ("strangers", {a.id: a for a in change.strangers}),
        ("retired", change.retired),
        ("refusals", {r.subject: r for r in change.refusals}),
    ):
        gone = getattr(change, f"{name}_gone")
        if items or gone:
            merged = {**getattr(state, name), **items}
            for key in gone:
                merged.pop(key, None)
            values[name] = merged
    if change.events:
        values["history"] = (*state.history, *change.events)
    return state._replace(**values)


def write(database: Database, row: int, change: Change) -> None:
    """Write a change of the task of this row; called within a transaction."""
    table = _Table(database, row)
    table.put("attachments", columns.ENTRY, map(columns.entry_row, change.entries))
    table.put("intents", columns.INTENT, map(columns.intent_row, change.intents))
    table.put("strangers", columns.STRANGER, map(columns.stranger_row, change.strangers))
    table.put("retired_orders", columns.RETIRED, change.retired.items())
    table.put("refusals", columns.REFUSAL, map(columns.refusal_row, change.refusals))
    table.put("history", columns.EVENT, map(columns.event_row, change.events))
    table.delete("attachments", "id", change.entries_gone)
    table.delete("intents", "key", change.intents_gone)
    table.delete("strangers", "id", change.strangers_gone)
    table.delete("retired_orders", "display_order", change.retired_gone)
    table.delete("refusals", "subject", change.refusals_gone)
    table.set(columns.task_values(change.task))


class _Table:
    """Statements on the rows of one task."""

    def __init__(self, database: Database, row: int) -> None:
        self._db = database
        self._row = row

    def put(self, table: str, names: str, rows: Iterable[Sequence[object]]) -> None:
        marks = ", ".join("?" * (names.count(",") + 2))
        query = f"INSERT OR REPLACE INTO {table} (task, {names}) VALUES ({marks})"
        self._db.execute_many(query, [(self._row, *row) for row in rows])

    def delete(self, table: str, column: str, values: Iterable[object]) -> None:
        query = f"DELETE FROM {table} WHERE task = ? AND {column} = ?"
        self._db.execute_many(query, [(self._row, value) for value in values])

    def set(self, values: Mapping[str, object]) -> None:
        if values:
            names = ", ".join(f"{name} = ?" for name in values)
            query = f"UPDATE tasks SET {names} WHERE row = ?"
            self._db.execute_many(query, [(*values.values(), self._row)])


def _compared(before: Mapping[Any, T], after: Mapping[Any, T]) -> tuple[dict[Any, T], list[Any]]:
    """What is new or changed, and the keys of what is gone."""
    changed = {k: v for k, v in after.items() if (old := before.get(k)) is not v and old != v}
    return changed, [key for key in before if key not in after]
