"""Requests and responses as plain values, without sockets."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl

Task = tuple[int, int, int]
"""Ids of organization, workspace and task."""


@dataclass(frozen=True)
class Request:
    """One request; `path` is below the base URL, header names are lower case."""

    method: str
    path: str
    query: tuple[tuple[str, str], ...] = ()
    headers: Mapping[str, str] = field(default_factory=dict)
    body: Iterable[bytes] = ()
    """Chunks; read at most once."""

    @classmethod
    def of(
        cls,
        method: str,
        target: str,
        headers: Mapping[str, str] | None = None,
        body: Iterable[bytes] | bytes = (),
    ) -> Request:
        """A request for a target such as `/organizations/1/…?name=a`."""
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
    """One response."""

    status: int
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""

    def json(self) -> Any:
        """The parsed body."""
        return json.loads(self.body)


def json_response(status: int, value: Any) -> Response:
    """A response with a JSON body."""
    body = json.dumps(value).encode()
    return Response(status, {"Content-Type": "application/json"}, body)


class HttpError(Exception):
    """The request is answered with an error and not carried out."""

    def __init__(self, status: int, error: str, description: str) -> None:
        super().__init__(description)
        self.status = status
        self.error = error
        self.description = description


def invalid(key: str, rule: str = "required") -> HttpError:
    """A 400 for one parameter, in the words of the live API (docs/api.md)."""
    text = f"Key: '{key}' Error:Field validation for '{key}' failed on the '{rule}' tag"
    return HttpError(400, "validation", text)


def not_found() -> HttpError:
    """The documented 404 of an attachment."""
    return HttpError(404, "not_found", "Task attachment does not exist")


class ClientLeft(Exception):
    """The client closed the connection before the end of its body."""


@dataclass
class LoggedRequest:
    """One entry of the server's log, numbered from 1."""

    number: int
    method: str
    path: str
    query: tuple[tuple[str, str], ...]
    time: float
    status: int = 0
    """0 = no response yet, or none at all."""
    size: int = 0
    """Bytes of the body that were read."""

    @classmethod
    def of(cls, request: Request, number: int, time: float) -> LoggedRequest:
        """The entry of a request that has just come in."""
        return cls(number, request.method, request.path, request.query, time)

    def __str__(self) -> str:
        return f"{self.method} {self.path} {self.status or 'no answer'}"
