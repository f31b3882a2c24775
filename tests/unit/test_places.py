"""Which numbers are given: to new files, to the moved, and to those that a person moved."""

from __future__ import annotations

from dataclasses import replace

import pytest

from syncd.core.reconcile import reconcile
from syncd.model import LedgerEntry, LocalFile, Rules
from syncd.said import Said
from tests.support.values import attachment, entry, file, situation

NAMES = "abcde"
FILES = [file(name, f"is {name}") for name in NAMES]


def ours(*numbers: int) -> list[LedgerEntry]:
    return [
        entry(n, name, f"is {name}", number)
        for n, (name, number) in enumerate(zip(NAMES, numbers, strict=False), 1)
    ]


def moved_there(which: LedgerEntry, number: int) -> LedgerEntry:
    """Somebody moved it in the task."""
    return replace(which, order=which.order.observe(number))


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


def test_a_number_that_the_server_keeps_to_is_left_after_one_try() -> None:
    entries = ours(100, 200, 300, 400, 500)
    stuck = Said(150, 900, tried=900, tries=1)
    entries[1] = replace(entries[1], order=stuck)
    assert moves(FILES, entries) == []
    entries[1] = replace(entries[1], order=Said(150, 900))
    assert moves(FILES, entries) == ["b"]


def test_a_refused_move_fails_for_now() -> None:
    from tests.support.values import refusal

    entries = ours(600, 200, 300, 400, 500)
    plan = reconcile(situation(FILES, entries, past={"refusals": (refusal("#1", None),)}))
    assert ([p.path for p in plan.failed], plan.reorders) == (["a"], ())
