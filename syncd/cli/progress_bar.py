"""The progress bar of a terminal; imported only where there is one, since rich loads slowly."""

from __future__ import annotations

import threading

from rich.console import Console
from rich.progress import (
    BarColumn,
    DownloadColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeRemainingColumn,
    TransferSpeedColumn,
)


class ProgressBar:
    """Shows the bytes of one folder's uploads while they are sent, and leaves no trace."""

    def __init__(self, console: Console | None = None) -> None:
        self._console = console or Console(stderr=True)
        self._lock = threading.Lock()
        self._progress: Progress | None = None
        self._task = TaskID(0)
        self._left = 0

    def expect(self, files: int, size: int) -> None:
        """Show a bar for so many files and bytes, in place of the one before."""
        with self._lock:
            self._end()
            self._left = size
            if size <= 0:
                return
            self._progress = _progress(self._console)
            text = f"sending {files} file{'s' * (files != 1)}"
            self._task = self._progress.add_task(text, total=size)
            self._progress.start()

    def sent(self, count: int) -> None:
        """Advance by so many bytes; called by the threads that send."""
        with self._lock:
            self._left -= count
            if self._progress is not None:
                self._progress.advance(self._task, count)
            if self._left <= 0:
                self._end()

    def done(self) -> None:
        """Take the bar away, whether or not all was sent."""
        with self._lock:
            self._end()

    def _end(self) -> None:
        if self._progress is not None:
            self._progress.stop()
            self._progress = None


def _progress(console: Console) -> Progress:
    return Progress(
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        DownloadColumn(binary_units=True),
        TransferSpeedColumn(),
        TimeRemainingColumn(),
        console=console,
        transient=True,
        redirect_stdout=False,  # rich would send it to stderr, too
    )
