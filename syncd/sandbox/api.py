"""The Focus API without a network: a request in, a response out."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from email.utils import formatdate
from hashlib import sha256

from syncd.sandbox import tasks
from syncd.sandbox.attachments import Attachments
from syncd.sandbox.body_parser import read_form, read_json
from syncd.sandbox.messages import (
    ClientLeft,
    HttpError,
    LoggedRequest,
    Request,
    Response,
    json_response,
)
from syncd.sandbox.quota import Quota
from syncd.sandbox.routes import Route, check_method, find_route, has_key
from syncd.sandbox.storage import FileStore, Store

Work = Callable[[float], Response]
"""An accepted request whose body was read; carries it out at a given time."""


class FocusApi:
    """The least helpful server that the documentation allows (docs/api.md).

    Several threads may use it; no lock is held while a body is read.
    """

    def __init__(
        self,
        quota: int | None = 30,
        *,
        clock: Callable[[], float] = time.time,
        data_dir: str | None = None,
    ) -> None:
        """`quota` in requests an hour, None = unlimited; `clock` in seconds since the epoch;
        `data_dir`: None = keep the data in memory."""
        self.clock = clock
        self.store: Store = FileStore(data_dir) if data_dir is not None else Store()
        self.attachments = Attachments(self.store)
        self.quota = Quota(self.store, quota)
        self.log: list[LoggedRequest] = []
        self.on_request: Callable[[LoggedRequest], None] | None = None
        """Called after every request."""
        self._lock = threading.RLock()

    def handle(self, request: Request) -> Response | None:
        """The response to one request; None = its client has left."""
        with self._lock:
            entry = LoggedRequest.of(request, len(self.log) + 1, self.clock())
            self.log.append(entry)
        response: Response | None
        try:
            response = self.respond(request, entry)
        except HttpError as error:
            response = error_response(error, entry.number)
        except ClientLeft:
            response = None
        except OSError as error:
            response = error_response(HttpError(500, "storage", str(error)), entry.number)
        if response is not None:
            self.add_headers(request, response)
            entry.status = response.status
        if self.on_request is not None:
            self.on_request(entry)
        return response

    def respond(self, request: Request, entry: LoggedRequest) -> Response:
        """Carry a request out. Raises HttpError if it is refused."""
        work = self.prepare(replace(request, body=_counted(request, entry)))
        with self.session():
            return work(self.clock())

    def prepare(self, request: Request) -> Work:
        """Accept the request and read its body, so that it can be carried out at any time."""
        route = self.accept(request)
        task, row_id, attachments = route.task, route.row_id, self.attachments
        match request.method, route.kind:
            case "GET", "all":
                return lambda now: attachments.list(task, now)
            case "GET", "stream":
                return lambda _: tasks.stream(self.store, task)
            case "GET", "tasks":
                return lambda _: tasks.page(self.store, task, dict(request.query))
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

    def accept(self, request: Request) -> Route:
        """Raise HttpError for all that needs no body; every request with a good key counts."""
        route = find_route(request)
        if route is None:
            raise HttpError(404, "not_found", "no such path")
        if not self.is_allowed(request):
            raise HttpError(401, "unauthorized", "the API key is wrong, revoked or expired")
        with self.session():
            if not self.quota.spend(route.task[0], self.clock()):
                raise HttpError(402, "quota_exceeded", "the hourly limit of requests is reached")
        check_method(request, route)
        return route

    def is_allowed(self, request: Request) -> bool:
        """Whether the request carries a key: any will do."""
        return has_key(request)

    def add_headers(self, request: Request, response: Response) -> None:
        """Add the date, and the headers of the quota."""
        response.headers["Date"] = formatdate(self.clock(), usegmt=True)
        route = find_route(request)
        if route is not None and self.is_allowed(request):
            with suppress(OSError), self.session():
                response.headers |= self.quota.headers(route.task[0], self.clock())

    @contextmanager
    def session(self) -> Iterator[None]:
        """Lock and load the store."""
        with self._lock, self.store.session():
            yield


def _counted(request: Request, entry: LoggedRequest) -> Iterator[bytes]:
    for chunk in request.body:
        entry.size += len(chunk)
        yield chunk


def error_response(error: HttpError, number: int) -> Response:
    """An error body as the live API sends it (docs/api.md); each has its own trace id."""
    trace = sha256(f"sandbox {number}".encode()).hexdigest()[:32]
    return json_response(
        error.status,
        {"error": error.error, "error_description": error.description, "trace_id": trace},
    )
