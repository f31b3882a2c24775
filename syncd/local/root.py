"""The root of a synced folder: opened once, told apart, and named when it cannot be read."""

from __future__ import annotations

import os
from errno import ELOOP, ENOTDIR

from syncd.errors import FolderError
from syncd.hidden import may_be_hidden
from syncd.local.digest import strerror
from syncd.model import FolderIdentity

READ_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC


def open_root(configured: str) -> tuple[str, int]:
    """The folder with every link resolved, and a descriptor of it. Raises FolderError."""
    root = configured
    try:
        root = os.path.realpath(configured)
        return root, os.open(root, READ_DIRECTORY)
    except (OSError, ValueError) as error:
        raise folder_error(configured, root, error) from error


def identity_of(root_fd: int, root: str) -> FolderIdentity:
    """What the folder is; raises OSError or FolderError if another stands there by now."""
    status, now = os.fstat(root_fd), os.stat(root)
    if (status.st_dev, status.st_ino) != (now.st_dev, now.st_ino):
        raise FolderError(f"{printable(root)}: replaced during the scan; look at it again")
    return FolderIdentity(status.st_ino, os.fstatvfs(root_fd).f_fsid or status.st_dev)


def folder_error(configured: str, root: str, error: OSError | ValueError) -> FolderError:
    where = printable(configured)
    if root != os.path.abspath(configured):
        where += f" (that is, {printable(root)})"
    if isinstance(error, FileNotFoundError):
        return FolderError(f"{where}: no such folder; {mend_missing(configured)} or mend its path")
    if isinstance(error, PermissionError):
        return FolderError(f"{where}: not readable; give syncd's user the rights r and x on it")
    if isinstance(error, OSError) and error.errno in (ENOTDIR, ELOOP):
        return FolderError(f"{where}: not a folder; name a folder, not a file or a broken link")
    why = strerror(error) if isinstance(error, OSError) and error.errno else str(error)
    return FolderError(f"{where}: cannot be read ({why}); check its disk and its path")


def directory_reason(error: OSError) -> str:
    """Why a subfolder was not read."""
    if isinstance(error, FileNotFoundError):
        return "folder vanished during the scan"
    if error.errno in (ELOOP, ENOTDIR):
        return "folder was replaced during the scan"
    return f"folder cannot be read: {strerror(error)}"


def too_many_files(root: str, limit: int) -> FolderError:
    return FolderError(
        f"{printable(root)}: more than {limit} files to sync, and max_files is {limit}: nothing of "
        "its task is touched; if it is the right folder, raise max_files (0 = no limit), or leave "
        "files out with ignore"
    )


def mend_missing(path: str) -> str:
    """What to do about a folder that is not there."""
    if may_be_hidden(path):
        return "if it is there for others, show it to the service (BindReadOnlyPaths= in its unit)"
    return "mount it, create it"


def printable(name: str) -> str:
    """A name as the system gives it, with the bytes that are not UTF-8 as `\\xff`."""
    return os.fsencode(name).decode("utf-8", "backslashreplace")


def is_utf8(name: str) -> bool:
    """Bytes that are not UTF-8 come from the system as lone surrogates."""
    if name.isascii():
        return True
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True
