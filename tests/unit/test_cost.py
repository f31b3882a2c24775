"""Batches, costs, and what of a plan fits the quota."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import pytest

from syncd.core.plan import Create, Delete, Plan, Put
from syncd.engine.cost import Limits, batches, cost, fit
from tests.support.values import entry, file

ANY = Limits(10, 10**9, lambda names: True)


def creates(count: int, replacing: int = 0, size: int = 1) -> tuple[Create, ...]:
    return tuple(
        Create(file(f"{n:03}", "x" * size), n, entry(n, f"{n:03}") if n <= replacing else None)
        for n in range(1, count + 1)
    )


def deletes(count: int) -> tuple[Delete, ...]:
    return tuple(Delete(n, f"{n}", 1, "gone", f"{n}") for n in range(count))


def renames(count: int) -> tuple[Put, ...]:
    return tuple(Put(entry(n, "a"), "a", 1, "b", 1, False) for n in range(1, count + 1))


def reorders(count: int) -> tuple[Put, ...]:
    return tuple(Put(entry(n, "a"), "a", 1, "a", 2, False) for n in range(1, count + 1))


def sizes(found: Sequence[Sequence[Create]]) -> list[int]:
    return [len(batch) for batch in found]


class TestBatches:
    @pytest.mark.parametrize(
        ("count", "expected"),
        [(0, []), (1, [1]), (10, [10]), (11, [10, 1]), (25, [10, 10, 5])],
    )
    def test_files_are_bounded(self, count: int, expected: list[int]) -> None:
        assert sizes(batches(creates(count), ANY)) == expected

    @pytest.mark.parametrize(
        ("size", "expected"), [(100, [10]), (300, [3, 3, 3, 1]), (1000, [1] * 10), (5000, [1] * 10)]
    )
    def test_bytes_are_bounded(self, size: int, expected: list[int]) -> None:
        limits = Limits(10, 1000, lambda names: True)
        assert sizes(batches(creates(10, size=size), limits)) == expected

    def test_names_fit_the_request_line(self) -> None:
        limits = Limits(10, 10**9, lambda names: len(names) <= 4)
        assert sizes(batches(creates(10), limits)) == [4, 4, 2]

    def test_a_name_that_fits_no_line_still_goes_alone(self) -> None:
        assert sizes(batches(creates(3), Limits(10, 10**9, lambda names: False))) == [1, 1, 1]


@pytest.mark.parametrize(
    ("plan", "requests"),
    [
        (Plan(), 0),
        (Plan(creates=creates(1)), 2),
        (Plan(creates=creates(25)), 4),
        (Plan(creates=creates(1, replacing=1)), 3),
        (Plan(creates=creates(10, replacing=3)), 5),
        (Plan(deletes=deletes(3)), 3),
        (Plan(renames=renames(2), reorders=reorders(4)), 6),
        (Plan(finish=deletes(2), creates=creates(2)), 4),
    ],
)
def test_cost_counts_the_list_after_creates_and_the_deletes_of_old_versions(
    plan: Plan, requests: int
) -> None:
    assert cost(plan, ANY) == requests
    assert plan.busy == bool(requests)


EVERYTHING = Plan(
    finish=deletes(2),
    creates=creates(25, replacing=2),
    deletes=deletes(3),
    renames=renames(3),
    reorders=reorders(4),
)


OLD = ((8, "a", 1), (9, "b", 2))
"""Old versions: id, path, and the id of the newer one."""


class TestFit:
    @pytest.mark.parametrize(
        ("left", "kept"),
        [
            (None, (2, 25, 3, 3, 4)),
            (0, (0, 0, 0, 0, 0)),
            (1, (1, 0, 0, 0, 0)),  # only unfinished replacements use the reserve
            (2, (2, 0, 0, 0, 0)),
            (7, (2, 0, 0, 0, 0)),
            (9, (2, 0, 2, 0, 0)),  # no replacement that could not be finished
            (10, (2, 1, 0, 0, 0)),
            (11, (2, 10, 0, 0, 0)),
            (12, (2, 20, 0, 0, 0)),
            (13, (2, 25, 0, 0, 0)),
            (17, (2, 25, 3, 1, 0)),
            (21, (2, 25, 3, 3, 2)),
            (99, (2, 25, 3, 3, 4)),
        ],
    )
    def test_the_order_is_that_of_what_matters_most(
        self, left: int | None, kept: tuple[int, ...]
    ) -> None:
        found = fit(EVERYTHING, ANY, left, 5)
        parts = (found.finish, found.creates, found.deletes, found.renames, found.reorders)
        assert tuple(len(part) for part in parts) == kept
        if left is not None and left >= 7:
            assert cost(found, ANY) <= left - 5

    def test_moves_take_only_their_share(self) -> None:
        plan = Plan(reorders=reorders(9))
        assert len(fit(plan, ANY, 15, 5, order_share=0.5).reorders) == 5

    def test_requests_owed_to_creates_in_doubt_are_kept(self) -> None:
        plan = Plan(deletes=deletes(9))
        assert len(fit(plan, ANY, 15, 5, owed=3).deletes) == 7

    def test_under_never_a_replacement_costs_no_delete(self) -> None:
        keeps = Limits(10, 10**9, lambda names: True, keeps_old=True)
        plan = Plan(creates=creates(2, replacing=2))
        assert (cost(plan, ANY), cost(plan, keeps)) == (4, 2)

    def test_more_left_never_means_less_done(self) -> None:
        done = [cost(fit(EVERYTHING, ANY, left, 5), ANY) for left in range(40)]
        assert all(less <= more for less, more in pairwise(done))
