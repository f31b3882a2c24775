"""What every call passes first: its path, its key, the quota, the task."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

from syncd.sandbox.quirks import Quirks
from syncd.sandbox.storage import Store, Window
from syncd.sandbox.wire import Refusal, Request, Task

_PATH = re.compile(
    r"/organizations/([0-9]{1,18})/workspaces/([0-9]{1,18})/tasks/([0-9]{1,18})"
    r"/attachments(?:/(bulk)|/([0-9]{1,18})(/view)?)?"
)
_METHODS = {"all": ("GET", "POST"), "bulk": ("POST",), "one": ("PUT", "DELETE"), "view": ("GET",)}


@dataclass(frozen=True)
class Route:
    """What a path means."""

    task: Task
    shape: str
    """all · bulk · one · view"""
    row_id: int = 0


def find_route(request: Request) -> Route | None:
    """None = no such path."""
    found = _PATH.fullmatch(request.path)
    if found is None:
        return None
    shape = found[4] or ("view" if found[6] else "one" if found[5] else "all")
    return Route((int(found[1]), int(found[2]), int(found[3])), shape, int(found[5] or 0))


def key_fits(request: Request, quirks: Quirks) -> bool:
    """Whether the request carries the one key, or any if there is no one."""
    scheme, _, key = request.headers.get("authorization", "").partition(" ")
    key = key.strip()
    return scheme.lower() == "bearer" and bool(key) and quirks.key in (None, key)


def draw(store: Store, quirks: Quirks, organization: int, now: float, requests: int = 1) -> bool:
    """Draw on the quota; False = there is not that much left, and nothing is drawn."""
    if quirks.quota is None:
        return True
    window = _window(store, quirks, organization, now)
    if window.used + requests > quirks.quota:
        return False
    window.used += requests
    return True


def quota_headers(store: Store, quirks: Quirks, organization: int, now: float) -> dict[str, str]:
    """The two headers; none where there is no quota or where they are switched off."""
    if quirks.quota is None or not quirks.quota_headers:
        return {}
    window = _window(store, quirks, organization, now)
    left = window.opened + quirks.quota_window - now
    return {
        "X-Toggl-Quota-Remaining": str(max(0, quirks.quota - window.used)),
        "X-Toggl-Quota-Resets-In": str(math.ceil(left)),
    }


def _window(store: Store, quirks: Quirks, organization: int, now: float) -> Window:
    window = store.windows.get(organization)
    # A clock that was set back must not leave a window open for years.
    if window is None or not 0 <= now - window.opened < quirks.quota_window:
        window = store.windows[organization] = Window(opened=now)
    return window


def check_call(request: Request, route: Route, quirks: Quirks) -> None:
    """Refuses a wrong method, a task that is gone, a request announced too large."""
    if request.method not in _METHODS[route.shape]:
        raise Refusal(405, "method_not_allowed", "no such call")
    if task_is_gone(route.task, quirks):
        if quirks.task_gone != "empty":
            raise Refusal(quirks.task_gone or 404, "task", "the task is gone or not yours")
        if route.shape != "all" or request.method != "GET":
            raise Refusal(404, "not_found", "Task does not exist")
    limit = quirks.max_request_size
    announced = request.headers.get("content-length", "")
    if limit is not None and announced.isdigit() and int(announced) > limit:
        raise Refusal(413, "too_large", "the request is too large")


def task_is_gone(task: Task, quirks: Quirks) -> bool:
    """Whether `task_gone` speaks of this task."""
    covers = quirks.gone_tasks is None or task[2] in quirks.gone_tasks
    return quirks.task_gone is not None and covers
