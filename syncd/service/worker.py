"""The one worker: runs due cycles, one at a time, and notes what came of them.

It knows no threads and no timers: `run_due` does what is due at a given moment and says when
the next thing is. The daemon calls it in real time.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field

from syncd.engine.cycle import Cycle
from syncd.engine.report import KEY, LATER, Cause, FolderReport
from syncd.engine.tools import Options, Tools
from syncd.errors import StateError, Stopped
from syncd.model import TaskKey
from syncd.service.aftermath import Gate, afterwards, pace_next, retry_refused
from syncd.service.agenda import LONGEST_PACE, Timing, refresh_interval
from syncd.service.folders import Target
from syncd.service.notes import Approval, task_text
from syncd.service.telling import Telling
from syncd.service.watched import Watched

log = logging.getLogger("syncd.worker")


@dataclass
class Worker:
    """Clock in monotonic seconds; `tools.clock` is the wall's."""

    tools: Tools
    clock: Callable[[], float]
    approvals: Callable[[], Mapping[str, Approval]]
    used_approvals: Callable[[Sequence[str]], None]
    folders: dict[TaskKey, Watched] = field(default_factory=dict)
    gate: Gate = field(default_factory=Gate)
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

    def moved(self, task: TaskKey) -> None:
        """The folder itself came or went, of which no event tells."""
        if task in self.folders:
            self.folders[task].timing.moved(self.clock())

    def force_all(self) -> None:
        """Run every folder now and forget all waits."""
        self.gate.open()
        for watched in self.folders.values():
            watched.timing.force()

    def rescan(self, *, everything: bool = False) -> None:
        """Look at folders for what events missed; costs no request."""
        now = self.clock()
        for watched in self.folders.values():
            interval = watched.target.rescan
            # Called in a rhythm that need not be this folder's: the nearest call is its own.
            if not everything and now + interval / 2 < watched.rescan_at:
                continue
            watched.rescan_at = now + interval
            timing = watched.timing
            if timing.waiting() or timing.never_tried:
                continue
            if watched.changed(self.tools.clock()):
                timing.changed(now)

    def next_due(self) -> float:
        """When the next cycle is due; infinity = nothing is known of."""
        cycles = [w.timing.due_at() for w in self.folders.values()]
        return max(min(cycles, default=float("inf")), self.gate.opens_at())

    def run_due(self, most: int | None = None) -> None:
        """Run every cycle that is due (or so many), the one that waited longest first."""
        self._stretch_refreshes()
        while most != 0 and (task := self._next()) is not None:
            most = None if most is None else most - 1
            self.tools.checkpoint()
            watched = self.folders[task]
            if not self._may_wait(watched):
                self._cycle(watched)

    def answered(self) -> bool:
        """Whether a request got an answer that only a good key gets."""
        return self.tools.meter.key_worked

    def key_changed(self) -> None:
        """A new key is in place: try it at once."""
        if self.gate.key_refused:
            self.gate.key_refused = False
            for watched in self.folders.values():
                watched.timing.force()

    def _next(self) -> TaskKey | None:
        now = self.clock()
        if now < self.gate.opens_at():
            return None
        due = {t: w.timing.due_at() for t, w in self.folders.items()}
        ready = [t for t, at in due.items() if at <= now]
        return min(ready, key=lambda t: due[t], default=None)

    def _may_wait(self, watched: Watched) -> bool:
        """Whether a look at the folder, which costs no request, finds that no cycle is needed."""
        began, timing = self.clock(), watched.timing
        if not timing.only_changed(began):
            return False
        waits = watched.may_wait(began, self.tools.clock())
        timing.look_took = self.clock() - began
        return waits

    def _cycle(self, watched: Watched) -> None:
        target, timing, began = watched.target, watched.timing, self.clock()
        task = target.folder.task
        options = Options(once=False, settle=target.settle, list_first=timing.needs_list(began))
        approval = self.approvals().get(task_text(task))
        ids = approval.ids if approval else frozenset()
        cycle = Cycle(self.tools, options, target.folder, ids)
        timing.begin()
        self.syncing = task
        self.on_progress()
        try:
            report = self._run(cycle)
        finally:
            self.syncing = None
        if approval and report.decided:
            self._use_up(task)
        now, wall = self.clock(), self.tools.clock()
        watched.went(cycle, began, now, wall)
        afterwards(watched, report, self.gate, now, wall)
        retry_refused(timing, self.tools.ledger.past(task, wall), now, wall)
        pace_next(watched, report, self.tools.meter, now, self._sharing(task.organization_id, wall))
        if report.code == KEY:
            self.on_key_refused()
        self.telling.tell(target.folder.name, report)
        self.on_progress()

    def _sharing(self, organization: int, wall: float) -> int:
        """How many folders of an organization have spent of its quota lately."""
        return sum(
            task.organization_id == organization
            and w.report is not None
            and w.report.requests > 0
            and 0 <= wall - (w.last_cycle or 0.0) <= LONGEST_PACE
            for task, w in self.folders.items()
        )

    def _run(self, cycle: Cycle) -> FolderReport:
        """A cycle must not take the service with it: what is wrong is told and tried again."""
        cause: Cause
        try:
            self.tools.ledger.prove_writable()
            return cycle.run()
        except Stopped:
            raise
        except StateError as error:
            text, cause = str(error), "files"
            with suppress(StateError):
                self.tools.ledger.renew()
        except Exception as error:
            log.debug("traceback", exc_info=True)
            # It may have cost requests: wait as if the server had failed.
            text, cause = f"unexpected {type(error).__name__}: {error}", "server"
        cycle.look.listing = None
        cycle.report.fails(LATER, text, cause)
        return cycle.report

    def _use_up(self, task: TaskKey) -> None:
        try:
            self.used_approvals([task_text(task)])
        except StateError as error:
            # It stays, for attachments that are gone: it can do no harm.
            log.warning("%s", error)

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
