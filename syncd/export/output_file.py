"""Write a file that others look at: replaced whole, so that no reader sees half of one."""

from __future__ import annotations

import os
import stat

from syncd.errors import SyncdError
from syncd.state.whole_file import replace_file


class OutputError(SyncdError):
    """A file cannot be written, and why."""

    exit_code = 1


def write_file(path: str, text: str, *, mode: int | None = None) -> None:
    """Write it, through a symbolic link to the file that this names. Raises OutputError.

    Without a `mode` the file keeps the permissions it has; a new one is its owner's alone.
    """
    try:
        file = os.path.realpath(path)
        permissions = _permissions(file)
        replace_file(file, text.encode(), mode=permissions if mode is None else mode)
    except OSError as error:
        text = f"{path} cannot be written: {error.strerror}"
        if isinstance(error, PermissionError):
            text += "; its directory has to be writable, too: the file is replaced whole"
        raise OutputError(text) from None


def _permissions(path: str) -> int | None:
    """Of the file that is there; None = there is none. What is no file is not replaced by one."""
    try:
        found = os.stat(path)
    except FileNotFoundError:
        return None
    if stat.S_ISDIR(found.st_mode):
        raise IsADirectoryError(0, "it is a directory")
    if not stat.S_ISREG(found.st_mode):
        raise OSError(0, "it is no regular file")
    return stat.S_IMODE(found.st_mode)
