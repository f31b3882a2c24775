"""Which display order every file of a folder gets, and which attachments move. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from hashlib import sha256
from itertools import pairwise
from typing import NamedTuple

from syncd.core.ordering import Slot, assign
from syncd.core.snapshot import TIMES_A_DAY, Snapshot, put_back_count
from syncd.model import NOTHING, Attachment, LocalFile
from syncd.task_state import LedgerEntry

Bound = tuple[LedgerEntry, LocalFile, Attachment]
"""An attachment of ours that is shown, with its file."""


class Placement(NamedTuple):
    """What is to be numbered, and why the rest is not."""

    numbers: Mapping[str, int] = NOTHING
    """Display orders to give, by path; what is not in here keeps its own."""
    sequence: str = ""
    """The wanted sequence, as text to compare."""
    in_order: bool = True
    """A list of this run shows the wanted sequence."""
    put_back: bool = False
    """It does not, though a list has shown that sequence before: a person changed it."""
    contested: tuple[str, ...] = ()
    """Paths that a person keeps moving: left where they are."""
    given_up: bool = False
    """The server keeps a sequence of its own: two tries did not change it."""


def place(
    s: Snapshot,
    movable: Sequence[Bound],
    uploads: Sequence[LocalFile],
    renamed: Collection[str],
) -> Placement:
    """Number new files and move as few others as possible into the wanted sequence.

    `movable` are those that hold a place; those in `renamed` move at no cost, since they get a
    PUT anyway.
    """
    wanted = [entry for entry, _, _ in sorted(movable, key=lambda b: s.rank[b[1].path])]
    in_order = all(n < following for n, following in pairwise(e.order.seen for e in wanted))
    sequence = sha256(repr([e.id for e in wanted]).encode()).hexdigest()
    numbers = _number(s, movable, uploads, renamed)
    moved = {
        f.path for _, f, a in movable if numbers.get(f.path, a.display_order) != a.display_order
    }
    moved -= set(renamed)
    tried = s.state.order_tried == sequence and not in_order
    put_back = tried and s.state.order_kept
    given_up = tried and not put_back and s.state.order_tries >= TIMES_A_DAY
    often = put_back_count(s.state, "order", s.now) >= TIMES_A_DAY
    contested = bool(moved) and put_back and often
    if contested or given_up:
        numbers = {path: number for path, number in numbers.items() if path not in moved}
    return Placement(
        numbers=numbers,
        sequence=sequence,
        in_order=in_order and s.fresh and all(_is_listed(e, s) for e in wanted),
        put_back=put_back,
        contested=tuple(sorted(moved)) if contested else (),
        given_up=given_up and bool(moved),
    )


def _is_listed(entry: LedgerEntry, s: Snapshot) -> bool:
    """Whether the list, and not only our last write, shows its display order as we sent it."""
    return entry.listed and entry.order.kept and entry.order.put_at < (s.state.listed_at or 0.0)


def _number(
    s: Snapshot, movable: Sequence[Bound], uploads: Iterable[LocalFile], renamed: Collection[str]
) -> dict[str, int]:
    """Uploads and the renamed count as unnumbered: what they get costs no request of its own."""
    current: dict[str, int | None] = {file.path: a.display_order for _, file, a in movable}
    current |= dict.fromkeys((*renamed, *(file.path for file in uploads)))
    for intent in s.state.in_doubt:
        # On its way: others find their places around it.
        current.setdefault(intent.path, intent.number)
    slots = [Slot(path, current[path]) for path in s.rank if path in current]
    return assign(slots, _used(s), s.rules.display_order_step)


def _used(s: Snapshot) -> set[int]:
    """Display orders that an attachment or a create of the task has, or had in the last day."""
    used = {a.display_order for a in s.shown.values()} | set(s.state.retired)
    used |= {i.number for i in s.state.intents.values()}
    for entry in s.state.entries.values():
        used |= {entry.order.sent, entry.order.seen}
    return used
