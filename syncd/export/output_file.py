"""Write a file that others look at: replaced whole, so that no reader sees half of one."""

from __future__ import annotations

import os
import stat
import tempfile
from contextlib import suppress

from syncd.errors import SyncdError
from syncd.state.permissions import give_to_owner


class OutputError(SyncdError):
    """A file cannot be written, and why."""

    exit_code = 1


def write_file(path: str, text: str, *, mode: int | None = None) -> None:
    """Write it, through a symbolic link to the file that this names. Raises OutputError.

    Without a `mode` the file keeps the permissions it has; a new one is its owner's alone.
    """
    try:
        _replace(os.path.realpath(path), text, mode)
    except OSError as error:
        text = f"{path} cannot be written: {error.strerror}"
        if isinstance(error, PermissionError):
            text += "; its directory has to be writable, too: the file is replaced whole"
        raise OutputError(text) from None


def _replace(path: str, text: str, mode: int | None) -> None:
    permissions = _permissions(path)
    directory, name = os.path.split(path)
    # node_exporter reads all that ends in .prom: the name of the temporary file does not.
    descriptor, temporary = tempfile.mkstemp(prefix=f".{name[:100]}.", suffix=".new", dir=directory)
    try:
        with open(descriptor, "w", encoding="utf-8") as file:
            give_to_owner(descriptor, directory)
            if (wanted := permissions if mode is None else mode) is not None:
                os.fchmod(descriptor, wanted)
            file.write(text)
        os.replace(temporary, path)
    except BaseException:
        with suppress(OSError):
            os.unlink(temporary)
        raise


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
