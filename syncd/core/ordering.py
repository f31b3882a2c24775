"""The wanted order of the files, and display_order numbers for it with the fewest changes.

Only the sequence of the numbers counts, never a number itself. A number may be kept if it
lies in a longest run that leaves room for everything in between; all others get one in the
gap. What gets a request anyway (new, renamed, replaced) costs nothing.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Collection, Hashable, Sequence
from typing import Generic, NamedTuple, TypeVar

from syncd.model import LocalFile, Rules

MANIFEST = ".syncd-order"
"""The file in a folder's root that lists paths, for `order: manifest`."""
HIGHEST = 2**31 - 1
"""The greatest number that is ever given; the smallest is 1."""
_ROOM = 1000
"""Steps left free at either end of an empty task."""

Key = TypeVar("Key", bound=Hashable)
NaturalKey = tuple[tuple[str, str], ...]

_DIGITS = re.compile("[0-9]+")


class Slot(NamedTuple, Generic[Key]):
    """One of ours in its wanted place."""

    key: Key
    current: int | None = None
    """Its number, or its predecessor's; None = it has none yet."""
    free: bool = False
    """It gets a request anyway, so that a new number costs nothing."""


def wanted_sequence(
    files: Sequence[LocalFile], rules: Rules, manifest: Sequence[str] = ()
) -> list[str]:
    """The paths of `files` as they should stand in the task.

    `manifest` counts with `order: manifest` only; its paths that are no files are passed over.
    """
    keys: dict[str, Callable[[LocalFile], tuple[object, ...]]] = {
        "name": lambda file: tuple(file.path.split("/")),
        "size": lambda file: (file.size, natural_key(file.path)),
        "modified": lambda file: (file.fingerprint.mtime_ns, natural_key(file.path)),
    }
    key = keys.get(rules.order, lambda file: natural_key(file.path))
    paths = [file.path for file in sorted(files, key=key)]
    if rules.order == "manifest":
        there = set(paths)
        listed = dict.fromkeys(path for path in manifest if path in there)
        paths = [*listed, *(path for path in paths if path not in listed)]
    return paths[::-1] if rules.reverse else paths


def natural_key(path: str) -> NaturalKey:
    """Sorts casefolded with digit runs as numbers, per component, ties of one by its bytes.

    A run of digits stands where the character `0` stands ("a.txt" < "a1.txt"), and equal
    numbers of another spelling ("01", "1") are a tie. Code points sort as UTF-8 bytes do.
    natsort is no help: it splits off suffixes, reads other scripts' digits, and normalises.
    """
    return tuple(
        (_DIGITS.sub(_as_number, component.casefold()), component) for component in path.split("/")
    )


def _as_number(run: re.Match[str]) -> str:
    digits = run[0].lstrip("0")
    return f"0{chr(len(digits))}{digits}"


def assign(
    wanted: Sequence[Slot[Key]],
    foreign: Collection[int] = (),
    step: int = 100,
    highest: int = HIGHEST,
) -> dict[Key, int]:
    """Numbers for every slot that is free or has none, and new ones for as few others as can be.

    With them (and all other slots as they are) the sequence rises strictly. New numbers lie
    within 1..highest. A number outside of it, which only others can have given, may stay where
    it does no harm: those below 1 as an unbroken run at the start (nothing new fits between or
    before them), those above `highest` at the end. Keeping all of such a run is always best,
    as it leaves more room for the rest. Needs len(wanted) <= highest. O(n log n).
    """
    start, end = _runs_out_of_range(wanted, highest)
    slots = wanted[start:end]
    kept = _keepable([slot.current for slot in slots], [slot.free for slot in slots], highest)
    numbers = _fill(kept, len(slots), sorted(set(foreign)), max(step, 1), highest)
    before = [(slot, slot.current or 0) for slot in wanted[:start]]
    after = [(slot, slot.current or 0) for slot in wanted[end:]]
    numbered = [*before, *zip(slots, numbers, strict=True), *after]
    return {
        slot.key: number
        for slot, number in numbered
        if slot.free or slot.current is None or slot.current != number
    }


def append(wanted: Sequence[Slot[Key]], top: int, step: int = 100) -> dict[Key, int]:
    """Numbers above `top` for all from the first one that does not stand as wanted.

    What is put at the end stays there, in the order of the requests, on a server that counts
    anew at every change, too; numbers between others are not to be had there.
    """
    last, kept = -1, 0
    for slot in wanted:
        if slot.current is None or slot.current <= last:
            break
        last, kept = slot.current, kept + 1
    return {slot.key: top + step * nth for nth, slot in enumerate(wanted[kept:], 1)}


def _runs_out_of_range(wanted: Sequence[Slot[Key]], highest: int) -> tuple[int, int]:
    """How many at the start may keep a number below 1, and from where on those above highest."""
    start, last = 0, None
    for slot in wanted:
        if slot.current is None or slot.current > 0 or (last is not None and slot.current <= last):
            break
        start, last = start + 1, slot.current
    end, last = len(wanted), None
    for slot in reversed(wanted):
        low = slot.current is None or slot.current <= highest
        if low or (last is not None and slot.current is not None and slot.current >= last):
            break
        end, last = end - 1, slot.current
    return start, end


def _keepable(
    currents: Sequence[int | None], free: Sequence[bool], highest: int
) -> list[tuple[int, int]]:
    """(position from 1, number) of those that keep theirs: the most that cost, then the most.

    Two may both stay if their numbers are at least as far apart as their positions, that is
    if number - position does not fall; so this is a heaviest non-decreasing subsequence, where
    one that would cost a request outweighs all those that would not.
    """
    total = len(currents)
    costly = total + 1
    # The best run so far that ends at or below each slack; both lists rise strictly.
    slacks: list[int] = []
    weights: list[int] = []
    ends: list[int] = []
    previous: dict[int, int] = {}
    for position, (current, costs_nothing) in enumerate(zip(currents, free, strict=True), 1):
        if current is None or not position <= current <= highest - (total - position):
            continue
        slack = current - position
        place = bisect_right(slacks, slack)
        weight = 1 if costs_nothing else costly
        if place:
            weight += weights[place - 1]
            previous[position] = ends[place - 1]
            if slacks[place - 1] == slack:
                place -= 1
        beaten = bisect_right(weights, weight)
        slacks[place:beaten] = [slack]
        weights[place:beaten] = [weight]
        ends[place:beaten] = [position]
    kept: list[tuple[int, int]] = []
    position = ends[-1] if ends else 0
    while position:
        kept.append((position, currents[position - 1] or 0))
        position = previous.get(position, 0)
    return kept[::-1]


def _fill(
    kept: Sequence[tuple[int, int]], total: int, foreign: Sequence[int], step: int, highest: int
) -> list[int]:
    """All numbers, those of `kept` among them."""
    if not kept:
        # An empty task: room at either end, with smaller steps where they would not all fit.
        step = max(1, min(step, highest // (total + 2 * _ROOM)))
        first = max(1, min(_ROOM * step, highest - (total - 1) * step))
        wishes = [first + index * step for index in range(total)]
        return _off_foreign(wishes, 0, highest + 1, foreign)
    numbers: list[int] = []
    position, low = 0, 0
    for kept_position, number in kept:
        count = kept_position - position - 1
        open_end = position == 0 and number - count * step > 0
        if open_end:
            wishes = [number - (count - index) * step for index in range(count)]
        else:
            wishes = _evenly(count, low, number)
        numbers += [*_off_foreign(wishes, low, number, foreign), number]
        position, low = kept_position, number
    count = total - position
    if low + count * step <= highest:
        wishes = [low + step * (index + 1) for index in range(count)]
    else:
        wishes = _evenly(count, low, highest + 1)
    return numbers + _off_foreign(wishes, low, highest + 1, foreign)


def _evenly(count: int, low: int, high: int) -> list[int]:
    """`count` numbers between the two, which must leave room for them."""
    return [low + (high - low) * index // (count + 1) for index in range(1, count + 1)]


def _off_foreign(wishes: list[int], low: int, high: int, foreign: Sequence[int]) -> list[int]:
    """The wishes, moved off foreign numbers if there are enough others between low and high."""
    taken = foreign[bisect_right(foreign, low) : bisect_left(foreign, high)]
    there = set(taken)
    if there.isdisjoint(wishes):
        return wishes
    chosen: list[int] = []
    last = low
    for wish in wishes:
        last = max(wish, last + 1)
        while last in there:
            last += 1
        chosen.append(last)
    if last < high:
        return chosen
    room = high - low - 1 - len(taken)
    if room < len(wishes):
        return wishes
    # Evenly over those that are not taken: the n-th such number is n + the taken ones below it.
    below = [number - low - index for index, number in enumerate(taken)]
    return [low + nth + bisect_right(below, nth) for nth in _evenly(len(wishes), 0, room + 1)]
