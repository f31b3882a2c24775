"""The HTTP/1.1 server of the sandbox: streams bodies in, and ends connections as faults demand."""

from __future__ import annotations

import contextlib
import math
import select
import socket
import struct
import sys
import threading
import time
from collections.abc import Iterator
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from syncd import __version__
from syncd.sandbox.api import FocusApi
from syncd.sandbox.messages import ClientLeft, Request, Response

BASE_PATH = "/api"
REQUEST_LINE_LIMIT = 8192
CHUNK = 1 << 18
DRAIN_LIMIT = 256 << 20
"""Bytes of an unwanted body to read, so that the client gets the response."""
DRAIN_SECONDS = 5.0
_RESET = struct.pack("ii", 1, 0)


class HttpServer(ThreadingHTTPServer):
    """Keeps track of its open connections, to close them at the end."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, address: tuple[str, int], api: FocusApi):
        super().__init__(address, _Handler)
        self.api = api
        self.stopping = threading.Event()
        self.resets: set[Any] = set()
        """Connections to end by RST, without a FIN before it."""
        self._open: set[Any] = set()

    def process_request(self, request: Any, client_address: Any) -> None:
        self._open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        self._open.discard(request)
        if request in self.resets:
            self.resets.discard(request)
            request.close()
        else:
            super().shutdown_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Show errors of the sandbox itself, not those of clients that leave."""
        if not isinstance(sys.exc_info()[1], OSError):
            super().handle_error(request, client_address)

    def stop(self) -> None:
        """Stop serving and close the port and all connections."""
        self.stopping.set()
        self.shutdown()
        self.server_close()
        for connection in list(self._open):
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)


class _Body:
    """A body of known length, read on demand."""

    def __init__(self, handler: _Handler, length: int) -> None:
        self._handler = handler
        self.remaining = length

    def __iter__(self) -> Iterator[bytes]:
        while self.remaining:
            try:
                chunk = self._handler.rfile.read1(min(CHUNK, self.remaining))
            except OSError as error:
                raise ClientLeft from error
            if not chunk:
                raise ClientLeft
            self.remaining -= len(chunk)
            yield chunk


class _Handler(BaseHTTPRequestHandler):
    """Reads requests and sends, delays or withholds the API's responses."""

    server: HttpServer
    protocol_version = "HTTP/1.1"
    server_version = f"syncd-sandbox/{__version__}"
    sys_version = ""
    rbufsize = 1 << 16
    disable_nagle_algorithm = True

    def log_message(self, *_: object) -> None:
        """Do nothing: the API keeps the log."""

    def handle_one_request(self) -> None:
        self.close_connection = True
        try:
            self.raw_requestline = self.rfile.readline(REQUEST_LINE_LIMIT + 1)
            if not self.raw_requestline:
                return
            if len(self.raw_requestline) > REQUEST_LINE_LIMIT:
                self._reject(414)
            elif self.parse_request():
                self._serve()
        except (OSError, ClientLeft):
            self.close_connection = True

    def _serve(self) -> None:
        length = self.headers.get("Content-Length", "0")
        if "Transfer-Encoding" in self.headers:
            return self._reject(411)
        if not (length.isascii() and length.isdigit()):
            return self._reject(400)
        body = _Body(self, int(length))
        known = self.path.startswith(BASE_PATH + "/")
        target = self.path.removeprefix(BASE_PATH) if known else "/unknown" + self.path
        headers = dict(self.headers.items())
        response = self.server.api.handle(Request.of(self.command, target, headers, body))
        if response.drop == "reset":
            return self._reset()
        if response.drop == "hang":
            self._hang(response.seconds)
            return self._reset()
        if response.seconds:
            self.server.stopping.wait(response.seconds)
        if body.remaining > DRAIN_LIMIT:
            self.close_connection = True
        self._send(response)
        if response.drop == "cut":
            self.close_connection = True
        elif body.remaining:
            self._drain(body.remaining)
        return None

    def _send(self, response: Response) -> None:
        """Write the response at once, or half of it for `cut`."""
        status, body = response.status, response.body
        lines = [f"HTTP/1.1 {status} {_phrase(status)}", f"Server: {self.server_version}"]
        lines += [f"{name}: {value}" for name, value in response.headers.items()]
        if "Date" not in response.headers:
            lines.append(f"Date: {self.date_time_string()}")
        if status != HTTPStatus.NO_CONTENT:
            lines.append(f"Content-Length: {len(body)}")
        if self.close_connection:
            lines.append("Connection: close")
        data = "\r\n".join([*lines, "", ""]).encode("latin-1") + body
        if response.drop == "cut":
            # Without a body cut the status line: clients accept missing headers.
            data = data[: -max(1, len(body) // 2)] if body else data[:6]
        self.wfile.write(data)

    def _reject(self, status: int) -> None:
        """Refuse a request that the API cannot read, and close the connection."""
        self.close_connection = True
        self._send(Response(status))
        self._drain(DRAIN_LIMIT)

    def _drain(self, size: int) -> None:
        """Read the rest of a body: closing with unread data would reset the connection."""
        if self.close_connection:
            self.connection.shutdown(socket.SHUT_WR)
        self.connection.settimeout(DRAIN_SECONDS)
        while size > 0:
            chunk = self.rfile.read1(min(CHUNK, size))
            if not chunk:
                self.close_connection = True
                return
            size -= len(chunk)
        self.connection.settimeout(None)

    def _reset(self) -> None:
        self.close_connection = True
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
        self.server.resets.add(self.connection)

    def _hang(self, seconds: float) -> None:
        """Wait until the client leaves, the server stops, or `seconds` (if any) are over."""
        leaving = select.poll()
        leaving.register(self.connection, select.POLLRDHUP)  # unread bytes may precede the end
        end = time.monotonic() + seconds if seconds else math.inf
        while not self.server.stopping.is_set() and time.monotonic() < end:
            if leaving.poll(20):
                return


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "Unknown"
