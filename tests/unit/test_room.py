"""Whose names are taken, on a server that takes each name once."""

from __future__ import annotations

from dataclasses import replace

import pytest

from syncd.core.room import holders
from syncd.model import Listing, Past
from syncd.said import BELIEF, Said
from tests.support.values import NOW, attachment, entry


@pytest.mark.parametrize(("age", "taken"), [(1, {"new"}), (BELIEF + 1, {"new", "old"})])
def test_a_name_that_was_given_up_is_free_though_a_list_that_lags_still_shows_it(
    age: float, taken: set[str]
) -> None:
    said = Said("new", "old", former=("old",), put_at=NOW - age)
    ours = replace(entry(1, "new"), name=said)
    assert set(holders(Past((ours,)), Listing((attachment(1, "old"),)), NOW)) == taken
