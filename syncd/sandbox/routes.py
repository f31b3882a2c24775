"""Which call a request is, and the checks that need no body."""

from __future__ import annotations

import re
from dataclasses import dataclass

from syncd.sandbox.messages import HttpError, Request, Task
from syncd.sandbox.quirks import Quirks

_PATH = re.compile(
    r"/organizations/([0-9]{1,18})/workspaces/([0-9]{1,18})/tasks/([0-9]{1,18})"
    r"/attachments(?:/(bulk)|/([0-9]{1,18})(/view)?)?"
)
_METHODS = {"all": ("GET", "POST"), "bulk": ("POST",), "one": ("PUT", "DELETE"), "view": ("GET",)}


@dataclass(frozen=True)
class Route:
    """A parsed path."""

    task: Task
    kind: str
    """all: the attachments of the task · bulk · one: an attachment · view"""
    row_id: int = 0
    """Attachment id of `one` and `view`."""


def find_route(request: Request) -> Route | None:
    """None = no such path."""
    found = _PATH.fullmatch(request.path)
    if found is None:
        return None
    kind = found[4] or ("view" if found[6] else "one" if found[5] else "all")
    return Route((int(found[1]), int(found[2]), int(found[3])), kind, int(found[5] or 0))


def has_key(request: Request, quirks: Quirks) -> bool:
    """Whether the request carries the accepted key."""
    scheme, _, key = request.headers.get("authorization", "").partition(" ")
    key = key.strip()
    return scheme.lower() == "bearer" and bool(key) and quirks.key in (None, key)


def check(request: Request, route: Route, quirks: Quirks) -> None:
    """Raise HttpError for a wrong method, a task that is gone, or a body announced too large."""
    if request.method not in _METHODS[route.kind]:
        raise HttpError(405, "method_not_allowed", "no such call")
    if is_gone(route.task, quirks):
        if quirks.task_gone != "empty":
            raise HttpError(quirks.task_gone or 404, "task", "the task is gone or not yours")
        if route.kind != "all" or request.method != "GET":
            raise HttpError(404, "not_found", "Task does not exist")
    limit = quirks.max_request_size
    announced = request.headers.get("content-length", "")
    if limit is not None and announced.isdigit() and int(announced) > limit:
        raise HttpError(413, "too_large", "the request is too large")


def is_gone(task: Task, quirks: Quirks) -> bool:
    """Whether the quirk `task_gone` applies to this task."""
    applies = quirks.gone_tasks is None or task[2] in quirks.gone_tasks
    return quirks.task_gone is not None and applies
