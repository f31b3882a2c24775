"""Answer a session's requests by the sandbox's API in-process, without a socket."""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator
from typing import Any
from urllib.parse import urlsplit

import requests
from requests.adapters import BaseAdapter

from syncd.sandbox.messages import Request, Response
from tests.support.faulty_api import FaultyApi, Trouble
from tests.support.quirks import Quirks

URL = "http://127.0.0.1:1/api"
TASK = (123, 456, 789)
HEADERS = {"Authorization": "Bearer toggl_sk_0123456789abcdef0123456789abcdef"}


def path(task: tuple[int, int, int] = TASK) -> str:
    """The attachments of a task, below the base URL."""
    return f"/organizations/{task[0]}/workspaces/{task[1]}/tasks/{task[2]}/attachments"


class InProcess(BaseAdapter):
    """`session.mount("http://", InProcess(api))`: drops become requests' exceptions.

    A delay is handed to `api.sleep`; hang raises ReadTimeout, reset and cut ConnectionError.
    """

    def __init__(self, api: FaultyApi) -> None:
        super().__init__()
        self.api = api

    def send(self, request: requests.PreparedRequest, *_: Any, **__: Any) -> requests.Response:
        parts = urlsplit(request.url or "")
        target = parts.path.removeprefix("/api") + (f"?{parts.query}" if parts.query else "")
        headers = {str(name): str(value) for name, value in request.headers.items()}
        answer = self.api.handle(
            Request.of(request.method or "GET", target, headers, _chunks(request.body))
        )
        if answer is None:
            raise requests.ConnectionError("the client left", request=request)
        if isinstance(answer, Trouble):
            if answer.drop == "hang":
                raise requests.ReadTimeout("hang", request=request)
            if answer.drop:
                raise requests.ConnectionError(answer.drop, request=request)
            self.api.sleep(answer.seconds)
        return _response(request, answer)

    def close(self) -> None:
        """Nothing is open."""


def session(api: FaultyApi | None = None) -> requests.Session:
    """A session with a key; with api given it is answered in-process."""
    made = requests.Session()
    made.trust_env = False
    made.headers.update(HEADERS)
    if api is not None:
        made.mount("http://", InProcess(api))
    return made


class World:
    """An API with a clock that only the test moves, and a session in front of them."""

    def __init__(self, **quirks: Any) -> None:
        quirks.setdefault("quota", None)
        self.now = 1_700_000_000.75
        self.slept: list[float] = []
        self.api = FaultyApi(Quirks(**quirks), clock=lambda: self.now, sleep=self.slept.append)
        self.session = session(self.api)

    def call(self, method: str, tail: str = "", **kwargs: Any) -> requests.Response:
        return self.session.request(method, URL + path() + tail, **kwargs)

    def create(self, name: str = "a.txt", content: bytes = b"hello", order: int = 100) -> Any:
        query = {"name": name, "display_order": order}
        file = {"file": (name, content, "text/plain")}
        return self.call("POST", params=query, files=file)

    def bulk(self, *names: str, field: str = "files[]", **extra: Any) -> requests.Response:
        query = {f"names[{i}]": name for i, name in enumerate(names)}
        query |= {f"display_orders[{i}]": str((i + 1) * 100) for i in range(len(names))}
        files = [
            (field.replace("#", str(i)), (f"{i}.bin", name.encode()))
            for i, name in enumerate(names)
        ]
        return self.call("POST", "/bulk", params=query | extra, files=files)

    def put(self, row_id: int, name: str, order: int) -> requests.Response:
        return self.call("PUT", f"/{row_id}", json={"name": name, "display_order": order})

    def items(self) -> list[dict[str, Any]]:
        answer = self.call("GET")
        assert answer.status_code == 200, answer.text
        rows: list[dict[str, Any]] = answer.json()["items"]
        return rows

    def listed(self) -> list[tuple[str, int]]:
        return [(row["name"], row["display_order"]) for row in self.items()]


def _chunks(body: Any) -> Iterator[bytes]:
    if hasattr(body, "read"):
        while chunk := body.read(1 << 16):
            yield chunk
    elif isinstance(body, str):
        yield body.encode()
    elif isinstance(body, bytes | bytearray):
        yield bytes(body)
    elif isinstance(body, Iterable):
        yield from body


def _response(request: requests.PreparedRequest, answer: Response) -> requests.Response:
    made = requests.Response()
    made.status_code = answer.status
    made.headers.update(answer.headers)
    made.raw = io.BytesIO(answer.body)
    made.url = request.url or ""
    made.request = request
    made.encoding = "utf-8"
    return made
