"""`syncd --once`: reconcile every folder once, print a report, exit."""

from __future__ import annotations

import argparse
import logging
import sys
import time
from collections.abc import Callable, Sequence

from syncd.cli.assembly import Assembly, Hooks, assemble
from syncd.cli.errors import NOT_TRIED, exit_code_of, exit_code_of_signal, message_of
from syncd.cli.output import print_warning
from syncd.cli.run_report import RunReport
from syncd.cli.streams import flush_all, share_terminal
from syncd.config import find_config, load_config
from syncd.engine.context import Context, Options, Progress
from syncd.engine.folder_run import FolderRun
from syncd.engine.quota import QuotaMeter
from syncd.engine.report import KEY, LATER, FolderReport, Trouble
from syncd.engine.run import writes
from syncd.errors import StateDamaged, StateError, Stopped, UsageError
from syncd.model import Folder
from syncd.overview.folders import Folders, Target, choose, find_folders, register
from syncd.overview.status import FolderStatus, QuotaStatus, task_text
from syncd.overview.status_file import (
    Status,
    drop_approvals,
    read_approvals,
    read_status,
    record_worked_key,
    write_status,
)
from syncd.service.shutdown import Shutdown

log = logging.getLogger("syncd.once")


def run(arguments: argparse.Namespace) -> int:
    """Run, report, and return the exit status."""
    once = OnceRun(arguments)
    if share_terminal() and arguments.log_format == "text":
        # The report names every write: the log need not.
        writes.setLevel(logging.WARNING)
    with once.shutdown.handling_signals():
        try:
            once.begin()
        except UsageError:
            raise
        except Exception as error:
            once.report.fail(exit_code_of(error), message_of(error))
        once.shutdown.progress.close()
        once.report.print()
        return once.report.code


class OnceRun:
    """One run over all folders; whatever happens, `report` tells how far it came."""

    def __init__(self, arguments: argparse.Namespace) -> None:
        self._arguments = arguments
        self._options = Options(
            dry_run=arguments.dry_run,
            wait=arguments.wait,
            allow_delete=arguments.allow_delete,
            adopt_any_age=arguments.adopt,
            retry=arguments.retry,
        )
        self.shutdown = Shutdown(self._progress())
        self.shutdown.announce = print_warning
        self.shutdown.on_timeout = self._break_off
        self.shutdown.exit_status = exit_code_of_signal
        self.report = RunReport(arguments)
        self._requests: Callable[[], int] = lambda: 0
        """How many requests were sent so far."""
        self._folder_run: FolderRun | None = None
        """The run under way, of the folder whose report is the last."""

    def begin(self) -> None:
        """Run; once more if the ledger turns out to be damaged before anything is sent."""
        try:
            self.run()
        except StateDamaged:
            if self.report.requests:
                raise
            self.report = RunReport(self._arguments)
            self.run()

    def run(self) -> None:
        """Run all folders. Raises what ends a run before or between folders."""
        config = load_config(find_config(self._arguments.config))
        shutdown, writing = self.shutdown, not self._options.dry_run
        hooks = Hooks(shutdown.progress, shutdown.sleep, checkpoint=shutdown.checkpoint)
        with assemble(config, writing=writing, hooks=hooks) as assembly:
            folders = find_folders(config, assembly.context.ledger)
            targets, errors = choose(folders, self._arguments.folder)
            for removed in folders.removed:
                print_warning(str(removed))
            if writing:
                register(config, assembly.context.ledger, targets)
            self._requests = assembly.context.quota.requests.total
            self.report.folders += errors
            try:
                self._run_folders(assembly, targets)
                if writing:
                    self._write_status(assembly, targets, folders)
            finally:
                self.report.requests = self._requests()
                self.report.quota = self._quota(assembly, targets)
                if not writing:
                    self.report.prices = self._prices(assembly.context.quota, targets)
                place = {target.folder.path: n for n, target in enumerate(targets)}
                self.report.folders.sort(key=lambda report: place.get(report.path, -1))

    def _run_folders(self, assembly: Assembly, targets: Sequence[Target]) -> None:
        state_dir, reports = assembly.config.state_dir, self.report.folders
        approvals = read_approvals(state_dir, time.time())
        # First those for which the last run had no requests left: so a quota that never suffices
        # for all of them is spent on each in turn.
        paused = {s.path for s in read_status(state_dir).folders if s.state == "paused"}
        not_tried: Trouble | None = None
        for target in sorted(targets, key=lambda target: target.folder.path not in paused):
            if self.shutdown.signal and not_tried is None:
                self.report.stopped_by = self.shutdown.signal
                not_tried = Trouble(LATER, "not tried: the run was stopped")
            reports.append(FolderReport.of(target.folder, not_tried))
            if not_tried is not None:
                continue
            task = task_text(target.folder.task)
            approval = approvals.get(task)
            ids = approval.ids if approval else frozenset()
            report = reports[-1] = self._run_one(assembly.context, target.folder, ids)
            if approval and not self._options.dry_run and report.is_decided:
                drop_approvals(state_dir, [task], time.time())
            if report.code == KEY:
                not_tried = Trouble(KEY, NOT_TRIED, "key")

    def _run_one(self, context: Context, folder: Folder, approved: frozenset[int]) -> FolderReport:
        """Run one folder; an unexpected error is its own trouble, a failing ledger everybody's."""
        run = FolderRun(context, self._options, folder, context.ledger.task(folder.task), approved)
        self._folder_run = run
        try:
            return run.run()
        except StateError:
            self.report.folders[-1] = run.unfinished()
            raise
        except Stopped:
            self.report.stopped_by = self.shutdown.signal
            trouble = Trouble(LATER, "stopped before all of it was done", "server")
        except Exception as error:
            log.debug("traceback", exc_info=True)
            trouble = Trouble(LATER, message_of(error), "server")
        finally:
            self._folder_run = None
        return run.report(trouble)

    def _write_status(
        self, assembly: Assembly, targets: Sequence[Target], folders: Folders
    ) -> None:
        """Write the status file, and what else the config names; folders that were not run keep
        the status that they had."""
        config, now, reports = assembly.config, time.time(), self.report.folders
        tasks = {t.folder.path: t.folder.task for t in targets}
        run = [FolderStatus.of(r, tasks.get(r.path), last_cycle=now) for r in reports]
        paths = {status.path for status in run}
        kept = [s for s in read_status(config.state_dir).folders if s.path not in paths]
        quota = self._quota(assembly, targets)
        write_status(config.state_dir, Status((*kept, *run), quota, config.file))
        if assembly.context.quota.key_worked and not config.api.sandbox:
            record_worked_key(config.state_dir, str(config.api.key_source))
        if config.has_outputs or config.on_problem:
            from syncd.cli.once_exports import export  # few configs name any

            ledger = assembly.context.ledger
            export(config, ledger, folders, run, now, lambda: bool(self.shutdown.signal))

    def _quota(self, assembly: Assembly, targets: Sequence[Target]) -> QuotaStatus:
        organizations = {t.folder.task.organization_id for t in targets}
        pauses = [r.resumes_at for r in self.report.folders if r.cause == "quota"]
        return QuotaStatus.of(assembly.context.quota, organizations, time.time(), pauses)

    def _prices(self, meter: QuotaMeter, targets: Sequence[Target]) -> list[str]:
        from syncd.cli.price import price_lines  # only a dry run needs it

        requests = {report.path: report.planned_requests for report in self.report.folders}
        folders = (target.folder for target in targets)
        planned = [(f.task.organization_id, requests.get(f.path, 0)) for f in folders]
        return [*price_lines(planned, meter, time.time())]

    def _progress(self) -> Progress:
        quiet = self._arguments.quiet or self._arguments.json
        if quiet or not sys.stderr.isatty():
            return Progress()
        from syncd.cli.live_display import LiveDisplay

        return LiveDisplay()

    def _break_off(self) -> None:
        self.report.break_off(self.shutdown.signal, self._requests(), self._folder_run)
        self.report.print()
        flush_all()
