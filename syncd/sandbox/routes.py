"""Which call a request is, and the checks that need no body."""

from __future__ import annotations

import re
from dataclasses import dataclass

from syncd.sandbox.messages import HttpError, Request, Task

_WORKSPACE = r"/organizations/([0-9]{1,18})/workspaces/([0-9]{1,18})/tasks"
_PATH = re.compile(_WORKSPACE + r"/([0-9]{1,18})/attachments(?:/(bulk)|/([0-9]{1,18})(/view)?)?")
_TASKS = re.compile(_WORKSPACE + "(/stream)?")
_METHODS = {
    "all": ("GET", "POST"),
    "bulk": ("POST",),
    "one": ("PUT", "DELETE"),
    "view": ("GET",),
    "tasks": ("GET",),
    "stream": ("GET",),
}


@dataclass(frozen=True)
class Route:
    """A parsed path."""

    task: Task
    """Its last id is 0 where the path names no task."""
    kind: str
    """all: the attachments of the task · bulk · one: an attachment · view · tasks and stream: the
    tasks of the workspace"""
    row_id: int = 0
    """Attachment id of `one` and `view`."""


def find_route(request: Request) -> Route | None:
    """None = no such path."""
    if found := _TASKS.fullmatch(request.path):
        return Route((int(found[1]), int(found[2]), 0), "stream" if found[3] else "tasks")
    found = _PATH.fullmatch(request.path)
    if found is None:
        return None
    kind = found[4] or ("view" if found[6] else "one" if found[5] else "all")
    return Route((int(found[1]), int(found[2]), int(found[3])), kind, int(found[5] or 0))


def has_key(request: Request, accepted: str | None = None) -> bool:
    """Whether the request carries the accepted key; None = any that is not empty."""
    scheme, _, key = request.headers.get("authorization", "").partition(" ")
    key = key.strip()
    return scheme.lower() == "bearer" and bool(key) and accepted in (None, key)


def check_method(request: Request, route: Route) -> None:
    """Raise HttpError for a method that the path does not have."""
    if request.method not in _METHODS[route.kind]:
        raise HttpError(405, "method_not_allowed", "no such call")
