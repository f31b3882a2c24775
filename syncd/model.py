"""The values that the rooms exchange: frozen, and knowing no engine, client or database."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from syncd.said import Said

Order = Literal["natural", "name", "modified", "size", "manifest"]
DeletePolicy = Literal["owned", "mirror", "never"]
Role = Literal["current", "superseded", "detached", "tombstone"]


@dataclass(frozen=True, order=True)
class TaskKey:
    """Where a task's attachments live: server, organization, workspace, task."""

    url: str
    organization_id: int
    workspace_id: int
    task_id: int

    def __str__(self) -> str:
        return f"task {self.task_id}"


@dataclass(frozen=True)
class Rules:
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


@dataclass(frozen=True)
class Folder:
    """One folder and the task that it is."""

    name: str
    path: str
    task: TaskKey
    rules: Rules


@dataclass(frozen=True)
class Fingerprint:
    """A cheap hint that a file is unchanged; the digest decides where it differs."""

    size: int
    mtime_ns: int
    ctime_ns: int
    inode: int

    def racy_at(self, read_at: float) -> bool:
        """Whether a later change may hide behind it (git's racy rule).

        A ctime in the future (a file server's clock) is as doubtful as a fresh one; an mtime
        far in the future is not, as anyone may set it once and for all.
        """
        moment, margin = round(read_at * 1e9), 2_000_000_000
        return self.ctime_ns >= moment - margin or abs(self.mtime_ns - moment) <= margin


@dataclass(frozen=True)
class LocalFile:
    """A file that today's rules sync; `path` is relative, with `/`."""

    path: str
    fingerprint: Fingerprint
    digest: str | None = None
    """sha256 in hex; None = not read (yet)."""

    @property
    def size(self) -> int:
        return self.fingerprint.size


@dataclass(frozen=True)
class Problem:
    """Something about one path that is reported by name: data, not an exception."""

    path: str
    reason: str


@dataclass(frozen=True)
class FolderIdentity:
    """What tells that a folder is the one it was: inode and file system (f_fsid, else device)."""

    inode: int
    file_system: int


@dataclass(frozen=True)
class FolderSnapshot:
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
    undecided: Mapping[str, int | None] = field(default_factory=dict)
    """Files that are there, or were a moment ago, and cannot be read: path -> size in bytes, None
    where nobody knows it. Each may be one that had another name before."""
    unknown_order_lines: tuple[str, ...] = ()
    """Lines of `.syncd-order` that name no synced file."""
    manifest: tuple[str, ...] = ()
    """Paths in the order of `.syncd-order`."""


@dataclass(frozen=True)
class Attachment:
    """One row of the list endpoint that is not deleted."""

    id: int
    name: str
    display_order: int
    size: int
    mime_type: str = ""
    created_at: float | None = None
    """Seconds since the epoch by the server's clock; None = not given or not readable."""
    created_whole_second: bool = False
    """The server's time carried no fraction: it lies up to 1 s later than it says."""


@dataclass(frozen=True)
class Listing:
    """A believed or not yet believed answer of the list endpoint."""

    attachments: tuple[Attachment, ...]
    clock_skew: float = 0.0
    """Seconds to add to a local time to get the server's, by its Date header."""


@dataclass(frozen=True)
class QuotaReading:
    """The quota headers of one answer; None = the header was not there."""

    remaining: int | None
    resets_in: float | None


@dataclass(frozen=True)
class LedgerEntry:
    """An attachment that is ours: what folder and task last agreed on."""

    id: int
    role: Role
    path: str
    size: int
    name: Said[str]
    order: Said[int]
    digest: str | None = None
    fingerprint: Fingerprint | None = None
    """None, and no digest either: nobody knows its content."""
    racy: bool = False
    """The fingerprint was read so soon after a change that it is not to be trusted once."""
    listed: bool = False
    """A list has shown it; before that a 201 alone is believed, for ten minutes."""
    since: float = 0.0
    """When it took its path, or was deleted, in seconds since the epoch: tells versions apart."""


@dataclass(frozen=True)
class Intent:
    """A create that was, is or may be on its way; committed before it is sent."""

    key: int
    """Row number; 0 = not stored yet."""
    path: str
    name: str
    number: int
    size: int
    fingerprint: Fingerprint
    sequence: int
    """Number of the last list before the send: only later ids can be its fruit."""
    sent_at: float
    digest: str | None = None
    state: Literal["open", "answered", "doubtful", "lost"] = "open"
    """open: on its way · answered: 201 without ids · doubtful: no or a strange answer ·
    lost: a list that could be believed lacked it; kept a day for a late twin."""
    ended_at: float | None = None
    """When it was answered or failed."""


@dataclass(frozen=True)
class Refusal:
    """The server's refusal of one file, of one change to an attachment, or of all for a while."""

    subject: str
    """The path of a refused file, `#id` of an attachment whose change was refused, or nothing:
    the server asked (429) for no more requests."""
    error: str
    fingerprint: Fingerprint | None
    attempts: int
    not_before: float
    whole: bool = False
    """All were refused alike: it is the folder's error, not the file's."""
    digest: str | None = None
    """Of the refused bytes; empty: the file could not be read to its end, and was not sent."""

    @property
    def unread(self) -> bool:
        return self.digest == ""


@dataclass(frozen=True)
class Past:
    """All that the ledger knows of one task."""

    entries: tuple[LedgerEntry, ...] = ()
    intents: tuple[Intent, ...] = ()
    sequence: int = 0
    first_seen: Mapping[int, int] = field(default_factory=dict)
    """Of attachments not ours: which of the `sequence` lists of this task showed them first."""
    refusals: tuple[Refusal, ...] = ()
    identity: FolderIdentity | None = None
    mirror_approved: bool = False
    held_of: int | None = None
    """While more than half are held back: how many were ours when that began."""
    created: Mapping[tuple[str, str], int] = field(default_factory=dict)
    """(path, digest) -> creates in the last 24 hours."""
    put_back: Mapping[int, int] = field(default_factory=dict)
    """attachment id -> times its name or place was put back in the last 24 hours."""
    attempt: str | None = None
    """Which sequence was last tried to be changed into which, as text to compare, ..."""
    attempts: int = 0
    """... and how often it was so."""
    deleted: int = 0
    """Deletes counted by the guard in the last hour."""
