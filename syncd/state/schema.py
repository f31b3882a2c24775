"""The tables of the ledger, and its format (PRAGMA user_version)."""

from __future__ import annotations

import sqlite3

from syncd.errors import StateError, StateTooNew

VERSION = 5
"""The first that was released; a later one needs a migration from it."""
_TABLES = """
    CREATE TABLE written (at REAL NOT NULL);  -- by the last transaction
    INSERT INTO written VALUES (0);
    CREATE TABLE tasks (
        row INTEGER PRIMARY KEY,
        url TEXT NOT NULL, organization_id INTEGER NOT NULL,
        workspace_id INTEGER NOT NULL, task_id INTEGER NOT NULL,
        config TEXT, folder TEXT, parent TEXT,
        identity_inode INTEGER, identity_file_system INTEGER,
        mirror_approved INTEGER NOT NULL DEFAULT 0, held_of INTEGER,
        order_tried TEXT, order_tries INTEGER NOT NULL DEFAULT 0,
        order_kept INTEGER NOT NULL DEFAULT 0, listed_at REAL,
        UNIQUE (url, organization_id, workspace_id, task_id));
    CREATE TABLE attachments (
        task INTEGER NOT NULL REFERENCES tasks, id INTEGER NOT NULL,
        role TEXT NOT NULL CHECK (
            role IN ('current', 'superseded', 'detached', 'released', 'tombstone')),
        path TEXT NOT NULL, size INTEGER NOT NULL,
        name_sent TEXT NOT NULL, name_seen TEXT NOT NULL, name_kept INTEGER NOT NULL,
        name_retried TEXT, name_accepted TEXT, name_before TEXT, name_put_at REAL NOT NULL,
        order_sent INTEGER NOT NULL, order_seen INTEGER NOT NULL, order_kept INTEGER NOT NULL,
        order_retried INTEGER, order_accepted INTEGER, order_before INTEGER,
        order_put_at REAL NOT NULL,
        digest TEXT,
        file_size INTEGER, mtime_ns INTEGER, ctime_ns INTEGER, inode INTEGER,
        racy INTEGER NOT NULL, shown INTEGER NOT NULL, listed INTEGER NOT NULL,
        since REAL NOT NULL, replaced_by INTEGER,
        PRIMARY KEY (task, id)) WITHOUT ROWID;
    CREATE TABLE strangers (  -- attachments of others
        task INTEGER NOT NULL REFERENCES tasks, id INTEGER NOT NULL,
        name TEXT NOT NULL, display_order INTEGER NOT NULL, size INTEGER NOT NULL,
        PRIMARY KEY (task, id)) WITHOUT ROWID;
    CREATE TABLE retired_orders (
        task INTEGER NOT NULL REFERENCES tasks, display_order INTEGER NOT NULL,
        at REAL NOT NULL, PRIMARY KEY (task, display_order)) WITHOUT ROWID;
    CREATE TABLE intents (
        key INTEGER PRIMARY KEY AUTOINCREMENT, task INTEGER NOT NULL REFERENCES tasks,
        path TEXT NOT NULL, number INTEGER NOT NULL, size INTEGER NOT NULL,
        file_size INTEGER NOT NULL, mtime_ns INTEGER NOT NULL, ctime_ns INTEGER NOT NULL,
        inode INTEGER NOT NULL, sent_at REAL NOT NULL, digest TEXT,
        state TEXT NOT NULL CHECK (state IN ('open', 'answered', 'doubtful', 'lost')),
        ended_at REAL);
    CREATE INDEX intents_by_task ON intents (task);
    CREATE TABLE refusals (
        task INTEGER NOT NULL REFERENCES tasks, subject TEXT NOT NULL, error TEXT NOT NULL,
        file_size INTEGER, mtime_ns INTEGER, ctime_ns INTEGER, inode INTEGER,
        attempts INTEGER NOT NULL, not_before REAL NOT NULL, whole INTEGER NOT NULL, digest TEXT,
        proven INTEGER NOT NULL DEFAULT 1, PRIMARY KEY (task, subject)) WITHOUT ROWID;
    CREATE TABLE history (
        task INTEGER NOT NULL REFERENCES tasks, at REAL NOT NULL,
        what TEXT NOT NULL CHECK (what IN ('create', 'put back', 'delete')),
        subject TEXT NOT NULL, digest TEXT);
    CREATE INDEX history_by_task ON history (task, what, at);
    CREATE TABLE quotas (
        url TEXT NOT NULL, organization_id INTEGER NOT NULL, state TEXT NOT NULL,
        PRIMARY KEY (url, organization_id)) WITHOUT ROWID;
"""


def make_tables(connection: sqlite3.Connection, path: str) -> None:
    """Make the tables of a new ledger. One of another format is left as it is: StateError."""
    version = int(connection.execute("PRAGMA user_version").fetchone()[0])
    if version > VERSION:
        raise StateTooNew(
            f"the ledger {path} is of a newer syncd (format {version}, this one knows {VERSION}): "
            "install that version again, or name another state_dir"
        )
    if 0 < version < VERSION:
        raise StateError(
            f"the ledger {path} is of format {version}, older than the first release: move it away "
            "to begin a new one; attachments that match no file by name and size then count as "
            "foreign"
        )
    if version == 0:
        script = f"BEGIN IMMEDIATE; {_TABLES} PRAGMA user_version = {VERSION}; COMMIT;"
        connection.executescript(script)
