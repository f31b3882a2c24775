"""One cycle: scan the folder, list the task, read the ledger; reconcile, guard, apply, report.

A run repeats the cycle until there is nothing left to do. Doubt = stop, list, plan: whatever
is not the documented success ends the cycle, and a new one plans from the truth.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

from syncd.core.guard import Leave, guard
from syncd.core.plan import Limits, Plan, Rename, Reorder, cost, fit
from syncd.core.reconcile import reconcile
from syncd.core.room import make_room
from syncd.core.situation import Situation
from syncd.engine.apply import Apply
from syncd.engine.lessons import Lessons
from syncd.engine.look import Look, OutOfQuota
from syncd.engine.outcome import Outcome
from syncd.engine.report import LATER, OK, PARTLY, FolderReport
from syncd.engine.tools import Options, Tools
from syncd.errors import ApiError, FolderError
from syncd.model import Folder, Problem
from syncd.text import printable

LISTS_FOR_LAG = 2
"""More lists that are spent on seeing what was answered with 201."""
LAG = 5.0
SENDS = 2
"""Versions of one file that a run uploads: one that goes on changing waits until it is quiet."""
UPDATES = 8
"""Times that a run renames or moves one attachment: more lead nowhere, whatever the reason."""
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
        self._lessons = Lessons(tools, options, folder, self.look, self.report)
        self._lags = 0
        self._planned = False
        self._unlisted = False
        """A create was answered of which only the next list tells the id."""
        self._sends: Counter[str] = Counter()
        """Uploads carried out, by path."""
        self._updates: Counter[int] = Counter()
        """Renames and moves carried out, by attachment."""
        self._requests_before = tools.meter.requests[folder.task]
        self._left_to_do = 0
        """Actions of the last plan that were not carried out."""

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
        self._lessons.judge()
        meter.save()
        if self.look.listing is not None and not self._options.dry_run:
            ledger.remember(self._task, self.look.listing, self.look.listed_at)
        if self.report.code == LATER:
            self.report.pending = max(self.report.pending, self._left_to_do)
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
            return self._lessons.paused()
        except ApiError as error:
            return self._lessons.list_failed(error)
        return False

    def _round(self) -> bool:
        self._unlisted = self._unlisted and self.look.listing is not None
        situation = self.look.situation()
        plan = guard(reconcile(situation), situation, self._leave(situation))
        if self._lessons.names_are_unique:
            plan = make_room(plan, situation)
        if plan.needs_list or (plan.deletes_foreign and not situation.fresh):
            self.look.listing = None
            return True
        restless = {c.file.path for c in plan.creates if self._sends[c.file.path] >= SENDS}
        if restless:
            self.look.unsettled |= restless
            return True
        limits = self._limits()
        self._describe(plan, situation, limits)
        self._lessons.told, self._lessons.left = plan.refused_alike, plan.creates
        if self._lessons.failing.sort_out(plan.creates, situation.past):
            return True
        if self._options.dry_run:
            self.report.foresee(plan, limits)
            self._warn_of_quota()
            return False
        self._left_to_do = plan.size
        if self._turns_in_circles(plan):
            return False
        self._record(plan, situation)
        now_possible = self._now_possible(plan, situation, limits)
        if not now_possible.busy:
            return self._nothing_to_send(plan)
        outcome = self._apply(now_possible, situation, limits)
        self._left_to_do -= outcome.done
        self._updates.update(outcome.updated)
        self._unlisted = self._unlisted or outcome.unlisted
        self.look.listing = outcome.listing
        return self._lessons.learn(outcome.failures)

    def _turns_in_circles(self, plan: Plan) -> bool:
        """A server that undoes what it confirms must not cost a request after the other."""
        actions: list[Rename | Reorder] = [*plan.renames, *plan.reorders]
        for action in actions:
            if self._updates[action.entry.id] >= UPDATES:
                text = (
                    f'attachment {action.entry.id} ("{printable(action.name)}") of task '
                    f"{self._task.task_id} would have to be changed once more, though that was "
                    f"confirmed {UPDATES} times in this run; a later run goes on"
                )
                self.report.fails(LATER, text, "server")
                return True
        return False

    def _warn_of_quota(self) -> None:
        """A dry run tells if its plan takes more than there is."""
        meter, organization = self._tools.meter, self._task.organization_id
        left = meter.left(organization)
        if left is not None and self.report.planned > max(left - meter.reserve, 0):
            self.report.hints.append(
                f"the quota has {left} requests left, {meter.reserve} of them kept back: a run "
                "does what fits, a later one goes on"
            )

    def _leave(self, s: Situation) -> Leave:
        deleted = len(self.report.deleted) if self._options.once else s.past.deleted
        return Leave(self._approved, self._options.allow_delete, deleted)

    def _limits(self) -> Limits:
        task, client = self._task, self._tools.client
        return Limits(
            self._tools.max_batch_bytes,
            lambda names: client.fits(task, names),
            keeps_old=self._folder.rules.delete == "never",
        )

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
        past = s.past
        remembered = (plan.identity or past.identity, plan.mirror_approved, plan.held_of)
        if remembered != (past.identity, False, past.held_of):
            ledger.settle_folder(self._task, plan.identity, plan.mirror_approved, plan.held_of)

    def _now_possible(self, plan: Plan, s: Situation, limits: Limits) -> Plan:
        """What of the plan fits the quota and the bounds of sorting out refusals."""
        creates = self._lessons.refusals.allowed(plan.creates)
        left = self._tools.meter.left(self._task.organization_id)
        share = 1.0 if self._options.once else HALF
        plan = replace(plan, creates=creates, deletes=plan.due)
        reserve = self._tools.meter.reserve
        return fit(plan, limits, left, reserve, owed=s.owed, order_share=share)

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
        last = self._lessons.failing.any_upload
        outcome = apply.run(plan, s.listing, limits, uploads_last=last)
        if outcome.moved and plan.attempt is not None:
            self._tools.ledger.attempted(self._task, plan.attempt)
        self._lessons.failing.any_change |= bool(outcome.changed)
        if outcome.sent:
            self._lessons.failing.taken(self._tools.ledger.past(self._task, s.now))
        for batch, sent in outcome.sent:
            self._lessons.refusals.accepted(batch)
            self._sends.update(create.file.path for create in batch)
            for create, one in zip(batch, sent, strict=True):
                if not one.changed:
                    self.look.know(create.file.path, create.file.fingerprint, one.digest)
        return outcome

    def _nothing_to_send(self, plan: Plan) -> bool:
        """Everything possible is done: is anything left, and is it worth waiting for?"""
        if self._unlisted:
            self.look.listing = None
            return True
        if self._lessons.failing.try_again():
            return True
        unsorted = 0 if self._lessons.refusals.affordable() else len(plan.creates)
        if plan.busy and not unsorted:
            return self._lessons.paused(cost(plan, self._limits()))
        if unsorted:
            self.report.pending += unsorted
            if self._lessons.refusals.alike(plan.creates) is None:
                self._lessons.failing.tell_unsorted(unsorted)
        if not plan.waiting:
            return False
        if plan.lagging and self._options.once and self._lags < LISTS_FOR_LAG:
            self._lags += 1
            self._tools.sleep(LAG)
            self.look.listing = None
            return True
        first = plan.waiting[0]
        text = _several(plan.waiting, f"{first.path}: {first.reason}")
        self.report.fails(LATER, text, "files")
        return False


def _several(problems: tuple[Problem, ...], first: str) -> str:
    more = len(problems) - 1
    return f"{first} (and {more} more)" if more else first
