"""The sandbox on a loopback port: `Sandbox` for code, `serve` for the command."""

from __future__ import annotations

import contextlib
import os
import signal
import threading
from collections.abc import Callable
from types import FrameType

from syncd.sandbox.api import FocusApi
from syncd.sandbox.http_server import HttpServer
from syncd.sandbox.messages import LoggedRequest

HOST = "127.0.0.1"


class Sandbox:
    """A Focus API on 127.0.0.1: `with Sandbox(FocusApi()) as sandbox: … sandbox.url …`."""

    server_type = HttpServer

    def __init__(self, api: FocusApi, port: int = 0) -> None:
        self.api = api
        self.port = port
        """0 = a free port is chosen at the start; a restart keeps it."""
        self._server: HttpServer | None = None
        self._thread: threading.Thread | None = None

    @property
    def url(self) -> str:
        """The base URL."""
        return f"http://{HOST}:{self.port}/api"

    def start(self) -> Sandbox:
        """Open the port and serve in a thread."""
        server = self.server_type((HOST, self.port), self.api)
        self.port = int(server.server_address[1])
        thread = threading.Thread(
            target=server.serve_forever, args=(0.02,), name="sandbox", daemon=True
        )
        thread.start()
        self._server, self._thread = server, thread
        return self

    def stop(self) -> None:
        """Close the port and all connections; the data stay."""
        if self._server is None or self._thread is None:
            return
        self._server.stop()
        self._thread.join()
        self._server = self._thread = None

    def __enter__(self) -> Sandbox:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()


def serve(
    port: int, quota: int, print_line: Callable[[str], None], data_dir: str | None = None
) -> None:
    """Serve until SIGINT or SIGTERM; print the URL, then one line per request.

    Call it in the main thread. Raises OSError if the port is taken.
    """
    sandbox = Sandbox(FocusApi(quota, data_dir=data_dir), port)
    lines = threading.Lock()

    def show(entry: LoggedRequest) -> None:
        # Go on serving when the reader has left (`| head`).
        with lines, contextlib.suppress(OSError):
            print_line(str(entry))

    sandbox.api.on_request = show
    # A pipe: a signal handler must not take the lock of an Event.
    read_end, write_end = os.pipe()

    def leave(_signal: int, _frame: FrameType | None) -> None:
        os.write(write_end, b"x")

    before = {number: signal.signal(number, leave) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        with sandbox:
            print_line(sandbox.url)
            os.read(read_end, 1)
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        os.close(read_end)
        os.close(write_end)
