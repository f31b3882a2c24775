"""What is known of a name or a number: what we said, what became of it, and whose doing it is."""

from __future__ import annotations

import pytest

from syncd.said import BELIEF, Said

NOW = 1_800_000_000.0
LATER = NOW + BELIEF


CREATED = Said("A", "A").observe("a")
"""Sent as A; the server made `a` of it."""


def test_shown_as_sent_it_is_kept() -> None:
    assert Said("a", "a").observe("a").kept
    assert Said("a", "a", kept=True).observe("x").kept


def test_the_same_form_again_after_one_put_is_the_servers() -> None:
    assert not CREATED.is_form_of("A", "a")
    tried = CREATED.put("A", over="a", now=NOW).observe("a")
    assert tried.is_form_of("A", "a")
    assert not tried.is_form_of("B", "a")
    assert not tried.observe("x").is_form_of("A", "x")


def test_a_put_that_carries_the_servers_form_along_changes_nothing() -> None:
    tried = CREATED.put("A", over="a", now=NOW).observe("a")
    assert tried.put("a", over="a", now=LATER) == tried
    assert tried.believed("a", NOW) == "a"


def test_nor_does_one_that_carries_along_what_a_person_made_of_it() -> None:
    moved = Said(100, 100, kept=True).observe(300)
    assert moved.put(300, over=300, now=NOW) == moved


def test_what_the_server_made_of_it_at_first_is_taken_on_if_it_goes_along_untried() -> None:
    assert CREATED.put("a", over="a", now=NOW) == Said("a", "a")


class TestLag:
    """After a PUT that said something new, the value before it proves nothing."""

    RENAMED = Said("a", "a", kept=True).put("b", over="a", now=NOW).observe("a")

    def test_it_is_no_form(self) -> None:
        assert not self.RENAMED.is_form_of("b", "a")

    @pytest.mark.parametrize(
        ("age", "believed"), [(0, "b"), (BELIEF - 1, "b"), (BELIEF, "a"), (-1, "a")]
    )
    def test_for_a_while_our_word_is_believed_over_it(self, age: float, believed: str) -> None:
        assert self.RENAMED.believed("a", NOW + age) == believed

    def test_another_value_is_no_lag(self) -> None:
        assert self.RENAMED.observe("x").believed("x", NOW) == "x"

    def test_said_again_soon_it_proves_nothing_still(self) -> None:
        again = self.RENAMED.put("b", over="a", now=NOW + 1)
        assert not again.is_form_of("b", "a")
        assert again.believed("a", NOW + 1) == "b"

    def test_said_again_later_it_is_the_servers_form(self) -> None:
        assert self.RENAMED.put("b", over="a", now=LATER).is_form_of("b", "a")


class TestKept:
    """What a list has shown as we sent it was changed by a person, or kept by chance."""

    MOVED = Said(6, 6, kept=True).observe(0).put(6, over=0, now=NOW).observe(0)

    def test_after_one_try_it_has_no_form(self) -> None:
        assert not self.MOVED.is_form_of(6, 0)

    def test_after_another_one_it_has(self) -> None:
        assert self.MOVED.put(6, over=0, now=LATER).observe(0).is_form_of(6, 0)

    def test_unless_that_came_at_once(self) -> None:
        assert not self.MOVED.put(6, over=0, now=NOW + 1).observe(0).is_form_of(6, 0)

    def test_nor_where_it_stood_as_sent_between_them(self) -> None:
        again = self.MOVED.observe(6).observe(0).put(6, over=0, now=LATER)
        assert not again.is_form_of(6, 0)
