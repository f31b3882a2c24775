"""The one worker: runs due cycles, one at a time, and notes what came of them.

It knows no threads and no timers: `run_due` does what is due at a given moment and says when
the next thing is. The daemon calls it in real time.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from syncd.core.ignore import selection
from syncd.engine.cycle import Cycle
from syncd.engine.report import KEY, LATER, OK, FolderReport
from syncd.engine.tools import Options, Tools
from syncd.errors import FolderError, StateError, Stopped
from syncd.local.scan import scan
from syncd.model import FolderSnapshot, TaskKey
from syncd.service.agenda import Timing, pace, refresh_interval
from syncd.service.folders import Target
from syncd.service.notes import Approval, task_text
from syncd.service.telling import Telling

log = logging.getLogger("syncd.worker")

OFFLINE_LONGEST = 120.0
"""Seconds between two tries while the server cannot be reached: those cost no quota."""
GONE_TASK_LONGEST = 21_600.0
"""Seconds between two looks at a task that is gone or forbidden."""
KEY_PROBE = 3600.0


@dataclass
class Watched:
    """One folder of the service."""

    target: Target
    timing: Timing
    report: FolderReport | None = None
    last_cycle: float | None = None
    """Wall clock."""
    rescan_at: float = 0.0
    unsettled: bool = False
    """Files were left out of the last cycle because they were still being written."""
    twins: frozenset[str] = frozenset()
    """If some of two twin names goes on: the paths that do."""


@dataclass
class Worker:
    """Clock in monotonic seconds; `tools.clock` is the wall's."""

    tools: Tools
    clock: Callable[[], float]
    approvals: Callable[[], Mapping[str, Approval]]
    used_approvals: Callable[[Sequence[str]], None]
    folders: dict[TaskKey, Watched] = field(default_factory=dict)
    key_refused: bool = False
    key_probe_at: float = 0.0
    offline_until: float | None = None
    offline_failures: int = 0
    syncing: TaskKey | None = None
    telling: Telling = field(default_factory=Telling)
    on_progress: Callable[[], None] = lambda: None
    """The status is worth writing again."""
    on_key_refused: Callable[[], None] = lambda: None

    def set_targets(self, targets: Sequence[Target]) -> list[Target]:
        """Take over what the config says now; returns the folders that are new."""
        wanted = {t.folder.task: t for t in targets}
        for task in [t for t in self.folders if t not in wanted]:
            del self.folders[task]
        new = []
        for task, target in wanted.items():
            known = self.folders.get(task)
            if known is not None and known.target == target:
                continue
            watched = Watched(target, Timing(target.settle, target.refresh))
            self._recall(watched)
            self.folders[task] = watched
            new.append(target)
        return new

    def changed(self, task: TaskKey) -> None:
        """The watcher saw something move."""
        if task in self.folders:
            self.folders[task].timing.changed(self.clock())

    def force_all(self) -> None:
        """Run every folder now and forget all waits."""
        self.key_refused, self.offline_until = False, None
        for watched in self.folders.values():
            watched.timing.force()

    def rescan(self, *, everything: bool = False) -> None:
        """Look at folders for what events missed; costs no request."""
        now = self.clock()
        for watched in self.folders.values():
            if not everything and now < watched.rescan_at:
                continue
            watched.rescan_at = now + watched.target.rescan
            timing = watched.timing
            if timing.first_change is not None or timing.never_tried:
                continue
            if self._signature(watched) != timing.signature:
                timing.changed(now)

    def next_due(self) -> float:
        """When there is something to do next; infinity = nothing is known of."""
        rescans = [w.rescan_at for w in self.folders.values()]
        if self.key_refused:
            return min([self.key_probe_at, *rescans])
        cycles = [w.timing.due_at() for w in self.folders.values()]
        soonest = min(cycles, default=float("inf"))
        if self.offline_until is not None:
            soonest = max(soonest, self.offline_until)
        return min([soonest, *rescans])

    def run_due(self, most: int | None = None) -> None:
        """Run every cycle that is due (or so many), the one that waited longest first."""
        self._stretch_refreshes()
        while most != 0 and (task := self._next()) is not None:
            most = None if most is None else most - 1
            self.tools.checkpoint()
            self._cycle(self.folders[task])

    def key_changed(self) -> None:
        """A new key is in place: try it at once."""
        if self.key_refused:
            self.key_refused = False
            for watched in self.folders.values():
                watched.timing.force()

    def _next(self) -> TaskKey | None:
        now = self.clock()
        if self.key_refused:
            if now < self.key_probe_at:
                return None
            self.key_refused = False
        elif self.offline_until is not None and now < self.offline_until:
            return None
        due = {t: w.timing.due_at() for t, w in self.folders.items()}
        ready = [t for t, at in due.items() if at <= now]
        return min(ready, key=lambda t: due[t], default=None)

    def _cycle(self, watched: Watched) -> None:
        target, timing = watched.target, watched.timing
        task = target.folder.task
        list_first = timing.needs_list(self.clock())
        options = Options(once=False, settle=target.settle, list_first=list_first)
        approval = self.approvals().get(task_text(task))
        ids = approval.ids if approval else frozenset()
        cycle = Cycle(self.tools, options, target.folder, ids)
        timing.begin()
        self.syncing = task
        self.on_progress()
        try:
            report = cycle.run()
        except Stopped:
            raise
        except StateError as error:
            report = cycle.report
            report.fails(LATER, str(error), "files")
            cycle.look.listing = None
        except Exception as error:
            # A cycle must not take the service with it; what is wrong is told and tried again.
            log.debug("traceback", exc_info=True)
            report = cycle.report
            report.fails(LATER, f"unexpected {type(error).__name__}: {error}", "files")
            cycle.look.listing = None
        finally:
            self.syncing = None
        if approval and not report.pending:
            self.used_approvals([task_text(task)])
        watched.report, watched.last_cycle = report, self.tools.clock()
        folder = cycle.look.folder
        timing.signature = _signature_of(folder)
        watched.unsettled = bool(cycle.look.unsettled)
        watched.twins = (
            frozenset(f.path for f in folder.files) if folder and folder.failed else (frozenset())
        )
        watched.rescan_at = self.clock() + target.rescan
        age = self.tools.clock() - cycle.look.listed_at
        timing.listed_at = None if cycle.look.listing is None else self.clock() - max(age, 0.0)
        self._afterwards(watched, report)
        self.telling.tell(target.folder.name, report)
        self.on_progress()

    def _afterwards(self, watched: Watched, report: FolderReport) -> None:
        """What a cycle's end means for the next one."""
        timing, now = watched.timing, self.clock()
        if report.cause != "offline" and report.requests:
            self.offline_until, self.offline_failures = None, 0
        if report.code == KEY:
            self.key_refused, self.key_probe_at = True, now + KEY_PROBE
            self.on_key_refused()
            timing.retry_at = now
        elif report.cause == "offline":
            delay = min(5.0 * 2.0**self.offline_failures, OFFLINE_LONGEST)
            self.offline_failures += 1
            self.offline_until = now + delay
            timing.wait_until(now + delay, "the server cannot be reached")
        elif report.cause == "quota" and report.resumes_at is not None:
            delay = max(report.resumes_at - self.tools.clock(), 1.0)
            timing.wait_until(now + delay, "quota")
        elif report.cause == "task":
            timing.back_off(now, GONE_TASK_LONGEST)
        elif report.cause == "server":
            delay = timing.back_off(now)
            if report.resumes_at is not None:
                at = now + max(report.resumes_at - self.tools.clock(), delay)
                timing.wait_until(at, "the server asked for patience")
        else:
            self._went_through(watched, report)

    def _went_through(self, watched: Watched, report: FolderReport) -> None:
        timing, now = watched.timing, self.clock()
        task = watched.target.folder.task
        if watched.unsettled:
            timing.changed(now)
        elif report.cause == "files" and report.code == LATER:
            timing.back_off(now, 60.0)
        elif report.code == OK:
            timing.failures = 0
        self._retry_refused(watched)
        if report.requests and report.code != LATER:
            meter, organization = self.tools.meter, task.organization_id
            resets_at = meter.resumes_at(organization)
            seconds = pace(
                report.requests,
                meter.left(organization),
                meter.reserve,
                None if resets_at is None else max(resets_at - self.tools.clock(), 0.0),
                timing.settle,
            )
            timing.pace(now + seconds)

    def _retry_refused(self, watched: Watched) -> None:
        """A refused file is tried again when its delay is over, though nothing changes."""
        wall = self.tools.clock()
        past = self.tools.ledger.past(watched.target.folder.task, wall)
        waits = [r.not_before - wall for r in past.refusals if r.not_before > wall]
        if waits and watched.timing.retry_at is None:
            watched.timing.retry_at = self.clock() + min(waits)

    def _stretch_refreshes(self) -> None:
        per_organization: dict[int, int] = {}
        for task in self.folders:
            organization = task.organization_id
            per_organization[organization] = per_organization.get(organization, 0) + 1
        for task, watched in self.folders.items():
            limit = self.tools.meter.limit(task.organization_id)
            count = per_organization[task.organization_id]
            watched.timing.refresh_every = refresh_interval(count, limit)

    def _recall(self, watched: Watched) -> None:
        """The remembered list keeps its age over a restart."""
        remembered = self.tools.ledger.remembered(watched.target.folder.task)
        if remembered is not None:
            age = self.tools.clock() - remembered[1]
            if age >= 0:
                watched.timing.listed_at = self.clock() - age

    def _signature(self, watched: Watched) -> int | None:
        target = watched.target
        rules = target.folder.rules
        try:
            return _signature_of(
                scan(
                    target.folder.path,
                    selection(rules),
                    recursive=rules.recursive,
                    max_file_size=rules.max_file_size,
                    known=watched.twins,
                    manifest=rules.order == "manifest",
                )
            )
        except FolderError:
            return None


def _signature_of(folder: FolderSnapshot | None) -> int | None:
    """Equal as long as nothing changed that a cycle would look at."""
    if folder is None:
        return None
    files = tuple((f.path, f.fingerprint) for f in folder.files)
    return hash((folder.root, folder.identity, files, folder.manifest, folder.occupied))
