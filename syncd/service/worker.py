"""Run the cycles that are due, one at a time, and schedule the next ones.

The worker has no threads and no timers: `run_due` does what is due now, `next_due` says when to
call it again.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field

from syncd.engine.context import Context, Options
from syncd.engine.folder_run import FolderRun
from syncd.engine.report import KEY, LATER, Cause, FolderReport, Trouble
from syncd.errors import StateError, Stopped
from syncd.model import TaskKey
from syncd.overview.folders import Target
from syncd.overview.status import task_text
from syncd.overview.status_file import Approval
from syncd.service.folder_state import FolderState
from syncd.service.next_cycle import (
    Pause,
    pace_next,
    refresh_interval,
    retry_refused_files,
    schedule_next,
)
from syncd.service.report_log import ReportLog
from syncd.service.schedule import Schedule

log = logging.getLogger("syncd.worker")


@dataclass
class Worker:
    """`clock` gives monotonic seconds; `context.clock` gives seconds since the epoch."""

    context: Context
    clock: Callable[[], float]
    approvals: Callable[[], Mapping[str, Approval]]
    drop_approvals: Callable[[Sequence[str]], None]
    folders: dict[TaskKey, FolderState] = field(default_factory=dict)
    pause: Pause = field(default_factory=Pause)
    syncing: TaskKey | None = None
    """The task of the cycle that runs now."""
    report_log: ReportLog = field(default_factory=ReportLog)
    on_change: Callable[[], None] = lambda: None
    """Called when the status of a folder may have changed."""
    on_report: Callable[[Target, FolderReport], None] = lambda *_: None
    """Called after each cycle."""
    on_key_refused: Callable[[], None] = lambda: None
    _folders_of: Counter[int] = field(default_factory=Counter)
    """Number of folders, by organization."""
    _limits: dict[int, int] = field(default_factory=dict)
    """Requests an hour, by organization, that the refresh intervals were computed from."""

    def set_targets(self, targets: Sequence[Target]) -> list[Target]:
        """Work on exactly these folders; returns those that are new or changed."""
        states: dict[TaskKey, FolderState] = {}
        new = []
        for target in targets:
            state = known = self.folders.get(target.folder.task)
            if state is None or state.target != target:
                state = self._first_state(target, known)
                new.append(target)
            states[target.folder.task] = state
        self.folders = states
        self._folders_of = Counter(task.organization_id for task in states)
        self._limits = {}
        return new

    def changed(self, task: TaskKey) -> None:
        """The watcher saw a change in the folder of this task."""
        if task in self.folders:
            self.folders[task].schedule.changed(self.clock())

    def moved(self, task: TaskKey) -> None:
        """The folder itself came or went, which causes no event."""
        if task in self.folders:
            self.folders[task].schedule.moved(self.clock())

    def force_all(self) -> None:
        """Make a cycle of every folder due now, and forget all delays."""
        self.pause.end()
        for state in self.folders.values():
            state.schedule.force()

    def rescan(self, *, everything: bool = False) -> None:
        """Scan folders for changes that no event told of; sends no request.

        Folders whose rescan is due more than half an interval from now are left for a later
        call, unless `everything` is to be scanned.
        """
        now = self.clock()
        for state in self.folders.values():
            interval = state.target.rescan
            if not everything and now + interval / 2 < state.rescan_at:
                continue
            state.rescan_at = now + interval
            schedule = state.schedule
            if schedule.has_changes() or schedule.never_ran:
                continue
            if state.has_changed(self.context.clock()):
                schedule.changed(now)

    def next_due(self) -> float:
        """When `run_due` has something to do, in monotonic seconds; infinity = nothing is due."""
        cycles = (s.schedule.due_at() for s in self.folders.values())
        return max(min(cycles, default=float("inf")), self.pause.ends_at())

    def run_due(self, *, until_request: bool = False) -> None:
        """Run each cycle that is due now, the one that waited longest first; with
        `until_request` none after the first that sent a request."""
        self._set_refresh_intervals()
        for state in self._due():
            if self.clock() < self.pause.ends_at():
                return
            self.context.checkpoint()
            if self._can_wait(state):
                continue
            report = self._cycle(state)
            if until_request and report.requests:
                return

    def key_changed(self) -> None:
        """A new key is in use: try it at once."""
        if self.pause.key_refused:
            self.pause.key_refused = False
            for state in self.folders.values():
                state.schedule.force()
            self.on_change()

    def _due(self) -> Iterable[FolderState]:
        now = self.clock()
        due = [(s.schedule.due_at(), s) for s in self.folders.values()]
        ready = [(at, state) for at, state in due if at <= now]
        return [state for _, state in sorted(ready, key=lambda pair: pair[0])]

    def _can_wait(self, state: FolderState) -> bool:
        """Whether a scan, which sends no request, shows that no cycle is needed yet."""
        began, schedule = self.clock(), state.schedule
        if not schedule.needs_scan_first(began):
            return False
        can_wait = state.can_wait(began, self.context.clock())
        schedule.scan_took = self.clock() - began
        if can_wait:
            self.on_change()
        return can_wait

    def _cycle(self, state: FolderState) -> FolderReport:
        target, began = state.target, self.clock()
        task = target.folder.task
        list_first = state.schedule.needs_list(began)
        options = Options(once=False, settle=target.settle, list_first=list_first)
        approval = self.approvals().get(task_text(task))
        state.begin_run(began)
        self.syncing = task
        self.on_change()
        try:
            report = self._run(state, options, approval.ids if approval else frozenset())
        finally:
            self.syncing = None
        if approval and report.is_decided:
            self._drop_approval(task)
        self._schedule(state, report)
        if report.code == KEY:
            self.on_key_refused()
        self.report_log.log(target.folder.name, report)
        self.on_report(target, report)
        self.on_change()
        return report

    def _schedule(self, state: FolderState, report: FolderReport) -> None:
        """Decide when the next cycle comes."""
        now, wall = self.clock(), self.context.clock()
        state.report, state.last_cycle = report, wall
        state.sent_at = now if report.requests else None
        schedule_next(state, report, self.pause, now, wall)
        if state.ledger is not None:
            retry_refused_files(state.schedule, state.ledger.state, now, wall)
        pace_next(state, report, self.context.quota, now, self.folders.values())

    def _run(self, state: FolderState, options: Options, approved: frozenset[int]) -> FolderReport:
        """The report of one run; an error becomes the trouble of this folder, tried again later."""
        cause: Cause
        folder, ledger = state.target.folder, self.context.ledger
        run: FolderRun | None = None
        try:
            ledger.prove_writable()
            if state.ledger is None:
                state.ledger = ledger.task(folder.task)
            run = FolderRun(self.context, options, folder, state.ledger, approved)
            report = run.run()
            now, wall = self.clock(), self.context.clock()
            state.record_run(run.observer, report.requests, now, wall)
            return report
        except Stopped:
            raise
        except StateError as error:
            text, cause = str(error), "files"
            self.renew_ledger()
        except Exception as error:
            log.debug("traceback", exc_info=True)
            # It may have cost requests: wait as if the server had failed.
            text, cause = f"unexpected {type(error).__name__}: {error}", "server"
        state.schedule.listed_at = None
        trouble = Trouble(LATER, text, cause)
        return FolderReport.of(folder, trouble) if run is None else run.unfinished(trouble)

    def renew_ledger(self) -> None:
        """The ledger failed: begin again with the file as it is now."""
        for state in self.folders.values():
            state.ledger = None
        with suppress(StateError):
            self.context.ledger.renew()

    def _drop_approval(self, task: TaskKey) -> None:
        try:
            self.drop_approvals([task_text(task)])
        except StateError as error:
            # It names attachments that are gone, so keeping it does no harm.
            log.warning("%s", error)

    def _set_refresh_intervals(self) -> None:
        """Share out the refreshes of each organization, if its limit or the folders changed."""
        limits = {o: self.context.quota.limit(o) for o in self._folders_of}
        if limits == self._limits:
            return
        self._limits = limits
        for task, state in self.folders.items():
            organization = task.organization_id
            folders, limit = self._folders_of[organization], limits[organization]
            state.schedule.refresh_every = refresh_interval(folders, limit)

    def _first_state(self, target: Target, known: FolderState | None) -> FolderState:
        """The state of a folder that is new, or whose settings changed.

        The list that the ledger remembers keeps its age over a restart.
        """
        ledger = known.ledger if known else None
        ledger = ledger or self.context.ledger.task(target.folder.task)
        schedule = Schedule(target.settle, target.refresh)
        if (listed_at := ledger.state.listed_at) is not None:
            age = self.context.clock() - listed_at
            schedule.listed_at = self.clock() - age if age >= 0 else None
        return FolderState(target, schedule, ledger)
