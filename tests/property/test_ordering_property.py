"""assign() against an exhaustive search over all numberings of small tasks."""

from __future__ import annotations

from functools import cache
from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from syncd.core.ordering import HIGHEST, assign, natural_key

SMALL = 9

Slots = dict[int, int | None]
currents = st.one_of(st.none(), st.integers(-3, SMALL + 3))


@st.composite
def small_tasks(draw: st.DrawFn) -> Slots:
    total = draw(st.integers(0, 7))
    return {key: draw(currents) for key in range(total)}


def bounds(slots: Slots, highest: int) -> tuple[int, int]:
    """The least and the greatest number that may be given."""
    given = [current for current in slots.values() if current is not None]
    return min([1, *given]), max([highest, *given])


def fewest(slots: Slots, highest: int) -> int:
    """The least number of changes, by trying every number for every slot in turn."""
    low, high = bounds(slots, highest)

    @cache
    def least(index: int, last: int) -> int:
        if index == len(slots):
            return 0
        current = slots[index]
        costs = [len(slots) + 1]
        if current is not None and current > last:
            costs.append(least(index + 1, current))
        price = 0 if current is None else 1
        costs += [price + least(index + 1, n) for n in range(max(low, last + 1), high + 1)]
        return min(costs)

    return least(0, -1000)


def check(slots: Slots, changed: dict[int, int], highest: int) -> int:
    """Holds the result to its promises; returns how many changes cost a request."""
    numbers = [changed.get(key, current) for key, current in slots.items()]
    assert all(number is not None for number in numbers)
    assert all(a < b for a, b in pairwise(numbers))  # type: ignore[operator]
    low, high = bounds(slots, highest)
    for key, current in slots.items():
        assert current is not None or key in changed
        if key in changed:
            assert low <= changed[key] <= high
            assert changed[key] != current
    return sum(1 for key, current in slots.items() if key in changed and current is not None)


@settings(max_examples=1500, deadline=None)
@given(
    slots=small_tasks(),
    foreign=st.sets(st.integers(-1, SMALL + 1)),
    step=st.integers(1, SMALL),
)
def test_no_numbering_has_fewer_changes(slots: Slots, foreign: set[int], step: int) -> None:
    changed = assign(slots, foreign, step, SMALL)
    assert check(slots, changed, SMALL) == fewest(slots, SMALL)
    assert changed.keys() == assign(slots, (), step, SMALL).keys()
    assert assign(slots, foreign, step, SMALL) == changed


@settings(max_examples=300, deadline=None)
@given(
    currents=st.lists(st.one_of(st.none(), st.integers(1, HIGHEST)), max_size=30),
    foreign=st.sets(st.integers(1, HIGHEST), max_size=30),
    step=st.integers(1, HIGHEST),
)
def test_a_second_look_changes_nothing(
    currents: list[int | None], foreign: set[int], step: int
) -> None:
    slots = dict(enumerate(currents))
    changed = assign(slots, foreign, step)
    check(slots, changed, HIGHEST)
    settled = {key: changed.get(key, current) for key, current in slots.items()}
    assert assign(settled, foreign, step) == {}


@settings(max_examples=500, deadline=None)
@given(
    kept=st.tuples(st.integers(0, 50), st.integers(1, 40)),
    count=st.integers(1, 12),
    foreign=st.sets(st.integers(0, 90)),
)
def test_foreign_numbers_are_avoided_wherever_the_gap_has_room(
    kept: tuple[int, int], count: int, foreign: set[int]
) -> None:
    low, high = kept[0] + 1, kept[0] + 1 + kept[1]
    slots = {-1: low, **dict.fromkeys(range(count)), -2: high}
    free = sum(1 for number in range(low + 1, high) if number not in foreign)
    changed = assign(slots, foreign)
    if free >= count:
        assert foreign.isdisjoint(changed.values())


@given(st.lists(st.text("aA1０²ßſK9 ./\n0é", max_size=6), max_size=12))
def test_natural_order_is_total(names: list[str]) -> None:
    ordered = sorted(set(names), key=natural_key)
    backwards = ordered[::-1]
    assert ordered == sorted(backwards, key=natural_key)
    assert len({natural_key(name) for name in names}) == len(set(names))
