"""Requests and replies of the sink, as bytes; parsed by hand and only as far as needed."""

from __future__ import annotations

import re
from dataclasses import dataclass
from email.utils import formatdate
from functools import cached_property
from time import time
from urllib.parse import parse_qsl

CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
Reply = tuple[bytes, ...]
"""What is sent, piece by piece."""
_REASONS = {200: b"OK", 201: b"Created", 204: b"No Content", 400: b"Bad Request", 404: b"Not Found"}


@dataclass
class Tally:
    """What the benchmark asks the sink about."""

    requests: int = 0
    upload_began: float = 0.0
    """`time.monotonic()` of the first byte of the last upload."""


class Request:
    def __init__(self, head: bytes, body: bytes, length: int, began: float) -> None:
        """`body` holds the first bytes of `length`, or all of them."""
        self._head = head
        self.body = body
        self.length = length
        self.began = began
        line = head[: head.find(b"\r\n")].decode("latin-1")
        self.method, target, _ = line.split(" ", 2)
        self.path, _, self._query = target.partition("?")

    @cached_property
    def query(self) -> dict[str, str]:
        return dict(parse_qsl(self._query, keep_blank_values=True))

    def header(self, name: str) -> bytes:
        found = re.search(rb"\r\n%s: *([^\r]*)" % name.encode(), self._head, re.IGNORECASE)
        return found[1] if found else b""


def reply(status: int, body: bytes = b"", headers: bytes = b"", *, length: int = -1) -> Reply:
    """`headers` are whole lines; `length` is announced instead of the body's (for HEAD)."""
    head = b"HTTP/1.1 %d %s\r\nDate: %s\r\n%sContent-Length: %d\r\n\r\n" % (
        status,
        _REASONS[status],
        _now(),
        headers,
        len(body) if length < 0 else length,
    )
    return (head, body) if len(body) > 1 << 16 else (head + body,)


_dates: dict[int, bytes] = {}


def _now() -> bytes:
    """The Date header, made once a second."""
    second = int(time())
    if second not in _dates:
        _dates.clear()
        _dates[second] = formatdate(second, usegmt=True).encode()
    return _dates[second]
