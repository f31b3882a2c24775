"""An end that was asked for: where work can be left, and how long it may take."""

from __future__ import annotations

import logging
import os
import select
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

from syncd.engine.report import OK
from syncd.engine.tools import Progress, Silent
from syncd.errors import Stopped

log = logging.getLogger("syncd.service")

PATIENCE = 1.5
UPLOAD_PATIENCE = 12.0
"""Seconds that a request, or an upload, has to end."""
_SLICE = 1.0
_ENDS = (signal.SIGTERM, signal.SIGINT)


class Stopping:
    """Asked once, work ends where it can be left; asked twice, or out of patience, at once.

    Ending at once is safe: what was under way is an intent in the ledger, and is found or
    sent again after the next start.
    """

    def __init__(self, progress: Progress | None = None) -> None:
        """`progress` hears what `self.progress` is told."""
        self.asked = 0
        """The signal that asked; 0 = none did."""
        self.pulse: Callable[[], None] = lambda: None
        """Told while work goes on."""
        self.wake: Callable[[], None] = lambda: None
        """Called by the signal handler."""
        self.tell: Callable[[str], None] = lambda text: log.info("%s", text)
        self.out_of_patience: Callable[[], None] = lambda: None
        """Called before the process is ended, unless a second signal wants it at once."""
        self.status: Callable[[int], int] = lambda _: OK
        """The exit status of a process that this signal ends at once."""
        self.progress = _Uploading(progress or Silent())
        self._telling = threading.Lock()
        self._told = False

    @contextmanager
    def listening(self) -> Iterator[None]:
        """Meanwhile SIGTERM and SIGINT ask, also in a process with number 1.

        A handler of Python's waits for the call that the main thread is in, which may be stuck.
        So a thread of its own reads the signals where the interpreter leaves them at once.
        """
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        reader, writer = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
        before = signal.set_wakeup_fd(writer, warn_on_full_buffer=False)
        handlers = {number: signal.signal(number, self._ask) for number in _ENDS}
        thread = threading.Thread(target=self._attend, args=(reader,), name="stopping", daemon=True)
        thread.start()
        try:
            yield
        finally:
            # Once it was asked, patience counts to the very end of the process.
            if not self.asked:
                for number, handler in handlers.items():
                    signal.signal(number, handler)
                signal.set_wakeup_fd(before)
                os.close(writer)
                thread.join()
                os.close(reader)

    def _ask(self, number: int, _frame: object) -> None:
        self.asked = self.asked or number
        self.wake()

    def _attend(self, reader: int) -> None:
        """End at the second signal, or when patience ends after the first."""
        until: float | None = None
        first = 0
        while True:
            left = None if until is None else max(until - time.monotonic(), 0.0)
            ready, _, _ = select.select([reader], [], [], left)
            numbers = os.read(reader, 256) if ready else b""
            if ready and not numbers:
                return  # Nobody listens any more.
            asked = [number for number in numbers if number in _ENDS]
            if ready and not asked:
                continue
            # The handler may have to wait for the call that the main thread is in.
            self.asked = first = first or asked[0]
            if until is not None or len(asked) > 1:
                self._end(first, at_once=bool(asked))
            patience = UPLOAD_PATIENCE if self.progress.going_on else PATIENCE
            until = time.monotonic() + patience
            self.tell_once()

    def tell_once(self) -> None:
        """Say that an end was asked for, or has come."""
        with self._telling:
            if self._told:
                return
            self._told = True
            if self.progress.going_on:
                self.tell(
                    f"stopping: what is being uploaded has {UPLOAD_PATIENCE:.0f} s to end; a "
                    "second signal (Ctrl-C) ends it at once"
                )
            else:
                self.tell("stopping")

    def _end(self, number: int, *, at_once: bool) -> None:
        with suppress(Exception):
            self.progress.done()
            if not at_once:
                self.out_of_patience()
        os._exit(self.status(number))

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

    def __init__(self, inner: Progress) -> None:
        self.going_on = False
        self._inner = inner

    def expect(self, files: int, size: int) -> None:
        self.going_on = True
        self._inner.expect(files, size)

    def sent(self, count: int) -> None:
        self._inner.sent(count)

    def done(self) -> None:
        self.going_on = False
        self._inner.done()
