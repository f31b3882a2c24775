"""The last day of one organization: requests an hour against the quota, and the cycles."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from syncd.engine.report import LATER, OK
from syncd.export.elements import Markup, element, table, together
from syncd.export.view import QuotaView
from syncd.model import LoggedCycle
from syncd.overview.words import count

HOURS = 24
_WIDTH, _HEIGHT = 1440, 100
"""Of the drawing: a minute is 1 wide; it is stretched to the page."""
_BARS, _TICKS = 80, 88
"""The bars stand on the one line, the ticks hang from the other."""
_TICKS_SHOWN = 1000
_LABELS = 4
"""One every so many parts of the day, and one at the end."""

Told = tuple[str, LoggedCycle]
"""A folder's name and one of its cycles."""


class Hour(NamedTuple):
    """What happened in one hour."""

    begins: datetime
    cycles: int
    actions: int
    requests: int
    troubled: int
    """Cycles that did not end with exit status 0."""


def timeline(quota: QuotaView, cycles: Sequence[Told], now: float) -> Markup:
    """A drawing, and the same as a table."""
    # It ends with the hour that has begun, so that its labels are full hours.
    begin = datetime.fromtimestamp(now).replace(minute=0, second=0, microsecond=0)
    begin -= timedelta(hours=HOURS - 1)
    shown = [told for told in cycles if told[1].at >= begin.timestamp()]
    hours = list(_hours(begin, shown))
    requests, troubled = sum(h.requests for h in hours), sum(h.troubled for h in hours)
    cycles_text, requests_text = count(len(shown), "cycle"), count(requests, "request")
    summary = f"{cycles_text} and {requests_text} in the last {HOURS} hours"
    if requests:
        summary += f"; the busiest hour had {max(h.requests for h in hours)} of {quota.limit}"
    if troubled:
        summary += f"; {count(troubled, 'cycle')} ended with something left to do or to mend"
    rows = [_row(hour) for hour in hours if hour.cycles]
    return together(
        element(
            "figure",
            element(
                "figcaption",
                "Bars: requests by the hour. Dashed line: the quota, "
                f"{quota.limit} an hour. Ticks below: cycles that sent or did something; "
                "a long one ended with something left to do or to mend.",
            ),
            _drawing(quota, hours, shown, begin, summary),
            element("ol", *_labels(begin), class_="hours", aria_hidden="true"),
        ),
        element("p", summary, "."),
        element(
            "details",
            element("summary", "The same as a table"),
            _table(rows),
        )
        if rows
        else None,
    )


def _hours(begin: datetime, cycles: Sequence[Told]) -> Iterator[Hour]:
    for number in range(HOURS):
        begins = begin + timedelta(hours=number)
        first = begins.timestamp()
        within = [c for _, c in cycles if first <= c.at < first + 3600]
        yield Hour(
            begins,
            len(within),
            sum(c.actions for c in within),
            sum(c.requests for c in within),
            sum(c.code != OK for c in within),
        )


def _drawing(
    quota: QuotaView, hours: Sequence[Hour], cycles: Sequence[Told], begin: datetime, summary: str
) -> Markup:
    highest = max(quota.limit, *(h.requests for h in hours)) * 1.05
    limit = _BARS - _BARS * quota.limit / highest
    bars = (_bar(number, hour, highest) for number, hour in enumerate(hours) if hour.requests)
    ticks = (_tick(name, cycle, begin) for name, cycle in cycles[-_TICKS_SHOWN:])
    parts = (
        element("title", summary),
        element("line", x1=0, x2=_WIDTH, y1=_BARS, y2=_BARS, class_="grid"),
        element("g", *bars, class_="bars"),
        element("line", x1=0, x2=_WIDTH, y1=f"{limit:.1f}", y2=f"{limit:.1f}", class_="limit"),
        element("g", *ticks, class_="ticks"),
    )
    box, stretched = f"0 0 {_WIDTH} {_HEIGHT}", "none"
    return element("svg", *parts, role="img", viewBox=box, preserveAspectRatio=stretched)


def _bar(number: int, hour: Hour, highest: float) -> Markup:
    height = max(_BARS * hour.requests / highest, 1.5)
    text = f"{hour.begins:%H:%M}: {count(hour.requests, 'request')}"
    return element(
        "rect",
        element("title", text),
        x=number * 60 + 6,
        y=f"{_BARS - height:.1f}",
        width=48,
        height=f"{height:.1f}",
    )


def _tick(folder: str, cycle: LoggedCycle, begin: datetime) -> Markup:
    minute = (cycle.at - begin.timestamp()) / 60
    kind: str | None = None if cycle.code == OK else "warn" if cycle.code == LATER else "bad"
    at = datetime.fromtimestamp(cycle.at)
    text = f"{at:%H:%M} {folder}: {_cost(cycle)}{_ENDS[kind]}"
    height = 6 if kind is None else 12
    return element(
        "rect",
        element("title", text),
        x=f"{minute:.1f}",
        y=_TICKS,
        width=4,
        height=height,
        class_=kind,
    )


_ENDS = {
    None: "",
    "warn": "; some of it was left for later",
    "bad": "; something failed or was held back",
}


def _cost(cycle: LoggedCycle) -> str:
    return f"{count(cycle.actions, 'action')}, {count(cycle.requests, 'request')}"


def _labels(begin: datetime) -> Iterator[Markup]:
    for number in range(_LABELS + 1):
        yield element("li", f"{begin + timedelta(hours=HOURS * number // _LABELS):%H:%M}")


def _row(hour: Hour) -> Markup:
    numbers = (hour.cycles, hour.actions, hour.requests, hour.troubled)
    cells = (element("td", str(number), class_="number") for number in numbers)
    ends = hour.begins + timedelta(hours=1)
    text = f"{hour.begins:%H:%M} to {ends:%H:%M}"
    return element("tr", element("th", text, scope="row"), *cells)


def _table(rows: Sequence[Markup]) -> Markup:
    names = ("Cycles", "Actions", "Requests", "Not all done")
    caption = "Hours in which a request was sent or something was done"
    return table(caption, [("Hour", None), *((name, "number") for name in names)], rows)
