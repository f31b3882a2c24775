"""Resolves a root to its real place, and says whether inotify reports changes there.

The mount table is read before the path is touched, because a network server that does not answer
blocks whoever touches the path.
"""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

MOUNT_TABLE = "/proc/self/mountinfo"
MISSING = "the folder does not exist"

# On these file systems inotify reports no change that another machine makes.
# fmt: off
_REMOTE = frozenset([
    "9p", "afpfs", "afs", "autofs", "beegfs", "ceph", "cifs", "coda", "davfs", "davfs2",
    "drvfs", "fuse", "gfs2", "glusterfs", "gpfs", "lustre", "ncpfs", "ocfs2", "orangefs",
    "prl_fs", "pvfs2", "sshfs", "vboxsf", "virtiofs", "vmhgfs",
])
# fmt: on
_REMOTE_PREFIXES = ("nfs", "smb", "fuse.")
_ESCAPE = re.compile(rb"\\([0-7]{3})")


class Mount(NamedTuple):
    """One line of the mount table."""

    point: str
    kind: str

    @property
    def remote(self) -> bool:
        """A network or FUSE file system (`fuseblk` is a local disk)."""
        return self.kind in _REMOTE or self.kind.startswith(_REMOTE_PREFIXES)

    def holds(self, path: str) -> bool:
        return path == self.point or path.startswith(self.point.rstrip("/") + "/")


class Place(NamedTuple):
    """A directory: its real path, device and inode."""

    path: str
    device: int
    inode: int


def mounts(table: str = MOUNT_TABLE) -> tuple[Mount, ...]:
    """The mount table; empty if it cannot be read (then every file system counts as local)."""
    try:
        with open(table, "rb") as file:
            return _parse_table(file.read())
    except OSError:
        return ()


@lru_cache(maxsize=1)
def _parse_table(table: bytes) -> tuple[Mount, ...]:
    """Every scan needs the table, which seldom changes."""
    found: list[Mount] = []
    for line in table.splitlines():
        before, _, after = line.partition(b" - ")
        fields, kind = before.split(b" "), after.split(b" ")[0]
        if len(fields) > 5 and kind:
            point = _ESCAPE.sub(lambda octal: bytes([int(octal[1], 8) & 0xFF]), fields[4])
            found.append(Mount(os.fsdecode(point), os.fsdecode(kind)))
    return tuple(found)


def nested_mounts(root: str, table: str = MOUNT_TABLE) -> frozenset[str]:
    """The mount points below a resolved root, relative to it. They include bind mounts of the same
    file system, which have the same device number."""
    prefix = root.rstrip("/") + "/"
    points = (mount.point for mount in mounts(table))
    return frozenset(p.removeprefix(prefix) for p in points if p.startswith(prefix))


def locate(root: str, recursive: bool, table: Sequence[Mount]) -> Place | str:
    """The directory to watch for `root`, or why it cannot be watched."""
    lexical = os.path.abspath(root)
    if reason := _unwatchable(lexical, recursive, table):
        return reason
    try:
        real = os.path.realpath(lexical, strict=True)
        if real != lexical and (reason := _unwatchable(real, recursive, table)):
            return reason
        status = os.stat(real)
    except FileNotFoundError:
        return MISSING
    except OSError as error:
        return f"the folder cannot be looked at: {error.strerror}"
    if not stat.S_ISDIR(status.st_mode):
        return "not a folder"
    if not os.access(real, os.R_OK | os.X_OK):
        return "the folder is not readable"  # watchdog treats EACCES as success
    return Place(real, status.st_dev, status.st_ino)


def mount_of(path: str, table: Sequence[Mount]) -> Mount | None:
    """The mount that a resolved path lies on; None = the table does not tell."""
    best: Mount | None = None
    for mount in table:
        # Of two mounts on one point the later hides the earlier.
        if mount.holds(path) and (best is None or len(mount.point) >= len(best.point)):
            best = mount
    return best


def _unwatchable(path: str, recursive: bool, table: Sequence[Mount]) -> str:
    """Why inotify does not report every change below `path`; "" = it does."""
    best = mount_of(path, table)
    if best is not None and best.remote:
        return f"on {best.kind}, which does not tell of every change"
    if recursive:
        # watchdog walks into nested mounts, and a server that does not answer would block it.
        below = Mount(path, "")
        for mount in table:
            if mount.remote and below.holds(mount.point):
                return f"{mount.kind} is mounted below it, at {mount.point}"
    return ""
