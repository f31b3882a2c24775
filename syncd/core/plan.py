"""What a cycle is about to do: its actions, as data."""

from __future__ import annotations

from typing import Literal, NamedTuple

from syncd.model import FolderIdentity, LocalFile, Problem
from syncd.task_state import LedgerEntry


class Create(NamedTuple):
    """Upload a file; with `replaces`, the attachment whose file has new content."""

    file: LocalFile
    number: int
    replaces: LedgerEntry | None = None


class Put(NamedTuple):
    """One PUT: a rename, which moves along with it, or a move, with the name as it is."""

    entry: LedgerEntry
    old_name: str
    old_number: int
    name: str
    number: int
    put_back: bool
    """What it changes was changed in the task, not here."""


class Delete(NamedTuple):
    """One DELETE: a file is gone, was replaced, or (mirror) an attachment is foreign."""

    id: int
    name: str
    size: int
    reason: Literal["gone", "replaced", "foreign"]
    path: str | None = None


class Held(NamedTuple):
    """What the guard keeps from happening until somebody approves it."""

    id: int
    name: str
    size: int
    action: Literal["delete", "replace"]
    reason: str


class Plan(NamedTuple):
    """All that one cycle wants, in the order in which it is done."""

    finish: tuple[Delete, ...] = ()
    """Old versions whose replacement is in the task."""
    creates: tuple[Create, ...] = ()
    deletes: tuple[Delete, ...] = ()
    renames: tuple[Put, ...] = ()
    reorders: tuple[Put, ...] = ()
    sequence: str = ""
    """The sequence that the reorders bring about, as text to compare."""
    in_order: bool = False
    """A list of this run shows the wanted sequence."""
    records: tuple[LedgerEntry, ...] = ()
    """Changed entries that cost no request: adopted, renamed, superseded, detached, released."""
    adopted: tuple[str, ...] = ()
    detached: tuple[str, ...] = ()
    foreign: tuple[str, ...] = ()
    contested: tuple[str, ...] = ()
    failed: tuple[Problem, ...] = ()
    refused_alike: str | None = None
    """Every upload was refused alike lately: the folder's error."""
    waiting: tuple[Problem, ...] = ()
    """Files that cannot be decided about yet, with the reason."""
    lagging: bool = False
    """Something that was sent is not in the list yet: a later list tells more."""
    held: tuple[Held, ...] = ()
    held_of: int | None = None
    """While more than half are held back: how many were ours when that began."""
    hints: tuple[str, ...] = ()
    needs_list: str | None = None
    """Why a remembered list does not suffice for this plan."""
    identity: FolderIdentity | None = None
    """To be recorded as the folder's; None = not to be trusted yet."""
    mirror_approved: bool = False
    """Deletes of foreign attachments were approved: recorded for good."""

    @property
    def due(self) -> tuple[Delete, ...]:
        """The deletes of this cycle: foreign ones wait until every upload is in the task."""
        return tuple(d for d in self.deletes if d.reason != "foreign" or not self.creates)

    @property
    def deletes_foreign(self) -> bool:
        return any(d.reason == "foreign" for d in self.deletes)

    @property
    def size(self) -> int:
        """How many actions it holds."""
        requests = (self.finish, self.creates, self.deletes, self.renames, self.reorders)
        return sum(map(len, requests)) + len(self.waiting)

    @property
    def busy(self) -> bool:
        """Whether any request would be sent."""
        return self.size > len(self.waiting)
