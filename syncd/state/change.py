"""One change of a task's state: written to the ledger and applied to the value alike."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, NamedTuple, TypeVar

from syncd.model import NOTHING, Attachment, LoggedAction
from syncd.state.columns import ACTION, EVENT, TABLES, task_values
from syncd.state.database import Database
from syncd.task_state import Event, Intent, LedgerEntry, Refusal, TaskState

T = TypeVar("T")

_TIMES = {"listed_at", "clock_skew"}


class Change(NamedTuple):
    """What is put in place of what had its key, and the keys of what goes, by field."""

    entries: Mapping[int, LedgerEntry] = NOTHING
    intents: Mapping[int, Intent] = NOTHING
    strangers: Mapping[int, Attachment] = NOTHING
    retired: Mapping[int, float] = NOTHING
    refusals: Mapping[str, Refusal] = NOTHING
    events: Sequence[Event] = ()
    actions: Sequence[LoggedAction] = ()
    """They are written, and no part of the state."""
    made: Sequence[LedgerEntry] = ()
    """Attachments that a list has shown to be those of earlier creates."""
    gone: Mapping[str, Collection[Any]] = NOTHING
    """Of each of these mappings."""
    task: Mapping[str, Any] = NOTHING
    """Fields of TaskState that are single values."""

    def __bool__(self) -> bool:
        return any((*self._replace(gone=NOTHING), *self.gone.values()))

    @property
    def is_time_of_list(self) -> bool:
        """Whether it changes nothing but when the last list was taken."""
        return self.task.keys() == _TIMES and not self._replace(task=NOTHING)


def difference(before: TaskState, after: TaskState) -> Change:
    """The change that makes `after` of `before`, the state after a later list of the task."""
    changed: dict[str, Any] = {}
    gone: dict[str, list[Any]] = {}
    for name in ("entries", "intents", "strangers", "retired"):
        old, new = getattr(before, name), getattr(after, name)
        changed[name] = _changed(old, new)
        if missing := [key for key in old if key not in new]:
            gone[name] = missing
    times = {name: getattr(after, name) for name in _TIMES}
    events = after.history[len(before.history) :]
    made = [e for id_, e in changed["entries"].items() if id_ not in before.entries]
    return Change(**changed, events=events, made=made, gone=gone, task=times)


def applied(state: TaskState, changes: Iterable[Change]) -> TaskState:
    """The state after these changes; each mapping that they touch is copied once."""
    values: dict[str, Any] = {}
    events: list[Event] = []
    for change in changes:
        values |= change.task
        events += change.events
        for table in TABLES:
            name = table.field
            new, gone = getattr(change, name), change.gone.get(name, ())
            if name not in values and (new or gone):
                values[name] = dict(getattr(state, name))
            if new:
                values[name].update(new)
            for key in gone:
                values[name].pop(key, None)
    return state._replace(history=(*state.history, *events), **values)


def write(database: Database, row: int, change: Change) -> None:
    """Write a change of the task of this row; called within a transaction."""

    def put(table: str, columns: str, rows: Iterable[Sequence[object]]) -> None:
        marks = ", ".join("?" * (columns.count(",") + 2))
        query = f"INSERT OR REPLACE INTO {table} (task, {columns}) VALUES ({marks})"
        database.execute_many(query, [(row, *values) for values in rows])

    for table in TABLES:
        if new := getattr(change, table.field):
            put(table.name, table.columns, table.rows(new))
        query = f"DELETE FROM {table.name} WHERE task = ? AND {table.key} = ?"
        database.execute_many(query, [(row, key) for key in change.gone.get(table.field, ())])
    put("history", EVENT, change.events)
    put("actions", ACTION, change.actions)
    query = (
        "UPDATE actions SET attachment = ? WHERE key = "
        "(SELECT max(key) FROM actions WHERE task = ? AND name = ? AND attachment IS NULL)"
    )
    database.execute_many(query, [(e.id, row, e.path) for e in change.made])
    if values := task_values(change.task):
        names = ", ".join(f"{name} = ?" for name in values)
        query = f"UPDATE tasks SET {names} WHERE row = ?"
        database.execute_many(query, [(*values.values(), row)])


def _changed(before: Mapping[Any, T], after: Mapping[Any, T]) -> dict[Any, T]:
    return {k: v for k, v in after.items() if (old := before.get(k)) is not v and old != v}
