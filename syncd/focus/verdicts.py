"""Statuses that are not the documented success, turned into what the caller should do."""

from __future__ import annotations

import email.utils
import http
import json
import math
import re
from collections.abc import Mapping
from datetime import UTC
from typing import Any

from syncd.errors import (
    ApiError,
    Doubtful,
    KeyRefused,
    QuotaSpent,
    Refused,
    TaskRefused,
    Throttled,
    Unbelievable,
)
from syncd.focus.transport import Answer
from syncd.model import QuotaReading
from syncd.text import printable

_DESCRIPTION = 500
_PLAIN = 200
_NUMBER = re.compile(r"[0-9]{1,12}(\.[0-9]{1,9})?\Z")
_HTML = re.compile(r"<!doctype|<html|<head|<body|<\?xml", re.IGNORECASE)


def verdict(answer: Answer, what: str, clock: float) -> ApiError:
    """The error that an answer is; `what` names the call, `clock` is now since the epoch."""
    status = answer.status
    description, trace_id = _details(answer.body)
    message = f"{what}: {_named(status)}"
    kind = _KINDS.get(status)
    if kind is None:
        if 400 <= status < 500:
            kind = Refused
        elif 500 <= status < 600:
            kind = Doubtful
        else:
            kind, description = Unbelievable, "not what the API documents"
    return kind(
        message,
        status=status,
        description=description,
        trace_id=trace_id,
        retry_after=_retry_after(answer, clock),
    )


_KINDS: Mapping[int, type[ApiError]] = {
    401: KeyRefused,
    402: QuotaSpent,
    403: TaskRefused,
    404: TaskRefused,
    408: Doubtful,
    429: Throttled,
}


def quota(answer: Answer) -> QuotaReading:
    """The quota headers, as far as they are there and make sense."""
    remaining = _number(answer.header("X-Toggl-Quota-Remaining"))
    return QuotaReading(
        remaining=None if remaining is None else int(remaining),
        resets_in=_number(answer.header("X-Toggl-Quota-Resets-In")),
    )


def server_time(answer: Answer) -> float | None:
    """The Date header, in seconds since the epoch."""
    return _date(answer.header("Date"))


def _named(status: int) -> str:
    try:
        return f"{status} {http.HTTPStatus(status).phrase}"
    except ValueError:
        return str(status)


def _retry_after(answer: Answer, clock: float) -> float | None:
    if answer.status == 402:
        return quota(answer).resets_in
    value = answer.header("Retry-After")
    seconds = _number(value)
    if seconds is not None:
        return seconds
    until = _date(value)
    if until is None:
        return None
    now = server_time(answer)
    return max(0.0, until - (clock if now is None else now))


def _number(value: str | None) -> float | None:
    if value is None or not _NUMBER.match(value.strip()):
        return None
    return float(value)


def _date(value: str | None) -> float | None:
    if not value:
        return None
    try:
        moment = email.utils.parsedate_to_datetime(value)
        seconds = (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
    except (TypeError, ValueError, OverflowError, IndexError):
        return None
    return seconds if math.isfinite(seconds) else None


def _details(body: bytes) -> tuple[str, str]:
    """Description and trace id; of HTML or broken JSON nothing, of plain text the beginning."""
    text = body.decode("utf-8", "replace").strip()
    try:
        found: Any = json.loads(text)
    except (ValueError, RecursionError):
        is_page = text.startswith(("<", "{", "[")) or _HTML.search(text[:2000])
        return ("" if is_page else _brief(text, _PLAIN)), ""
    if not isinstance(found, dict):
        return "", ""
    description = next(
        (found[key] for key in ("error_description", "message", "error") if _is_text(found, key)),
        "",
    )
    trace_id = found["trace_id"] if _is_text(found, "trace_id") else ""
    return _brief(description, _DESCRIPTION), _brief(trace_id, 100)


def _is_text(found: dict[str, Any], key: str) -> bool:
    return isinstance(found.get(key), str) and bool(found[key].strip())


def _brief(text: str, limit: int) -> str:
    short = printable(" ".join(text[: limit * 2].split()))
    return short if len(short) <= limit else short[: limit - 1] + "…"
