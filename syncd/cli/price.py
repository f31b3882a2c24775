"""What a plan costs: how much of it the quota allows now, and when the rest would be done."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from math import ceil

from syncd.engine.quota import QuotaMeter
from syncd.model import HOUR
from syncd.overview.words import clock_text, count


def price_lines(planned: Iterable[tuple[int, int]], meter: QuotaMeter, now: float) -> Iterator[str]:
    """A line for each organization; `planned`: organizations and the requests of their folders."""
    requests: dict[int, int] = {}
    for organization, number in planned:
        requests[organization] = requests.get(organization, 0) + number
    for organization, number in requests.items():
        of_one = f" of organization {organization}" if len(requests) > 1 else ""
        yield f"quota{of_one}: {_price(number, organization, meter, now)}"


def _price(requests: int, organization: int, meter: QuotaMeter, now: float) -> str:
    an_hour = max(meter.limit(organization) - meter.reserve, 1)
    left = meter.left(organization)
    if left is None:
        known = f"the server tells none; {an_hour} requests an hour are assumed"
        return f"{known}: {_duration(requests, an_hour)}"
    fits = max(left - meter.reserve, 0)
    have = f"{count(left, 'request')} left, {meter.reserve} of them kept back"
    if requests <= fits:
        return f"{have}: all of it fits now"
    hours = ceil((requests - fits) / an_hour)
    done = (meter.resumes_at(organization) or now + HOUR) + (hours - 1) * HOUR
    return (
        f"{have}: {fits} of {requests} fit now; the rest at {an_hour} an hour, "
        f"done about {clock_text(done, now)}"
    )


def _duration(requests: int, an_hour: int) -> str:
    hours = ceil(requests / an_hour)
    return "all of it fits" if hours <= 1 else f"it takes about {count(hours - 1, 'hour')}"
