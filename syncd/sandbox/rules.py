"""A Focus API without a network: requests in, responses out, time from a given clock."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from email.utils import formatdate
from hashlib import sha256

from syncd.sandbox.calls import Calls
from syncd.sandbox.faults import AFTER, BEFORE, Fault
from syncd.sandbox.forms import read_form, read_json
from syncd.sandbox.gate import Route, check_call, draw, find_route, key_fits, quota_headers
from syncd.sandbox.quirks import Quirks
from syncd.sandbox.storage import FileStore, Row, Store
from syncd.sandbox.wire import (
    BrokenOff,
    LoggedRequest,
    Refusal,
    Request,
    Response,
    Task,
    json_response,
)

Work = Callable[[float], Response]
"""A call that is admitted and read, to be carried out at a given time."""


class FocusRules:
    """The server's behaviour; thread-safe, and never locked while a body is read."""

    def __init__(
        self,
        quirks: Quirks | None = None,
        *,
        clock: Callable[[], float] = time.time,
        sleep: Callable[[float], None] = time.sleep,
        data_dir: str | None = None,
    ) -> None:
        self.quirks = quirks if quirks is not None else Quirks()
        self.clock = clock
        self.sleep = sleep
        self.store: Store = FileStore(data_dir) if data_dir is not None else Store()
        self.faults: list[Fault] = []
        self.log: list[LoggedRequest] = []
        self.on_request: Callable[[LoggedRequest], None] | None = None
        self._late: list[tuple[float, Work]] = []
        self._lock = threading.RLock()
        self._in_session = False

    # -- answering ---------------------------------------------------------------------

    def handle(self, request: Request) -> Response:
        """The answer to one request; `drop` set means that the client must get none."""
        with self._lock:
            entry = LoggedRequest(
                number=len(self.log) + 1,
                method=request.method,
                path=request.path,
                query=request.query,
                time=self.clock(),
            )
            self.log.append(entry)
            fault = next((f for f in self.faults if f.hits(request, entry.number)), None)
        body = self._read(request, entry, fault)
        try:
            response = self._answer(replace(request, body=body), fault)
        except Refusal as refusal:
            response = _refused(refusal, entry.number)
        except BrokenOff:
            response = Response(0, drop="reset")
        except OSError as error:
            response = _refused(Refusal(500, "storage", str(error)), entry.number)
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

    def _answer(self, request: Request, fault: Fault | None) -> Response:
        if fault is None:
            return self._work(request)
        if fault.kind in BEFORE:
            with suppress(Refusal):
                self._admit(request)  # it reached the server: it counts
            for _ in request.body:
                pass
            return fault.spoil(None)
        if fault.kind == "late_commit":
            work = self._prepare(request)
            with self._lock:
                self._late.append((self.clock() + fault.seconds, work))
            return fault.spoil(None)
        done: Response | None = None
        try:
            done = self._work(request)
        except Refusal:
            if fault.kind not in AFTER:
                raise
        return fault.spoil(done)

    def _read(self, request: Request, entry: LoggedRequest, fault: Fault | None) -> Iterator[bytes]:
        """The chunks of the body, counted, and as slowly or as far as the fault wants."""
        stop = fault.after_bytes if fault is not None and fault.kind in BEFORE else None
        if stop == 0:
            return
        for chunk in request.body:
            entry.size += len(chunk)
            limit = self.quirks.max_request_size
            if limit is not None and entry.size > limit:
                raise Refusal(413, "too_large", "the request is too large")
            yield chunk
            if stop is not None and entry.size >= stop:
                return
            if fault is not None and fault.kind == "slow_read":
                self.sleep(fault.seconds)

    def _work(self, request: Request) -> Response:
        work = self._prepare(request)
        with self._session():
            return work(self.clock())

    def _prepare(self, request: Request) -> Work:
        """Admit the call and read its body; what is left can be done at any later time."""
        route = self._admit(request)
        task, row_id = route.task, route.row_id
        calls = Calls(self.store, self.quirks)
        match request.method, route.shape:
            case "GET", "all":
                return lambda now: calls.listing(task, now)
            case "GET", "view":
                return lambda _: calls.view(task, row_id)
            case "DELETE", "one":
                return lambda now: calls.delete(task, row_id, now)
            case "PUT", "one":
                body = read_json(request.body)
                return lambda now: calls.update(task, row_id, body, now)
        form = read_form(request.headers.get("content-type", ""), request.body)
        make = calls.create_bulk if route.shape == "bulk" else calls.create
        return lambda now: make(task, request.query, form, now)

    def _admit(self, request: Request) -> Route:
        """Refuses what needs no body to be refused; every call with a good key counts."""
        route = find_route(request)
        if route is None:
            raise Refusal(404, "not_found", "no such path")
        if not key_fits(request, self.quirks):
            raise Refusal(401, "unauthorized", "the API key is wrong, revoked or expired")
        if not self.spend(route.task[0]):
            raise Refusal(402, "quota_exceeded", "the hourly limit of requests is reached")
        check_call(request, route, self.quirks)
        return route

    def _add_quota_headers(self, request: Request, response: Response) -> None:
        route = find_route(request)
        if route is not None and key_fits(request, self.quirks):
            with suppress(OSError), self._session():
                response.headers |= quota_headers(
                    self.store, self.quirks, route.task[0], self.clock()
                )

    @contextmanager
    def _session(self) -> Iterator[None]:
        """The store, locked and loaded, with everything done that was due late."""
        with self._lock:
            if self._in_session:  # a knob's callback that looks at the rows
                yield
                return
            self._in_session = True
            try:
                with self.store.session():
                    self._catch_up()
                    yield
            finally:
                self._in_session = False

    def _catch_up(self) -> None:
        """Do what a late_commit has put off until now."""
        now = self.clock()
        due = sorted((item for item in self._late if item[0] <= now), key=lambda item: item[0])
        self._late = [item for item in self._late if item[0] > now]
        for moment, work in due:
            with suppress(Refusal):
                work(moment)

    # -- for tests: looking, and being somebody else -----------------------------------

    def count(self, method: str | None = None, suffix: str | None = None) -> int:
        """How many requests came in, of one method and with one end of the path."""
        with self._lock:
            return sum(
                method in (None, entry.method) and entry.path.endswith(suffix or "")
                for entry in self.log
            )

    def rows(self, task: Task, *, deleted: bool = False) -> list[Row]:
        """The truth about a task, by id; with `deleted`, all that ever was."""
        with self._session():
            return self.store.rows(task) if deleted else self.store.live(task)

    def spend(self, organization: int, requests: int = 1) -> bool:
        """Draw on the quota, as the user's other tools do too; False = not that much left."""
        with self._session():
            return draw(self.store, self.quirks, organization, self.clock(), requests)

    def seed(self, task: Task, name: str, content: bytes = b"", display_order: int = 0) -> Row:
        """An attachment made by somebody else; no request, no quota, no log."""
        with self._session():
            now = self.clock()
            row = Row(
                id=self.store.take_id(),
                task=task,
                name=name,
                display_order=display_order,
                mime_type="application/octet-stream",
                size=len(content),
                sha256=sha256(content).hexdigest(),
                created_at=now,
                updated_at=now,
            )
            self.store.write(task, [row], now, self.quirks.list_lag)
            return row

    def put(self, row: Row) -> None:
        """Somebody else changes a row: `rules.put(replace(row, name="x", deleted_at=…))`."""
        with self._session():
            self.store.write(row.task, [row], self.clock(), self.quirks.list_lag)


def _refused(refusal: Refusal, number: int) -> Response:
    """The error body seen in the wild; the trace differs from request to request."""
    trace = sha256(f"sandbox {number}".encode()).hexdigest()[:32]
    return json_response(
        refusal.status,
        {"error": refusal.error, "error_description": refusal.description, "trace_id": trace},
    )
