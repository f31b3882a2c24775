"""Which numbers are given: to new files, to the moved, and to those that a person moved."""

from __future__ import annotations

from dataclasses import replace

import pytest

from syncd.core.reconcile import reconcile
from syncd.model import LedgerEntry, LocalFile, Rules
from syncd.said import Said
from tests.support.values import NOW, attachment, entry, file, refusal, situation

NAMES = "abcde"
FILES = [file(name, f"is {name}") for name in NAMES]


def ours(*numbers: int) -> list[LedgerEntry]:
    return [
        entry(n, name, f"is {name}", number)
        for n, (name, number) in enumerate(zip(NAMES, numbers, strict=False), 1)
    ]


def moved_there(which: LedgerEntry, number: int) -> LedgerEntry:
    """Somebody moved it in the task."""
    return replace(which, order=which.order.observe(number, NOW))


def moves(files: list[LocalFile], entries: list[LedgerEntry], **more: object) -> list[str]:
    return [r.entry.path for r in reconcile(situation(files, entries, **more)).reorders]


@pytest.mark.parametrize(
    ("numbers", "expected"),
    [
        ((100, 200, 300, 400, 500), []),
        ((1, 2, 3, 4, 5), []),
        ((7, 8, 100, 101, 9999), []),
        ((600, 200, 300, 400, 500), ["a"]),
        ((100, 200, 300, 400, 50), ["e"]),
        ((200, 100, 400, 300, 500), ["a", "c"]),
        ((100, 100, 300, 400, 500), ["a"]),  # ties are resolved
        ((500, 400, 300, 200, 100), ["a", "b", "c", "d"]),
    ],
)
def test_as_few_as_possible_move(numbers: tuple[int, ...], expected: list[str]) -> None:
    assert len(moves(FILES, ours(*numbers))) == len(expected)


def test_a_new_file_gets_a_number_in_its_gap() -> None:
    new = file("bb", "new")
    plan = reconcile(situation([*FILES, new], ours(100, 200, 300, 400, 500)))
    (create,) = plan.creates
    assert (200 < create.number < 300, plan.reorders) == (True, ())


def test_new_numbers_avoid_those_of_others() -> None:
    theirs = [attachment(n, f"x{n}", number=n) for n in range(240, 261)]
    (create,) = reconcile(
        situation([*FILES, file("bb", "new")], ours(100, 200, 300, 400, 500), theirs)
    ).creates
    assert create.number not in range(240, 261)


def test_an_empty_task_leaves_room_for_a_thousand_at_either_end() -> None:
    found = reconcile(situation(FILES)).creates
    assert [c.number for c in found] == [100_000, 100_100, 100_200, 100_300, 100_400]


def test_with_reverse_the_sequence_is_turned() -> None:
    assert len(moves(FILES, ours(100, 200, 300, 400, 500), rules=Rules(reverse=True))) == 4


def test_what_a_person_moved_is_what_is_put_back() -> None:
    entries = ours(100, 200, 300, 400, 500)
    entries[1] = moved_there(entries[1], 350)
    plan = reconcile(situation(FILES, entries))
    assert [(r.entry.path, r.put_back) for r in plan.reorders] == [("b", True)]


def test_after_two_put_backs_it_is_contested_and_left_there() -> None:
    entries = ours(100, 200, 300, 400, 500)
    entries[1] = moved_there(entries[1], 350)
    plan = reconcile(situation(FILES, entries, past={"put_back": {2: 2}}))
    assert (plan.contested, plan.reorders) == (("b",), ())


def test_a_number_changed_within_the_sequence_is_nobodys_business() -> None:
    entries = ours(100, 200, 300, 400, 500)
    entries[1] = moved_there(entries[1], 250)
    plan = reconcile(situation(FILES, entries, past={"put_back": {2: 2}}))
    assert (plan.contested, plan.reorders) == ((), ())


class TestInVain:
    """A server that keeps to its own sequence is left in peace."""

    STRAY = (100, 900, 300, 400, 500)

    def tried(self, times: int, entries: list[LedgerEntry]) -> dict[str, object]:
        attempt = reconcile(situation(FILES, entries)).attempt
        assert attempt is not None
        return {"past": {"attempt": attempt, "attempts": times}}

    def ignored(self) -> list[LedgerEntry]:
        entries = ours(*self.STRAY)
        entries[1] = replace(entries[1], order=Said(2, 900))
        return entries

    def test_the_same_move_is_tried_twice(self) -> None:
        entries = self.ignored()
        assert moves(FILES, entries, **self.tried(1, entries)) == ["b"]
        assert moves(FILES, entries, **self.tried(2, entries)) == []

    def test_another_one_is_another_attempt(self) -> None:
        entries = self.ignored()
        more = self.tried(2, entries)
        assert moves(FILES, entries, rules=Rules(reverse=True), **more) != []

    def test_nor_is_it_the_same_once_all_can_be_moved(self) -> None:
        """What was refused then is what was missing."""
        entries = self.ignored()
        refused = {"refusals": (refusal("#3", None),)}
        attempt = reconcile(situation(FILES, entries, past=refused)).attempt
        tried = {"attempt": attempt, "attempts": 2}
        assert moves(FILES, entries, past={**tried, **refused}) == []
        assert moves(FILES, entries, past=tried) == ["b"]

    @pytest.mark.parametrize(
        ("says", "kept", "left"),
        [
            ("no more than there are", 2, True),
            ("one more than another", 501, True),
            ("for certain: a person moved it", 200, False),
        ],
    )
    def test_a_number_that_was_kept_by_chance_makes_no_difference(
        self, says: str, kept: int, left: bool
    ) -> None:
        entries = self.ignored()
        entries[1] = replace(entries[1], order=Said(kept, 900, kept=True))
        assert moves(FILES, entries, **self.tried(2, entries)) == ([] if left else ["b"])


class TestServerThatCountsItself:
    """Which gives new numbers to all of them at every change."""

    def counted(self, *numbers: int) -> list[LedgerEntry]:
        sent = enumerate(ours(*numbers))
        return [replace(e, order=Said(100_000 + n, e.order.seen)) for n, e in sent]

    def test_all_from_the_first_wrong_one_on_go_to_the_end_in_their_order(self) -> None:
        plan = reconcile(situation(FILES, self.counted(1, 3, 2, 4, 5)))
        assert [r.entry.path for r in plan.reorders] == ["c", "d", "e"]
        numbers = [r.number for r in plan.reorders]
        assert (numbers, numbers[0] > 5) == (sorted(numbers), True)

    def test_it_may_count_from_0(self) -> None:
        entries = [replace(e, order=Said(900, e.order.seen - 1)) for e in ours(1, 3, 2, 4, 5)]
        assert moves(FILES, entries) == ["c", "d", "e"]
        still = [replace(e, order=Said(900, e.order.seen - 1)) for e in ours(1, 2, 3, 4, 5)]
        assert moves(FILES, still) == []

    def test_but_not_with_a_gap(self) -> None:
        entries = [replace(e, order=Said(900, e.order.seen - 1)) for e in ours(1, 3, 2, 4, 6)]
        assert moves(FILES, entries) != ["c", "d", "e"]

    def test_numbers_that_do_not_begin_there_are_not_its_own(self) -> None:
        assert len(moves(FILES, self.counted(11, 13, 12, 14, 15))) == 2

    def test_where_there_are_gaps_it_ignores_what_it_is_sent(self) -> None:
        assert len(moves(FILES, self.counted(10, 30, 20, 40, 50))) == 1

    def test_what_stands_as_wanted_stays(self) -> None:
        assert moves(FILES, self.counted(1, 2, 3, 4, 5)) == []

    def test_a_number_before_our_last_put_is_not_taken_for_lag(self) -> None:
        entries = self.counted(1, 2, 3, 4, 5)
        entries[1] = replace(entries[1], order=Said(105, 2, former=(2,), put_at=NOW - 1))
        assert moves(FILES, entries) == []

    def test_what_was_put_at_the_end_since_the_list_was_taken_stands_there(self) -> None:
        """Its number is only our word; those of the others are the server's as before."""
        entries = self.counted(1, 2, 3, 5, 112)
        entries[3] = replace(entries[3], order=Said(313, 5, former=(5,), put_at=NOW - 1))
        entries[4] = replace(entries[4], order=Said(112, 112, former=(4,), put_at=NOW - 1))
        assert moves(FILES, entries) == []

    def test_a_number_that_a_list_has_shown_was_not_only_told(self) -> None:
        entries = self.counted(1, 3, 2, 4, 5)
        entries[0] = replace(entries[0], order=Said(1, 1, kept=True))
        assert moves(FILES, entries) == ["c", "d", "e"]

    def test_nor_is_anything_else_moved_before_the_next_list(self) -> None:
        """What cannot be moved stays in front of it: the others went to the end for ever."""
        entries = self.counted(1, 3, 2, 4, 112)
        assert moves(FILES, self.counted(1, 3, 2, 4, 5)) != []
        entries[4] = replace(entries[4], order=Said(112, 112, former=(5,), put_at=NOW - 1))
        assert moves(FILES, entries) == []
        assert reconcile(situation(FILES, entries)).needs_list is None
        assert reconcile(situation(FILES, entries, fresh=False)).needs_list is not None

    def test_one_large_number_that_was_kept_shows_that_it_does_not(self) -> None:
        entries = self.counted(1, 3, 2, 4, 5)
        assert len(moves(FILES, entries)) == 3
        entries[4] = replace(entries[4], order=Said(100_005, 5, kept=True))
        assert len(moves(FILES, entries)) == 2

    def test_one_that_was_adopted_shows_nothing(self) -> None:
        entries = self.counted(1, 3, 2, 4, 5)
        entries[4] = replace(entries[4], order=Said(100_005, 5, kept=True, form=100_005))
        assert len(moves(FILES, entries)) == 3

    def test_one_that_was_met_when_more_was_there_does_not(self) -> None:
        entries = self.counted(1, 3, 2, 4, 5)
        entries[4] = replace(entries[4], order=Said(6, 5, kept=True))
        assert len(moves(FILES, entries)) == 2
        assert len(moves(FILES, [*entries, entry(9, "gone", role="tombstone")])) == 3


def test_a_refused_move_fails_for_now() -> None:
    from tests.support.values import refusal

    entries = ours(600, 200, 300, 400, 500)
    plan = reconcile(situation(FILES, entries, past={"refusals": (refusal("#1", None),)}))
    assert ([p.path for p in plan.failed], plan.reorders) == (["a"], ())
