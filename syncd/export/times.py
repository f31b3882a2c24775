"""Times on the page: absolute ones, since a page gets older than its text."""

from __future__ import annotations

from datetime import datetime

from syncd.export.elements import Markup, element
from syncd.overview.status import rfc3339
from syncd.overview.words import clock_text


def moment(at: float | None, now: float) -> Markup:
    """A time of today by the clock, another one with its date; None is a dash."""
    if at is None:
        return Markup("–")
    return element("time", clock_text(at, now), datetime=rfc3339(at))


def stamp(at: float) -> Markup:
    """A time with date, seconds and time zone."""
    local = datetime.fromtimestamp(at).astimezone()
    return element("time", f"{local:%Y-%m-%d %H:%M:%S %Z}", datetime=rfc3339(at))
