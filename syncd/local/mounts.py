"""Where a root really is, and whether the kernel would tell us of changes there.

The mount table is asked before the path is: a server that does not answer must not hold us.
"""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Sequence
from dataclasses import dataclass

MOUNT_TABLE = "/proc/self/mountinfo"
MISSING = "the folder does not exist"

# File systems on which a change made elsewhere raises no event here.
# fmt: off
_ELSEWHERE = frozenset([
    "9p", "afpfs", "afs", "autofs", "beegfs", "ceph", "cifs", "coda", "davfs", "davfs2",
    "drvfs", "fuse", "gfs2", "glusterfs", "gpfs", "lustre", "ncpfs", "ocfs2", "orangefs",
    "prl_fs", "pvfs2", "sshfs", "vboxsf", "virtiofs", "vmhgfs",
])
# fmt: on
_ELSEWHERE_PREFIXES = ("nfs", "smb", "fuse.")
_ESCAPE = re.compile(r"\\([0-7]{3})")


@dataclass(frozen=True)
class Mount:
    """One line of the mount table."""

    point: str
    kind: str

    @property
    def elsewhere(self) -> bool:
        """A network or FUSE file system; `fuseblk` is a local disk."""
        return self.kind in _ELSEWHERE or self.kind.startswith(_ELSEWHERE_PREFIXES)

    def holds(self, path: str) -> bool:
        return path == self.point or path.startswith(self.point.rstrip("/") + "/")


@dataclass(frozen=True)
class Place:
    """A directory by its real path and by what it is."""

    path: str
    device: int
    inode: int


def mounts(table: str = MOUNT_TABLE) -> tuple[Mount, ...]:
    """The mount table; empty where there is none to read (then nothing counts as elsewhere)."""
    try:
        with open(table, encoding="utf-8", errors="surrogateescape") as file:
            lines = file.read().splitlines()
    except OSError:
        return ()
    return tuple(mount for line in lines if (mount := _parsed(line)) is not None)


def _parsed(line: str) -> Mount | None:
    before, _, after = line.partition(" - ")
    fields, kind = before.split(" "), after.split(" ")[0]
    if len(fields) < 6 or not kind:
        return None
    octal = fields[4].encode("utf-8", "surrogateescape").decode("latin-1")
    raw = _ESCAPE.sub(lambda match: chr(int(match[1], 8) & 0xFF), octal).encode("latin-1")
    return Mount(os.fsdecode(raw), kind)


def nested_mounts(root: str, table: str = MOUNT_TABLE) -> frozenset[str]:
    """What is mounted below a resolved root, relative to it: another file system, or another
    place of the same one (a bind mount), which no device number tells."""
    prefix = root.rstrip("/") + "/"
    points = (mount.point for mount in mounts(table))
    return frozenset(p.removeprefix(prefix) for p in points if p.startswith(prefix))


def locate(root: str, recursive: bool, table: Sequence[Mount]) -> Place | str:
    """Where to put a watch for `root`, or the reason why there is to be none."""
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
        return "the folder is not readable"  # watchdog takes EACCES for success
    return Place(real, status.st_dev, status.st_ino)


def _unwatchable(path: str, recursive: bool, table: Sequence[Mount]) -> str:
    best: Mount | None = None
    for mount in table:
        # Of two mounts on one point the later covers the earlier.
        if mount.holds(path) and (best is None or len(mount.point) >= len(best.point)):
            best = mount
    if best is not None and best.elsewhere:
        return f"on {best.kind}, which does not tell of every change"
    if recursive:
        # watchdog walks into nested mounts; one that hangs would hang us.
        below = Mount(path, "")
        for mount in table:
            if mount.elsewhere and below.holds(mount.point):
                return f"{mount.kind} is mounted below it, at {mount.point}"
    return ""
