"""The tables of the ledger, as numbered migrations (PRAGMA user_version)."""

from __future__ import annotations

import shutil
import sqlite3

from syncd.errors import StateUnknown

FIRST = 5
"""The format that the first migration makes; those before it were never released."""
MIGRATIONS = (
    # 5: one row a task; the attachments that are ours, and those of others that the last list
    # showed; display orders that were given up within the last day; creates that may be on their
    # way; what was refused; what is counted for a day; when the file was written last, to tell an
    # old copy
    """
    CREATE TABLE tasks (
        row INTEGER PRIMARY KEY,
        url TEXT NOT NULL, organization_id INTEGER NOT NULL,
        workspace_id INTEGER NOT NULL, task_id INTEGER NOT NULL,
        config TEXT, folder TEXT, parent TEXT,
        mirror_approved INTEGER NOT NULL DEFAULT 0, held_of INTEGER,
        order_tried TEXT, order_tries INTEGER NOT NULL DEFAULT 0,
        order_kept INTEGER NOT NULL DEFAULT 0,
        listed_at REAL, identity_inode INTEGER, identity_file_system INTEGER,
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
    CREATE TABLE strangers (
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
    CREATE TABLE written (at REAL NOT NULL);
    INSERT INTO written VALUES (0);
    """,
    # 6: what was done lately, for people; both tables keep themselves short
    """
    CREATE TABLE actions (
        key INTEGER PRIMARY KEY, task INTEGER NOT NULL REFERENCES tasks, at REAL NOT NULL,
        folder_name TEXT NOT NULL, action TEXT NOT NULL, name TEXT NOT NULL, reason TEXT NOT NULL,
        attachment INTEGER, quota_left INTEGER, old_name TEXT);
    CREATE TRIGGER old_actions AFTER INSERT ON actions WHEN new.key % 100 = 0
        BEGIN DELETE FROM actions WHERE key <= new.key - 4000; END;
    CREATE TABLE cycles (
        at REAL NOT NULL, task INTEGER NOT NULL REFERENCES tasks, code INTEGER NOT NULL,
        actions INTEGER NOT NULL, requests INTEGER NOT NULL, quota_left INTEGER,
        PRIMARY KEY (at, task)) WITHOUT ROWID;
    CREATE TRIGGER old_cycles AFTER INSERT ON cycles
        BEGIN DELETE FROM cycles WHERE at < new.at - 86400; END;
    CREATE TABLE counters (
        name TEXT NOT NULL, label TEXT NOT NULL, value INTEGER NOT NULL,
        PRIMARY KEY (name, label)) WITHOUT ROWID;
    """,
    # 7: to which file it was written last, to tell an old copy; the actions whose attachment a
    # later list tells
    """
    ALTER TABLE written ADD COLUMN inode INTEGER;
    CREATE INDEX actions_without_attachment ON actions (task, name) WHERE attachment IS NULL;
    """,
)
VERSION = FIRST + len(MIGRATIONS) - 1


def version_of(connection: sqlite3.Connection) -> int:
    """The format of a ledger; 0 = an empty file."""
    return int(connection.execute("PRAGMA user_version").fetchone()[0])


def migrate(connection: sqlite3.Connection, path: str, *, keep_copy: bool) -> None:
    """Bring the ledger of this path up to date; `keep_copy`: of an older one, beside it.

    Raises StateUnknown for a format that this syncd does not know; the ledger stays as it is.
    """
    version = version_of(connection)
    if version > VERSION:
        raise StateUnknown(
            f"the ledger {path} is of a newer syncd (format {version}, this one "
            f"knows {VERSION}): install that version again, or name another state_dir"
        )
    if 0 < version < FIRST:
        raise StateUnknown(
            f"the ledger {path} is of a syncd before 0.1.0 (format {version}): move "
            "it away to begin a new one; attachments that match no file by name and size then "
            "count as foreign"
        )
    if version == VERSION:
        return
    if version and keep_copy:
        shutil.copy2(path, f"{path}.format{version}")
    steps = " ".join(MIGRATIONS[version - FIRST + 1 if version else 0 :])
    connection.executescript(f"BEGIN IMMEDIATE; {steps} PRAGMA user_version = {VERSION}; COMMIT;")
