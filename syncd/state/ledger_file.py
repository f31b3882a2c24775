"""Opens the ledger's SQLite file: to write, or as a copy in memory; sets a damaged file aside."""

from __future__ import annotations

import os
import shutil
import sqlite3
import stat
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from syncd.errors import StateError
from syncd.state.columns import signed
from syncd.state.damaged_ledgers import damage_notice, set_aside
from syncd.state.permissions import open_owner_only
from syncd.state.schema import migrate

_BUSY_SECONDS = 10.0
_MAX_COMMIT_SECONDS = 1.0
"""Between the time that a transaction records and the file's last change."""
_MOVE_AWAY = (
    "move the file away to begin a new one; attachments that match no file by name and size "
    "then count as foreign"
)
_CHECK_DISK = "look at the disk that it lies on (dmesg)"
_HINTS = {
    sqlite3.SQLITE_ERROR: _MOVE_AWAY,
    sqlite3.SQLITE_IOERR: _CHECK_DISK,
    sqlite3.SQLITE_BUSY: "another program has it open: end that, or wait for it",
    sqlite3.SQLITE_FULL: "make room on the disk that it lies on",
    sqlite3.SQLITE_READONLY: "make it writable, or name another state_dir",
    sqlite3.SQLITE_CANTOPEN: "make it readable and writable, or name another state_dir",
}
"""What to do, by SQLite's result code."""


def open_for_writing(path: str, tell: Callable[[str], None]) -> sqlite3.Connection:
    """Open or create the ledger. A damaged one is set aside, and `tell` gets the message."""
    try:
        try:
            return _open(path)
        except sqlite3.Error as error:
            damage = find_damage(path) if means_damage(error) else None
            if damage is None:
                raise
            tell(set_aside(path, damage))
            return _open(path)
    except (sqlite3.Error, OSError) as error:
        raise unusable_ledger(path, error) from None


def open_for_reading(path: str, tell: Callable[[str], None]) -> sqlite3.Connection:
    """A copy of the ledger in memory; the file and its directory are not changed.

    Empty if there is no file, or a damaged one; then `tell` gets the message.
    """
    memory = _connect(":memory:")
    try:
        try:
            if _exists(path):
                _copy_to(memory, path)
            migrate(memory, path, keep_copy=False)
            return memory
        except sqlite3.Error as error:
            damage = find_damage(path) if means_damage(error) else None
            if damage is None:
                raise
            tell(damage_notice(path, damage))
    except (sqlite3.Error, OSError) as error:
        memory.close()
        raise unusable_ledger(path, error) from None
    memory.close()
    return new_in_memory()


def open_in_place(path: str) -> sqlite3.Connection:
    """The file itself, to look at beside its writer, which has brought it up to date."""
    try:
        return _open_read_only(path)
    except sqlite3.Error as error:
        raise unusable_ledger(path, error) from None


def new_in_memory() -> sqlite3.Connection:
    """An empty ledger in memory."""
    memory = _connect(":memory:")
    migrate(memory, "in memory", keep_copy=False)
    return memory


def means_damage(error: Exception) -> bool:
    """Whether SQLite calls the file corrupt or not a database.

    Read errors, a full disk, locks and unexpected rows are no damage: setting a sound ledger aside
    would lose which attachments are ours. SQLite calls some read errors corruption, too, so a
    ledger is set aside only if `find_damage` confirms it.
    """
    return _primary_code(error) in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)


def find_damage(path: str) -> str | None:
    """What SQLite finds wrong with a copy of the file; None = the bytes are sound.

    Raises OSError if they cannot be read. No other process may write the file meanwhile.
    """
    try:
        with _temporary_copy(path) as copy:
            found = str(copy.execute("PRAGMA integrity_check(1)").fetchone()[0])
            return None if found == "ok" else found
    except sqlite3.Error as error:
        if means_damage(error):
            return str(error)
        raise


def inode_of(path: str) -> int:
    """As SQLite stores it."""
    return signed(os.stat(path).st_ino)


def is_restored_copy(connection: sqlite3.Connection, path: str) -> bool:
    """Whether somebody put an old copy in the file's place: it is another file than the one that
    was written last, or has changed since. The ctime of a file cannot be set.
    """
    at, inode = connection.execute("SELECT at, inode FROM written").fetchone()
    if inode not in (None, inode_of(path)):
        return True
    return bool(at) and os.stat(path).st_ctime - at > _MAX_COMMIT_SECONDS


def unusable_ledger(
    path: str, error: Exception, cannot: str = "used", then: str = "; nothing was sent"
) -> StateError:
    """Why a ledger that is not damaged cannot be used, and what to do."""
    reason = error.strerror if isinstance(error, OSError) else str(error)
    if isinstance(error, PermissionError):
        hint = "run syncd as its owner, or as root"
    elif isinstance(error, ValueError | TypeError):
        hint = _MOVE_AWAY
    elif means_damage(error):
        reason = "a read error (SQLite took it for damage, but its bytes are sound)"
        hint = _CHECK_DISK
    else:
        hint = _HINTS.get(_primary_code(error) or -1, "")
    text = f"the ledger {path} cannot be {cannot}: {reason}{then}"
    return StateError(f"{text}: {hint}" if hint else text)


def _exists(path: str) -> bool:
    """Raises OSError if that cannot be found out, or if it is no file: a pipe would hang us."""
    try:
        mode = os.stat(path).st_mode
    except (FileNotFoundError, NotADirectoryError):
        return False
    if not stat.S_ISREG(mode):
        raise OSError(0, "it is no regular file")
    return True


def _open(path: str) -> sqlite3.Connection:
    os.close(open_owner_only(path))  # SQLite would create it with the umask's permissions
    connection = _connect(path)
    try:
        migrate(connection, path, keep_copy=True)
        connection.execute("PRAGMA journal_mode = PERSIST")
        connection.execute("PRAGMA synchronous = FULL")
    except BaseException:
        connection.close()
        raise
    return connection


def _connect(target: str, *, uri: bool = False) -> sqlite3.Connection:
    return sqlite3.connect(target, timeout=_BUSY_SECONDS, isolation_level=None, uri=uri)


def _open_read_only(path: str) -> sqlite3.Connection:
    quoted = path.replace("%", "%25").replace("?", "%3f").replace("#", "%23")
    return _connect(f"file:{quoted}?mode=ro", uri=True)


def _primary_code(error: Exception) -> int | None:
    """SQLite's primary result code; None = the error has none."""
    code: int | None = getattr(error, "sqlite_errorcode", None)
    return None if code is None else code & 0xFF


def _copy_to(memory: sqlite3.Connection, path: str) -> None:
    try:
        source = _open_read_only(path)
        try:
            # `backup` alone would wait for ever for a process that has locked the file.
            source.execute("BEGIN")
            source.execute("SELECT 1 FROM sqlite_master").fetchone()
            source.backup(memory)
        finally:
            source.close()
    except sqlite3.OperationalError as error:
        if _primary_code(error) not in (sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN):
            raise
        # After a crash, SQLite must roll the journal back and may not: do it in another copy.
        with _temporary_copy(path) as source:
            source.backup(memory)


@contextmanager
def _temporary_copy(path: str) -> Iterator[sqlite3.Connection]:
    """A copy of the file and its journal in a temporary directory."""
    with tempfile.TemporaryDirectory(prefix="syncd-") as directory:
        copy = os.path.join(directory, "ledger.db")
        for suffix in ("", "-journal"):
            if os.path.exists(path + suffix):
                shutil.copy(path + suffix, copy + suffix)
        connection = _connect(copy)
        try:
            yield connection
        finally:
            connection.close()
