"""What one run of one folder works with, what it has done so far, and the report made of it."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Iterable, Sequence

from syncd.core.plan import Create, Plan
from syncd.core.snapshot import Snapshot
from syncd.engine import actions
from syncd.engine.actions import Action
from syncd.engine.context import Context, Options
from syncd.engine.cost import Limits, cost
from syncd.engine.events import action_event, cycle_event
from syncd.engine.failures import FailurePolicy
from syncd.engine.observe import Observer
from syncd.engine.report import LATER, OK, FolderReport, Trouble
from syncd.model import Folder, LoggedCycle, Problem
from syncd.state.task_ledger import TaskLedger
from syncd.task_state import Refusal

writes = logging.getLogger("syncd.apply")
"""One line per write."""
cycles = logging.getLogger("syncd.cycles")
"""What only programs are told: the end of each run, and what was adopted."""


class Run:
    """Its notes grow with every cycle."""

    def __init__(
        self,
        context: Context,
        options: Options,
        folder: Folder,
        ledger: TaskLedger,
        approved: frozenset[int],
    ) -> None:
        """`approved`: attachments that `syncd approve` released."""
        self.context = context
        self.options = options
        self.folder = folder
        self.ledger = ledger
        self.approved = approved
        self.observer = Observer(context, options, folder, ledger)
        self.policy = FailurePolicy(options, folder, ledger, context.quota, self.observer.contents)
        self.plan = Plan()
        """The last one."""
        self.done: list[Action] = []
        self.planned: list[Action] = []
        """Of a dry run: actions of the first plan."""
        self.planned_requests: int | None = None
        self.skipped: tuple[Problem, ...] = ()
        self.hints: dict[str, None] = {}
        self.sends: Counter[str] = Counter()
        """Uploads carried out, by path."""
        self.unlisted = False
        """A create was answered of which only the next list tells the id."""
        self.unsent: tuple[Create, ...] = ()
        """Creates that are left at the end."""
        self.left_to_do = 0
        """Actions of the last plan that were not carried out."""
        self.lags = 0
        """Lists taken to see what was answered with 201."""
        self._began = context.clock()
        self._noted: LoggedCycle | None = None
        self._requests_before = context.quota.requests[folder.task]

    @property
    def requests(self) -> int:
        """Requests of this run so far."""
        return self.context.quota.requests[self.folder.task] - self._requests_before

    @property
    def limits(self) -> Limits:
        """What bounds one create request."""
        task, remote = self.folder.task, self.context.remote
        return Limits(
            remote.max_files,
            self.context.max_batch_bytes,
            lambda names: remote.fits(task, names),
            keeps_old=self.folder.rules.delete == "never",
        )

    @property
    def deleted(self) -> int:
        """Deletes that the guard counts."""
        return sum(a.kind == "delete" and not a.old_version for a in self.done)

    def affords(self, requests: int) -> bool:
        """Whether so many requests are left of the quota, as far as is known."""
        left = self.context.quota.left(self.folder.task.organization_id)
        return left is None or left >= requests

    def note_plan(self, plan: Plan, s: Snapshot) -> None:
        """Keep what a plan says of the state of things."""
        self.plan, self.skipped, self.left_to_do = plan, s.folder.skipped, plan.size
        self.hints |= dict.fromkeys(plan.hints)
        if self.planned_requests is None:
            self.planned_requests = self.requests + cost(plan, self.limits)
            if self.options.dry_run:
                self.planned = actions.planned(plan, self.limits)

    def note_done(self, done: Sequence[Action]) -> None:
        """Keep confirmed actions; a line of the log tells of each write."""
        if not done:
            return
        self.done += done
        self.left_to_do -= sum(a.kind != "adopt" for a in done)
        now = self.context.clock()
        left = self.context.quota.left(self.folder.task.organization_id)
        for action in done:
            self._note_action(action, now, left)
        self._note_cycle(OK, left)

    def _note_action(self, action: Action, now: float, left: int | None) -> None:
        name, tally = self.folder.name, self.context.tally
        self.ledger.record_action(actions.logged(action, now, name, left))
        log = cycles if action.kind == "adopt" else writes
        if log.isEnabledFor(logging.INFO):
            extra = action_event(action, name, self.folder.task.task_id, left)
            log.info("%s: %s", name, actions.sentence(action, left), extra=extra)
        if action.kind in ("create", "replace"):
            tally.add("sent_files")
            tally.add("sent_bytes", by=action.size or 0)

    def note_report(self, report: FolderReport) -> None:
        """Count what went wrong; the next transaction writes it, and what the run came to."""
        tally, task = self.context.tally, self.folder.task
        left = self.context.quota.left(task.organization_id)
        if not self.options.dry_run and cycles.isEnabledFor(logging.INFO):
            text = "%s: the cycle ended, " + ("in sync" if report.in_sync else "not in sync")
            cycles.info(text, report.name, extra=cycle_event(report, left))
        if report.cause is not None:
            tally.add("errors", report.cause)
        if report.failed:
            tally.add("errors", "file", len(report.failed))
        if report.in_sync:
            tally.put("last_success", " ".join(map(str, task)), int(self.context.clock()))
        self._note_cycle(report.exit_code, left)

    def _note_cycle(self, code: int, left: int | None) -> None:
        """Keep what this run came to by now, if that is anything new; the next transaction writes
        it."""
        cycle = LoggedCycle(self._began, code, len(self.done), self.requests, left)
        if (cycle.actions or cycle.requests) and cycle != self._noted:
            self.ledger.record_cycle(cycle)
            self._noted = cycle

    def report(self, trouble: Trouble | None, failures: Iterable[Refusal] = ()) -> FolderReport:
        """The report on what was done until now; `failures` are remembered from now on."""
        plan, failures, now = self.plan, tuple(failures), self.context.clock()
        dry_run = self.options.dry_run
        alike = {r.subject for r in failures if r.whole}
        of_server = {r.error for r in failures if r.not_before <= now}
        failed = [p for p in plan.failed if p.path not in alike and p.reason not in of_server]
        planned = sum(a.requests for a in self.planned)
        report = FolderReport.of(self.folder, trouble, self.requests)._replace(
            planned_requests=self.planned_requests or 0,
            actions=list(self.planned if dry_run else self.done),
            detached=list(plan.detached),
            foreign=self._foreign_after() if dry_run else list(plan.foreign),
            held=list(plan.held),
            contested=list(plan.contested),
            failed=list(dict.fromkeys(failed)),
            skipped=list(self.skipped),
            hints=[*self.hints],
        )
        if report.code == LATER:
            report = report._replace(pending=max(self.left_to_do, 0) + len(of_server))
        return report._replace(
            in_sync=report.exit_code == OK and not report.pending and not planned
        )

    def _foreign_after(self) -> list[str]:
        """Names that will be foreign once the plan is carried out."""
        names = list(self.plan.foreign)
        for delete in self.plan.deletes:
            if delete.reason == "foreign" and delete.name in names:
                names.remove(delete.name)
        if self.limits.keeps_old:
            names += [c.replaces.name.seen for c in self.plan.creates if c.replaces]
        return names
