"""The progress bar of a terminal; imported only where there is one, since rich loads slowly."""

from __future__ import annotations

import threading

from rich.console import Console
from rich.progress import (
    BarColumn,
    DownloadColumn,
    Progress,
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

    def expect(self, files: int, size: int) -> None:
        """Show a bar for so many files and bytes, in place of the one before."""
        self.done()
        if size <= 0:
            return
        with self._lock:
            self._progress = Progress(
                TextColumn("{task.description}", markup=False),
                BarColumn(),
                DownloadColumn(binary_units=True),
                TransferSpeedColumn(),
                TimeRemainingColumn(),
                console=self._console,
                transient=True,
                redirect_stdout=False,  # rich would send it to stderr, too
            )
            self._progress.add_task(f"sending {files} file{'s' * (files != 1)}", total=size)
            self._progress.start()

    def sent(self, count: int) -> None:
        """Advance by so many bytes; called by the threads that send."""
        with self._lock:
            if self._progress is not None:
                self._progress.advance(self._progress.task_ids[0], count)

    def done(self) -> None:
        """Take the bar away, whether or not all was sent."""
        with self._lock:
            if self._progress is not None:
                self._progress.stop()
                self._progress = None
