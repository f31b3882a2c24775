"""The tables of the ledger, as numbered migrations (PRAGMA user_version)."""

from __future__ import annotations

import json
import shutil
import sqlite3

from syncd.errors import StateTooNew
from syncd.state.columns import signed

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
    # 5: one column per field; which attachments the last list showed, ours and those of others;
    # display orders that were given up within the last day
    """
    ALTER TABLE attachments RENAME TO old_attachments;
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
    INSERT INTO attachments SELECT task, id, role, path, size,
            json_extract(name, '$[0]'), json_extract(name, '$[1]'), json_extract(name, '$[2]'),
            iif(json_extract(name, '$[3]'),
                coalesce(json_extract(name, '$[6][#-1]'), json_extract(name, '$[1]')), NULL),
            json_extract(name, '$[4]'), json_extract(name, '$[6][#-1]'), json_extract(name, '$[5]'),
            json_extract(display_order, '$[0]'), json_extract(display_order, '$[1]'),
            json_extract(display_order, '$[2]'),
            iif(json_extract(display_order, '$[3]'),
                coalesce(json_extract(display_order, '$[6][#-1]'),
                    json_extract(display_order, '$[1]')), NULL),
            json_extract(display_order, '$[4]'), json_extract(display_order, '$[6][#-1]'),
            json_extract(display_order, '$[5]'),
            digest,
            CAST(json_extract(fingerprint, '$[0]') AS INTEGER),
            CAST(json_extract(fingerprint, '$[1]') AS INTEGER),
            CAST(json_extract(fingerprint, '$[2]') AS INTEGER),
            signed(fingerprint, 3),
            racy, 0, listed, since,
            iif(role = 'superseded', (SELECT max(id) FROM old_attachments new
                WHERE new.task = old.task AND new.path = old.path AND new.role = 'current'), NULL)
        FROM old_attachments old;
    DROP TABLE old_attachments;
    ALTER TABLE strangers RENAME TO old_strangers;
    CREATE TABLE strangers (
        task INTEGER NOT NULL REFERENCES tasks, id INTEGER NOT NULL,
        name TEXT NOT NULL, display_order INTEGER NOT NULL, size INTEGER NOT NULL,
        PRIMARY KEY (task, id)) WITHOUT ROWID;
    INSERT INTO strangers SELECT task, id, coalesce(name, ''), coalesce(display_order, 0),
            coalesce(size, 0)
        FROM old_strangers LEFT JOIN (
            SELECT tasks.row AS task, json_extract(value, '$[0]') AS id,
                json_extract(value, '$[1]') AS name, json_extract(value, '$[2]') AS display_order,
                json_extract(value, '$[3]') AS size
            FROM tasks, json_each(listing)) USING (task, id);
    INSERT OR IGNORE INTO attachments SELECT task, id, 'released', '', size,
            name, name, 1, NULL, NULL, NULL, 0,
            display_order, display_order, 1, NULL, NULL, NULL, 0,
            NULL, NULL, NULL, NULL, NULL, 0, 0, 1, 0, NULL
        FROM strangers JOIN old_strangers USING (task, id) WHERE first_seen = 0;
    DELETE FROM strangers WHERE EXISTS (SELECT 1 FROM attachments a
        WHERE a.task = strangers.task AND a.id = strangers.id);
    DROP TABLE old_strangers;
    CREATE TABLE retired_orders (
        task INTEGER NOT NULL REFERENCES tasks, display_order INTEGER NOT NULL,
        at REAL NOT NULL, PRIMARY KEY (task, display_order)) WITHOUT ROWID;
    ALTER TABLE intents RENAME TO old_intents;
    CREATE TABLE intents (
        key INTEGER PRIMARY KEY AUTOINCREMENT, task INTEGER NOT NULL REFERENCES tasks,
        path TEXT NOT NULL, number INTEGER NOT NULL, size INTEGER NOT NULL,
        file_size INTEGER NOT NULL, mtime_ns INTEGER NOT NULL, ctime_ns INTEGER NOT NULL,
        inode INTEGER NOT NULL, sent_at REAL NOT NULL, digest TEXT,
        state TEXT NOT NULL CHECK (state IN ('open', 'answered', 'doubtful', 'lost')),
        ended_at REAL);
    CREATE INDEX intents_by_task ON intents (task);
    INSERT INTO intents SELECT key, task, path, number, size,
            CAST(json_extract(fingerprint, '$[0]') AS INTEGER),
            CAST(json_extract(fingerprint, '$[1]') AS INTEGER),
            CAST(json_extract(fingerprint, '$[2]') AS INTEGER),
            signed(fingerprint, 3),
            sent_at, digest, state, ended_at
        FROM old_intents;
    DROP TABLE old_intents;
    ALTER TABLE refusals RENAME TO old_refusals;
    CREATE TABLE refusals (
        task INTEGER NOT NULL REFERENCES tasks, subject TEXT NOT NULL, error TEXT NOT NULL,
        file_size INTEGER, mtime_ns INTEGER, ctime_ns INTEGER, inode INTEGER,
        attempts INTEGER NOT NULL, not_before REAL NOT NULL, whole INTEGER NOT NULL, digest TEXT,
        proven INTEGER NOT NULL DEFAULT 1, PRIMARY KEY (task, subject)) WITHOUT ROWID;
    INSERT INTO refusals SELECT task, subject, error,
            CAST(json_extract(fingerprint, '$[0]') AS INTEGER),
            CAST(json_extract(fingerprint, '$[1]') AS INTEGER),
            CAST(json_extract(fingerprint, '$[2]') AS INTEGER),
            signed(fingerprint, 3),
            attempts, not_before, whole, digest, 1
        FROM old_refusals WHERE subject NOT LIKE '/%';
    DROP TABLE old_refusals;
    ALTER TABLE tasks ADD COLUMN identity_inode INTEGER;
    ALTER TABLE tasks ADD COLUMN identity_file_system INTEGER;
    UPDATE tasks SET
        identity_inode = signed(identity, 0), identity_file_system = signed(identity, 1),
        listed_at = NULL;
    ALTER TABLE tasks DROP COLUMN identity;
    ALTER TABLE tasks DROP COLUMN listing;
    ALTER TABLE tasks DROP COLUMN sequence;
    ALTER TABLE tasks DROP COLUMN attempt;
    ALTER TABLE tasks DROP COLUMN attempts;
    ALTER TABLE tasks ADD COLUMN order_tried TEXT;
    ALTER TABLE tasks ADD COLUMN order_tries INTEGER NOT NULL DEFAULT 0;
    ALTER TABLE tasks ADD COLUMN order_kept INTEGER NOT NULL DEFAULT 0;
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
)
VERSION = len(MIGRATIONS)


def _signed_of(text: str | None, index: int) -> int | None:
    """A number of a JSON array that may be larger than SQLite's largest integer."""
    return None if text is None else signed(json.loads(text)[index])


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
    connection.create_function("signed", 2, _signed_of)
    if version < VERSION:
        steps = " ".join(MIGRATIONS[version:])
        connection.executescript(
            f"BEGIN IMMEDIATE; {steps} PRAGMA user_version = {VERSION}; COMMIT;"
        )
