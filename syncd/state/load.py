"""Load the state of one task from the ledger."""

from __future__ import annotations

from syncd.state import columns
from syncd.state.database import Database
from syncd.task_state import TaskState

DAY = 86_400.0


def load_task(database: Database, row: int, now: float) -> TaskState:
    """The state of the task of this row; one read of each of its tables."""

    def rows_of(table: str, names: str, more: str = "") -> list[columns.Row]:
        return database.query(f"SELECT {names} FROM {table} WHERE task = ? {more}", (row,))

    entries = map(columns.entry_of, rows_of("attachments", columns.ENTRY))
    intents = map(columns.intent_of, rows_of("intents", columns.INTENT, "ORDER BY key"))
    strangers = map(columns.stranger_of, rows_of("strangers", columns.STRANGER))
    refusals = map(columns.refusal_of, rows_of("refusals", columns.REFUSAL))
    recent = f"AND at > {now - DAY!r} ORDER BY at, rowid"
    events = map(columns.event_of, rows_of("history", columns.EVENT, recent))
    single = database.query(
        "SELECT identity_inode, identity_file_system, mirror_approved, held_of, order_tried, "
        "order_tries, order_kept, listed_at FROM tasks WHERE row = ?",
        (row,),
    )
    if not single:
        return TaskState()  # A damaged copy counts as empty.
    inode, file_system, approved, held_of, tried, tries, kept, listed_at = single[0]
    return TaskState(
        entries={e.id: e for e in entries},
        intents={i.key: i for i in intents},
        strangers={a.id: a for a in strangers},
        retired=dict(rows_of("retired_orders", columns.RETIRED)),
        refusals={r.subject: r for r in refusals},
        history=tuple(events),
        identity=columns.identity_of(inode, file_system),
        mirror_approved=bool(approved),
        held_of=held_of,
        order_tried=tried,
        order_tries=tries,
        order_kept=bool(kept),
        listed_at=listed_at,
    )
