"""Send one HTTP request and read its response: session, key, proxies, TLS, time-outs."""

from __future__ import annotations

import json as jsonlib
import time
from collections.abc import Sequence
from contextlib import suppress
from functools import partial
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import requests
from requests.adapters import BaseAdapter
from requests.structures import CaseInsensitiveDict
from urllib3.exceptions import HTTPError
from urllib3.response import BaseHTTPResponse

from syncd import __version__
from syncd.errors import ApiError, KeyRefused, SyncdError, Unreachable
from syncd.focus import environment
from syncd.focus.adapter import ConnectionAdapter
from syncd.focus.connection_errors import connection_error, read_failure
from syncd.focus.connections import Exchange, exchange
from syncd.focus.multipart import MultipartBody
from syncd.focus.query import target

RESPONSE = 16 << 20
"""Bytes of a decompressed response body, where the caller sets no other limit."""
_CHUNK = 1 << 16
_KEY_PREFIX, _SECRET_LENGTH = "toggl_sk_", 8
"""A response may quote a key without its prefix; a rest below 8 characters may be a usual word."""
_MAX_IDLE = 45.0
"""Seconds after which an idle connection is not used again: the server or a NAT may have dropped
it, and a create sent on it would end as doubtful."""


class Response(NamedTuple):
    """A status, and as much of the body as arrived."""

    status: int
    headers: CaseInsensitiveDict[str]
    body: bytes
    incomplete: str
    """Why the body is incomplete; empty = it is complete."""
    too_long: bool
    """The body is incomplete because it exceeds the caller's limit."""


class HttpTransport:
    """Sends each request once, without retries or redirects; several threads may use it."""

    def __init__(
        self,
        base_url: str,
        key: str,
        *,
        timeout: float,
        connections: int,
        adapter: BaseAdapter | None = None,
    ) -> None:
        """`timeout`: seconds to connect, and between two bytes of the response.

        `adapter` replaces the network in tests; its exceptions count as doubtful.
        """
        if urlsplit(base_url).username is not None or urlsplit(base_url).password is not None:
            raise ValueError("the URL of the API must not carry a user or a password")
        self._base = base_url.rstrip("/")
        self.base_path = urlsplit(self._base).path
        """The path of the base URL; the request line has it before that of the request."""
        self._key = key
        self._timeout = timeout
        self._used = time.monotonic()
        self._unusable, self._proxies, context = "", dict[str, str](), None
        try:
            self._proxies = environment.proxies(self._base)
            context = environment.tls_context() if self._base.startswith("https:") else None
        except environment.UnusableVariable as error:
            self._unusable = str(error)
        self._in_process = adapter is not None
        self._adapter = adapter or ConnectionAdapter(connections, context)

    def set_key(self, key: str) -> None:
        """Use another key from the next request on; empty = send none."""
        self._key = key

    def close(self) -> None:
        """Close the idle connections; a later request opens new ones."""
        self._adapter.close()

    def request(
        self,
        method: str,
        path: str,
        *,
        query: Sequence[tuple[str, str]] = (),
        json: Any = None,
        body: MultipartBody | None = None,
        timeout_extra: float = 0.0,
        response_limit: int = RESPONSE,
    ) -> Response:
        """Send a request and return whatever response comes.

        `path` is below the base URL; `timeout_extra`: additional seconds for the response;
        `response_limit`: bytes of its body. Raises Unreachable (not done), Doubtful or
        InvalidResponse without a status, ShortRead or FileProblem for a file of the body.
        """
        if self._unusable:
            raise Unreachable(f"could not reach the server: {self._unusable}")
        if time.monotonic() - self._used > _MAX_IDLE:
            self.close()
        self._used = time.monotonic()
        key = self._key
        request = requests.PreparedRequest()
        request.method, request.url = method, self._base + target(path, query)
        content = body if json is None else jsonlib.dumps(json)
        request.headers = CaseInsensitiveDict(_headers(key, method, content))
        request.body = content  # type: ignore[assignment]
        with exchange(self._timeout, self._timeout + timeout_extra) as current:
            try:
                response = self._exchange(request, current, response_limit)
            except SyncdError:
                raise
            except Exception as error:
                problem: ApiError = connection_error(error, current, body)
            else:
                self._used = time.monotonic()
                return _without_key(response, key)
        raise problem  # here, not in the handler: its context could quote the key

    def _exchange(
        self, request: requests.PreparedRequest, current: Exchange, limit: int
    ) -> Response:
        """Send by the adapter itself: a session would add cookies, redirects and hooks."""
        current.started = self._in_process
        response = self._adapter.send(
            request, stream=True, timeout=(self._timeout, current.idle), proxies=self._proxies
        )
        with response:
            return _read(response, current, limit)


def _read(response: requests.Response, current: Exchange, limit: int) -> Response:
    """Read the body until it ends, time runs out, or `limit` bytes are exceeded."""
    pieces: list[bytes] = []
    size, incomplete, too_long = 0, "", False
    read = response.raw.read
    if isinstance(response.raw, BaseHTTPResponse):
        read = partial(read, decode_content=True)
    try:
        while piece := read(_CHUNK):
            pieces.append(piece)
            size += len(piece)
            if size > limit:
                incomplete, too_long = f"it is longer than {limit >> 20} MiB", True
                break
    except (HTTPError, OSError, ValueError) as error:
        incomplete = read_failure(error, current)
    if incomplete:
        response.raw.close()
    body = b"".join(pieces)
    return Response(response.status_code, response.headers, body, incomplete, too_long)


def _headers(key: str, method: str, content: str | MultipartBody | None) -> dict[str, str]:
    headers = {
        "User-Agent": f"syncd/{__version__}",
        "Accept": "application/json",
        "Accept-Encoding": "identity",
    }
    if key:
        if not (key.isascii() and key.isprintable()):
            raise KeyRefused("the key holds characters that no key has; nothing was sent")
        headers["Authorization"] = f"Bearer {key}"
    if method != "GET":
        headers["Content-Length"] = str(len(content or ""))
    if isinstance(content, str):
        headers["Content-Type"] = "application/json"
    elif content is not None:
        headers["Content-Type"] = content.content_type
    return headers


def _without_key(response: Response, key: str) -> Response:
    """Replace the key in a body that quotes it, before messages, logs or the ledger do."""
    if not key:
        return response
    body = response.body
    if response.status != 200 and b"\\" in body:
        with suppress(ValueError, RecursionError):  # undo JSON escapes, which could hide the key
            body = jsonlib.dumps(jsonlib.loads(body), ensure_ascii=False).encode(errors="replace")
    bare = key.removeprefix(_KEY_PREFIX)
    spellings = [key, jsonlib.dumps(key)[1:-1], *([bare] if len(bare) >= _SECRET_LENGTH else [])]
    for spelling in spellings:
        body = body.replace(spelling.encode(), b"(the key)")
    return response._replace(body=body)
