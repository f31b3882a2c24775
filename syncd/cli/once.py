"""`syncd --once`: reconcile every folder once, print a report, exit."""

from __future__ import annotations

import argparse
import logging
import sys
import time
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from syncd.cli.output import print_json, say, tell_failure
from syncd.cli.wiring import Hooks, Workshop, open_workshop
from syncd.cli.words import report_lines, summary
from syncd.config import Config, find_config, load_config
from syncd.engine.cycle import Cycle
from syncd.engine.meter import Meter
from syncd.engine.report import KEY, LATER, OK, FolderReport, worst
from syncd.engine.tools import Options, Progress, Silent
from syncd.errors import StateDamaged, StateError, UsageError
from syncd.service.folders import Target, chosen, find_folders, register
from syncd.service.notes import (
    drop_approvals,
    read_approvals,
    read_status,
    task_text,
    write_status,
    write_worked,
)
from syncd.service.status import folder_status, quota_status

log = logging.getLogger("syncd.once")


def once(arguments: argparse.Namespace) -> int:
    """Run, report, and return the exit status."""
    run = OnceRun(arguments)
    try:
        try:
            run.run()
        except StateDamaged:
            if run.requests:
                raise
            run = OnceRun(arguments)
            run.run()
    except (UsageError, KeyboardInterrupt):
        raise
    except Exception as error:
        from syncd.cli.failing import code_of, message_of

        run.code, run.error = worst([run.code, code_of(error)]), message_of(error)
    run.tell()
    return run.code


def _run(cycle: Cycle) -> None:
    """What nobody foresaw is the trouble of one folder; a ledger that fails is everybody's."""
    try:
        cycle.run()
    except (StateError, KeyboardInterrupt):
        raise
    except Exception as error:
        from syncd.cli.failing import message_of

        log.debug("traceback", exc_info=True)
        cycle.report.fails(LATER, message_of(error), "server")


def _waiting_first(targets: Iterable[Target], before: Iterable[Mapping[str, Any]]) -> list[Target]:
    """Those come first for which the last run had no requests left: a quota that never suffices
    for all of them goes round."""
    waiting = {row.get("path") for row in before if row.get("state") == "paused"}
    return sorted(targets, key=lambda target: target.folder.path not in waiting)


class OnceRun:
    """One run over all folders; keeps what there is to report, whatever happens."""

    def __init__(self, arguments: argparse.Namespace) -> None:
        self._arguments = arguments
        self._options = Options(
            dry_run=arguments.dry_run,
            wait=arguments.wait,
            allow_delete=arguments.allow_delete,
            adopt_any_age=arguments.adopt,
            retry=arguments.retry,
        )
        self.code = OK
        self.error: str | None = None
        self.reports: list[FolderReport] = []
        self.requests = 0
        self._quota: dict[str, Any] = {
            "remaining": None,
            "resets_in": None,
            "paused_until": None,
        }

    def run(self) -> None:
        """Everything up to the report. Raises what ends a run before or between folders."""
        config = load_config(find_config(self._arguments.config))
        with open_workshop(
            config, writing=not self._options.dry_run, hooks=Hooks(self._progress())
        ) as workshop:
            folders = find_folders(config, workshop.tools.ledger, time.time())
            targets, errors = chosen(folders, self._arguments.folder)
            for left in folders.left:
                say(str(left), error=True)
            if not self._options.dry_run:
                register(config, workshop.tools.ledger, targets)
            self.reports += errors
            try:
                self._run_folders(config, workshop, targets)
            finally:
                meter = workshop.tools.meter
                self.requests = sum(meter.requests.values())
                organizations = {t.folder.task.organization_id for t in targets}
                self._quota = quota_status(meter, organizations, time.time(), self._pauses())
                self.code = worst([self.code, *(r.exit_code() for r in self.reports)])
                place = {target.folder.path: n for n, target in enumerate(targets)}
                self.reports.sort(key=lambda report: place.get(report.path, -1))

    def _run_folders(self, config: Config, workshop: Workshop, targets: Sequence[Target]) -> None:
        approvals = read_approvals(config.state_dir, time.time())
        for target in _waiting_first(targets, read_status(config.state_dir).get("folders", [])):
            task = target.folder.task
            if any(report.code == KEY for report in self.reports):
                report = FolderReport.of(target.folder)
                report.fails(KEY, "not tried: the key was refused")
                self.reports.append(report)
                continue
            approval = approvals.get(task_text(task))
            ids = approval.ids if approval else frozenset()
            cycle = Cycle(workshop.tools, self._options, target.folder, ids)
            self.reports.append(cycle.report)
            _run(cycle)
            if approval and not self._options.dry_run and cycle.report.decided:
                drop_approvals(config.state_dir, [task_text(task)], time.time())
        if not self._options.dry_run:
            self._note(config, workshop.tools.meter, targets)
            if workshop.tools.meter.key_worked and not config.api.sandbox:
                write_worked(config.state_dir, str(config.api.key_source))

    def _note(self, config: Config, meter: Meter, targets: Sequence[Target]) -> None:
        """Leave word for `status` and `approve`; folders not run now keep what was noted."""
        now = time.time()
        tasks = {t.folder.path: t.folder.task for t in targets}
        fresh = [folder_status(r, tasks.get(r.path), last_cycle=now) for r in self.reports]
        paths = {f["path"] for f in fresh}
        before = read_status(config.state_dir).get("folders", [])
        kept = [f for f in before if f.get("path") not in paths]
        organizations = {t.organization_id for t in tasks.values()}
        write_status(
            config.state_dir,
            {
                "version": 1,
                "config": config.file,
                "quota": quota_status(meter, organizations, now, self._pauses()),
                "folders": [*kept, *fresh],
            },
        )

    def _pauses(self) -> list[float | None]:
        return [r.resumes_at for r in self.reports if r.cause == "quota"]

    def _progress(self) -> Progress:
        quiet = self._arguments.quiet or self._arguments.json
        if quiet or not sys.stderr.isatty():
            return Silent()
        from syncd.cli.terminal import Bar

        return Bar()

    def tell(self) -> None:
        """The report: one JSON document, or lines for people."""
        if self._arguments.json:
            for hint in (hint for report in self.reports for hint in report.hints):
                say(hint, error=True)
            print_json(self._document())
            return
        for report in self.reports:
            lines = report_lines(
                report, dry_run=self._options.dry_run, verbose=self._arguments.verbose
            )
            for line in lines if not self._arguments.quiet or report.exit_code() else ():
                say(line)
        if self.error is not None:
            tell_failure(self.error)
        if not self._arguments.quiet and self.reports:
            say(summary(self.reports, dry_run=self._options.dry_run))

    def _document(self) -> dict[str, Any]:
        errors = [r.error for r in self.reports if r.error and r.exit_code() == self.code]
        return {
            "version": 1,
            "exit": self.code,
            "dry_run": self._options.dry_run,
            "requests": self.requests,
            "error": self.error or (errors[0] if errors and self.code in (KEY, LATER) else None),
            "quota": self._quota,
            "folders": [report.as_json() for report in self.reports],
        }
