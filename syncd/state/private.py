"""Files of a state directory: for its owner's eyes only, whoever makes them."""

from __future__ import annotations

import os


def open_private(path: str) -> int:
    """Open to read and write. A file that is made here belongs to whom its directory belongs to."""
    flags = os.O_RDWR | os.O_CLOEXEC
    try:
        descriptor = os.open(path, flags | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return os.open(path, flags | os.O_CREAT, 0o600)
    try:
        give_to_owner(descriptor, os.path.dirname(path))
    except BaseException:
        os.close(descriptor)
        os.unlink(path)
        raise
    return descriptor


def give_to_owner(descriptor: int, directory: str) -> None:
    """A new file that root makes in a user's directory is the user's: the service could not
    read it otherwise. Raises OSError."""
    if os.geteuid() == 0:
        owner = os.stat(directory)
        if owner.st_uid != 0:
            os.fchown(descriptor, owner.st_uid, owner.st_gid)
