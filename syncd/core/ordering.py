"""The wanted order of the files, and display_order numbers for it with the fewest changes.

Only the sequence of the numbers counts, never a number itself. A number may be kept if it
lies in a longest run that leaves room for everything in between; all others get one in the
gap. What gets a request anyway (new, renamed, replaced) gets a number at no cost.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Collection, Hashable, Mapping, Sequence
from itertools import pairwise
from typing import TypeVar

from syncd.model import LocalFile, Order, Rules

MANIFEST = ".syncd-order"
"""The file in a folder's root that lists paths, for `order: manifest`."""
HIGHEST = 2**31 - 1
"""New numbers lie between 1 and this one."""
_ROOM = 1000
"""Steps left free at either end of an empty task."""

Key = TypeVar("Key", bound=Hashable)
NaturalKey = tuple[tuple[str, str], ...]

VALUES: Mapping[Order, Callable[[LocalFile], int]] = {
    "size": lambda file: file.size,
    "modified": lambda file: file.fingerprint.mtime_ns,
}
"""What an order looks at besides the paths."""
_DIGITS = re.compile("[0-9]+")


def wanted_sequence(
    files: Sequence[LocalFile], rules: Rules, manifest: Sequence[str] = ()
) -> list[str]:
    """The paths of `files` as they should stand in the task.

    `manifest` counts with `order: manifest` only; its paths that are no files are passed over.
    """
    value = VALUES.get(rules.order)

    def key(file: LocalFile) -> tuple[object, ...]:
        if rules.order == "name":
            return tuple(file.path.split("/"))
        natural = natural_key(file.path)
        return natural if value is None else (value(file), natural)

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
    wanted: Mapping[Key, int | None],
    used: Collection[int] = (),
    step: int = 100,
    highest: int = HIGHEST,
) -> dict[Key, int]:
    """Numbers for all of ours that have none, and new ones for as few others as can be.

    `wanted` holds the number of each, in the wanted sequence; None = it gets a request anyway,
    so that a number costs nothing. With the new ones the sequence rises strictly. They lie within
    1..highest, or within what others have given beyond that, and off those that are
    `used` where a gap has others. Needs len(wanted) <= highest. O(n log n).
    """
    currents = list(wanted.values())
    given = [number for number in currents if number is not None]
    low, high = min([1, *given]) - 1, max([highest, *given]) + 1
    kept = _keepable(currents, low, high)
    numbers = _fill(kept, len(wanted), sorted(set(used)), max(step, 1), low, high)
    numbered = zip(wanted.items(), numbers, strict=True)
    return {key: number for (key, current), number in numbered if current != number}


def _keepable(currents: Sequence[int | None], low: int, high: int) -> list[tuple[int, int]]:
    """(position from 1, number) of as many as can keep theirs, between `low` and `high`.

    Two may both stay if their numbers are at least as far apart as their positions, that is
    if number - position does not fall: a longest non-decreasing subsequence of that.
    """
    total = len(currents)
    # The least slack in which a run of each length ends, and the position where it does.
    slacks: list[int] = []
    ends: list[int] = []
    previous: dict[int, int] = {}
    for position, current in enumerate(currents, 1):
        if current is None or not low + position <= current < high - (total - position):
            continue
        length = bisect_right(slacks, current - position)
        if length:
            previous[position] = ends[length - 1]
        slacks[length : length + 1] = [current - position]
        ends[length : length + 1] = [position]
    kept: list[tuple[int, int]] = []
    position = ends[-1] if ends else 0
    while position:
        kept.append((position, currents[position - 1] or 0))
        position = previous.get(position, 0)
    return kept[::-1]


def _fill(
    kept: Sequence[tuple[int, int]],
    total: int,
    used: Sequence[int],
    step: int,
    low: int,
    high: int,
) -> list[int]:
    """All numbers between `low` and `high`, those of `kept` among them."""
    numbers: list[int] = []
    ends = ((0, low if kept else 0), *kept, (total + 1, high))
    for (position, lower), (next_position, upper) in pairwise(ends):
        count = next_position - position - 1
        if not kept:
            # An empty task: room at either end, with smaller steps where they would not all fit.
            step = max(1, min(step, (high - 1) // (total + 2 * _ROOM)))
            first = max(1, min(_ROOM * step, high - 1 - (total - 1) * step))
        elif not position:
            first = upper - count * step
        else:
            first = lower + step
        fits = next_position > total and first + (count - 1) * step < upper
        if fits if position else first > 0:
            wishes = [first + index * step for index in range(count)]
        else:
            wishes = _evenly(count, lower, upper)
        numbers += [*_off_used(wishes, lower, upper, used), upper]
    return numbers[:-1]


def _evenly(count: int, low: int, high: int) -> list[int]:
    """`count` numbers between the two, which must leave room for them."""
    return [low + (high - low) * index // (count + 1) for index in range(1, count + 1)]


def _off_used(wishes: list[int], low: int, high: int, used: Sequence[int]) -> list[int]:
    """The wishes, moved off used numbers if there are enough others between low and high."""
    taken = used[bisect_right(used, low) : bisect_left(used, high)]
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
