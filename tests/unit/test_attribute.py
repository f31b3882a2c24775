"""One attribute of an attachment: what we sent, what lists show, and whose doing a difference is.

The values: `A` is what we want, `a` what the server makes of it, `x` what a person set.
"""

from __future__ import annotations

import pytest

from syncd.task_state import BELIEF, Attribute

NOW = 1_800_000_000.0
LATER = NOW + BELIEF

SENT = Attribute("A", "A")
"""Sent in a create; no list has shown it yet."""
KEPT = SENT.listed("A")
REWRITTEN = SENT.listed("a")
ACCEPTED = REWRITTEN.put("A", NOW).listed("a")
"""Sent a second time, with the same outcome."""


class TestOurs:
    def test_a_value_that_a_list_shows_as_sent_is_kept(self) -> None:
        assert (SENT.kept, KEPT.kept, REWRITTEN.kept) == (False, True, False)

    def test_a_kept_value_stays_kept_when_a_person_changes_it(self) -> None:
        assert KEPT.listed("x").kept

    def test_a_put_of_another_value_starts_anew(self) -> None:
        assert KEPT.put("B", NOW) == Attribute("B", "B", before="A", put_at=NOW)

    def test_a_put_that_carries_the_value_along_changes_nothing(self) -> None:
        for attribute in (KEPT, KEPT.listed("x"), ACCEPTED):
            assert attribute.put(attribute.seen, NOW) == attribute


class TestServersForm:
    def test_the_servers_form_is_accepted_after_one_more_try(self) -> None:
        assert not REWRITTEN.is_accepted("A")
        assert not REWRITTEN.put("A", NOW).is_accepted("A")
        assert ACCEPTED.is_accepted("A")

    def test_the_servers_form_is_accepted_for_the_value_that_was_sent(self) -> None:
        assert not ACCEPTED.is_accepted("B")

    def test_another_value_after_the_second_try_is_not_accepted(self) -> None:
        assert not REWRITTEN.put("A", NOW).listed("x").is_accepted("A")

    def test_a_persons_change_of_an_accepted_value_is_told_apart(self) -> None:
        changed = ACCEPTED.listed("x")
        assert not changed.is_accepted("A")
        assert changed.put("A", LATER).listed("a").is_accepted("A")

    def test_a_value_that_was_kept_once_has_no_form_of_the_servers(self) -> None:
        attribute = KEPT
        for _ in range(5):
            attribute = attribute.listed("a").put("A", NOW)
            assert not attribute.listed("a").is_accepted("A")

    def test_a_value_that_is_kept_after_all_is_no_longer_accepted_in_another_form(self) -> None:
        assert not ACCEPTED.listed("A").listed("a").is_accepted("A")


class TestLaggingList:
    RENAMED = KEPT.put("B", NOW).listed("A")
    """A list still shows the value before our PUT."""

    @pytest.mark.parametrize(
        ("age", "value"), [(0, "B"), (BELIEF - 1, "B"), (BELIEF, "A"), (-1, "A")]
    )
    def test_for_ten_minutes_a_put_is_believed_over_the_value_before_it(
        self, age: float, value: str
    ) -> None:
        assert self.RENAMED.current(NOW + age) == value

    def test_a_third_value_is_a_change_in_the_task(self) -> None:
        assert self.RENAMED.listed("x").current(NOW + 1) == "x"

    def test_a_put_that_carries_the_value_along_is_no_second_try(self) -> None:
        again = self.RENAMED.put("B", NOW + 2).listed("A")
        assert not again.is_accepted("B")

    def test_a_value_that_was_changed_back_meanwhile_is_believed_too(self) -> None:
        back = self.RENAMED.put("A", NOW + 2)
        assert (back.sent, back.current(NOW + 3)) == ("A", "A")
        assert back.listed("B").current(NOW + 3) == "A"

    def test_a_shown_put_ends_the_belief_in_it(self) -> None:
        assert self.RENAMED.listed("B").listed("A").current(NOW + 1) == "A"

    def test_a_change_of_a_kept_value_is_never_taken_for_lag(self) -> None:
        assert KEPT.listed("x").put("A", NOW).listed("x").current(NOW + 1) == "x"
