"""Which display order every file of a folder gets, and which attachments move. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from hashlib import sha256
from itertools import pairwise
from typing import NamedTuple

from syncd.core.matching import Pair
from syncd.core.ordering import VALUES, assign
from syncd.core.snapshot import TIMES_A_DAY, Snapshot, put_back_count
from syncd.model import NOTHING, LocalFile
from syncd.task_state import LedgerEntry


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
    movable: Sequence[Pair],
    uploads: Sequence[LocalFile],
    renamed: Collection[str],
) -> Placement:
    """Number new files and move as few others as possible into the wanted sequence.

    `movable` are those that hold a place; those in `renamed` move at no cost, since they get a
    PUT anyway.
    """
    state = s.state
    nothing_new = not (uploads or renamed or state.in_doubt)
    by_number = sorted(movable, key=lambda pair: pair[0].order.seen)
    if nothing_new and state.order_kept and not state.order_tries:
        sequence = _sequence(s, by_number)
        rises = _rises(e.order.seen for e, _ in by_number) and _values_rise(s, by_number)
        if sequence == state.order_tried and rises:
            return Placement(sequence=sequence)
    wanted = sorted(by_number, key=lambda pair: s.rank[pair[1].path])
    in_order, sequence = _rises(e.order.seen for e, _ in wanted), _sequence(s, wanted)
    stand = {file.path: entry.order.current(s.now) for entry, file in wanted}
    settled = nothing_new and _rises(stand.values())
    numbers = {} if settled else _number(s, stand, uploads, renamed)
    moved = (numbers.keys() & stand.keys()).difference(renamed)
    tried = state.order_tried == sequence and not in_order
    put_back = tried and state.order_kept
    given_up = tried and not put_back and state.order_tries >= TIMES_A_DAY
    often = put_back_count(state, "order", s.now) >= TIMES_A_DAY
    contested = bool(moved) and put_back and often
    if contested or given_up:
        numbers = {path: number for path, number in numbers.items() if path not in moved}
    return Placement(
        numbers=numbers,
        sequence=sequence,
        in_order=in_order and s.fresh and all(_is_listed(e, s) for e, _ in wanted),
        put_back=put_back,
        contested=tuple(sorted(moved)) if contested else (),
        given_up=given_up and bool(moved),
    )


def _rises(numbers: Iterable[int]) -> bool:
    """Whether they rise without ties."""
    return all(n < following for n, following in pairwise(numbers))


def _values_rise(s: Snapshot, pairs: Sequence[Pair]) -> bool:
    """Whether sizes or times, if the files are ordered by them, rise without ties."""
    value = VALUES.get(s.rules.order)
    values = [value(file) for _, file in pairs] if value is not None else []
    return _rises(reversed(values) if s.rules.reverse else values)


def _sequence(s: Snapshot, wanted: Sequence[Pair]) -> str:
    """A sequence with the names and rules that make it the wanted one, as text to compare: where
    it is the same, nothing needs to be sorted to know that the sequence is the wanted one."""
    rules = (s.rules.order, s.rules.reverse, s.folder.manifest)
    files = [(entry.id, file.path) for entry, file in wanted]
    return sha256(repr((rules, files)).encode()).hexdigest()


def _is_listed(entry: LedgerEntry, s: Snapshot) -> bool:
    """Whether the list, and not only our last write, shows its display order as we sent it."""
    return entry.listed and entry.order.kept and entry.order.put_at < (s.state.listed_at or 0.0)


def _number(
    s: Snapshot,
    stand: Mapping[str, int],
    uploads: Sequence[LocalFile],
    renamed: Collection[str],
) -> dict[str, int]:
    """Uploads and the renamed count as unnumbered: what they get costs no request of its own."""
    current = {**stand, **dict.fromkeys((*renamed, *(file.path for file in uploads)))}
    for intent in s.state.in_doubt:
        # On its way: others find their places around it.
        current.setdefault(intent.path, intent.number)
    wanted = {path: current[path] for path in s.rank if path in current}
    return assign(wanted, _used(s), s.rules.display_order_step)


def _used(s: Snapshot) -> set[int]:
    """Display orders that an attachment or a create of the task has, or had in the last day."""
    used = {a.display_order for a in s.state.strangers.values()} | set(s.state.retired)
    used |= {i.number for i in s.state.intents.values()}
    used.update(e.order.sent for e in s.state.entries.values())
    used.update(e.order.seen for e in s.state.entries.values())
    return used
