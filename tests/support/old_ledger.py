"""A ledger as an older syncd would have written it."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from syncd.state.schema import FIRST


def to_first_format(path: Path) -> None:
    """Take away what later formats have added."""
    with sqlite3.connect(path) as ledger:
        for table in ("actions", "cycles", "counters"):
            ledger.execute(f"DROP TABLE {table}")
        ledger.execute("ALTER TABLE written DROP COLUMN inode")
        ledger.execute(f"PRAGMA user_version = {FIRST}")
    ledger.close()
