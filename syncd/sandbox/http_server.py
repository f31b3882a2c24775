"""The HTTP/1.1 server of the sandbox: streams bodies in, keeps connections."""

from __future__ import annotations

import contextlib
import socket
import sys
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


class Body:
    """A body of known length, read on demand."""

    def __init__(self, handler: Handler, length: int) -> None:
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


class Handler(BaseHTTPRequestHandler):
    """Reads requests and sends the API's responses."""

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
        except OSError:
            self.close_connection = True

    def _serve(self) -> None:
        length = self.headers.get("Content-Length", "0")
        if "Transfer-Encoding" in self.headers:
            return self._reject(411)
        if not (length.isascii() and length.isdigit()):
            return self._reject(400)
        body = Body(self, int(length))
        known = self.path.startswith(BASE_PATH + "/")
        target = self.path.removeprefix(BASE_PATH) if known else "/unknown" + self.path
        headers = dict(self.headers.items())
        response = self.server.api.handle(Request.of(self.command, target, headers, body))
        if response is None:
            self.close_connection = True
        else:
            self.respond(response, body)
        return None

    def respond(self, response: Response, body: Body) -> None:
        """Send a response, and read what is left of the request's body."""
        if body.remaining > DRAIN_LIMIT:
            self.close_connection = True
        self._send(response)
        if body.remaining:
            self._drain(body.remaining)

    def _send(self, response: Response) -> None:
        self.send_response_only(response.status)
        self.send_header("Server", self.server_version)
        for name, value in response.headers.items():
            self.send_header(name, value)
        if response.status != HTTPStatus.NO_CONTENT:
            self.send_header("Content-Length", str(len(response.body)))
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(response.body)

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


class HttpServer(ThreadingHTTPServer):
    """Keeps track of its open connections, to close them at the end."""

    handler = Handler
    daemon_threads = True
    request_queue_size = 128

    def __init__(self, address: tuple[str, int], api: FocusApi):
        super().__init__(address, self.handler)
        self.api = api
        self._open: set[Any] = set()

    def process_request(self, request: Any, client_address: Any) -> None:
        self._open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        self._open.discard(request)
        super().shutdown_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Show errors of the sandbox itself, not those of clients that leave."""
        if not isinstance(sys.exc_info()[1], OSError):
            super().handle_error(request, client_address)

    def stop(self) -> None:
        """Stop serving and close the port and all connections."""
        self.shutdown()
        self.server_close()
        for connection in list(self._open):
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
