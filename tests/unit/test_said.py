"""What is known of a name or a number: what we said, what became of it, and whose doing it is."""

from __future__ import annotations

import pytest

from syncd.said import BELIEF, Said

NOW = 1_800_000_000.0
LATER = NOW + BELIEF

CREATED = Said("A", "A").observe("a", NOW)
"""Sent as A; the server made `a` of it."""
FORMED = CREATED.put("A", over="a", now=NOW).observe("a", LATER)
"""Sent once more, with the same outcome."""


def test_shown_as_sent_it_is_kept() -> None:
    assert Said("a", "a").observe("a", NOW).kept
    assert Said("a", "a", kept=True).observe("x", NOW).kept


class TestForm:
    """What the server makes of it."""

    def test_it_is_one_when_it_comes_again_after_one_more_try(self) -> None:
        assert not CREATED.is_form_of("A", "a")
        assert FORMED.is_form_of("A", "a")

    def test_it_is_none_of_another_name(self) -> None:
        assert not FORMED.is_form_of("B", "a")

    def test_another_value_later_is_a_persons(self) -> None:
        assert not FORMED.observe("x", LATER).is_form_of("A", "x")
        assert FORMED.observe("x", LATER).is_form_of("A", "a")

    def test_it_may_be_another_at_each_write(self) -> None:
        made = Said("A", "A").observe("a1", NOW).put("A", over="a1", now=NOW)
        first = made.observe("a2", NOW, alike=True)
        assert first.is_form_of("A", "a2")
        second = first.put("a2", over="a2", now=NOW + 9).observe("a3", NOW + 10, alike=True)
        assert second.is_form_of("A", "a3")
        assert not second.observe("a4", NOW + 11, alike=True).is_form_of("A", "a4")

    def test_but_another_one_that_is_nothing_like_it_is_a_persons(self) -> None:
        made = Said("A", "A").observe("a1", NOW).put("A", over="a1", now=NOW)
        assert not made.observe("x", LATER).is_form_of("A", "x")

    def test_going_along_with_a_put_it_stays(self) -> None:
        again = FORMED.put("a", over="a", now=LATER).observe("a", LATER)
        assert again.is_form_of("A", "a")

    def test_what_was_kept_once_has_none(self) -> None:
        kept = Said("A", "A", kept=True)
        for hour in range(5):
            kept = kept.observe("a", NOW + 3600 * hour).put("A", over="a", now=NOW + 3600 * hour)
            assert not kept.is_form_of("A", "a")


class TestAdopted:
    """It stood there before the server was ever told of it."""

    FOUND = Said("A", "A", kept=True, form="A")

    def test_it_says_nothing_of_what_the_server_makes_of_it(self) -> None:
        assert not self.FOUND.observe("A", NOW).was_told

    def test_another_value_is_a_persons(self) -> None:
        back = self.FOUND.observe("x", NOW).put("A", over="x", now=NOW)
        assert (back.was_told, back.kept) == (True, True)
        assert self.FOUND.put("x", over="x", now=NOW) == self.FOUND

    @pytest.mark.parametrize(
        ("shown", "kept", "form"), [("A", True, False), ("a", False, True), ("x", False, False)]
    )
    def test_what_is_made_of_it_when_it_went_along_with_a_put_is_the_servers(
        self, shown: str, kept: bool, form: bool
    ) -> None:
        told = self.FOUND.put("A", over="A", now=NOW).observe(shown, LATER, alike=shown == "a")
        assert (told.was_told, told.kept, told.is_form_of("A", shown)) == (True, kept, form)


@pytest.mark.parametrize("kept", [True, False])
def test_what_goes_along_as_it_is_is_not_our_word(kept: bool) -> None:
    moved = Said(100, 100, kept).observe(300, NOW)
    assert moved.put(300, over=300, now=NOW) == moved


class TestLag:
    """After a PUT a list may for a while still show what was there before."""

    RENAMED = Said("a", "a", kept=True).put("b", over="a", now=NOW).observe("a", NOW + 1)

    @pytest.mark.parametrize(
        ("age", "believed"), [(0, "b"), (BELIEF - 1, "b"), (BELIEF, "a"), (-1, "a")]
    )
    def test_for_ten_minutes_our_word_is_believed_over_it(self, age: float, believed: str) -> None:
        assert self.RENAMED.believed("a", NOW + age) == believed
        assert self.RENAMED.along("a", NOW + age) == believed

    def test_another_value_is_no_lag(self) -> None:
        assert self.RENAMED.observe("x", NOW + 1).believed("x", NOW + 1) == "x"

    def test_it_is_no_form_and_nothing_was_tried(self) -> None:
        again = self.RENAMED.put("b", over="a", now=NOW + 2).observe("a", LATER + 2)
        assert not again.is_form_of("b", "a")

    def test_later_a_put_is_a_try(self) -> None:
        again = self.RENAMED.put("b", over="a", now=LATER).observe("a", LATER + BELIEF)
        assert again.is_form_of("b", "a")

    def test_all_that_was_told_lately_is_lag(self) -> None:
        back = self.RENAMED.put("a", over="a", now=NOW + 20)
        assert back.sent == "a"
        for value in ("b", "a", "b"):
            back = back.observe(value, NOW + 65)
            assert back.believed(value, NOW + 65) == "a"

    def test_what_was_kept_a_person_may_have_changed_once_more(self) -> None:
        back = Said("a", "a", kept=True).observe("x", NOW).put("a", over="x", now=NOW)
        assert back.believed("x", NOW + 1) == "x"
        assert back.along("x", NOW + 1) == "a"

    def test_only_so_much_is_remembered(self) -> None:
        said = Said(0, 0)
        for number in range(1, 100):
            said = said.put(number, over=number - 1, now=NOW)
        assert len(said.former) == 8
