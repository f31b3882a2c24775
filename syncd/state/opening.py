"""Opening the ledger's file: new, damaged, of another version, or only to be read."""

from __future__ import annotations

import os
import shutil
import sqlite3
import tempfile
import time
from collections.abc import Callable

from syncd.errors import StateError
from syncd.state.private import open_private
from syncd.state.schema import migrate

Check = Callable[[sqlite3.Connection], None]
_DAMAGED = ("not a database", "malformed", "disk image")
_BUSY_SECONDS = 10.0
_COPIED = 1.0
"""Seconds that a COMMIT may take at most, lest a ledger be taken for a copy of itself."""


def open_for_writing(path: str, check: Check) -> sqlite3.Connection:
    """Open or begin the ledger; a damaged one is set aside under another name."""
    try:
        try:
            return _opened(path, check)
        except (sqlite3.DatabaseError, ValueError, TypeError) as error:
            if not _is_damage(error):
                raise
            _set_aside(path)
            return _opened(path, check)
    except (sqlite3.Error, OSError) as error:
        raise _unusable(path, error) from None


def open_for_reading(path: str, check: Check) -> sqlite3.Connection:
    """A copy of the ledger in memory; the file and its folder are left as they are."""
    memory = _connect(":memory:")
    if _is_there(path):
        try:
            _copy(path, memory)
            _verify(memory)
            migrate(memory, None)
            check(memory)
            return memory
        except (sqlite3.Error, OSError, ValueError, TypeError) as error:
            memory.close()
            if not _is_damage(error):
                raise _unusable(path, error) from None
            memory = _connect(":memory:")
    migrate(memory, None)
    return memory


def is_copy(connection: sqlite3.Connection, path: str) -> bool:
    """Whether the file was put here after it was written last: its ctime, which nobody can set,
    is younger than its own last word."""
    written = connection.execute("SELECT at FROM written").fetchone()["at"]
    return bool(written) and os.stat(path).st_ctime - written > _COPIED


def _is_there(path: str) -> bool:
    try:
        os.stat(path)
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError as error:
        raise _unusable(path, error) from None
    return True


def _opened(path: str, check: Check) -> sqlite3.Connection:
    # The file is there, private, before SQLite would make it with the umask's permissions.
    os.close(open_private(path))
    connection = _connect(path)
    try:
        _verify(connection)
        migrate(connection, path)
        connection.execute("PRAGMA journal_mode = TRUNCATE")
        connection.execute("PRAGMA synchronous = FULL")
        check(connection)
    except BaseException:
        connection.close()
        raise
    return connection


def _connect(target: str, *, uri: bool = False) -> sqlite3.Connection:
    connection = sqlite3.connect(target, timeout=_BUSY_SECONDS, isolation_level=None, uri=uri)
    connection.row_factory = sqlite3.Row
    return connection


def _verify(connection: sqlite3.Connection) -> None:
    found = connection.execute("PRAGMA quick_check(1)").fetchone()[0]
    if found != "ok":
        raise sqlite3.DatabaseError(f"malformed: {found}")


def _is_damage(error: BaseException) -> bool:
    """A full disk or a lock is no damage; only what SQLite or our own reading calls so is."""
    if isinstance(error, (ValueError, TypeError)):
        return True
    if isinstance(error, sqlite3.OperationalError):
        return "no such table" in str(error) or "no such column" in str(error)
    return any(sign in str(error) for sign in _DAMAGED)


def _set_aside(path: str) -> None:
    stamp = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())
    for suffix in ("", "-journal", "-wal", "-shm"):
        if os.path.exists(path + suffix):
            os.replace(path + suffix, f"{path}.damaged-{stamp}{suffix}")


def _copy(path: str, memory: sqlite3.Connection) -> None:
    try:
        source = _connect(f"file:{_quoted(path)}?mode=ro", uri=True)
        try:
            source.backup(memory)
        finally:
            source.close()
    except sqlite3.OperationalError:
        # A journal left by a crash wants to be rolled back: let that happen to a copy.
        with tempfile.TemporaryDirectory(prefix="syncd-") as directory:
            copy = os.path.join(directory, "ledger.db")
            for suffix in ("", "-journal"):
                if os.path.exists(path + suffix):
                    shutil.copy(path + suffix, copy + suffix)
            source = _connect(copy)
            try:
                source.backup(memory)
            finally:
                source.close()


def _quoted(path: str) -> str:
    return path.replace("%", "%25").replace("?", "%3f").replace("#", "%23")


def _unusable(path: str, error: Exception) -> StateError:
    reason = error.strerror if isinstance(error, OSError) else str(error)
    return StateError(f"the ledger {path} cannot be used: {reason}; nothing was sent")
