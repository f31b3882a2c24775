"""What a cycle is about to do: actions, their cost in requests, and how creates are batched."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
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


class Limits(NamedTuple):
    """What bounds one create request."""

    max_files: int
    max_bytes: int
    fits: Callable[[Sequence[str]], bool]
    """Whether these names fit one request line."""
    keeps_old: bool = False
    """Replaced versions stay (`delete: never`)."""


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


def batches(creates: Iterable[Create], limits: Limits) -> list[tuple[Create, ...]]:
    """Group creates into requests."""
    found: list[tuple[Create, ...]] = []
    batch: tuple[Create, ...] = ()
    size = 0
    for create in creates:
        longer, size = (*batch, create), size + create.file.size
        is_full = len(longer) > limits.max_files or size > limits.max_bytes
        if batch and (is_full or not limits.fits([c.file.path for c in longer])):
            found.append(batch)
            longer, size = (create,), create.file.size
        batch = longer
    return [*found, batch] if batch else found


def cost(plan: Plan, limits: Limits) -> int:
    """Requests that a plan takes from here on, the list after its creates included."""
    others = (plan.finish, plan.deletes, plan.renames, plan.reorders)
    return sum(map(len, others)) + _create_cost(plan.creates, limits)


def _create_cost(creates: Sequence[Create], limits: Limits) -> int:
    if not creates:
        return 0
    return len(batches(creates, limits)) + 1 + sum(_deletes_later(c, limits) for c in creates)


def _affordable(creates: Sequence[Create], limits: Limits, room: int) -> int:
    """How many creates, from the first, cost no more than `room`, the list after them included."""
    count, room = 0, room - 1
    for batch in batches(creates, limits):
        room -= 1
        for create in batch:
            room -= _deletes_later(create, limits)
            if room < 0:
                return count
            count += 1
    return count


def _deletes_later(create: Create, limits: Limits) -> bool:
    """Whether the old version of the file is deleted once the new one is seen."""
    return create.replaces is not None and not limits.keeps_old


def fit(
    plan: Plan,
    limits: Limits,
    left: int | None,
    reserve: int,
    *,
    owed: int = 0,
    order_share: float = 1.0,
) -> Plan:
    """Cut a plan to the requests that are left, in the order of what matters most.

    `left` counts the reserve, which only unfinished replacements may use; None = no limit
    known. `owed` are requests that creates in doubt still need; `order_share` is the part of
    what is left that reordering may take.
    """
    if left is None:
        return plan
    finish = plan.finish[: max(left, 0)]
    room = max(left - len(finish) - reserve - owed, 0)
    creates = plan.creates[: _affordable(plan.creates, limits, room)]
    room -= _create_cost(creates, limits)
    deletes = plan.deletes[:room]
    renames = plan.renames[: room - len(deletes)]
    room -= len(deletes) + len(renames)
    return plan._replace(
        finish=finish,
        creates=creates,
        deletes=deletes,
        renames=renames,
        reorders=plan.reorders[: int(room * order_share)],
    )
