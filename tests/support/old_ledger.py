"""A ledger as an older syncd would have written it."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from syncd.state.schema import MIGRATIONS


def to_format(path: Path, version: int) -> None:
    """What an older format would have held of the same."""
    now = sqlite3.connect(path)
    if version == 5:
        tables = ("actions", "cycles", "counters")
        now.executescript("".join(f"DROP TABLE {table};" for table in tables))
        now.execute("PRAGMA user_version = 5")
        now.close()
        return
    now.row_factory = sqlite3.Row
    old = sqlite3.connect(path.with_name("old.db"))
    for number in range(version):
        old.executescript(f"{MIGRATIONS[number]} PRAGMA user_version = {number + 1};")

    def copy(table: str, rows: Iterable[Mapping[str, object]]) -> None:
        names = [row[1] for row in old.execute(f"PRAGMA table_info({table})")]
        old.execute(f"DELETE FROM {table}")
        for row in rows:
            values = {name: row[name] for name in names if name in row}
            marks = ", ".join("?" * len(values))
            query = f"INSERT INTO {table} ({', '.join(values)}) VALUES ({marks})"
            old.execute(query, [*values.values()])

    def attribute(row: dict[str, Any], name: str) -> str:
        told = [row[f"{name}_sent"], row[f"{name}_seen"], bool(row[f"{name}_kept"])]
        return json.dumps([*told, *([None] if version < 4 else [False, None, 0.0, []])])

    def fingerprint(row: dict[str, Any]) -> str | None:
        if row["file_size"] is None:
            return None
        return json.dumps([row[n] for n in ("file_size", "mtime_ns", "ctime_ns", "inode")])

    tables = ("tasks", "attachments", "intents", "strangers", "refusals", "history", "quotas")
    rows = {t: [dict(row) for row in now.execute(f"SELECT * FROM {t}")] for t in tables}
    for row in rows["tasks"]:
        identity = row["identity_inode"], row["identity_file_system"]
        row["identity"] = json.dumps([number % 2**64 for number in identity])
        shown = [[s[n] for n in ("id", "name", "display_order", "size")] for s in rows["strangers"]]
        row["listing"] = json.dumps([[*values, "", None, False] for values in shown])
    for row in rows["attachments"]:
        row |= {"name": attribute(row, "name"), "display_order": attribute(row, "order")}
        row["fingerprint"] = fingerprint(row)
    for row in rows["strangers"]:
        row["first_seen"] = 1
    for table in tables:
        copy(table, rows[table])
    old.commit()
    old.close()
    now.close()
    path.with_name("old.db").replace(path)
