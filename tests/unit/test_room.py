"""Whose names are taken, on a server that takes each name once."""

from __future__ import annotations

from dataclasses import replace

import pytest

from syncd.core.plan import Create, Plan
from syncd.core.room import holders, make_room
from syncd.model import Listing, Past
from syncd.said import BELIEF, Said
from tests.support.values import NOW, attachment, entry, file, situation


@pytest.mark.parametrize(("age", "taken"), [(1, {"new"}), (BELIEF + 1, {"new", "old"})])
def test_a_name_that_was_given_up_is_free_though_a_list_that_lags_still_shows_it(
    age: float, taken: set[str]
) -> None:
    said = Said("new", "old", former=("old",), put_at=NOW - age)
    ours = replace(entry(1, "new"), name=said)
    assert set(holders(Past((ours,)), Listing((attachment(1, "old"),)), NOW)) == taken


def test_what_has_a_name_that_no_list_shows_yet_is_set_aside_under_that() -> None:
    said = Said("new.txt", "old.txt", former=("old.txt",), put_at=NOW - 1)
    ours = replace(entry(1, "gone"), name=said)
    wanting = Plan(creates=(Create(file("new.txt"), 1, None),))
    made = make_room(wanting, situation([file("new.txt")], [ours]))
    assert ([r.name for r in made.renames], made.creates) == (["new (old 1).txt"], ())
