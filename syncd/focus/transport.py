"""One request out, one answer in: session, key, proxies, trust, time-outs, lost connections."""

from __future__ import annotations

import json as jsonlib
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Protocol
from urllib.parse import urlsplit

import requests
from requests.adapters import BaseAdapter
from requests.cookies import RequestsCookieJar
from urllib3.exceptions import HTTPError
from urllib3.response import BaseHTTPResponse

from syncd import __version__
from syncd.errors import ApiError, KeyRefused, SyncdError, Unreachable
from syncd.focus import surroundings
from syncd.focus.failures import cut_reason, failure
from syncd.focus.pools import Adapter
from syncd.focus.query import target
from syncd.focus.upload import MultipartBody
from syncd.focus.wire import Exchange, exchange

ANSWER_LIMIT = 16 << 20
"""Bytes an answer may have, after decompression, where nobody says that it may be longer."""
_CHUNK = 1 << 16
_PREFIX, _TELLING = "toggl_sk_", 8
"""A server may quote the part after the prefix alone; what is as short as a word tells nothing."""
_FRESH = 45.0
"""Seconds for which an idle connection is used again: a server or a NAT that has forgotten it
would make a create doubtful for nothing."""


@dataclass(frozen=True)
class Answer:
    """What came back: a status always, of the body as much as arrived."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = field(default=b"", repr=False)
    cut: str = ""
    """Why the body is not whole; empty = it is."""
    overlong: bool = False
    """The body was cut by us, at the size no answer of Focus has."""

    def header(self, name: str) -> str | None:
        """A header's value, whatever the case of its name."""
        wanted = name.lower()
        return next((v for k, v in self.headers.items() if k.lower() == wanted), None)


class Transport(Protocol):
    """Sends one request, once, and never repeats or redirects it."""

    def request(
        self,
        method: str,
        path: str,
        *,
        query: Sequence[tuple[str, str]] = (),
        json: Any = None,
        body: MultipartBody | None = None,
        timeout_extra: float = 0.0,
        answer_limit: int = ANSWER_LIMIT,
    ) -> Answer:
        """`path` hangs under the base URL; `timeout_extra` in seconds, for the answer only;
        `answer_limit` in bytes.

        Raises Unreachable (not done), Doubtful or Unbelievable when no status came, ShortRead
        or FileProblem when a file of the body gave out.
        """


class _Session(requests.Session):
    """A session that looks neither at redirects (reading their bodies) nor at cookies."""

    def get_redirect_target(self, resp: requests.Response) -> str | None:  # noqa: ARG002
        return None


class HttpTransport:
    """The real thing; may be used by several threads at a time."""

    def __init__(
        self,
        base_url: str,
        key: str,
        *,
        timeout: float,
        connections: int,
        adapter: BaseAdapter | None = None,
    ) -> None:
        """`timeout` in seconds: to connect, and between two bytes of the answer.

        `adapter` answers in place of the network; what fails in it counts as doubtful.
        """
        if urlsplit(base_url).username is not None or urlsplit(base_url).password is not None:
            raise ValueError("the URL of the API must not carry a user or a password")
        self._base = base_url.rstrip("/")
        self._key = key
        self._timeout = timeout
        self._used = time.monotonic()
        self._session = _Session()
        self._session.trust_env = False
        self._unusable, context = "", None
        try:
            self._session.proxies = surroundings.proxies(self._base)
            context = surroundings.trust() if self._base.startswith("https:") else None
        except surroundings.Unusable as error:
            self._unusable = str(error)
        self._session.cookies = RequestsCookieJar(policy=surroundings.no_cookies())
        self._session.headers.clear()
        self._stands_in = adapter is not None
        for scheme in ("https://", "http://"):
            self._session.mount(scheme, adapter or Adapter(connections, context))

    def set_key(self, key: str) -> None:
        """Use another key from the next request on; empty = send none."""
        self._key = key

    def new_connections(self) -> None:
        """Drop the idle connections: after a suspend they are dead without knowing it."""
        self._session.close()

    def close(self) -> None:
        self._session.close()

    def request(
        self,
        method: str,
        path: str,
        *,
        query: Sequence[tuple[str, str]] = (),
        json: Any = None,
        body: MultipartBody | None = None,
        timeout_extra: float = 0.0,
        answer_limit: int = ANSWER_LIMIT,
    ) -> Answer:
        if self._unusable:
            raise Unreachable(f"could not reach the server: {self._unusable}")
        if time.monotonic() - self._used > _FRESH:
            self.new_connections()
        self._used = time.monotonic()
        key = self._key
        headers = _headers(key)
        data: Any = body
        if body is not None:
            headers["Content-Type"] = body.content_type
        elif json is not None:
            headers["Content-Type"] = "application/json"
            data = jsonlib.dumps(json, allow_nan=False).encode()
        request = requests.Request(method, self._base + target(path, query), headers, data=data)
        with exchange(self._timeout, self._timeout + timeout_extra) as current:
            try:
                answer = self._exchange(request, current, answer_limit)
            except SyncdError:
                raise
            except Exception as error:
                problem: ApiError = failure(error, current, body)
            else:
                self._used = time.monotonic()
                return _without(key, answer)
        raise problem

    def _exchange(self, request: requests.Request, current: Exchange, limit: int) -> Answer:
        prepared = self._session.prepare_request(request)
        current.begun = self._stands_in
        response = self._session.send(
            prepared,
            stream=True,
            timeout=(self._timeout, current.idle),
            allow_redirects=False,
        )
        with response:
            return _read(response, current, limit)


def _read(response: requests.Response, current: Exchange, limit: int) -> Answer:
    """The answer with as much of its body as arrives in time and is not too much."""
    pieces: list[bytes] = []
    size, cut, overlong = 0, "", False
    take = response.raw.read
    if isinstance(response.raw, BaseHTTPResponse):
        take = partial(take, decode_content=True)
    try:
        while piece := take(_CHUNK):
            pieces.append(piece)
            size += len(piece)
            if size > limit:
                cut, overlong = f"it is longer than {limit >> 20} MiB", True
                break
    except (HTTPError, OSError, ValueError) as error:
        cut = cut_reason(error, current)
    if cut:
        response.raw.close()
    return Answer(response.status_code, dict(response.headers), b"".join(pieces), cut, overlong)


def _headers(key: str) -> dict[str, str]:
    headers = {
        "User-Agent": f"syncd/{__version__}",
        "Accept": "application/json",
        "Accept-Encoding": "identity",
    }
    if key:
        if not (key.isascii() and key.isprintable()):
            raise KeyRefused("the key holds characters that no key has; nothing was sent")
        headers["Authorization"] = f"Bearer {key}"
    return headers


def _without(key: str, answer: Answer) -> Answer:
    """An answer that quotes the key must not bring it into messages, logs and the ledger."""
    if not key:
        return answer
    body = answer.body
    if answer.status != 200 and b"\\" in body:
        with suppress(ValueError, RecursionError):  # no JSON: then nothing is spelled otherwise
            body = jsonlib.dumps(jsonlib.loads(body), ensure_ascii=False).encode(errors="replace")
    bare = key.removeprefix(_PREFIX)
    for spelled in (key, jsonlib.dumps(key)[1:-1], *([bare] if len(bare) >= _TELLING else ())):
        body = body.replace(spelled.encode(), b"(the key)")
    return Answer(answer.status, answer.headers, body, answer.cut, answer.overlong)
