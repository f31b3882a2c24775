"""Opens the root of a synced folder, identifies it, and explains why it cannot be read."""

from __future__ import annotations

import os
from errno import ELOOP, ENOTDIR

from syncd.errors import FolderError
from syncd.hidden_paths import may_be_hidden
from syncd.local.file_content import strerror
from syncd.model import FolderIdentity
from syncd.text import printable

READ_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC


def open_root(configured: str) -> tuple[str, int]:
    """The folder's path with every link resolved, and a descriptor of it. Raises FolderError."""
    root = configured
    try:
        root = os.path.realpath(configured)
        return root, os.open(root, READ_DIRECTORY)
    except (OSError, ValueError) as error:
        raise folder_error(configured, root, error) from error


def identity_of(root_fd: int, root: str) -> FolderIdentity:
    """The identity of the open folder. Raises OSError if its path is gone, and FolderError if
    another folder is at its path now."""
    status, now = os.fstat(root_fd), os.stat(root)
    if (status.st_dev, status.st_ino) != (now.st_dev, now.st_ino):
        raise FolderError(f"{printable(root)}: replaced during the scan; look at it again")
    return FolderIdentity(status.st_ino, os.fstatvfs(root_fd).f_fsid or status.st_dev)


def folder_error(
    configured: str, root: str, error: OSError | ValueError, mend: str = "its path"
) -> FolderError:
    """Why the root cannot be read, and what to do; `mend` is what in the config names it."""
    where = printable(configured)
    if root != os.path.abspath(configured):
        where += f" (that is, {printable(root)})"
    if isinstance(error, FileNotFoundError):
        hint = "mount it, create it"
        if may_be_hidden(configured):
            unit = "BindReadOnlyPaths= in its unit"
            hint = f"if it is there for others, show it to the service ({unit})"
        return FolderError(f"{where}: no such folder; {hint} or mend {mend}")
    if isinstance(error, PermissionError):
        return FolderError(f"{where}: not readable; give syncd's user the rights r and x on it")
    if isinstance(error, OSError) and error.errno in (ENOTDIR, ELOOP):
        return FolderError(f"{where}: not a folder (or a broken link); mend {mend}")
    why = strerror(error) if isinstance(error, OSError) and error.errno else str(error)
    return FolderError(f"{where}: cannot be read ({why}); check its disk and {mend}")
