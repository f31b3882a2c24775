"""End the process on SIGTERM or SIGINT: where work may stop, and how long it may still take."""

from __future__ import annotations

import logging
import os
import select
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

from syncd.engine.context import Progress
from syncd.engine.report import OK
from syncd.errors import Stopped

log = logging.getLogger("syncd.service")

GRACE = 1.5
UPLOAD_GRACE = 12.0
"""Seconds that a request, or an upload, has to end."""
_SLICE = 1.0
_SIGNALS = (signal.SIGTERM, signal.SIGINT)


class Shutdown:
    """Stops work at its next checkpoint; ends the process at a second signal or after the grace.

    Ending at once is safe: requests in flight are intents in the ledger, which the next start
    finds in the task or sends again.
    """

    def __init__(self, progress: Progress | None = None) -> None:
        """`progress` knows whether uploads are in flight: they get the longer grace."""
        self.signal = 0
        """The first signal that came; 0 = none."""
        self.heartbeat: Callable[[], None] = lambda: None
        """Called at every checkpoint."""
        self.wake: Callable[[], None] = lambda: None
        """Called by the signal handler."""
        self.announce: Callable[[str], None] = lambda text: log.info("%s", text)
        self.on_timeout: Callable[[], None] = lambda: None
        """Called before the process ends after the grace."""
        self.exit_status: Callable[[int], int] = lambda _: OK
        """The exit status of a process that ends at once, by the first signal."""
        self.progress = progress or Progress()
        self._announcing = threading.Lock()
        self._announced = False

    @contextmanager
    def handling_signals(self) -> Iterator[None]:
        """Handle SIGTERM and SIGINT, also in a process with number 1.

        Python runs a signal handler only after the call that the main thread is in, which may
        hang. So a thread of its own reads the signals from the interpreter's wakeup descriptor.
        """
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        reader, writer = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
        before = signal.set_wakeup_fd(writer, warn_on_full_buffer=False)
        handlers = {number: signal.signal(number, self._request) for number in _SIGNALS}
        thread = threading.Thread(
            target=self._read_signals, args=(reader,), name="shutdown", daemon=True
        )
        thread.start()
        try:
            yield
        finally:
            # After a signal the grace holds to the very end of the process.
            if not self.signal:
                for number, handler in handlers.items():
                    signal.signal(number, handler)
                signal.set_wakeup_fd(before)
                os.close(writer)
                thread.join()
                os.close(reader)

    def _request(self, number: int, _frame: object) -> None:
        self.signal = self.signal or number
        self.wake()

    def _read_signals(self, reader: int) -> None:
        """End the process at the second signal, or when the grace ends after the first."""
        until: float | None = None
        first = 0
        while True:
            left = None if until is None else max(until - time.monotonic(), 0.0)
            ready, _, _ = select.select([reader], [], [], left)
            numbers = os.read(reader, 256) if ready else b""
            if ready and not numbers:
                return  # The writing end is closed.
            received = [number for number in numbers if number in _SIGNALS]
            if ready and not received:
                continue
            # The handler may have to wait for the call that the main thread is in.
            self.signal = first = first or received[0]
            if until is not None or len(received) > 1:
                self._end(first, timeout=not received)
            grace = UPLOAD_GRACE if self.progress.uploading else GRACE
            until = time.monotonic() + grace
            self.announce_once()

    def announce_once(self) -> None:
        """Tell people that the process stops, and for how long an upload may hold it."""
        with self._announcing:
            if self._announced:
                return
            self._announced = True
            if self.progress.uploading:
                self.announce(
                    f"stopping: what is being uploaded has {UPLOAD_GRACE:.0f} s to end; a "
                    "second signal (Ctrl-C) ends it at once"
                )
            else:
                self.announce("stopping")

    def _end(self, number: int, *, timeout: bool) -> None:
        with suppress(Exception):
            self.progress.close()
            if timeout:
                self.on_timeout()
        os._exit(self.exit_status(number))

    def checkpoint(self) -> None:
        """Work may stop here: raises Stopped if it is to."""
        if self.signal:
            raise Stopped("stopping")
        self.heartbeat()

    def sleep(self, seconds: float) -> None:
        """Sleep, with a checkpoint each second."""
        until = time.monotonic() + seconds
        while (left := until - time.monotonic()) > 0:
            self.checkpoint()
            time.sleep(min(left, _SLICE))
