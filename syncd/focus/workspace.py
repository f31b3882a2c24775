"""The tasks of a workspace: for people who choose one, never for a cycle (docs/api.md)."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from syncd.errors import ApiError, Doubtful, InvalidResponse, NotOffered, Unreachable
from syncd.focus.headers import quota
from syncd.focus.status_codes import status_error
from syncd.focus.transport import HttpTransport, Response
from syncd.model import QuotaReading, TaskKey
from syncd.text import is_utf8

PAGE = 100
"""Tasks on a page; more are refused."""
_ANSWER = 128 << 20
"""Bytes that a list of tasks may take."""
_ABSENT = frozenset({400, 404, 405, 410, 501})
"""What a server answers to a path that it does not have; 400 where it takes `stream` for an id."""
_HINT = "take the task's number from its address in the browser"


class Task(NamedTuple):
    """One task; the texts are as the server gives them."""

    id: int
    name: str
    """Empty if it has none."""
    project: str | None = None
    client: str | None = None

    def __str__(self) -> str:
        about = ", ".join(text for text in (self.project, self.client) if text)
        return f"{self.name or '(no name)'} ({about})" if about else self.name or "(no name)"

    def holds(self, text: str) -> bool:
        """Whether its name, project or client holds a text, in whatever case."""
        wanted = text.casefold()
        return any(wanted in (word or "").casefold() for word in self[1:])


class Tasks(NamedTuple):
    """The tasks of a workspace, in the server's order."""

    tasks: tuple[Task, ...]
    left_out: int = 0
    """How many more there are, on further pages."""


class Workspace:
    """One workspace, by at most two requests; nothing is sent twice."""

    def __init__(
        self,
        transport: HttpTransport,
        organization_id: int,
        workspace_id: int,
        *,
        on_answer: Callable[[int, int | None, QuotaReading], None],
        on_request: Callable[[TaskKey, str], None],
        clock: Callable[[], float],
    ) -> None:
        """The callbacks are those of FocusClient; the task of `on_request` is 0."""
        self._transport = transport
        self._key = TaskKey("", organization_id, workspace_id, 0)
        self._path = f"/organizations/{organization_id}/workspaces/{workspace_id}/tasks"
        self._on_answer = on_answer
        self._on_request = on_request
        self._clock = clock

    def tasks(self, text: str = "") -> Tasks:
        """The tasks whose name, project or client holds the text.

        All of them in one request; else, where there is no such call, the first page.
        Raises NotOffered if the server has neither, and ApiError for any other failure.
        """
        response = self._get(f"{self._path}/stream")
        found = _tasks(_json(response.body)) if response.status == 200 else None
        if response.status not in (200, *_ABSENT):
            raise status_error(response, self._call, self._clock())
        left_out = 0
        if found is None:
            found, left_out = self._page(text)
        return Tasks(tuple(task for task in found if task.holds(text)), left_out)

    def _page(self, text: str) -> tuple[list[Task], int]:
        """The first page of what the server finds for the text, and how many more there are."""
        query = [("page", "1"), ("per_page", str(PAGE)), *([("name", text)] if text else [])]
        response = self._get(self._path, query)
        if response.status not in (200, 404, 405, 410, 501):
            raise status_error(response, self._call, self._clock())
        body = _json(response.body)
        found = _tasks(body) if response.status == 200 else None
        if found is None:
            if response.status == 200 and body is None:
                text = f"{self._call}: the answer is no JSON"
                raise InvalidResponse(text, status=200)
            text = f"this server gives no list of tasks: {_HINT}"
            raise NotOffered(text, status=response.status)
        total = body.get("total") if isinstance(body, dict) else None
        return found, max(total - len(found), 0) if type(total) is int else 0

    @property
    def _call(self) -> str:
        return f"tasks of workspace {self._key.workspace_id}"

    def _get(self, path: str, query: Sequence[tuple[str, str]] = ()) -> Response:
        organization = self._key.organization_id
        self._on_request(self._key, "GET")
        try:
            response = self._transport.request("GET", path, query=query, response_limit=_ANSWER)
        except ApiError as error:
            if isinstance(error, Unreachable):
                self._on_answer(organization, None, QuotaReading(None, None))
            raise type(error)(f"{self._call}: {error}") from None
        self._on_answer(organization, response.status, quota(response))
        if response.status == 200 and response.incomplete:
            text = f"{self._call}: the answer broke off: {response.incomplete}"
            raise Doubtful(text, status=200)
        return response


def _json(body: bytes) -> Any:
    """None for what is no JSON."""
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return None


def _tasks(body: Any) -> list[Task] | None:
    """The tasks of a list, or of an object that has one; None = there is no list of tasks."""
    if isinstance(body, dict):
        lists = (body.get(key) for key in ("data", "items", "tasks"))
        body = next((value for value in lists if isinstance(value, list)), None)
    if not isinstance(body, list):
        return None
    rows = [row for row in body if not (isinstance(row, dict) and row.get("deleted_at"))]
    found = [task for row in rows if (task := _task(row)) is not None]
    return found if found or not rows else None


def _task(item: Any) -> Task | None:
    """None for what has no id."""
    id_ = item.get("id") if isinstance(item, dict) else None
    if type(id_) is not int or not 0 < id_ < 1 << 63:
        return None
    return Task(id_, _text(item.get("name")) or "", _name(item, "project"), _name(item, "client"))


def _name(item: dict[str, Any], key: str) -> str | None:
    """The name of a project or a client: `{key: {"name": …}}`, `{key: …}` or `{key_name: …}`."""
    value = item.get(key)
    if isinstance(value, dict):
        value = value.get("name")
    return _text(value) or _text(item.get(f"{key}_name"))


def _text(value: Any) -> str | None:
    """Text that is not empty; half of a surrogate pair, which JSON can escape, is replaced."""
    if not isinstance(value, str) or not value.strip():
        return None
    return value if is_utf8(value) else value.encode(errors="replace").decode()
