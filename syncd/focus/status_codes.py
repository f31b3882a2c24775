"""The error for each status code other than the documented success."""

from __future__ import annotations

import http
import json
import re
from collections.abc import Mapping
from typing import Any

from syncd.errors import (
    ApiError,
    Doubtful,
    InvalidResponse,
    KeyRefused,
    QuotaSpent,
    Refused,
    TaskRefused,
    Throttled,
)
from syncd.focus.headers import retry_after
from syncd.focus.transport import Response
from syncd.text import printable

_DESCRIPTION, _PLAIN_TEXT, _TRACE_ID = 500, 200, 100
"""Characters of a response body that an error message may quote."""
_HTML = re.compile(r"<!doctype|<html|<head|<body|<\?xml", re.IGNORECASE)

_ERRORS: Mapping[int, type[ApiError]] = {
    401: KeyRefused,
    402: QuotaSpent,
    403: TaskRefused,
    404: TaskRefused,
    408: Doubtful,
    429: Throttled,
}


def status_error(response: Response, call: str, clock: float) -> ApiError:
    """The error of a response; `call` begins its message, `clock` is seconds since the epoch."""
    status = response.status
    description, trace_id = _details(response.body)
    kind = _ERRORS.get(status)
    if kind is None:
        if 400 <= status < 500:
            kind = Refused
        elif 500 <= status < 600:
            kind = Doubtful
        else:
            kind, description = InvalidResponse, "not what the API documents"
    return kind(
        f"{call}: {_phrase(status)}",
        status=status,
        description=description,
        trace_id=trace_id,
        retry_after=retry_after(response, clock),
    )


def _phrase(status: int) -> str:
    try:
        return f"{status} {http.HTTPStatus(status).phrase}"
    except ValueError:
        return str(status)


def _details(body: bytes) -> tuple[str, str]:
    """Description and trace id of a JSON body, or the beginning of a plain text.

    HTML and broken JSON have no description. docs/api.md: the error bodies seen so far.
    """
    text = body.decode("utf-8", "replace").strip()
    try:
        value: Any = json.loads(text)
    except (ValueError, RecursionError):
        is_markup = text.startswith(("<", "{", "[")) or _HTML.search(text[:2000])
        return ("" if is_markup else _shorten(text, _PLAIN_TEXT)), ""
    if not isinstance(value, dict):
        return "", ""
    keys = ("error_description", "message", "error")
    description = next((value[key] for key in keys if _is_text(value, key)), "")
    trace_id = value["trace_id"] if _is_text(value, "trace_id") else ""
    return _shorten(description, _DESCRIPTION), _shorten(trace_id, _TRACE_ID)


def _is_text(value: dict[str, Any], key: str) -> bool:
    return isinstance(value.get(key), str) and bool(value[key].strip())


def _shorten(text: str, limit: int) -> str:
    short = printable(" ".join(text[: limit * 2].split()))
    return short if len(short) <= limit else short[: limit - 1] + "…"
