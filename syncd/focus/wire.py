"""Connections of our own under requests: they keep count, keep time and listen while sending.

urllib3 tells neither how far a request got before it failed, nor does it bound an answer that
trickles in, nor does it notice an answer that comes while a body is still being sent.
"""

from __future__ import annotations

import errno
import http.client
import io
import socket
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.response import HTTPResponse
from urllib3.util.wait import wait_for_read, wait_for_socket

SLICE = 1 << 16
"""Bytes that must go out within one time-out under TLS."""
PATIENCE = 3
"""An answer may take this many time-outs from the end of sending to its last byte."""

_SUCCESS = {"GET": 200, "POST": 201, "PUT": 204, "DELETE": 204}


@dataclass
class Exchange:
    """One request on its way: what the error handling must know about it."""

    idle: float
    """Seconds allowed between two bytes of the answer."""
    limit: float
    """Seconds in force now: the idle ones once all is sent."""
    until: float
    """`time.monotonic()` at which reading ends, whatever comes."""
    begun: bool = False
    """The connection stood and the request line was about to be sent."""


_current: ContextVar[Exchange | None] = ContextVar("exchange", default=None)


@contextmanager
def exchange(connect: float, read: float) -> Iterator[Exchange]:
    """Bind a new exchange to this thread for one request."""
    new = Exchange(idle=read, limit=connect, until=time.monotonic() + PATIENCE * connect)
    token = _current.set(new)
    try:
        yield new
    finally:
        _current.reset(token)


class _Timed(io.RawIOBase):
    """The receiving half of a socket, with the exchange's deadline on every read."""

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


class _Answer(http.client.HTTPResponse):
    """http.client's answer, read against the clock from its first byte, its interim ones (1xx)
    passed over: by itself http.client does so with 100 only. 101 ends HTTP, and is none."""

    def __init__(self, sock: socket.socket, *args: Any, **kwargs: Any) -> None:
        super().__init__(sock, *args, **kwargs)
        current = _current.get()
        if current is not None:
            self.fp.close()
            self.fp = io.BufferedReader(_Timed(sock, current))

    def _read_status(self) -> tuple[str, int, str]:
        version, status, reason = super()._read_status()  # type: ignore[misc]
        interim = 100 <= status < 200 and status != http.HTTPStatus.SWITCHING_PROTOCOLS
        return version, int(http.HTTPStatus.CONTINUE) if interim else status, reason


class Listening(HTTPConnection):
    """A connection that stops sending as soon as the answer is there."""

    response_class = _Answer
    spent = False
    """A request was not sent to its end, or its answer not understood: nothing more may go over
    this connection."""
    _in_body = False
    _success: int | None = None
    """The only status below 400 that the API documents for this request."""

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
            current.begun = True
        super().request(method, url, body=body, headers=headers, **options)

    def endheaders(self, *args: Any, **kwargs: Any) -> None:
        super().endheaders(*args, **kwargs)
        self._in_body = True

    def send(self, data: Any) -> None:
        """Send piece by piece; BrokenPipeError makes urllib3 read the answer instead."""
        if not self._in_body:
            super().send(data)
            return
        view = memoryview(data)
        while view:
            if self._answered():
                self.spent = True
                raise BrokenPipeError(errno.EPIPE, "answered before the end")
            try:
                view = view[self._some(view) :]
            except OSError as error:
                self.spent = True
                if isinstance(error, TimeoutError) and not wait_for_read(self.sock, timeout=0.0):
                    raise
                raise BrokenPipeError(errno.EPIPE, "answered before the end") from error

    def _some(self, view: memoryview) -> int:
        """Send what there is room for, one byte at least within the time-out."""
        return self.sock.send(view)

    def _answered(self) -> bool:
        """Wait for room to send or for the answer: whether the answer, or the end, has come.

        Under TLS what can be read may be a session ticket: there only a stalled or broken send
        tells.
        """
        if not wait_for_socket(self.sock, read=True, write=True, timeout=self.sock.gettimeout()):
            raise TimeoutError("nothing can be sent")
        if not wait_for_read(self.sock, timeout=0.0):
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
            current.until = time.monotonic() + PATIENCE * current.idle
        answer = super().getresponse()
        self.spent = self.spent or not (
            answer.status == self._success or 400 <= answer.status < 600
        )
        return answer

    def close(self) -> None:
        self.spent = self._in_body = False
        super().close()


class ListeningTLS(Listening, HTTPSConnection):
    def _some(self, view: memoryview) -> int:
        """TLS sends all or nothing: a slice, lest a slow line be taken for a stalled one."""
        piece = view[:SLICE]
        self.sock.sendall(piece)
        return len(piece)

    def _answered(self) -> bool:
        return False
