"""What goes into the rules and what comes out of them: plain values, no sockets."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal
from urllib.parse import parse_qsl

Drop = Literal["", "reset", "hang", "cut"]
Task = tuple[int, int, int]
"""organization, workspace, task"""


@dataclass(frozen=True)
class Request:
    """One call; `path` is relative to the base URL, header names are lower case."""

    method: str
    path: str
    query: tuple[tuple[str, str], ...] = ()
    headers: Mapping[str, str] = field(default_factory=dict)
    body: Iterable[bytes] = ()
    """Chunks, read once and only when the call gets so far."""

    @classmethod
    def of(
        cls,
        method: str,
        target: str,
        headers: Mapping[str, str] | None = None,
        body: Iterable[bytes] | bytes = (),
    ) -> Request:
        """A request from a target such as `/organizations/1/…?name=a`; a body may be bytes."""
        path, _, query = target.partition("?")
        return cls(
            method=method,
            path=path,
            query=tuple(parse_qsl(query, keep_blank_values=True)),
            headers={name.lower(): value for name, value in (headers or {}).items()},
            body=(body,) if isinstance(body, bytes) else body,
        )


@dataclass
class Response:
    """One answer, or the lack of one: with `drop` set the client must not see it."""

    status: int
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    drop: Drop = ""
    """reset: RST · hang: silence · cut: half of it, then the connection ends."""
    seconds: float = 0.0
    """hang: how long at most (0 = until the client leaves); else: wait before answering."""

    def json(self) -> Any:
        """The body, parsed."""
        return json.loads(self.body)


def json_response(status: int, value: Any) -> Response:
    """An answer with a JSON body."""
    body = json.dumps(value).encode()
    return Response(status, {"Content-Type": "application/json"}, body)


class Refusal(Exception):
    """A call that is not carried out, with the status and text of its answer."""

    def __init__(self, status: int, error: str, description: str) -> None:
        super().__init__(description)
        self.status = status
        self.error = error
        self.description = description


def invalid(key: str, rule: str = "required") -> Refusal:
    """A 400 worded like those seen in the wild."""
    text = f"Key: '{key}' Error:Field validation for '{key}' failed on the '{rule}' tag"
    return Refusal(400, "validation", text)


def missing() -> Refusal:
    """The documented 404 of an attachment."""
    return Refusal(404, "not_found", "Task attachment does not exist")


class BrokenOff(Exception):
    """The client left before it had sent all that it announced."""


@dataclass
class LoggedRequest:
    """One line of the server's log; requests are counted from 1."""

    number: int
    method: str
    path: str
    query: tuple[tuple[str, str], ...]
    time: float
    status: int | None = None
    """None = not answered (yet)."""
    size: int = 0
    """Bytes of the body that were read."""
    fault: str = ""

    def __str__(self) -> str:
        return f"{self.method} {self.path} {self.status or 'no answer'}"
