"""Which attachments that are not ours are taken for which files."""

from __future__ import annotations

import pytest

from syncd.core.adoption import adopt, candidates_of
from syncd.core.books import NO_FRUIT
from syncd.model import Listing
from tests.support.values import NOW, attachment, file, intent, situation

FILE = file("a", "A", touched=NOW)


@pytest.mark.parametrize(
    ("says", "made", "whole", "skew", "taken"),
    [
        ("made later", 10.0, False, 0.0, True),
        ("made in the same instant", 0.0, False, 0.0, True),
        ("made a little earlier", -0.1, False, 0.0, False),
        ("cut to its second, perhaps later", -0.9, True, 0.0, True),
        ("cut to its second, surely earlier", -1.1, True, 0.0, False),
        ("a server ahead makes it look later", 10.0, False, 60.0, False),
        ("a server behind makes it look earlier", -10.0, False, -60.0, True),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_age(says: str, made: float, whole: bool, skew: float, taken: bool) -> None:
    row = attachment(9, "a", "A", created_at=NOW + made, created_whole_second=whole)
    found = adopt(situation([FILE], listing=Listing((row,), clock_skew=skew)))
    assert [f.path for _, f in found.adopted] == (["a"] if taken else [])
    assert found.older == (() if taken else ("a",))
    assert len(found.new) == (0 if taken else 1)


def test_of_several_the_lowest_id_that_is_not_older() -> None:
    rows = [
        attachment(7, "a", "A", created_at=NOW - 50),
        attachment(8, "a", "A"),
        attachment(9, "a", "A"),
    ]
    ((entry, _),) = adopt(situation([FILE], [], rows)).adopted
    assert entry.id == 8


def test_what_was_ours_once_and_was_replaced_is_no_files_attachment() -> None:
    """`delete: never` leaves it there: by name and size it looks like the next version."""
    replaced = {"first_seen": {8: NO_FRUIT, 9: 3}}
    rows = [attachment(8, "a", "A"), attachment(9, "a", "A")]
    assert [e.id for e, _ in adopt(situation([FILE], [], rows, past=replaced)).adopted] == [9]
    assert adopt(situation([FILE], [], rows[:1], past=replaced)).adopted == ()


def test_what_is_adopted_is_taken_as_it_stands() -> None:
    ((entry, _),) = adopt(situation([FILE], [], [attachment(9, "a", "A", 7)])).adopted
    assert (entry.name.sent, entry.order.sent) == ("a", 7)
    assert (entry.name.was_told, entry.order.was_told) == (False, False)
    assert (entry.digest, entry.fingerprint) == (FILE.digest, FILE.fingerprint)
    assert entry.racy


def test_a_file_with_a_create_in_doubt_adopts_nothing_yet() -> None:
    s = situation([FILE], [], [attachment(9, "a", "A")], past={"intents": (intent(1, "a"),)})
    assert adopt(s).adopted == ()


def test_candidates_have_name_and_size_and_names_are_equal_after_nfc() -> None:
    rows = [
        attachment(3, "e\u0301", "1"),
        attachment(1, "\u00e9", "1"),
        attachment(2, "\u00e9", "12"),
    ]
    ((first, second),) = candidates_of([file("\u00e9", "x")], rows)
    assert (first.id, second.id) == (1, 3)
