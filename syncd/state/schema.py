"""The tables of the ledger, as numbered migrations (PRAGMA user_version)."""

from __future__ import annotations

import shutil
import sqlite3

from syncd.errors import StateTooNew

MIGRATIONS = (
    # 1: one row a task; what is ours in it; creates that may be on their way; the rest of it
    """
    CREATE TABLE tasks (
        row INTEGER PRIMARY KEY,
        url TEXT NOT NULL, organization_id INTEGER NOT NULL,
        workspace_id INTEGER NOT NULL, task_id INTEGER NOT NULL,
        sequence INTEGER NOT NULL DEFAULT 0,
        identity TEXT,
        mirror_approved INTEGER NOT NULL DEFAULT 0 CHECK (mirror_approved IN (0, 1)),
        UNIQUE (url, organization_id, workspace_id, task_id));
    CREATE TABLE attachments (
        task INTEGER NOT NULL REFERENCES tasks, id INTEGER NOT NULL,
        role TEXT NOT NULL CHECK (role IN ('current', 'superseded', 'detached', 'tombstone')),
        path TEXT NOT NULL, size INTEGER NOT NULL,
        name TEXT NOT NULL, display_order TEXT NOT NULL,
        digest TEXT, fingerprint TEXT,
        racy INTEGER NOT NULL CHECK (racy IN (0, 1)),
        listed INTEGER NOT NULL CHECK (listed IN (0, 1)),
        since REAL NOT NULL,
        PRIMARY KEY (task, id)) WITHOUT ROWID;
    CREATE TABLE intents (
        key INTEGER PRIMARY KEY AUTOINCREMENT, task INTEGER NOT NULL REFERENCES tasks,
        path TEXT NOT NULL, name TEXT NOT NULL, number INTEGER NOT NULL,
        size INTEGER NOT NULL, fingerprint TEXT NOT NULL, sequence INTEGER NOT NULL,
        sent_at REAL NOT NULL, digest TEXT,
        state TEXT NOT NULL CHECK (state IN ('open', 'answered', 'doubtful', 'lost')),
        ended_at REAL);
    CREATE TABLE strangers (
        task INTEGER NOT NULL REFERENCES tasks, id INTEGER NOT NULL,
        first_seen INTEGER NOT NULL,
        PRIMARY KEY (task, id)) WITHOUT ROWID;
    CREATE TABLE refusals (
        task INTEGER NOT NULL REFERENCES tasks, subject TEXT NOT NULL, error TEXT NOT NULL,
        fingerprint TEXT, attempts INTEGER NOT NULL, not_before REAL NOT NULL,
        whole INTEGER NOT NULL CHECK (whole IN (0, 1)),
        PRIMARY KEY (task, subject)) WITHOUT ROWID;
    CREATE TABLE history (
        task INTEGER NOT NULL REFERENCES tasks, at REAL NOT NULL,
        what TEXT NOT NULL CHECK (what IN ('create', 'put back', 'delete')),
        subject TEXT NOT NULL, digest TEXT);
    CREATE INDEX history_by_task ON history (task, what, at);
    CREATE TABLE quotas (
        url TEXT NOT NULL, organization_id INTEGER NOT NULL, state TEXT NOT NULL,
        PRIMARY KEY (url, organization_id)) WITHOUT ROWID;
    """,
    # 2: holds that last; where each task was fed from, to tell when its folder leaves; the
    # remembered list
    """
    ALTER TABLE tasks ADD COLUMN held_of INTEGER;
    ALTER TABLE tasks ADD COLUMN config TEXT;
    ALTER TABLE tasks ADD COLUMN folder TEXT;
    ALTER TABLE tasks ADD COLUMN parent TEXT;
    ALTER TABLE tasks ADD COLUMN listing TEXT;
    ALTER TABLE tasks ADD COLUMN listed_at REAL;
    """,
    # 3: what was refused, by its content; when the file was written last, to tell an old copy
    """
    ALTER TABLE refusals ADD COLUMN digest TEXT;
    CREATE TABLE written (at REAL NOT NULL);
    INSERT INTO written VALUES (0);
    """,
    # 4: what the server made of a name or number, and what was told shortly before; which
    # sequence was tried to be changed, and how often
    """
    UPDATE attachments SET
        name = json_array(json_extract(name, '$[0]'), json_extract(name, '$[1]'),
            json_extract(name, '$[2]'), json_extract(name, '$[3]') IS NOT NULL,
            NULL, 0, json_array()),
        display_order = json_array(json_extract(display_order, '$[0]'),
            json_extract(display_order, '$[1]'), json_extract(display_order, '$[2]'),
            0, NULL, 0, json_array());
    ALTER TABLE tasks ADD COLUMN attempt TEXT;
    ALTER TABLE tasks ADD COLUMN attempts INTEGER NOT NULL DEFAULT 0;
    """,
)
VERSION = len(MIGRATIONS)


def version_of(connection: sqlite3.Connection) -> int:
    """The number of the last migration that a ledger has seen; 0 = an empty file."""
    return int(connection.execute("PRAGMA user_version").fetchone()[0])


def migrate(connection: sqlite3.Connection, path: str | None) -> None:
    """Bring a ledger up to date; of an older one a copy is kept beside it.

    Raises StateTooNew for the ledger of a newer syncd, which stays as it is.
    """
    version = version_of(connection)
    if version > VERSION:
        raise StateTooNew(
            f"the ledger {path or 'in memory'} is of a newer syncd (format {version}, this one "
            f"knows {VERSION}): install that version again, or name another state_dir"
        )
    if path is not None and 0 < version < VERSION:
        shutil.copy2(path, f"{path}.format{version}")
    for number in range(version, VERSION):
        connection.executescript(
            f"BEGIN IMMEDIATE; {MIGRATIONS[number]} PRAGMA user_version = {number + 1}; COMMIT;"
        )
