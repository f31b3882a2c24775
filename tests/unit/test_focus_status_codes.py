"""Errors of status codes: their classes, messages and waits; quota headers."""

from __future__ import annotations

import pytest
from test_focus_server import Talk, answering, reply

from syncd.errors import (
    Doubtful,
    InvalidResponse,
    KeyRefused,
    QuotaSpent,
    Refused,
    SyncdError,
    TaskRefused,
    Throttled,
)
from syncd.model import QuotaReading


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (200, InvalidResponse),
        (202, InvalidResponse),
        (101, InvalidResponse),
        (302, InvalidResponse),
        (304, InvalidResponse),
        (400, Refused),
        (401, KeyRefused),
        (402, QuotaSpent),
        (403, TaskRefused),
        (404, TaskRefused),
        (408, Doubtful),
        (409, Refused),
        (413, Refused),
        (429, Throttled),
        (500, Doubtful),
        (503, Doubtful),
        (700, InvalidResponse),
    ],
)
def test_every_other_status_raises_its_error(status: int, kind: type[SyncdError]) -> None:
    with answering(reply(status)) as server:
        talk = Talk(server.url)
        with pytest.raises(SyncdError) as caught:
            talk.client.delete(talk.task, 5)
    assert type(caught.value) is kind
    assert caught.value.status == status  # type: ignore[attr-defined]
    assert str(caught.value).startswith(f"delete attachment 5 of task 3: {status}")
    assert len(server.heads) == len(talk.requests) == len(talk.answers) == 1


@pytest.mark.parametrize(
    ("body", "text"),
    [
        (
            b'{"error": "validation", "error_description": "bad\\n\\u001b[1mKey", "trace_id": "t"}',
            ": bad \\x1b[1mKey, trace_id t",
        ),
        (b'{"error": "validation"}', ": validation"),
        (b'{"error_description": {"a": 1}, "trace_id": 5}', ""),
        (b"too\tlarge", ": too large"),
        (b"<html><body>secret</body></html>", ""),
        (b"Oops <!DOCTYPE html>", ""),
        (b'{"cut', ""),
        (b"", ""),
        (b"[" * 100_000, ""),
        (b"x" * 9999, ": " + "x" * 199 + "…"),
        (b'{"error_description": "' + b"y" * 9999 + b'"}', ": " + "y" * 499 + "…"),
    ],
)
def test_a_message_quotes_the_server_shortened_and_escaped(body: bytes, text: str) -> None:
    with answering(reply(400, body)) as server:
        talk = Talk(server.url)
        with pytest.raises(Refused) as caught:
            talk.client.delete(talk.task, 5)
    assert str(caught.value) == f"delete attachment 5 of task 3: 400 Bad Request{text}"


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        (["Retry-After: 17"], 17.0),
        (["Date: Thu, 01 Jan 1970 00:00:10 GMT", "Retry-After: Thu, 01 Jan 1970 00:01:00 GMT"], 50),
        (["Retry-After: Thu, 01 Jan 1970 00:01:00 GMT"], 40.0),
        (["Retry-After: Thu, 01 Jan 1970 00:00:01 GMT"], 0.0),
        (["Retry-After: -5"], None),
        (["Retry-After: nan"], None),
        (["Retry-After: 1e9"], None),
        ([], None),
    ],
)
def test_retry_after_is_seconds_or_a_date(headers: list[str], seconds: float | None) -> None:
    with answering(reply(429, b"", *headers)) as server:
        talk = Talk(server.url, clock=lambda: 20.0)
        with pytest.raises(Throttled) as caught:
            talk.client.delete(talk.task, 5)
    assert caught.value.retry_after == seconds


def test_quota_headers_are_reported_with_every_response() -> None:
    def quota(remaining: str, resets: str) -> tuple[str, str]:
        return f"x-toggl-quota-remaining: {remaining}", f"X-Toggl-Quota-Resets-In: {resets}"

    replies = [
        reply(204, b"", *quota("29", "3500")),
        reply(402, b"", *quota("0", "12.5")),
        reply(204, b"", *quota("-1", "inf")),
        reply(204),
    ]
    with answering(*replies) as server:
        talk = Talk(server.url)
        talk.client.delete(talk.task, 5)
        with pytest.raises(QuotaSpent) as caught:
            talk.client.delete(talk.task, 5)
        talk.client.delete(talk.task, 5)
        talk.client.delete(talk.task, 5)
    assert talk.answers == [
        (1, 204, QuotaReading(29, 3500.0)),
        (1, 402, QuotaReading(0, 12.5)),
        (1, 204, QuotaReading(None, None)),
        (1, 204, QuotaReading(None, None)),
    ]
    assert caught.value.retry_after == 12.5
