"""The values that the rooms exchange: frozen, and knowing no engine, client or database."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

if TYPE_CHECKING:
    from os import stat_result

Order = Literal["natural", "name", "modified", "size", "manifest"]
DeletePolicy = Literal["owned", "mirror", "never"]
HOUR, DAY = 3_600.0, 86_400.0
"""In seconds."""
MAX_ID = 2**63 - 1
"""The largest integer of an SQLite column."""
NOTHING: Mapping[Any, Any] = MappingProxyType({})
"""The default of fields that are mappings."""


class TaskKey(NamedTuple):
    """Where a task's attachments live: server, organization, workspace, task."""

    url: str
    organization_id: int
    workspace_id: int
    task_id: int

    def __str__(self) -> str:
        return f"task {self.task_id}"


class Rules(NamedTuple):
    """The settings of one folder that decide what is synced and how."""

    order: Order = "natural"
    reverse: bool = False
    display_order_step: int = 100
    delete: DeletePolicy = "owned"
    max_delete: int = 10
    recursive: bool = False
    include: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    max_file_size: int = 0
    """Bytes; 0 = no limit of our own."""
    max_files: int = 1000
    """A folder with more files to sync is an error; 0 = no limit."""


class Folder(NamedTuple):
    """One folder and the task that it is."""

    name: str
    path: str
    task: TaskKey
    rules: Rules


class Fingerprint(NamedTuple):
    """A cheap hint that a file is unchanged; the digest decides where it differs."""

    size: int
    mtime_ns: int
    ctime_ns: int
    inode: int

    @classmethod
    def of(cls, status: stat_result) -> Fingerprint:
        return cls(status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_ino)

    def racy_at(self, read_at: float) -> bool:
        """Whether a later change may hide behind it (git's racy rule).

        A ctime in the future (a file server's clock) is as doubtful as a fresh one; an mtime
        far in the future is not, as anyone may set it once and for all.
        """
        moment, margin = round(read_at * 1e9), 2_000_000_000
        return self.ctime_ns >= moment - margin or abs(self.mtime_ns - moment) <= margin


class LocalFile(NamedTuple):
    """A file that today's rules sync; `path` is relative, with `/`."""

    path: str
    fingerprint: Fingerprint
    digest: str | None = None
    """sha256 in hex; None = not read (yet)."""

    @property
    def size(self) -> int:
        return self.fingerprint.size


class Problem(NamedTuple):
    """Something about one path that is reported by name: data, not an exception."""

    path: str
    reason: str


class FolderIdentity(NamedTuple):
    """What tells that a folder is the one it was: inode and file system (f_fsid, else device)."""

    inode: int
    file_system: int


class FolderSnapshot(NamedTuple):
    """One scan of a folder."""

    root: str
    identity: FolderIdentity
    files: tuple[LocalFile, ...]
    skipped: tuple[Problem, ...] = ()
    """Links, sockets, pipes, devices, files over max_file_size, nested mounts: exit 0."""
    failed: tuple[Problem, ...] = ()
    """Unreadable files and directories, names that are not UTF-8 or equal after NFC: exit 1."""
    scanned: frozenset[str] = frozenset({""})
    """Relative paths of the directories that were read without an error; "" is the root."""
    occupied: frozenset[str] = frozenset()
    """Paths that exist in a scanned directory, not ignored, but not in `files` or `scanned`."""
    downloading: frozenset[str] = frozenset()
    """Of `files` those that are empty beside their own NAME.part or NAME.crdownload."""
    undecided: Mapping[str, int | None] = NOTHING
    """Files that are there, or were a moment ago, and cannot be read: path -> size in bytes, None
    where nobody knows it. Each may be one that had another name before."""
    unknown_order_lines: tuple[str, ...] = ()
    """Lines of `.syncd-order` that name no synced file."""
    manifest: tuple[str, ...] = ()
    """Paths in the order of `.syncd-order`."""


class Attachment(NamedTuple):
    """One row of the list endpoint that is not deleted."""

    id: int
    name: str
    display_order: int
    size: int
    """Bytes."""
    created_at: float | None = None
    """Seconds since the epoch by the server's clock; None = not given or not readable."""
    created_whole_second: bool = False
    """The server gave no fraction: the true time lies up to 1 s later."""


class Listing(NamedTuple):
    """One answer of the list endpoint."""

    attachments: tuple[Attachment, ...]
    clock_skew: float = 0.0
    """Seconds to add to a local time to get the server's, by its Date header."""


class LoggedAction(NamedTuple):
    """What was done to one attachment, as it is told later."""

    at: float
    """Seconds since the epoch."""
    folder: str
    """The folder's name at that time."""
    action: str
    """created | replaced | renamed | reordered | deleted | adopted"""
    name: str
    reason: str
    attachment: int | None
    """None: no answer and no list has told the id of what was created yet."""
    quota_left: int | None
    old_name: str | None = None
    """Of a rename."""


class LoggedCycle(NamedTuple):
    """What one run of a folder came to."""

    at: float
    """Seconds since the epoch, when it began."""
    code: int
    """The exit code that it meant."""
    actions: int
    requests: int
    quota_left: int | None


class QuotaReading(NamedTuple):
    """The quota headers of one answer; None = the header was not there."""

    remaining: int | None
    resets_in: float | None
