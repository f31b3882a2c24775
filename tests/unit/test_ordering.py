"""The wanted order, and numbers for it: worked examples (the property test has the proof)."""

from __future__ import annotations

import time
from itertools import pairwise

import pytest

from syncd.core.ordering import HIGHEST, assign, natural_key, wanted_sequence
from syncd.model import Fingerprint, LocalFile, Order, Rules


def files(*paths: str) -> list[LocalFile]:
    return [LocalFile(path, Fingerprint(1, 1, 1, 1)) for path in paths]


Slots = dict[int, int | None]


def numbered(*currents: int | None) -> Slots:
    return dict(enumerate(currents))


def result(slots: Slots, changed: dict[int, int]) -> list[int]:
    """All numbers, after a check that they rise."""
    numbers = [changed.get(key, current or 0) for key, current in slots.items()]
    assert all(low < high for low, high in pairwise(numbers))
    return numbers


class TestNatural:
    @pytest.mark.parametrize(
        "ordered",
        [
            ["1", "2", "10"],
            ["a1", "a2", "a10", "b"],
            ["a.txt", "a1.txt", "a2.txt", "a10.txt"],
            ["A", "a", "B", "b"],
            ["a01", "a1", "a2", "a02b", "a10"],
            ["Straße 2", "STRASSE 10"],
            ["v1.2", "v1.10"],
            ["a/2", "a/10", "b/1"],
            ["A/1", "A/2", "a/1"],
            ["a/z", "a b/a"],
            ["0", "00", "1"],
            [" ", "0", "a", "é", "日本"],
            ["1" * 300, "2" * 300, "1" * 301],
            ["٢", "١٠"][::-1],
        ],
        ids=repr,
    )
    def test_order(self, ordered: list[str]) -> None:
        backwards = ordered[::-1]
        assert sorted(backwards, key=natural_key) == ordered


class TestWantedSequence:
    def test_name_compares_code_points_per_component(self) -> None:
        found = wanted_sequence(files("b", "a/z", "a b/a", "B", "10", "9"), Rules(order="name"))
        assert found == ["10", "9", "B", "a/z", "a b/a", "b"]

    @pytest.mark.parametrize(("order", "field"), [("size", 0), ("modified", 1)])
    def test_smallest_or_oldest_first_and_ties_are_natural(self, order: Order, field: int) -> None:
        def file(path: str, value: int) -> LocalFile:
            fields = [7, 7, 7, 7]
            fields[field] = value
            return LocalFile(path, Fingerprint(*fields))

        some = [file("a10", 1), file("a2", 1), file("z", 0), file("b", 5)]
        assert wanted_sequence(some, Rules(order=order)) == ["z", "a2", "a10", "b"]

    def test_manifest_comes_first_and_the_rest_is_natural(self) -> None:
        some = files("a10", "a2", "x", "y")
        rules = Rules(order="manifest")
        assert wanted_sequence(some, rules, ["y", "gone", "x", "y"]) == ["y", "x", "a2", "a10"]
        assert wanted_sequence(some, Rules(), ["y"]) == ["a2", "a10", "x", "y"]

    def test_reverse_turns_the_whole_sequence_round(self) -> None:
        rules = Rules(order="manifest", reverse=True)
        assert wanted_sequence(files("a", "b", "c"), rules, ["c"]) == ["b", "a", "c"]


class TestAssign:
    def test_nothing_to_number(self) -> None:
        assert assign({}) == {}

    def test_an_empty_task_leaves_a_thousand_steps_at_the_start(self) -> None:
        assert assign(numbered(None, None, None)) == {0: 100_000, 1: 100_100, 2: 100_200}

    def test_numbers_in_order_stay_whatever_the_gaps(self) -> None:
        assert assign(numbered(1, 2, 7, 4000, HIGHEST)) == {}

    def test_first_moved_to_the_end_is_one_change(self) -> None:
        assert assign(numbered(200, 300, 400, 100)) == {3: 500}

    def test_last_moved_to_the_front_is_one_change(self) -> None:
        assert assign(numbered(400, 100, 200, 300)) == {0: 50}

    def test_a_reversal_of_eight_is_seven_changes(self) -> None:
        slots = numbered(*range(800, 0, -100))
        changed = assign(slots)
        assert len(changed) == 7
        result(slots, changed)

    def test_a_tie_is_resolved_by_one_change(self) -> None:
        slots = numbered(100, 100, 200)
        changed = assign(slots)
        assert len(changed) == 1
        result(slots, changed)

    def test_all_alike_keep_one(self) -> None:
        slots = numbered(5, 5, 5, 5)
        changed = assign(slots)
        assert len(changed) == 3
        result(slots, changed)

    def test_all_zero_are_renumbered_except_for_one(self) -> None:
        assert len(assign(numbered(0, 0, 0))) == 2

    @pytest.mark.parametrize("place", range(4))
    def test_an_insertion_anywhere_moves_nobody(self, place: int) -> None:
        slots = [*numbered(100_000, 100_100, 100_200).items()]
        slots.insert(place, (9, None))
        changed = assign(dict(slots))
        assert changed == {9: [99_900, 100_050, 100_150, 100_300][place]}

    @pytest.mark.parametrize("count", [1, 999, 1000, 5000])
    def test_insertions_at_the_front_fit_into_the_room_there(self, count: int) -> None:
        slots = dict.fromkeys(range(-1, -count - 1, -1)) | numbered(100_000, 100_100)
        changed = assign(slots)
        assert len(changed) == count
        result(slots, changed)

    def test_a_thousand_insertions_one_by_one_at_the_front(self) -> None:
        first = 100_000
        for _ in range(1000):
            changed = assign({"new": None, "old": first})
            assert list(changed) == ["new"]
            first = changed["new"]

    def test_a_narrow_start_is_shared_evenly(self) -> None:
        slots = numbered(None, None, None, None, 250)
        assert result(slots, assign(slots)) == [50, 100, 150, 200, 250]

    def test_a_narrow_end_is_shared_evenly(self) -> None:
        slots = numbered(HIGHEST - 10, None, None)
        assert assign(slots) == {1: HIGHEST - 7, 2: HIGHEST - 3}

    def test_no_room_after_the_highest_moves_the_highest(self) -> None:
        slots = numbered(100, HIGHEST, None)
        changed = assign(slots)
        assert set(changed) == {1, 2}
        result(slots, changed)

    def test_no_room_before_one_moves_the_one(self) -> None:
        slots = numbered(None, 1, 900)
        changed = assign(slots)
        assert set(changed) == {0, 1}
        result(slots, changed)

    def test_a_full_gap_moves_as_few_as_can_be(self) -> None:
        slots = numbered(100, 101, None, 102, 500)
        changed = assign(slots)
        assert len(changed) == 2
        result(slots, changed)

    def test_numbers_that_others_gave_out_of_range_may_stay(self) -> None:
        assert assign(numbered(-5, 0, 7)) == {}
        assert assign(numbered(7, HIGHEST + 1, HIGHEST + 9)) == {}

    def test_new_numbers_lie_in_range_where_the_gap_does(self) -> None:
        assert assign(numbered(-5, None, 7)) == {1: 1}
        assert assign(numbered(None, 0, 7)).keys() == {0, 1}
        slots = numbered(HIGHEST - 5, None, HIGHEST + 1)
        assert result(slots, assign(slots))[1] <= HIGHEST

    def test_used_numbers_are_avoided(self) -> None:
        assert assign(numbered(100, None, 200), [150]) == {1: 151}
        assert assign(numbered(None, None), [100_000, 100_001]) == {0: 100_002, 1: 100_100}

    def test_a_crowded_gap_gives_the_numbers_that_are_left(self) -> None:
        assert assign(numbered(10, None, None, 15), [12, 14]) == {1: 11, 2: 13}
        assert assign(numbered(10, None, None, 15), [13, 14]) == {1: 11, 2: 12}

    def test_used_numbers_never_cost_a_request(self) -> None:
        slots = numbered(10, None, 12)
        assert assign(slots, [11]) == {1: 11}

    def test_a_huge_step_still_fits(self) -> None:
        slots = numbered(*[None] * 1000)
        numbers = result(slots, assign(slots, step=HIGHEST))
        assert numbers[0] > 1000
        assert numbers[-1] < HIGHEST - 1000

    @pytest.mark.parametrize("shape", ["sorted", "reversed", "new", "riffled", "alternating"])
    def test_ten_thousand_are_quick(self, shape: str) -> None:
        total = 10_000
        currents: dict[str, list[int | None]] = {
            "sorted": list(range(1, total + 1)),
            "reversed": list(range(total, 0, -1)),
            "new": [None] * total,
            "riffled": [index * 7919 % total * 100 + 1 for index in range(total)],
            "alternating": [index * 100 if index % 2 else None for index in range(total)],
        }
        slots = numbered(*currents[shape])
        start = time.perf_counter()
        changed = assign(slots, range(1, total, 3))
        took = time.perf_counter() - start
        result(slots, changed)
        assert took < 1.0, took
