"""The sandbox with faults and quirks, and what tests read and change in it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from hashlib import sha256

from syncd.sandbox.api import FocusApi, Work, error_response
from syncd.sandbox.messages import HttpError, LoggedRequest, Request, Response, Task
from syncd.sandbox.routes import Route, has_key
from syncd.sandbox.storage import Row
from tests.support.faults import AFTER, BEFORE, Drop, Fault
from tests.support.quirks import Quirks, QuirkyAttachments, is_gone

_PORTAL = b"<!DOCTYPE html><html><body>Please log in to this network.</body></html>"
_ELSEWHERE = "http://127.0.0.1:9/elsewhere"


@dataclass
class Trouble(Response):
    """A response that comes late, or in half, or not at all."""

    drop: Drop = ""
    whole: Response | None = None
    """With `cut`: the response of which half is sent."""
    seconds: float = 0.0
    """With `hang`: how long at most (0 = until the client leaves); else a delay."""


@dataclass
class Stranger(Response):
    """A response of another server."""


class FaultyApi(FocusApi):
    """`api.faults.append(Fault("429"))`, `api.quirks.list_lag = 5.0`: at any time."""

    def __init__(
        self,
        quirks: Quirks | None = None,
        *,
        clock: Callable[[], float] = time.time,
        sleep: Callable[[float], None] = time.sleep,
        data_dir: str | None = None,
    ) -> None:
        self.quirks = quirks if quirks is not None else Quirks()
        self.sleep = sleep
        self.faults: list[Fault] = []
        self.faulty: dict[int, str] = {}
        """Number of a request in the log -> the kind of its fault."""
        self._late: list[tuple[float, Work]] = []
        super().__init__(clock=clock, data_dir=data_dir)
        self.attachments: QuirkyAttachments = QuirkyAttachments(self.store, self.quirks)

    def respond(self, request: Request, entry: LoggedRequest) -> Response:
        with self._lock:
            fault = next((f for f in self.faults if f.applies(request, entry.number)), None)
        if fault is None:
            return super().respond(replace(request, body=self._limited(request)), entry)
        self.faulty[entry.number] = fault.kind
        body = self._slowed(replace(request, body=self._limited(request)), entry, fault)
        try:
            return self._in_trouble(replace(request, body=body), entry, fault)
        except HttpError as error:
            response = error_response(error, entry.number)
            if fault.retry_after is not None:
                response.headers["Retry-After"] = fault.retry_after
            return response

    def _in_trouble(self, request: Request, entry: LoggedRequest, fault: Fault) -> Response:
        if fault.kind in BEFORE:
            with suppress(HttpError):
                self.accept(request)  # it counts against the quota
            for _ in request.body:
                pass
            return self._instead(fault, None)
        if fault.kind == "late_commit":
            work = self.prepare(request)
            with self._lock:
                self._late.append((self.clock() + fault.seconds, work))
            return self._instead(fault, None)
        done: Response | None = None
        try:
            done = self._done(request)
        except HttpError:
            if fault.kind not in AFTER:
                raise
        return self._instead(fault, done)

    def _done(self, request: Request) -> Response:
        work = self.prepare(request)
        with self.session():
            return work(self.clock())

    def _instead(self, fault: Fault, response: Response | None) -> Response:
        """What the client gets; `response` is the honest one, None = not carried out."""
        match fault.kind:
            case "reset_before" | "reset_after":
                return Trouble(0, drop="reset")
            case "hang" | "hang_after":
                return Trouble(0, drop="hang", seconds=fault.seconds)
            case "late_commit" if fault.drop:
                return Trouble(0, drop=fault.drop)
            case "garbage":
                return Stranger(200, {"Content-Type": "text/html; charset=utf-8"}, _PORTAL)
            case "redirect":
                return Stranger(302, {"Location": _ELSEWHERE})
            case "cut" if response is not None:
                return Trouble(0, drop="cut", whole=response)
            case "delay" if response is not None:
                return Trouble(**vars(response), seconds=fault.seconds)
            case "slow_read" if response is not None:
                return response
        raise HttpError(429 if fault.kind == "429" else fault.status, "fault", "made to fail")

    def _limited(self, request: Request) -> Iterator[bytes]:
        size, limit = 0, self.quirks.max_request_size
        for chunk in request.body:
            size += len(chunk)
            if limit is not None and size > limit:
                raise HttpError(413, "too_large", "the request is too large")
            yield chunk

    def _slowed(self, request: Request, entry: LoggedRequest, fault: Fault) -> Iterator[bytes]:
        """The body's chunks, counted, as slowly and as far as the fault demands."""
        stop = fault.after_bytes if fault.kind in BEFORE else None
        if stop == 0:
            return
        for chunk in request.body:
            entry.size += len(chunk)
            yield chunk
            if stop is not None and entry.size >= stop:
                return
            if fault.kind == "slow_read":
                self.sleep(fault.seconds)

    def prepare(self, request: Request) -> Work:
        work, body = super().prepare(request), self.quirks.tasks_body
        if body is None or not request.path.endswith(("/tasks", "/stream")):
            return work
        return lambda _: Response(200, {"Content-Type": "application/json"}, body())

    def accept(self, request: Request) -> Route:
        route, quirks = super().accept(request), self.quirks
        if route.kind in ("stream", "tasks"):
            if quirks.tasks not in ("both", "stream" if route.kind == "stream" else "pages"):
                raise HttpError(404, "not_found", "no such path")
            return route
        if is_gone(route.task, quirks):
            if quirks.task_gone != "empty":
                raise HttpError(quirks.task_gone or 404, "task", "the task is gone or not yours")
            if route.kind != "all" or request.method != "GET":
                raise HttpError(404, "not_found", "Task does not exist")
        limit = quirks.max_request_size
        announced = request.headers.get("content-length", "")
        if limit is not None and announced.isdigit() and int(announced) > limit:
            raise HttpError(413, "too_large", "the request is too large")
        return route

    def is_allowed(self, request: Request) -> bool:
        return has_key(request, self.quirks.key)

    def add_headers(self, request: Request, response: Response) -> None:
        super().add_headers(request, response)
        if not self.quirks.quota_headers or isinstance(response, Stranger):
            for name in [n for n in response.headers if n.startswith("X-Toggl-Quota")]:
                del response.headers[name]

    @contextmanager
    def session(self) -> Iterator[None]:
        """Carry out what late commits have postponed until now, too."""
        with super().session():
            self.quota.limit, self.quota.window = self.quirks.quota, self.quirks.quota_window
            now = self.clock()
            due = sorted((item for item in self._late if item[0] <= now), key=lambda item: item[0])
            self._late = [item for item in self._late if item[0] > now]
            for moment, work in due:
                with suppress(HttpError):
                    work(moment)
            yield

    def count(self, method: str | None = None, suffix: str | None = None) -> int:
        """The number of requests, of one method and with one end of the path."""
        with self._lock:
            return sum(
                method in (None, entry.method) and entry.path.endswith(suffix or "")
                for entry in self.log
            )

    def rows(self, task: Task, *, deleted: bool = False) -> list[Row]:
        """The rows of a task by id, whatever its list shows."""
        with self.session():
            return self.store.rows(task) if deleted else self.store.live(task)

    def spend(self, organization: int, requests: int = 1) -> bool:
        """Use up requests of the quota; False = not enough are left, and none is used."""
        with self.session():
            return self.quota.spend(organization, self.clock(), requests)

    def seed(self, task: Task, name: str, content: bytes = b"", display_order: int = 0) -> Row:
        """Create an attachment without a request."""
        with self.session():
            now = self.clock()
            facts = ("application/octet-stream", len(content), sha256(content).hexdigest())
            row = self.store.new_row(task, name, display_order, facts, now)
            self.attachments.keep(task, [row], now)
            return row

    def put(self, row: Row) -> None:
        """Change a row without a request: `api.put(replace(row, name="x", deleted_at=…))`."""
        with self.session():
            self.attachments.keep(row.task, [row], self.clock())
