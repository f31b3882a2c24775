"""Which attachments of others are taken over as which files'."""

from __future__ import annotations

import pytest

from syncd.core.adoption import adopt, candidates_of
from tests.support.values import NOW, attachment, entry, file, intent, snapshot

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
    found = adopt(snapshot([FILE], [], [row], known={"clock_skew": skew}))
    assert [f.path for _, f in found.adopted] == (["a"] if taken else [])
    assert found.older == ([] if taken else ["a"])
    assert len(found.new) == (0 if taken else 1)


def test_the_lowest_id_that_is_not_older_is_taken() -> None:
    rows = [
        attachment(7, "a", "A", created_at=NOW - 50),
        attachment(8, "a", "A"),
        attachment(9, "a", "A"),
    ]
    ((adopted, _),) = adopt(snapshot([FILE], [], rows)).adopted
    assert adopted.id == 8


def test_any_age_takes_the_lowest_id() -> None:
    rows = [attachment(7, "a", "A", created_at=None), attachment(8, "a", "A")]
    ((adopted, _),) = adopt(snapshot([FILE], [], rows, adopt_any_age=True)).adopted
    assert adopted.id == 7


def test_a_version_replaced_under_never_is_not_adopted() -> None:
    s = snapshot([FILE], [entry(8, "a", "A", role="released")])
    assert (adopt(s).adopted, adopt(s).older) == ([], [])


def test_a_tombstone_is_not_adopted() -> None:
    assert adopt(snapshot([FILE], [entry(8, "a", "A", role="tombstone")])).adopted == []


def test_an_adopted_attachment_is_taken_as_it_is() -> None:
    ((adopted, _),) = adopt(snapshot([FILE], [], [attachment(9, "a", "A", 7)])).adopted
    assert (adopted.name.sent, adopted.order.sent) == ("a", 7)
    assert (adopted.name.kept, adopted.order.kept) == (True, True)
    assert (adopted.digest, adopted.fingerprint) == (FILE.digest, FILE.fingerprint)
    assert (adopted.shown, adopted.listed, adopted.racy) == (True, True, True)


@pytest.mark.parametrize(
    "more",
    [{"known": {"intents": (intent(1, "a"),)}}, {"unsettled": frozenset({"a"})}],
    ids=["a create in doubt", "writing that goes on"],
)
def test_a_file_adopts_nothing_before_the_end_of(more: dict[str, object]) -> None:
    found = adopt(snapshot([FILE], [], [attachment(9, "a", "A")], **more))  # type: ignore
    assert (found.adopted, found.older, len(found.new)) == ([], [], 1)


def test_candidates_have_the_files_size_and_its_name_after_nfc() -> None:
    rows = [
        attachment(3, "e\u0301", "1"),
        attachment(1, "\u00e9", "1"),
        attachment(2, "\u00e9", "12"),
    ]
    ((_, (first, second)),) = candidates_of([file("\u00e9", "x")], rows)
    assert (first.id, second.id) == (1, 3)
