"""An end that was asked for: where work can be left, and how long it may take."""

from __future__ import annotations

import os
import select
import signal
import threading
import time
from collections.abc import Callable

from syncd.engine.report import OK
from syncd.errors import Stopped

PATIENCE = 1.5
UPLOAD_PATIENCE = 18.0
"""Seconds that a request, or an upload, has to end."""
_SLICE = 1.0
_ENDS = (signal.SIGTERM, signal.SIGINT)


class Stopping:
    """Asked once, work ends where it can be left; asked twice, or out of patience, at once.

    Ending at once is safe: what was under way is an intent in the ledger, and is found or
    sent again after the next start.
    """

    def __init__(self) -> None:
        self.asked = False
        self.pulse: Callable[[], None] = lambda: None
        """Told while work goes on."""
        self.progress = _Uploading()

    def listen(self, wake: Callable[[], None]) -> None:
        """From now on SIGTERM and SIGINT ask; `wake` is called by the signal handler.

        A handler of Python's waits for the call that the main thread is in, which may be stuck.
        So a thread of its own reads the signals where the interpreter leaves them at once.
        """
        reader, writer = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
        signal.set_wakeup_fd(writer, warn_on_full_buffer=False)
        threading.Thread(target=self._attend, args=(reader,), name="stopping", daemon=True).start()

        def asked(*_: object) -> None:
            self.asked = True
            wake()

        for number in _ENDS:
            signal.signal(number, asked)

    def _attend(self, reader: int) -> None:
        """End at the second signal, or when patience ends after the first."""
        patience: float | None = None
        while True:
            ready, _, _ = select.select([reader], [], [], patience)
            numbers = os.read(reader, 256) if ready else b""
            asked = sum(number in _ENDS for number in numbers)
            if patience is not None and (asked or not ready):
                os._exit(OK)
            if asked > 1:
                os._exit(OK)
            if asked:
                patience = UPLOAD_PATIENCE if self.progress.going_on else PATIENCE

    def checkpoint(self) -> None:
        """Work can be left here. Raises Stopped."""
        if self.asked:
            raise Stopped("stopping")
        self.pulse()

    def sleep(self, seconds: float) -> None:
        """Sleep in slices, so that nobody who asks for an end waits for it."""
        until = time.monotonic() + seconds
        while (left := until - time.monotonic()) > 0:
            self.checkpoint()
            time.sleep(min(left, _SLICE))


class _Uploading:
    """Knows whether an upload is under way; it gets more time to end."""

    def __init__(self) -> None:
        self.going_on = False

    def expect(self, files: int, size: int) -> None:  # noqa: ARG002
        self.going_on = True

    def sent(self, count: int) -> None:
        pass

    def done(self) -> None:
        self.going_on = False
