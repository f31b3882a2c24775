"""Opening the ledger's file: new, damaged, of another version, or only to be read."""

from __future__ import annotations

import os
import shutil
import sqlite3
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from syncd.errors import StateError
from syncd.state.private import open_private
from syncd.state.schema import migrate

_BUSY_SECONDS = 10.0
_COPIED = 1.0
"""Seconds that a COMMIT may take at most, lest a ledger be taken for a copy of itself."""

_UNRECOVERED = (sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN)
"""How SQLite refuses to read beside a journal that it may not roll back."""
_ASIDE = ".damaged-"
_MEANING = (
    "attachments that match no file by name and size count as foreign from then on and are "
    "left alone (`syncd list` shows them)"
)
_MOVE_AWAY = (
    "move the file away to begin a new one; attachments that match no file by name and size "
    "then count as foreign"
)
_DISK = "look at the disk that it lies on (dmesg)"
_NEXT = {
    sqlite3.SQLITE_ERROR: _MOVE_AWAY,
    sqlite3.SQLITE_IOERR: _DISK,
    sqlite3.SQLITE_FULL: "make room on the disk that it lies on",
    sqlite3.SQLITE_READONLY: "make it writable, or name another state_dir",
    sqlite3.SQLITE_CANTOPEN: "make it readable and writable, or name another state_dir",
}
"""What mends a ledger that cannot be used, by SQLite's result code."""


@dataclass(frozen=True)
class Aside:
    """A damaged ledger that was set aside, and when (seconds since the epoch)."""

    path: str
    at: float


def open_for_writing(path: str, tell: Callable[[str], None]) -> sqlite3.Connection:
    """Open or begin the ledger; a damaged one is set aside, which is told."""
    try:
        try:
            return _opened(path)
        except sqlite3.Error as error:
            damage = damage_in(path) if calls_it_damaged(error) else None
            if damage is None:
                raise
            tell(set_aside(path, damage))
            return _opened(path)
    except (sqlite3.Error, OSError) as error:
        raise unusable(path, error) from None


def open_for_reading(path: str, tell: Callable[[str], None]) -> sqlite3.Connection:
    """A copy of the ledger in memory; the file and its folder are left as they are."""
    if not _is_there(path):
        return empty()
    memory = _connect(":memory:")
    try:
        _copy(path, memory)
        migrate(memory, None)
        return memory
    except (sqlite3.Error, OSError) as error:
        memory.close()
        if not calls_it_damaged(error):
            raise unusable(path, error) from None
        tell(will_be_set_aside(path, str(error)))
        return empty()


def empty() -> sqlite3.Connection:
    """A new ledger, in memory."""
    memory = _connect(":memory:")
    migrate(memory, None)
    return memory


def calls_it_damaged(error: Exception) -> bool:
    """Whether SQLite calls the file corrupt or no database.

    A read error, a full disk, a lock or a row that we do not understand is none of it: to set
    a sound ledger aside would lose what is ours. SQLite says "corrupt" of some read errors,
    too, so `damage_in` has the last word.
    """
    return _primary_code(error) in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)


def damage_in(path: str) -> str | None:
    """What SQLite finds wrong with the file's bytes, in a copy of them; None = they are sound.

    OSError if they cannot be read. Nobody may be writing to it.
    """
    try:
        with _copied(path) as copy:
            found = str(copy.execute("PRAGMA integrity_check(1)").fetchone()[0])
            return None if found == "ok" else found
    except sqlite3.Error as error:
        if calls_it_damaged(error):
            return str(error)
        raise


def set_aside(path: str, damage: str) -> str:
    """Rename a damaged ledger, its journal too; returns what people have to know of it."""
    stamp = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())
    new, number = f"{path}{_ASIDE}{stamp}", 1
    while os.path.lexists(new):
        number += 1
        new = f"{path}{_ASIDE}{stamp}-{number}"
    for suffix in ("-journal", "-wal", "-shm", ""):
        if os.path.exists(path + suffix):
            os.replace(path + suffix, f"{new}{suffix}")
    return f"the ledger {path} was damaged ({damage}): it was set aside as {new}; {_MEANING}"


def will_be_set_aside(path: str, damage: str) -> str:
    """The same, for whoever only reads."""
    return f"the ledger {path} is damaged ({damage}): the next run sets it aside; {_MEANING}"


def were_set_aside(state_dir: str) -> list[Aside]:
    """The damaged ledgers that lie there, the newest last."""
    try:
        names = sorted(os.listdir(state_dir))
    except OSError:
        return []
    journals = ("-journal", "-wal", "-shm")
    paths = [
        os.path.join(state_dir, name)
        for name in names
        if name.startswith(f"ledger.db{_ASIDE}") and not name.endswith(journals)
    ]
    return [Aside(path, os.stat(path).st_ctime) for path in paths if os.path.isfile(path)]


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
        raise unusable(path, error) from None
    return True


def _opened(path: str) -> sqlite3.Connection:
    # The file is there, private, before SQLite would make it with the umask's permissions.
    os.close(open_private(path))
    connection = _connect(path)
    try:
        migrate(connection, path)
        connection.execute("PRAGMA journal_mode = TRUNCATE")
        connection.execute("PRAGMA synchronous = FULL")
    except BaseException:
        connection.close()
        raise
    return connection


def _connect(target: str, *, uri: bool = False) -> sqlite3.Connection:
    connection = sqlite3.connect(target, timeout=_BUSY_SECONDS, isolation_level=None, uri=uri)
    connection.row_factory = sqlite3.Row
    return connection


def _primary_code(error: Exception) -> int | None:
    """SQLite's result code without its extension; None = not SQLite, or only its wrapper."""
    code: int | None = getattr(error, "sqlite_errorcode", None)
    return None if code is None else code & 0xFF


def _copy(path: str, memory: sqlite3.Connection) -> None:
    try:
        source = _connect(f"file:{_quoted(path)}?mode=ro", uri=True)
        try:
            source.backup(memory)
        finally:
            source.close()
    except sqlite3.OperationalError as error:
        if _primary_code(error) not in _UNRECOVERED:
            raise
        # A journal left by a crash wants to be rolled back: let that happen to a copy.
        with _copied(path) as source:
            source.backup(memory)


@contextmanager
def _copied(path: str) -> Iterator[sqlite3.Connection]:
    """The same bytes in another place, its journal too."""
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


def _quoted(path: str) -> str:
    return path.replace("%", "%25").replace("?", "%3f").replace("#", "%23")


def unusable(
    path: str, error: Exception, cannot: str = "used", then: str = "; nothing was sent"
) -> StateError:
    """A ledger that is not damaged, but of no use as it is: why, and what to do."""
    reason = error.strerror if isinstance(error, OSError) else str(error)
    if isinstance(error, PermissionError):
        hint = "run syncd as its owner, or as root"
    elif isinstance(error, ValueError | TypeError):
        hint = _MOVE_AWAY
    elif calls_it_damaged(error):
        reason, hint = "a read error (SQLite took it for damage, but its bytes are sound)", _DISK
    else:
        hint = _NEXT.get(_primary_code(error) or -1, "")
    text = f"the ledger {path} cannot be {cannot}: {reason}{then}"
    return StateError(f"{text}: {hint}" if hint else text)
