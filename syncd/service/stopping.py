"""An end that was asked for: where work can be left, and how long it may take."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable

from syncd.engine.report import OK
from syncd.errors import Stopped

PATIENCE = 1.5
UPLOAD_PATIENCE = 18.0
"""Seconds that a request, or an upload, has to end."""
_SLICE = 1.0


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

    def ask(self) -> None:
        """Called by a signal handler: takes no lock."""
        if self.asked:
            os._exit(OK)
        self.asked = True
        patience = UPLOAD_PATIENCE if self.progress.going_on else PATIENCE
        timer = threading.Timer(patience, os._exit, (OK,))
        timer.daemon = True
        timer.start()

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
