"""Response headers: quota, date, Retry-After."""

from __future__ import annotations

import email.utils
import math
import re
from datetime import UTC

from syncd.focus.transport import Response
from syncd.model import QuotaReading

_NUMBER = re.compile(r"[0-9]{1,12}(\.[0-9]{1,9})?\Z")


def quota(response: Response) -> QuotaReading:
    """The quota headers; a missing or senseless one is None."""
    remaining = _number(response.headers.get("X-Toggl-Quota-Remaining"))
    return QuotaReading(
        remaining=None if remaining is None else int(remaining),
        resets_in=_number(response.headers.get("X-Toggl-Quota-Resets-In")),
    )


def server_time(response: Response) -> float | None:
    """The Date header in seconds since the epoch."""
    return _date(response.headers.get("Date"))


def retry_after(response: Response, clock: float) -> float | None:
    """Seconds to wait: of a 402 until the quota resets, else Retry-After (seconds or a date).

    A date is compared with the server's own Date, else with `clock` (seconds since the epoch).
    """
    if response.status == 402:
        return quota(response).resets_in
    value = response.headers.get("Retry-After")
    seconds, until = _number(value), _date(value)
    if seconds is not None or until is None:
        return seconds
    now = server_time(response)
    return max(0.0, until - (clock if now is None else now))


def _number(value: str | None) -> float | None:
    return float(value) if value is not None and _NUMBER.match(value.strip()) else None


def _date(value: str | None) -> float | None:
    if not value:
        return None
    try:
        moment = email.utils.parsedate_to_datetime(value)
        seconds = (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
    except (TypeError, ValueError, OverflowError, IndexError):
        return None
    return seconds if math.isfinite(seconds) else None
