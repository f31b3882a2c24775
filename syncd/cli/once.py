"""`syncd --once`: reconcile every folder once, print a report, exit."""

from __future__ import annotations

import argparse
import logging
import sys
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from syncd.cli.failing import code_of, message_of, stopped_status
from syncd.cli.output import flush_all, one_terminal, tell_warning
from syncd.cli.result import Result
from syncd.cli.wiring import Hooks, Workshop, open_workshop
from syncd.config import Config, find_config, load_config
from syncd.engine.cycle import Cycle
from syncd.engine.meter import Meter
from syncd.engine.report import KEY, LATER, FolderReport
from syncd.engine.tools import Options, Progress, Silent
from syncd.engine.uploads import log as writes
from syncd.errors import StateDamaged, StateError, Stopped, UsageError
from syncd.model import TaskKey
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
from syncd.service.stopping import Stopping

log = logging.getLogger("syncd.once")


def once(arguments: argparse.Namespace) -> int:
    """Run, report, and return the exit status."""
    run = OnceRun(arguments)
    if one_terminal():
        # The report tells of every write: no need for a line in the log besides.
        writes.setLevel(logging.WARNING)
    with run.stopping.listening():
        try:
            run.begin()
        except UsageError:
            raise
        except Exception as error:
            run.result.fails(code_of(error), message_of(error))
        run.result.tell()
        return run.result.code


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
        self.stopping = Stopping(self._progress())
        self.stopping.tell = tell_warning
        self.stopping.out_of_patience = self._break_off
        self.stopping.status = stopped_status
        self.result = Result(arguments)
        self._sent: Callable[[], int] = lambda: 0
        """How many requests were sent so far."""

    def begin(self) -> None:
        """Run; once more where the ledger turned out damaged before anything was sent."""
        try:
            self.run()
        except StateDamaged:
            if self.result.requests:
                raise
            self.result = Result(self._arguments)
            self.run()

    def run(self) -> None:
        """Everything up to the report. Raises what ends a run before or between folders."""
        config = load_config(find_config(self._arguments.config))
        stopping = self.stopping
        hooks = Hooks(stopping.progress, stopping.sleep, checkpoint=stopping.checkpoint)
        with open_workshop(config, writing=not self._options.dry_run, hooks=hooks) as workshop:
            folders = find_folders(config, workshop.tools.ledger, time.time())
            targets, errors = chosen(folders, self._arguments.folder)
            for left in folders.left:
                tell_warning(str(left))
            if not self._options.dry_run:
                register(config, workshop.tools.ledger, targets)
            meter = workshop.tools.meter
            self._sent = meter.requests.total
            self.result.reports += errors
            try:
                self._run_folders(config, workshop, targets)
            finally:
                self.result.requests = self._sent()
                organizations = {t.folder.task.organization_id for t in targets}
                self.result.quota = quota_status(meter, organizations, time.time(), self._pauses())
                place = {target.folder.path: n for n, target in enumerate(targets)}
                self.result.reports.sort(key=lambda report: place.get(report.path, -1))

    def _run_folders(self, config: Config, workshop: Workshop, targets: Sequence[Target]) -> None:
        approvals = read_approvals(config.state_dir, time.time())
        for target in _waiting_first(targets, read_status(config.state_dir).get("folders", [])):
            task = target.folder.task
            if (why_not := self._why_not_go_on()) is not None:
                report = FolderReport.of(target.folder)
                report.fails(*why_not)
                self.result.reports.append(report)
                continue
            approval = approvals.get(task_text(task))
            ids = approval.ids if approval else frozenset()
            cycle = Cycle(workshop.tools, self._options, target.folder, ids)
            self.result.reports.append(cycle.report)
            self._run_one(cycle, workshop.tools.meter, task)
            if approval and not self._options.dry_run and cycle.report.decided:
                drop_approvals(config.state_dir, [task_text(task)], time.time())
        if not self._options.dry_run:
            self._note(config, workshop.tools.meter, targets)
            if workshop.tools.meter.key_worked and not config.api.sandbox:
                write_worked(config.state_dir, str(config.api.key_source))

    def _why_not_go_on(self) -> tuple[int, str] | None:
        """What keeps the folders that are left from being tried; None = nothing does."""
        if any(report.code == KEY for report in self.result.reports):
            return KEY, "not tried: the key was refused"
        if self.stopping.asked:
            self.result.stopped_by = self.stopping.asked
            return LATER, "not tried: the run was stopped"
        return None

    def _run_one(self, cycle: Cycle, meter: Meter, task: TaskKey) -> None:
        """What nobody foresaw is the trouble of one folder; a ledger that fails is everybody's."""
        report = cycle.report
        before = meter.requests[task]
        try:
            cycle.run()
        except StateError:
            raise
        except Stopped:
            self.result.stopped_by = self.stopping.asked
            report.fails(LATER, "stopped before all of it was done", "server")
        except Exception as error:
            log.debug("traceback", exc_info=True)
            report.fails(LATER, message_of(error), "server")
        report.requests = meter.requests[task] - before

    def _note(self, config: Config, meter: Meter, targets: Sequence[Target]) -> None:
        """Leave word for `status` and `approve`; folders not run now keep what was noted."""
        now = time.time()
        tasks = {t.folder.path: t.folder.task for t in targets}
        fresh = [folder_status(r, tasks.get(r.path), last_cycle=now) for r in self.result.reports]
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
        return [r.resumes_at for r in self.result.reports if r.cause == "quota"]

    def _progress(self) -> Progress:
        quiet = self._arguments.quiet or self._arguments.json
        if quiet or not sys.stderr.isatty():
            return Silent()
        from syncd.cli.terminal import Bar

        return Bar()

    def _break_off(self) -> None:
        self.result.breaks_off(self.stopping.asked, self._sent())
        self.result.tell()
        flush_all()
