"""For a terminal: a progress bar while files are sent, a table at the end.

Imported only where there is a terminal: rich takes its time.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence

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
from rich.table import Table
from rich.text import Text

from syncd.cli.output import shown
from syncd.cli.words import counts, standing
from syncd.engine.report import FolderReport

_STYLES = {"in sync": "green", "to be done": "yellow", "later": "yellow", "pending": "yellow"}


class Bar:
    """The bytes of one folder's uploads; there while they are sent, then gone without a trace."""

    def __init__(self, console: Console | None = None) -> None:
        self._console = console or Console(stderr=True)
        self._lock = threading.Lock()
        self._progress: Progress | None = None
        self._task = TaskID(0)
        self._left = 0

    def expect(self, files: int, size: int) -> None:
        """So many files and bytes are about to be sent; what was expected before is not."""
        with self._lock:
            self._end()
            self._left = size
            if size <= 0:
                return
            self._progress = _progress(self._console)
            what = f"sending {files} file{'s' if files != 1 else ''}"
            self._task = self._progress.add_task(what, total=size)
            self._progress.start()

    def sent(self, count: int) -> None:
        """So many bytes more went out; called by the threads that send."""
        with self._lock:
            self._left -= count
            if self._progress is not None:
                self._progress.advance(self._task, count)
            if self._left <= 0:
                self._end()

    def done(self) -> None:
        """Leave the terminal as it was, whatever did not get sent."""
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


def table(
    reports: Sequence[FolderReport], *, dry_run: bool = False, console: Console | None = None
) -> None:
    """Print one row per folder; kinds of which there is nothing have no column."""
    per_folder = [counts([report], dry_run=dry_run) for report in reports]
    kinds = [kind for kind, n in counts(reports, dry_run=dry_run).items() if n]
    made = Table()
    made.add_column("folder", overflow="fold")
    for title in ("task", "state"):
        made.add_column(title)
    undone = [
        name for name in ("held", "contested", "failed") if any(getattr(r, name) for r in reports)
    ]
    for title in (*kinds, *undone, "requests"):
        made.add_column(title, justify="right")
    for report, count in zip(reports, per_folder, strict=True):
        state = standing(report, dry_run=dry_run)
        requests = report.planned_requests if dry_run else report.requests
        numbers = [*(count[k] for k in kinds), *(len(getattr(report, u)) for u in undone), requests]
        made.add_row(
            Text(shown(report.name)),
            str(report.task_id or "-"),
            Text(state, style=_STYLES.get(state, "red")),
            *map(str, numbers),
        )
    (console or Console()).print(made)
