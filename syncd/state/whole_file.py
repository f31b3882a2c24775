"""Replaces a file whole, so that no reader, and no stop, leaves half of one."""

from __future__ import annotations

import os
import tempfile
from contextlib import suppress

from syncd.state.permissions import give_to_owner


def replace_file(
    path: str,
    content: bytes,
    *,
    mode: int | None = None,
    owner: tuple[int, int] | None = None,
    sync: bool = False,
) -> None:
    """Write the file, or one in its place. Raises OSError.

    `mode`: else its owner alone may read it; `owner`: user and group, else those of the directory
    if root writes; `sync`: it is on the disk afterwards.
    """
    directory, name = os.path.split(path)
    # node_exporter reads all that ends in .prom: the name of the temporary file does not.
    descriptor, temporary = tempfile.mkstemp(prefix=f".{name[:100]}.", suffix=".new", dir=directory)
    try:
        with open(descriptor, "wb") as file:
            if owner is None:
                give_to_owner(descriptor, directory)
            elif owner != (os.geteuid(), os.getegid()):
                os.fchown(descriptor, *owner)
            if mode is not None:
                os.fchmod(descriptor, mode)
            file.write(content)
            if sync:
                file.flush()
                os.fsync(descriptor)
        os.replace(temporary, path)
    except BaseException:
        with suppress(OSError):
            os.unlink(temporary)
        raise
