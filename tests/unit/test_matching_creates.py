"""Which create request made which unknown attachment."""

from __future__ import annotations

from unicodedata import normalize

import pytest

from syncd.core.matching_creates import match_creates
from syncd.model import Attachment
from syncd.task_state import Intent
from tests.support.values import NOW, attachment, intent


def pairs(
    intents: list[Intent], unknown: list[Attachment], strangers: tuple[int, ...] = ()
) -> dict[int, int]:
    """Attachment id -> key of the create that made it."""
    found = match_creates(intents, unknown, strangers)
    return {m.attachment.id: m.intent.key for m in found}


A, B = intent(1, "a", "A", 100), intent(2, "b", "B", 200)
LOST = intent(1, "a", "A", 100, state="lost")


@pytest.mark.parametrize(
    ("says", "sent", "unknown", "made"),
    [
        ("name, size and number fit", [A], [attachment(9, "a", "A", 100)], {9: 1}),
        ("the number tells whatever the name", [A], [attachment(9, "x", "A", 100)], {9: 1}),
        ("the name tells where the number was not kept", [A], [attachment(9, "a", "A", 7)], {9: 1}),
        ("the size has to fit", [A], [attachment(9, "a", "AA", 100)], {}),
        ("neither name nor number fits", [A], [attachment(9, "x", "A", 7)], {}),
        (
            "numbers tell two creates of a size apart",
            [A, B],
            [attachment(8, "x", "B", 200), attachment(9, "y", "A", 100)],
            {8: 2, 9: 1},
        ),
        (
            "names tell two creates of a size apart",
            [A, B],
            [attachment(8, "b", "B", 1), attachment(9, "a", "A", 2)],
            {8: 2, 9: 1},
        ),
        (
            "more of a name than were sent are nobody's",
            [A],
            [attachment(8, "a", "A", 1), attachment(9, "a", "A", 2)],
            {},
        ),
        (
            "fewer of a name than were sent are nobody's",
            [A, intent(2, "a", "A", 101)],
            [attachment(8, "a", "A", 1)],
            {},
        ),
        (
            "as many of a name as were sent are all ours",
            [A, intent(2, "a", "A", 101)],
            [attachment(8, "a", "A", 1), attachment(9, "a", "A", 2)],
            {8: 1, 9: 2},
        ),
        ("a lost create needs its number and name", [LOST], [attachment(9, "a", "A", 100)], {9: 1}),
        ("a lost create made nothing of another name", [LOST], [attachment(9, "x", "A", 100)], {}),
        ("a lost create is not known by its name", [LOST], [attachment(9, "a", "A", 7)], {}),
        (
            "both come if a lost create is carried out late",
            [LOST, intent(2, "a", "A", 101)],
            [attachment(8, "a", "A", 101), attachment(9, "a", "A", 100)],
            {8: 2, 9: 1},
        ),
        (
            "a lost create does not hide its repetition",
            [LOST, intent(2, "a", "A", 101)],
            [attachment(9, "a", "A", 7)],
            {9: 2},
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_pairs(
    says: str, sent: list[Intent], unknown: list[Attachment], made: dict[int, int]
) -> None:
    assert pairs(sent, unknown) == made


def test_an_attachment_that_an_earlier_list_showed_was_made_by_no_later_create() -> None:
    assert pairs([A], [attachment(9, "a", "A", 100)], strangers=(9,)) == {}


@pytest.mark.parametrize("made", [NOW - 9999, NOW - 60, NOW + 9999, None])
def test_times_decide_nothing(made: float | None) -> None:
    assert pairs([A], [attachment(9, "a", "A", 100, created_at=made)]) == {9: 1}


def test_names_are_compared_after_nfc() -> None:
    sent = intent(1, normalize("NFD", "\u00fc"), "A", 100)
    assert pairs([sent], [attachment(9, "\u00fc", "A", 7)]) == {9: 1}


def test_a_create_makes_one_attachment() -> None:
    twins = [attachment(8, "a", "A", 100), attachment(9, "a", "A", 100)]
    assert pairs([A], twins) == {8: 1}


@pytest.mark.parametrize(("second", "known"), [("A", True), ("B", False)])
def test_content_is_known_where_no_create_of_other_content_fits(second: str, known: bool) -> None:
    """On a server that does not keep display orders."""
    sent = [LOST, intent(2, "a", second, 101)]
    (match,) = match_creates(sent, [attachment(9, "a", "A", 7)], ())
    assert match.content_known is known


def test_a_lost_create_is_known_by_its_number_where_the_server_rewrites_names() -> None:
    found = match_creates([LOST], [attachment(9, "x", "A", 100)], (), keeps_names=False)
    assert [(m.attachment.id, m.intent.key) for m in found] == [(9, 1)]


def test_a_number_proves_nothing_where_the_server_gives_its_own() -> None:
    assert match_creates([A], [attachment(9, "x", "A", 100)], (), keeps_orders=False) == []
