"""The Focus API without a network: a request in, a response out."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from email.utils import formatdate
from hashlib import sha256

from syncd.sandbox import quota
from syncd.sandbox.attachments import Attachments
from syncd.sandbox.body_parser import read_form, read_json
from syncd.sandbox.faults import AFTER, BEFORE, Fault
from syncd.sandbox.messages import (
    ClientLeft,
    HttpError,
    LoggedRequest,
    Request,
    Response,
    Task,
    json_response,
)
from syncd.sandbox.quirks import Quirks
from syncd.sandbox.routes import Route, check, find_route, has_key
from syncd.sandbox.storage import FileStore, Row, Store

Work = Callable[[float], Response]
"""An accepted request whose body was read; carries it out at a given time."""


class FocusApi:
    """Several threads may use it; no lock is held while a body is read."""

    def __init__(
        self,
        quirks: Quirks | None = None,
        *,
        clock: Callable[[], float] = time.time,
        sleep: Callable[[float], None] = time.sleep,
        data_dir: str | None = None,
    ) -> None:
        """`clock` in seconds since the epoch; `data_dir`: None = keep the data in memory."""
        self.quirks = quirks if quirks is not None else Quirks()
        self.clock = clock
        self.sleep = sleep
        self.store: Store = FileStore(data_dir) if data_dir is not None else Store()
        self.faults: list[Fault] = []
        self.log: list[LoggedRequest] = []
        self.on_request: Callable[[LoggedRequest], None] | None = None
        """Called after every request."""
        self._late: list[tuple[float, Work]] = []
        self._lock = threading.RLock()

    def handle(self, request: Request) -> Response:
        """The response to one request; with `drop` set the client must not get it."""
        with self._lock:
            entry = LoggedRequest(
                number=len(self.log) + 1,
                method=request.method,
                path=request.path,
                query=request.query,
                time=self.clock(),
            )
            self.log.append(entry)
            fault = next((f for f in self.faults if f.applies(request, entry.number)), None)
        body = self._read(request, entry, fault)
        try:
            response = self._respond(replace(request, body=body), fault)
        except HttpError as error:
            response = _error_response(error, entry.number)
        except ClientLeft:
            response = Response(0, drop="reset")
        except OSError as error:
            response = _error_response(HttpError(500, "storage", str(error)), entry.number)
        if fault is not None:
            entry.fault = fault.kind
            if fault.retry_after is not None and response.status >= 400:
                response.headers["Retry-After"] = fault.retry_after
        if fault is None or fault.kind not in ("garbage", "redirect"):
            self._add_quota_headers(request, response)
        response.headers["Date"] = formatdate(self.clock(), usegmt=True)
        entry.status = None if response.drop else response.status
        if self.on_request is not None:
            self.on_request(entry)
        return response

    def _respond(self, request: Request, fault: Fault | None) -> Response:
        if fault is None:
            return self._carry_out(request)
        if fault.kind in BEFORE:
            with suppress(HttpError):
                self._accept(request)  # it counts against the quota
            for _ in request.body:
                pass
            return fault.respond(None)
        if fault.kind == "late_commit":
            work = self._prepare(request)
            with self._lock:
                self._late.append((self.clock() + fault.seconds, work))
            return fault.respond(None)
        done: Response | None = None
        try:
            done = self._carry_out(request)
        except HttpError:
            if fault.kind not in AFTER:
                raise
        return fault.respond(done)

    def _read(self, request: Request, entry: LoggedRequest, fault: Fault | None) -> Iterator[bytes]:
        """The body's chunks, counted, as slowly and as far as the fault demands."""
        stop = fault.after_bytes if fault is not None and fault.kind in BEFORE else None
        if stop == 0:
            return
        for chunk in request.body:
            entry.size += len(chunk)
            limit = self.quirks.max_request_size
            if limit is not None and entry.size > limit:
                raise HttpError(413, "too_large", "the request is too large")
            yield chunk
            if stop is not None and entry.size >= stop:
                return
            if fault is not None and fault.kind == "slow_read":
                self.sleep(fault.seconds)

    def _carry_out(self, request: Request) -> Response:
        work = self._prepare(request)
        with self._session():
            return work(self.clock())

    def _prepare(self, request: Request) -> Work:
        """Accept the request and read its body, so that it can be carried out at any time."""
        route = self._accept(request)
        task, row_id = route.task, route.row_id
        attachments = Attachments(self.store, self.quirks)
        match request.method, route.kind:
            case "GET", "all":
                return lambda now: attachments.list(task, now)
            case "GET", "view":
                return lambda _: attachments.view(task, row_id)
            case "DELETE", "one":
                return lambda now: attachments.delete(task, row_id, now)
            case "PUT", "one":
                body = read_json(request.body)
                return lambda now: attachments.update(task, row_id, body, now)
        form = read_form(request.headers.get("content-type", ""), request.body)
        create = attachments.create_bulk if route.kind == "bulk" else attachments.create
        return lambda now: create(task, request.query, form, now)

    def _accept(self, request: Request) -> Route:
        """Raise HttpError for all that needs no body; every request with a good key counts."""
        route = find_route(request)
        if route is None:
            raise HttpError(404, "not_found", "no such path")
        if not has_key(request, self.quirks):
            raise HttpError(401, "unauthorized", "the API key is wrong, revoked or expired")
        if not self.spend(route.task[0]):
            raise HttpError(402, "quota_exceeded", "the hourly limit of requests is reached")
        check(request, route, self.quirks)
        return route

    def _add_quota_headers(self, request: Request, response: Response) -> None:
        route = find_route(request)
        if route is not None and has_key(request, self.quirks):
            with suppress(OSError), self._session():
                response.headers |= quota.quota_headers(
                    self.store, self.quirks, route.task[0], self.clock()
                )

    @contextmanager
    def _session(self) -> Iterator[None]:
        """Lock and load the store, and carry out what late commits have postponed until now."""
        with self._lock, self.store.session():
            self._commit_late()
            yield

    def _commit_late(self) -> None:
        now = self.clock()
        due = sorted((item for item in self._late if item[0] <= now), key=lambda item: item[0])
        self._late = [item for item in self._late if item[0] > now]
        for moment, work in due:
            with suppress(HttpError):
                work(moment)

    # For tests: read the data, and change them as another user does.

    def count(self, method: str | None = None, suffix: str | None = None) -> int:
        """The number of requests, of one method and with one end of the path."""
        with self._lock:
            return sum(
                method in (None, entry.method) and entry.path.endswith(suffix or "")
                for entry in self.log
            )

    def rows(self, task: Task, *, deleted: bool = False) -> list[Row]:
        """The rows of a task by id, whatever its list shows."""
        with self._session():
            return self.store.rows(task) if deleted else self.store.live(task)

    def spend(self, organization: int, requests: int = 1) -> bool:
        """Use up requests of the quota; False = not enough are left, and none is used."""
        with self._session():
            return quota.spend(self.store, self.quirks, organization, self.clock(), requests)

    def seed(self, task: Task, name: str, content: bytes = b"", display_order: int = 0) -> Row:
        """Create an attachment without a request."""
        with self._session():
            now = self.clock()
            facts = ("application/octet-stream", len(content), sha256(content).hexdigest())
            row = self.store.new_row(task, name, display_order, facts, now)
            self.store.write(task, [row], now, self.quirks.list_lag)
            return row

    def put(self, row: Row) -> None:
        """Change a row without a request: `api.put(replace(row, name="x", deleted_at=…))`."""
        with self._session():
            self.store.write(row.task, [row], self.clock(), self.quirks.list_lag)


def _error_response(error: HttpError, number: int) -> Response:
    """An error body as the live API sends it (docs/api.md); each has its own trace id."""
    trace = sha256(f"sandbox {number}".encode()).hexdigest()[:32]
    return json_response(
        error.status,
        {"error": error.error, "error_description": error.description, "trace_id": trace},
    )
