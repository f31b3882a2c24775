"""What a run of `syncd --once` came to, and its report."""

from __future__ import annotations

import argparse
import threading
from collections.abc import Sequence
from typing import Any

from syncd.cli.errors import exit_code_of_signal
from syncd.cli.format import report_lines, summary, trouble_lines
from syncd.cli.output import print_error, print_json, print_lines, print_report
from syncd.engine.events import event
from syncd.engine.folder_run import FolderRun
from syncd.engine.report import KEY, LATER, OK, FolderReport, Trouble, worst
from syncd.overview.status import FolderStatus, QuotaStatus


class RunReport:
    """Grows with the run; printed once, by the run itself or by the thread that ends it."""

    def __init__(self, arguments: argparse.Namespace) -> None:
        self.arguments = arguments
        self.code = OK
        self.error: str | None = None
        """What ended the run before or between folders."""
        self.folders: list[FolderReport] = []
        self.requests = 0
        self.quota = QuotaStatus()
        self.prices: Sequence[str] = ()
        """Of a dry run: what the quota allows."""
        self.stopped_by = 0
        """The signal that stopped it before its end."""
        self._unprinted = threading.Lock()

    def fail(self, code: int, error: str) -> None:
        """Record what ended the run."""
        self.code, self.error = worst([self.code, code]), error

    def break_off(self, signal_number: int, requests: int, run: FolderRun | None) -> None:
        """Record that a signal ends the run, perhaps in the middle of a folder's `run`."""
        self.stopped_by, self.requests = signal_number, requests
        if run is not None:
            text = "stopped in the middle of a request: the next run looks what became of it"
            self.folders[-1] = run.unfinished(Trouble(LATER, text, "server"))
        elif not self.folders:
            self.fail(LATER, "stopped before anything was done")

    def print(self) -> None:
        """Print one JSON document, or lines for people; what went wrong goes to stderr, too."""
        if not self._unprinted.acquire(blocking=False):
            return
        self.code = worst([self.code, *(r.exit_code for r in self.folders)])
        if self.stopped_by:
            self.code = exit_code_of_signal(self.stopped_by, self.code)
        quiet = self.arguments.quiet and not self.arguments.json
        if self.arguments.json:
            hints = (hint for report in self.folders for hint in report.hints)
            print_lines(*hints, error=True)
            print_json(self._document())
        elif not quiet:
            self._print_lines()
        statuses = [FolderStatus.of(report, None, last_cycle=None) for report in self.folders]
        for status in statuses:
            extra = event("problem", status.name, status.task_id, reason=status.reason)
            for line in trouble_lines(status):
                print_error(line, on_stdout=not quiet, extra=extra)
        if self.error is not None:
            print_error(self.error, on_stdout=self.arguments.json)

    def _print_lines(self) -> None:
        dry_run, verbose = self.arguments.dry_run, self.arguments.verbose
        for report in self.folders:
            print_report(report_lines(report, dry_run=dry_run, verbose=verbose))
        if self.folders:
            print_lines(summary(self.folders, dry_run=dry_run), *self.prices)

    def _document(self) -> dict[str, Any]:
        errors = [r.error for r in self.folders if r.error and r.exit_code == self.code]
        return {
            "version": 1,
            "exit": self.code,
            "dry_run": self.arguments.dry_run,
            "requests": self.requests,
            "error": self.error or (errors[0] if errors and self.code in (KEY, LATER) else None),
            "quota": self.quota.to_json(),
            "folders": [report.as_json() for report in self.folders],
        }
