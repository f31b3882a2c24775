"""Makes files of a state directory readable by their owner only, even if root makes them."""

from __future__ import annotations

import os


def open_owner_only(path: str) -> int:
    """Open to read and write. A file made here has mode 0600 and its directory's owner."""
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
    """If root made a file in a user's directory, make the user its owner: the user's service could
    not read it otherwise. Raises OSError."""
    if os.geteuid() == 0:
        owner = os.stat(directory)
        if owner.st_uid != 0:
            os.fchown(descriptor, owner.st_uid, owner.st_gid)
