"""What a terminal shows while `--once` works: uploads, and requests of the quota.

It begins with the first upload, or when a run takes longer than a moment: rich loads slowly, and a
run that finds nothing to do is over by then.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from syncd.engine.context import Progress
from syncd.text import sanitized

if TYPE_CHECKING:
    from rich.console import Console, RenderableType
    from rich.live import Live
    from rich.progress import Progress as Bar

MOMENT = 1.0
"""Seconds without an upload until the display begins."""


class LiveDisplay(Progress):
    """One for a run; leaves no trace when it is closed. Threads that send may call it."""

    def __init__(self, console: Console | None = None) -> None:
        self._console = console
        self._lock = threading.Lock()
        self._live: Live | None = None
        self._bar: Bar | None = None
        self._closed = False
        self._began_at = time.monotonic()
        self._folder = ""
        self._requests = ""

    def begin(self, folder: str) -> None:
        """The run turns to this folder."""
        self._folder = sanitized(folder)
        if time.monotonic() - self._began_at > MOMENT:
            self._show()

    def requested(self, sent: Callable[[], int], left: Callable[[], int | None]) -> None:
        """A request goes out: so many of this run, so many left of the quota."""
        if self._live is None and time.monotonic() - self._began_at > MOMENT:
            self._show()
        if self._live is not None:
            known = left()
            of_quota = "" if known is None else f", {known} left of the quota"
            self._requests = f"{sent()} requests{of_quota}"

    def expect(self, files: int, size: int) -> None:
        """Show a bar for so many files and bytes, in place of the one before."""
        super().expect(files, size)
        if size <= 0:
            return
        self._show()
        bar = upload_bar()
        bar.add_task("", total=size, files=0, of=files)
        self._bar = bar

    def sent(self, count: int) -> None:
        """Advance by so many bytes."""
        if (bar := self._bar) is not None:
            bar.advance(bar.task_ids[0], count)

    def uploaded(self, files: int) -> None:
        """So many files more have arrived."""
        if (bar := self._bar) is not None:
            task = bar.tasks[0]
            bar.update(task.id, files=task.fields["files"] + files)

    def done(self) -> None:
        """Take the bar away, whether or not all was sent."""
        super().done()
        self._bar = None

    def close(self) -> None:
        """End the display."""
        with self._lock:
            self._closed = True
            live, self._live = self._live, None
        if live is not None:
            live.stop()
        self._bar = None

    def _show(self) -> None:
        with self._lock:
            if self._live is not None or self._closed:
                return
            from rich.console import Console
            from rich.live import Live

            self._live = Live(
                get_renderable=self._render,
                console=self._console or Console(stderr=True),
                refresh_per_second=8,
                transient=True,
                redirect_stdout=False,  # rich would send it to stderr, too
            )
            self._live.start()

    def _render(self) -> RenderableType:
        from rich.console import Group
        from rich.text import Text

        told = " · ".join(text for text in (self._folder, self._requests) if text)
        line = Text(told, no_wrap=True, overflow="ellipsis")
        return line if self._bar is None else Group(line, self._bar)


def upload_bar() -> Bar:
    """Files, bytes, rate and time left of the uploads of one plan."""
    from rich import progress

    return progress.Progress(
        progress.TextColumn("{task.fields[files]} of {task.fields[of]} files"),
        progress.BarColumn(),
        progress.DownloadColumn(binary_units=True),
        progress.TransferSpeedColumn(),
        progress.TimeRemainingColumn(),
    )
