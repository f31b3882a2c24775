"""The sandbox's server, ending connections as faults demand."""

from __future__ import annotations

import io
import math
import select
import socket
import struct
import threading
import time
from collections.abc import Callable
from typing import Any

from syncd.sandbox import server
from syncd.sandbox.http_server import Body, Handler, HttpServer
from syncd.sandbox.messages import Response
from tests.support.faulty_api import FaultyApi, Trouble
from tests.support.quirks import Quirks

_RESET = struct.pack("ii", 1, 0)


class FaultyHandler(Handler):
    """Sends, delays or withholds the API's responses."""

    server: FaultyHttpServer

    def respond(self, response: Response, body: Body) -> None:
        if not isinstance(response, Trouble):
            return super().respond(response, body)
        if response.drop in ("reset", "hang"):
            if response.drop == "hang":
                self._hang(response.seconds)
            self.close_connection = True
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
            self.server.resets.add(self.connection)
        elif response.whole is not None:
            self._send_half(response.whole, body)
        else:
            self.server.stopping.wait(response.seconds)
            super().respond(response, body)
        return None

    def _send_half(self, response: Response, body: Body) -> None:
        honest, self.wfile = self.wfile, io.BytesIO()
        super().respond(response, body)
        data, self.wfile = self.wfile.getvalue(), honest
        self.close_connection = True
        # Without a body cut the status line: clients accept missing headers.
        size = len(response.body)
        self.wfile.write(data[: -max(1, size // 2)] if size else data[:6])

    def _hang(self, seconds: float) -> None:
        """Wait until the client leaves, the server stops, or `seconds` (if any) are over."""
        leaving = select.poll()
        leaving.register(self.connection, select.POLLRDHUP)  # unread bytes may precede the end
        end = time.monotonic() + seconds if seconds else math.inf
        while not self.server.stopping.is_set() and time.monotonic() < end:
            if leaving.poll(20):
                return


class FaultyHttpServer(HttpServer):
    """Ends some connections by RST, without a FIN before it."""

    handler = FaultyHandler

    def __init__(self, address: tuple[str, int], api: FaultyApi) -> None:
        super().__init__(address, api)
        self.stopping = threading.Event()
        self.resets: set[Any] = set()

    def shutdown_request(self, request: Any) -> None:
        if request in self.resets:
            self.resets.discard(request)
            self.close_request(request)
        super().shutdown_request(request)

    def stop(self) -> None:
        self.stopping.set()
        super().stop()


class Sandbox(server.Sandbox):
    """`with Sandbox(Quirks(quota=None)) as sandbox: … sandbox.api.faults …`."""

    server_type = FaultyHttpServer
    api: FaultyApi

    def __init__(
        self,
        quirks: Quirks | None = None,
        *,
        clock: Callable[[], float] = time.time,
        api: FaultyApi | None = None,
    ) -> None:
        super().__init__(api or FaultyApi(quirks, clock=clock))
