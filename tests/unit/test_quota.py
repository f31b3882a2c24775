"""Quota arithmetic: what is left, and until when."""

from __future__ import annotations

import pytest

from syncd.engine.quota import Quota
from syncd.model import HOUR, QuotaReading

NOTHING = QuotaReading(None, None)


def after(*events: object, quota: Quota | None = None) -> Quota:
    """A number is a moment to send at; a reading the answer to it; 402 an answer without one."""
    quota, now = quota or Quota(), 0.0
    for event in events:
        if isinstance(event, QuotaReading):
            quota = quota.answered(event, now, spent_up=False)
        elif event == 402:
            quota = quota.answered(NOTHING, now, spent_up=True)
        else:
            now = float(event)  # type: ignore[arg-type]
            quota = quota.sending(now)
    return quota


def test_nothing_is_known_at_first() -> None:
    assert Quota().left(None) is None
    assert Quota().resets_at(0) is None
    assert Quota().limit(None) == 30


def test_the_header_knows_better_than_our_count() -> None:
    quota = after(0, QuotaReading(25, 3000), 1, QuotaReading(10, 2999))
    assert quota.left(None) == 10
    assert quota.resets_at(1) == 3000


def test_requests_sent_since_count_until_the_next_answer() -> None:
    assert after(0, QuotaReading(25, 3000), 1, 2, 3).left(None) == 22


def test_an_answer_that_was_overtaken_does_not_raise_what_is_left() -> None:
    def told(quota: Quota, left: int | None, *, in_parallel: bool) -> Quota:
        reading = QuotaReading(left, 100)
        return quota.answered(reading, 0, spent_up=False, in_parallel=in_parallel)

    sent = Quota().sending(0).sending(0).sending(0)
    overtaken = told(told(sent, 0, in_parallel=True), 2, in_parallel=True)
    assert overtaken.left(None) == 0
    assert told(overtaken, None, in_parallel=True).left(None) == 0
    assert told(overtaken, 2, in_parallel=False).left(None) == 2
    assert told(overtaken.at(101), 7, in_parallel=True).left(None) == 7


def test_the_quota_left_never_falls_below_zero() -> None:
    assert after(0, QuotaReading(1, 3000), 1, 2, 3).left(None) == 0


def test_the_limit_is_the_largest_remaining_plus_own_spending_seen() -> None:
    quota = after(0, QuotaReading(29, 3600), 1, QuotaReading(28, 3599), 2, QuotaReading(20, 3598))
    assert quota.limit(None) == 30
    assert quota.limit(240) == 240


def test_a_new_window_is_as_good_as_new_but_the_limit_is_remembered() -> None:
    old = after(0, QuotaReading(239, 100))
    new = old.at(101)
    assert (new.left(None), new.spent, new.limit(None)) == (None, 0, 240)
    assert old.at(99) == old


def test_a_clock_that_is_set_back_does_not_lengthen_a_window() -> None:
    noted = Quota().sending(90_000).answered(QuotaReading(0, 500), 90_000, spent_up=True)
    quota = noted.anchored(3600)
    assert quota.resets_at(3600) == 4100
    assert quota.at(4101).left(None) is None
    assert quota.anchored(4000) == quota


def test_a_402_means_none_until_the_window_resets() -> None:
    quota = Quota().sending(0).answered(QuotaReading(0, 500), 0, spent_up=True)
    assert (quota.left(None), quota.left(1000)) == (0, 0)
    assert quota.resets_at(10) == 500
    assert quota.at(501).left(None) is None


def test_402s_without_a_header_are_probed_ever_more_rarely() -> None:
    quota, now, waits = Quota(), 0.0, []
    for _ in range(6):
        quota = quota.at(now).sending(now).answered(NOTHING, now, spent_up=True)
        until = quota.resets_at(now)
        assert until is not None
        waits.append(until - now)
        now = until
    assert waits == [600, 1200, 2400, 3600, 3600, 3600]
    assert quota.at(now).sending(now).answered(NOTHING, now, spent_up=False).probes == 0


@pytest.mark.parametrize(("now", "left"), [(10.0, 17), (HOUR - 1, 17), (HOUR, 20)])
def test_a_configured_quota_is_counted_by_the_hour(now: float, left: int) -> None:
    assert after(0, 1, 2).at(now).left(20) == left


def test_a_clock_set_back_cannot_move_the_reset_away() -> None:
    quota = after(1_000_000, QuotaReading(5, 100))
    assert quota.resets_at(500) == 600
    assert after(1_000_000).resets_at(500) == 500 + HOUR
