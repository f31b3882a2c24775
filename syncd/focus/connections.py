"""HTTP connections that record progress, bound the time of a response, and stop an upload early.

urllib3 alone does not tell how far a request got before it failed, does not end a response that
trickles in forever, and does not notice a response that arrives while a body is being sent.
"""

from __future__ import annotations

import errno
import http.client
import io
import select
import socket
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.response import HTTPResponse
from urllib3.util.wait import wait_for_read

_TLS_PIECE = 1 << 16
"""Bytes that TLS must send within one time-out."""
_RESPONSE_TIMEOUTS = 3
"""A response may take this many time-outs from the end of the request to its last byte."""

_SUCCESS = {"GET": 200, "POST": 201, "PUT": 204, "DELETE": 204}
"""The documented success of each method; docs/api.md."""


class Exchange:
    """The progress and the time limits of one request."""

    def __init__(self, connect: float, idle: float) -> None:
        """Seconds allowed to connect, and between two bytes of the response."""
        self.idle = idle
        self.limit = connect
        """Seconds of the time-out in force: to connect, later `idle`."""
        self.until = time.monotonic() + _RESPONSE_TIMEOUTS * connect
        """`time.monotonic()` at which reading ends."""
        self.started = False
        """The connection is open and the request line may have been sent."""


_current: ContextVar[Exchange | None] = ContextVar("exchange", default=None)


@contextmanager
def exchange(connect: float, idle: float) -> Iterator[Exchange]:
    """Bind a new exchange to this thread for one request; both arguments are seconds."""
    new = Exchange(connect, idle)
    token = _current.set(new)
    try:
        yield new
    finally:
        _current.reset(token)


class _DeadlineReader(io.RawIOBase):
    """Reads from a socket until the exchange's deadline."""

    def __init__(self, sock: socket.socket, current: Exchange) -> None:
        super().__init__()
        self._sock = sock
        self._raw = sock.makefile("rb", buffering=0)
        self._current = current

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        left = self._current.until - time.monotonic()
        if left <= 0:
            raise TimeoutError("the answer took too long")
        self._sock.settimeout(min(left, self._current.idle))
        count: int | None = self._raw.readinto(buffer)
        return count

    def close(self) -> None:
        self._raw.close()
        super().close()


class _Response(http.client.HTTPResponse):
    """Reads against the deadline, and skips every interim response (1xx).

    http.client skips only 100. 101 is not interim: it ends HTTP on the connection.
    """

    def __init__(self, sock: socket.socket, *args: Any, **kwargs: Any) -> None:
        super().__init__(sock, *args, **kwargs)
        current = _current.get()
        if current is not None:
            self.fp.close()
            self.fp = io.BufferedReader(_DeadlineReader(sock, current))

    def _read_status(self) -> tuple[str, int, str]:
        version, status, reason = super()._read_status()  # type: ignore[misc]
        interim = 100 <= status < 200 and status != http.HTTPStatus.SWITCHING_PROTOCOLS
        return version, int(http.HTTPStatus.CONTINUE) if interim else status, reason


class Connection(HTTPConnection):
    """Stops sending a body when the response arrives."""

    response_class = _Response
    must_close = False
    """The body was not sent completely, or the response was not understood: what comes next on
    this connection could belong to another request."""
    _in_body = False
    _success: int | None = None
    """The only documented status below 400 of this request."""

    def request(  # type: ignore[override]
        self,
        method: str,
        url: str,
        body: Any = None,
        headers: Mapping[str, str] | None = None,
        **options: Any,
    ) -> None:
        self._in_body = False
        self._success = _SUCCESS.get(method)
        if self.sock is None:
            self.connect()
        current = _current.get()
        if current is not None:
            current.started = True
        super().request(method, url, body=body, headers=headers, **options)

    def endheaders(self, *args: Any, **kwargs: Any) -> None:
        super().endheaders(*args, **kwargs)
        self._in_body = True

    def send(self, data: Any) -> None:
        """Send in pieces; BrokenPipeError, when the response is there, makes urllib3 read it."""
        if not self._in_body:
            super().send(data)
            return
        view = memoryview(data)
        while view:
            if self._response_arrived():
                self.must_close = True
                raise BrokenPipeError(errno.EPIPE, "answered before the end")
            try:
                view = view[self._send_piece(view) :]
            except OSError as error:
                self.must_close = True
                if isinstance(error, TimeoutError) and not wait_for_read(self.sock, timeout=0.0):
                    raise
                raise BrokenPipeError(errno.EPIPE, "answered before the end") from error

    def _send_piece(self, view: memoryview) -> int:
        """Send as much as the socket takes at once: at least one byte within the time-out."""
        return self.sock.send(view)

    def _response_arrived(self) -> bool:
        """Wait until the socket takes more or has something to read; True for a final response.

        The end of the connection counts as a response, an interim one (1xx) does not.
        """
        poll, seconds = select.poll(), self.sock.gettimeout()
        poll.register(self.sock, select.POLLIN | select.POLLOUT)
        events = poll.poll(None if seconds is None else seconds * 1000)
        if not events:
            raise TimeoutError("nothing can be sent")
        if events[0][1] == select.POLLOUT:
            return False
        try:
            start = self.sock.recv(12, socket.MSG_PEEK)
        except OSError:
            return True
        return not (start.startswith(b"HTTP/1.") and start[8:10] == b" 1")

    def getresponse(self) -> HTTPResponse:  # type: ignore[override]
        self._in_body = False
        current = _current.get()
        if current is not None:
            current.limit = current.idle
            current.until = time.monotonic() + _RESPONSE_TIMEOUTS * current.idle
        response = super().getresponse()
        documented = response.status == self._success or 400 <= response.status < 600
        self.must_close = self.must_close or not documented
        return response

    def close(self) -> None:
        self.must_close = self._in_body = False
        super().close()


class TLSConnection(Connection, HTTPSConnection):
    """Notices a response only when sending stalls or fails: readable data may be a TLS ticket."""

    def _send_piece(self, view: memoryview) -> int:
        """Send a small piece: TLS sends all of it or fails, and a slow line must not time out."""
        piece = view[:_TLS_PIECE]
        self.sock.sendall(piece)
        return len(piece)

    def _response_arrived(self) -> bool:
        return False
