"""One cycle: scan the folder, list the task, read the ledger; reconcile, guard, apply, report.

A run repeats the cycle until there is nothing left to do. Doubt = stop, list, plan: whatever
is not the documented success ends the cycle, and a new one plans from the truth.
"""

from __future__ import annotations

import logging
from dataclasses import replace
from datetime import datetime

from syncd.core.books import in_doubt
from syncd.core.guard import Leave, guard
from syncd.core.plan import Limits, Plan, cost, fit
from syncd.core.reconcile import reconcile
from syncd.core.situation import Situation
from syncd.engine.apply import Apply, Failure, Outcome
from syncd.engine.look import Look, OutOfQuota
from syncd.engine.refusals import Refusals, refusal
from syncd.engine.report import KEY, LATER, OK, PARTLY, Cause, FolderReport
from syncd.engine.tools import Options, Tools
from syncd.errors import (
    ApiError,
    FileProblem,
    FolderError,
    KeyRefused,
    QuotaSpent,
    Refused,
    TaskRefused,
    Throttled,
    Unreachable,
)
from syncd.local.digest import absolute
from syncd.model import Folder, Problem

log = logging.getLogger("syncd.cycle")

TROUBLES = 3
"""Failures after which a run gives up on a folder."""
PATIENCE = 30.0
"""Seconds that a run waits for a throttling server."""
LISTS_FOR_LAG = 2
"""More lists that are spent on seeing what was answered with 201."""
LAG = 5.0
HALF = 0.5


class Cycle:
    """Brings one folder and its task together, in one run."""

    def __init__(
        self, tools: Tools, options: Options, folder: Folder, approved: frozenset[int] = frozenset()
    ) -> None:
        self._tools = tools
        self._options = options
        self._folder = folder
        self._task = folder.task
        self._approved = approved
        self.report = FolderReport.of(folder)
        self.look = Look(tools, options, folder)
        self._refusals = Refusals()
        self._troubles = 0
        self._lags = 0
        self._planned = False
        self._unlisted = False
        """A create was answered of which only the next list tells the id."""
        self._requests_before = tools.meter.requests[folder.task]

    def run(self) -> FolderReport:
        """Rounds until nothing is left to do, or nothing more can be done now.

        Raises StateError alone: without the ledger nothing may be sent.
        """
        meter, ledger = self._tools.meter, self._tools.ledger
        if not self._options.list_first:
            self.look.recall()
        if self._options.retry:
            ledger.forgive(self._task)
        while self._guarded_round():
            pass
        self._judge_refusals()
        meter.save()
        if self.look.listing is not None and not self._options.dry_run:
            ledger.remember(self._task, self.look.listing, self.look.listed_at)
        self.report.requests = meter.requests[self._task] - self._requests_before
        quiet = self.report.exit_code() == OK and not self.report.pending
        self.report.in_sync = quiet and not (self._options.dry_run and self.report.planned)
        return self.report

    def _guarded_round(self) -> bool:
        """One cycle; whether another one is to follow."""
        try:
            return self._round()
        except FolderError as error:
            self.report.fails(PARTLY, str(error), "folder")
        except OutOfQuota:
            return self._paused()
        except ApiError as error:
            return self._list_failed(error)
        return False

    def _round(self) -> bool:
        situation = self.look.situation()
        plan = guard(reconcile(situation), situation, self._leave(situation))
        if plan.needs_list:
            self.look.listing = None
            return True
        limits = self._limits()
        self._describe(plan, situation, limits)
        if self._options.dry_run:
            keeps_old = self._folder.rules.delete == "never"
            self.report.foresee(plan, limits, keeps_old=keeps_old)
            return False
        self._record(plan, situation)
        now_possible = self._now_possible(plan, limits)
        if not now_possible.busy:
            return self._nothing_to_send(plan, situation)
        outcome = self._apply(now_possible, situation, limits)
        self._unlisted = self._unlisted or outcome.unlisted
        self.look.listing = outcome.listing
        return self._learn(outcome.failures)

    def _leave(self, s: Situation) -> Leave:
        deleted = len(self.report.deleted) if self._options.once else s.past.deleted
        return Leave(self._approved, self._options.allow_delete, deleted)

    def _limits(self) -> Limits:
        task, client = self._task, self._tools.client
        return Limits(self._tools.max_batch_bytes, lambda names: client.fits(task, names))

    def _describe(self, plan: Plan, s: Situation, limits: Limits) -> None:
        self.report.describe(plan)
        self.report.skipped = list(s.folder.skipped)
        self.report.adopted += [p for p in plan.adopted if p not in self.report.adopted]
        if not self._planned:
            self._planned = True
            already = self._tools.meter.requests[self._task] - self._requests_before
            self.report.planned = cost(plan, limits)
            self.report.planned_requests = already + self.report.planned

    def _record(self, plan: Plan, s: Situation) -> None:
        """What the plan knows without a request: adopted, rebound, detached, released."""
        ledger = self._tools.ledger
        if plan.records:
            ledger.put(self._task, plan.records)
        if plan.forget:
            ledger.forget(self._task, plan.forget)
        if plan.mirror_approved or plan.identity not in (None, s.past.identity):
            ledger.settle_folder(self._task, plan.identity, plan.mirror_approved)

    def _now_possible(self, plan: Plan, limits: Limits) -> Plan:
        """What of the plan fits the quota and the bounds of sorting out refusals."""
        creates = self._refusals.allowed(plan.creates)
        left = self._tools.meter.left(self._task.organization_id)
        share = 1.0 if self._options.once else HALF
        plan = replace(plan, creates=creates)
        return fit(plan, limits, left, self._tools.meter.reserve, order_share=share)

    def _apply(self, plan: Plan, s: Situation, limits: Limits) -> Outcome:
        # A list that our own writes are about to change must not outlive a crash.
        self._tools.ledger.distrust(self._task)
        apply = Apply(
            self._tools,
            self._folder,
            s.folder.root,
            self._tools.ledger.past(self._task, s.now),
            self.report,
        )
        outcome = apply.run(plan, s.listing, limits)
        for batch, sent in outcome.sent:
            self._refusals.accepted(batch)
            for create, one in zip(batch, sent, strict=True):
                if not one.changed:
                    self.look.know(create.file.path, create.file.fingerprint, one.digest)
        return outcome

    def _nothing_to_send(self, plan: Plan, s: Situation) -> bool:
        """Everything possible is done: is anything left, and is it worth waiting for?"""
        if self._unlisted:
            self._unlisted, self.look.listing = False, None
            return True
        unsorted = len(plan.creates) - len(self._refusals.allowed(plan.creates))
        if plan.busy and not unsorted:
            return self._paused(cost(plan, self._limits()))
        if unsorted:
            self.report.pending += unsorted
            if self._refusals.alike() is None:
                self.report.fails(
                    LATER, f"{unsorted} files of a refused upload are not sorted out yet", "files"
                )
        if not plan.waiting:
            return False
        if in_doubt(s.past) and self._options.once and self._lags < LISTS_FOR_LAG:
            self._lags += 1
            self._tools.sleep(LAG)
            self.look.listing = None
            return True
        self.report.pending += len(plan.waiting)
        first = plan.waiting[0]
        text = _several(plan.waiting, f"{first.path}: {first.reason}")
        self.report.fails(LATER, text, "files")
        return False

    def _learn(self, failures: list[Failure]) -> bool:
        """What failures mean for the next round; False = there is none."""
        go_on = True
        for failure in failures:
            go_on = self._learn_one(failure) and go_on
        return go_on

    def _learn_one(self, failure: Failure) -> bool:
        error = failure.error
        if isinstance(error, FileProblem):
            return self._file_failed(error, failure)
        assert isinstance(error, ApiError)
        if isinstance(error, KeyRefused):
            return self._key_refused(error)
        if isinstance(error, QuotaSpent):
            return self._paused()
        if isinstance(error, Refused):
            return self._refused(error, failure)
        if isinstance(error, TaskRefused) and (failure.creates or error.status == 403):
            self.report.fails(PARTLY, self._about_task(error), "task")
            return False
        if not isinstance(error, (Throttled, Unreachable)):
            self.look.listing = None
        return self._trouble(error)

    def _file_failed(self, problem: FileProblem, failure: Failure) -> bool:
        """A file was not the planned one when it was opened: plan it again, or leave it."""
        for create in failure.creates:
            path = create.file.path
            if problem.path in (path, absolute(self._folder.path, path)) or (
                problem.path.endswith(f"/{path}")
            ):
                if not problem.changed:
                    self.look.unreadable[path] = problem.reason
                elif self._troubles < TROUBLES:
                    self._troubles += 1
                else:
                    self.look.unsettled.add(path)
        return True

    def _refused(self, error: Refused, failure: Failure) -> bool:
        now = self._tools.clock()
        ledger = self._tools.ledger
        past = ledger.past(self._task, now)
        if failure.creates:
            culprit = self._refusals.refused(failure.creates, error)
            if culprit is not None:
                path = culprit.file.path
                ledger.refuse(self._task, [refusal(past, path, culprit, error, now, whole=False)])
            return True
        subject = f"#{failure.attachment_id}"
        ledger.refuse(self._task, [refusal(past, subject, None, error, now, whole=False)])
        return True

    def _judge_refusals(self) -> None:
        """Where everything was refused alike, the folder is in error, not its files."""
        alike = self._refusals.alike()
        now = self._tools.clock()
        if alike is not None:
            error, creates = alike
            past = self._tools.ledger.past(self._task, now)
            text = f"every upload is refused alike: {error}"
            whole = [
                replace(refusal(past, c.file.path, c, error, now, whole=True), error=text)
                for c in creates
            ]
            self._tools.ledger.refuse(self._task, whole)
            paths = {c.file.path for c in creates}
            self.report.failed = [p for p in self.report.failed if p.path not in paths]
            self.report.fails(PARTLY, text, "files")
            return
        past = self._tools.ledger.past(self._task, now)
        told = next((r.error for r in past.refusals if r.whole and r.not_before > now), None)
        if told is not None:
            self.report.fails(PARTLY, told, "files")

    def _list_failed(self, error: ApiError) -> bool:
        """The list, or a question about it, got no answer that can be planned on."""
        if isinstance(error, KeyRefused):
            return self._key_refused(error)
        if isinstance(error, QuotaSpent):
            return self._paused()
        if isinstance(error, Throttled):
            return self._trouble(error)
        if isinstance(error, (TaskRefused, Refused)):
            self.report.fails(PARTLY, self._about_task(error), "task")
        else:
            self.report.fails(LATER, str(error), _cause(error))
        return False

    def _key_refused(self, error: KeyRefused) -> bool:
        text = f"{error}: the key is wrong, revoked or expired; put a new one in place"
        self.report.fails(KEY, text, "key")
        return False

    def _about_task(self, error: ApiError) -> str:
        return (
            f"{error}: is task {self._task.task_id} (organization "
            f"{self._task.organization_id}, workspace {self._task.workspace_id}) still there and "
            "yours? nothing of it was touched; if it is gone, take it out of the config"
        )

    def _trouble(self, error: ApiError) -> bool:
        """Back off and plan again, a few times; then leave it to a later run."""
        self._troubles += 1
        delay = error.retry_after or 2.0 ** (self._troubles - 1)
        if not self._options.once or self._troubles > TROUBLES or delay > PATIENCE:
            self.report.fails(LATER, str(error), _cause(error))
            self.report.resumes_at = self._tools.clock() + delay
            return False
        log.warning("%s: %s; planning again in %.0f s", self._folder.name, error, delay)
        self._tools.sleep(delay)
        return True

    def _paused(self, pending: int = 0) -> bool:
        """The quota is used up: sleep until it resets, or leave the rest to a later run."""
        now = self._tools.clock()
        meter, organization = self._tools.meter, self._task.organization_id
        until = meter.resumes_at(organization) or now + 60.0
        left = meter.left(organization)
        at = datetime.fromtimestamp(until).astimezone().strftime("%Y-%m-%d %H:%M:%S %Z")
        what = f"{pending} requests are left to do; " if pending else ""
        kept = f", {meter.reserve} kept back" if left else ""
        text = (
            f"{what}quota: {left if left is not None else 0} requests left{kept}; goes on at {at}"
        )
        if self._options.wait:
            log.warning("%s: %s", self._folder.name, text)
            self._tools.sleep(max(until - now, 0.0) + 0.5)
            self.look.listing = None
            return True
        self.report.pending += pending
        self.report.resumes_at = until
        self.report.fails(LATER, text, "quota")
        return False


def _cause(error: ApiError) -> Cause:
    return "offline" if isinstance(error, Unreachable) else "server"


def _several(problems: tuple[Problem, ...], first: str) -> str:
    more = len(problems) - 1
    return f"{first} (and {more} more)" if more else first
