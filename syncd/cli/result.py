"""What a run of `syncd --once` came to, and how it is told."""

from __future__ import annotations

import argparse
import threading
from dataclasses import dataclass, field
from typing import Any

from syncd.cli.failing import stopped_status
from syncd.cli.output import print_json, say, tell_failure
from syncd.cli.words import report_lines, summary, trouble_lines
from syncd.engine.report import KEY, LATER, OK, FolderReport, worst


@dataclass
class Result:
    """Grows with the run; told once, by the run itself or by the thread that ends it."""

    arguments: argparse.Namespace
    code: int = OK
    error: str | None = None
    """What ended the run before or between folders."""
    reports: list[FolderReport] = field(default_factory=list)
    requests: int = 0
    quota: dict[str, Any] = field(
        default_factory=lambda: {"remaining": None, "resets_in": None, "paused_until": None}
    )
    stopped_by: int = 0
    """The signal that stopped it before its end."""
    _telling: threading.Lock = field(default_factory=threading.Lock)
    _told: bool = False

    def fails(self, code: int, error: str) -> None:
        """Something ended the run."""
        self.code, self.error = worst([self.code, code]), error

    def breaks_off(self, number: int, requests: int) -> None:
        """An end was asked for, and what is under way does not come to its end."""
        self.stopped_by, self.requests = number, requests
        if not self.reports:
            self.fails(LATER, "stopped before anything was done")
        elif self.reports[-1].error is None:
            text = "stopped in the middle of a request: the next run looks what became of it"
            self.reports[-1].fails(LATER, text, "server")
            self.reports[-1].requests = requests - sum(r.requests for r in self.reports[:-1])

    def tell(self) -> None:
        """The report: one JSON document, or lines for people; what went wrong on stderr, too."""
        with self._telling:
            if self._told:
                return
            self._told = True
        self.code = worst([self.code, *(r.exit_code() for r in self.reports)])
        if self.stopped_by:
            self.code = stopped_status(self.stopped_by, self.code)
        quiet = self.arguments.quiet and not self.arguments.json
        if self.arguments.json:
            for hint in (hint for report in self.reports for hint in report.hints):
                say(hint, error=True)
            print_json(self._document())
        elif not quiet:
            self._print()
        for line in (line for report in self.reports for line in trouble_lines(report)):
            tell_failure(line, on_stdout=not quiet)
        if self.error is not None:
            tell_failure(self.error, on_stdout=self.arguments.json)

    def _print(self) -> None:
        dry_run, verbose = self.arguments.dry_run, self.arguments.verbose
        for report in self.reports:
            say(*report_lines(report, dry_run=dry_run, verbose=verbose))
        if self.reports:
            say(summary(self.reports, dry_run=dry_run))

    def _document(self) -> dict[str, Any]:
        errors = [r.error for r in self.reports if r.error and r.exit_code() == self.code]
        return {
            "version": 1,
            "exit": self.code,
            "dry_run": self.arguments.dry_run,
            "requests": self.requests,
            "error": self.error or (errors[0] if errors and self.code in (KEY, LATER) else None),
            "quota": self.quota,
            "folders": [report.as_json() for report in self.reports],
        }
