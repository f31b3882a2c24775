"""A dry run tells what the quota allows of its plan, and when the rest would be done."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

import pytest

from syncd.cli.price import price_lines
from syncd.engine.quota import QuotaMeter
from syncd.model import QuotaReading
from syncd.state.ledger import Ledger

NOON = datetime(2026, 11, 28, 12).timestamp()


@pytest.fixture
def ledger() -> Iterator[Ledger]:
    ledger = Ledger.blank()
    yield ledger
    ledger.close()


def price(ledger: Ledger, *planned: tuple[int, int], left: int | None, limit: int = 30) -> str:
    meter = QuotaMeter("url", ledger, lambda: NOON, configured=None, reserve=5)
    for organization in {o for o, _ in planned}:
        meter.answered(organization, 200, QuotaReading(limit, 1800.0))
        meter.answered(organization, 200, QuotaReading(left, 1800.0 if left else None))
    return "\n".join(price_lines(planned, meter, NOON))


def test_a_plan_that_fits_says_so(ledger: Ledger) -> None:
    text = "quota: 21 requests left, 5 of them kept back: all of it fits now"
    assert price(ledger, (1, 16), left=21) == text


def test_what_does_not_fit_is_done_in_the_next_hours(ledger: Ledger) -> None:
    """Half past twelve brings 25 more, half past one the rest."""
    assert price(ledger, (1, 60), left=21) == (
        "quota: 21 requests left, 5 of them kept back: 16 of 60 fit now; "
        "the rest at 25 an hour, done about 13:30"
    )


def test_one_that_takes_past_midnight_tells_the_day(ledger: Ledger) -> None:
    assert price(ledger, (1, 600), left=5).endswith("done about 2026-11-29 11:30")


def test_folders_of_one_organization_share_its_quota(ledger: Ledger) -> None:
    lines = price(ledger, (1, 10), (2, 3), (1, 10), left=21).splitlines()
    assert lines == [
        "quota of organization 1: 21 requests left, 5 of them kept back: 16 of 20 fit now; "
        "the rest at 25 an hour, done about 12:30",
        "quota of organization 2: 21 requests left, 5 of them kept back: all of it fits now",
    ]


@pytest.mark.parametrize(
    ("requests", "told"), [(25, "all of it fits"), (26, "it takes about 1 hour")]
)
def test_where_the_server_tells_none_the_assumption_is_told(
    ledger: Ledger, requests: int, told: str
) -> None:
    meter = QuotaMeter("url", ledger, lambda: NOON, configured=None, reserve=5)
    (line,) = price_lines([(1, requests)], meter, NOON)
    assert line == f"quota: the server tells none; 25 requests an hour are assumed: {told}"
