"""Reads the ledger's rows of one task into the frozen `Past` that decisions rest on."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable

from syncd.core.pacing import Quota
from syncd.model import Past, TaskKey
from syncd.state import rows

DAY = 86_400.0
HOUR = 3_600.0


def examine(connection: sqlite3.Connection) -> None:
    """Read everything: raises DatabaseError, with SQLite's code, for what SQLite finds corrupt,
    and ValueError for what is no ledger's."""
    found = connection.execute("PRAGMA quick_check(1)").fetchone()[0]
    if found != "ok":
        error = sqlite3.DatabaseError(found)
        error.sqlite_errorcode = sqlite3.SQLITE_CORRUPT
        raise error
    for row in connection.execute("SELECT * FROM tasks").fetchall():
        past_of(connection, row["row"], 0.0)
        if row["listing"] is not None:
            rows.listing_of(row["listing"])
    for row in connection.execute("SELECT state FROM quotas").fetchall():
        Quota(**json.loads(row["state"]))


def key_of(row: sqlite3.Row) -> TaskKey:
    return TaskKey(row["url"], row["organization_id"], row["workspace_id"], row["task_id"])


def past_of(db: sqlite3.Connection, row: int | None, now: float) -> Past:
    task = db.execute("SELECT * FROM tasks WHERE row = ?", (row,)).fetchone()
    if task is None:
        return Past()

    def of(table: str) -> list[sqlite3.Row]:
        return db.execute(f"SELECT * FROM {table} WHERE task = ?", (row,)).fetchall()  # noqa: S608

    history = db.execute(
        "SELECT * FROM history WHERE task = ? AND at > ? ORDER BY at DESC, rowid DESC",
        (row, now - DAY),
    ).fetchall()
    put_back: dict[int, int] = {}
    for event in history:
        if event["what"] == "put back":
            id_ = int(event["subject"])
            put_back[id_] = put_back.get(id_, 0) + 1
    return Past(
        entries=tuple(rows.entry_of(r) for r in of("attachments")),
        intents=tuple(rows.intent_of(r) for r in of("intents")),
        first_seen={r["id"]: r["first_seen"] for r in of("strangers")},
        sequence=task["sequence"],
        refusals=tuple(rows.refusal_of(r) for r in of("refusals")),
        identity=rows.identity_of(task["identity"]),
        mirror_approved=bool(task["mirror_approved"]),
        held_of=task["held_of"],
        created=_created(history),
        put_back=put_back,
        attempt=task["attempt"],
        attempts=task["attempts"],
        deleted=sum(1 for e in history if e["what"] == "delete" and e["at"] > now - HOUR),
    )


def _created(history: Iterable[sqlite3.Row]) -> dict[tuple[str, str], int]:
    """How often a path was created with the bytes it was created with last, newest first."""
    latest: dict[str, str] = {}
    ended: set[str] = set()
    counts: dict[tuple[str, str], int] = {}
    for event in history:
        path, digest = event["subject"], event["digest"]
        if event["what"] != "create" or path in ended:
            continue
        if latest.setdefault(path, digest) != digest:
            ended.add(path)
            continue
        counts[path, digest] = counts.get((path, digest), 0) + 1
    return counts
