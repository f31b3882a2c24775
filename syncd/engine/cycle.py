"""One cycle: observe, reconcile, guard, fit to the quota, apply, record, decide what follows.

Whatever is not the documented success ends the cycle, and a new one plans from the truth.
"""

from __future__ import annotations

from collections.abc import Sequence

from syncd.core.guard import Permission, guard
from syncd.core.plan import Plan
from syncd.core.reconcile import reconcile
from syncd.core.snapshot import Snapshot
from syncd.core.unique_names import make_room
from syncd.engine import actions
from syncd.engine.apply import apply
from syncd.engine.blame import reconsidered
from syncd.engine.cost import cost, fit
from syncd.engine.observe import OutOfQuota
from syncd.engine.outcome import AGAIN, LIST_AGAIN, Decision, Outcome
from syncd.engine.report import LATER, PARTLY, Trouble
from syncd.engine.run import Run
from syncd.errors import ApiError, FolderError

LISTS_FOR_LAG = 2
"""More lists that a run spends on seeing what was answered with 201."""
LAG = 5.0
"""Seconds between them."""
SENDS = 2
"""Versions of one file that a run uploads: one that goes on changing waits until it is quiet."""
ORDER_SHARE = 0.5
"""Part of what is left of the quota that the service spends on reordering."""
_CHANGES = ("rename", "reorder", "delete")


def cycle(run: Run) -> Sequence[Decision]:
    """What follows from one cycle; nothing: the run has come to its end."""
    snapshot = _observe(run)
    if isinstance(snapshot, Decision):
        return [snapshot]
    plan = guard(reconcile(snapshot), snapshot, _permission(run, snapshot))
    if run.policy.names_are_unique:
        plan = make_room(plan, snapshot)
    if decision := _before_applying(run, plan, snapshot):
        return [decision]
    if run.options.dry_run:
        return []
    _record(run, plan)
    possible = _fit(run, plan, snapshot)
    if not possible.busy:
        return _nothing_to_send(run, plan)
    outcome = apply(run, snapshot.folder.root, possible)
    return _after(run, outcome, plan, snapshot)


def _observe(run: Run) -> Snapshot | Decision:
    run.unlisted = run.unlisted and not run.observer.needs_list
    try:
        return run.observer.observe(run.policy.blame.aside)
    except FolderError as error:
        return Decision(Trouble(PARTLY, str(error), "folder"))
    except OutOfQuota:
        return run.policy.out_of_quota(run.context.clock())
    except ApiError as error:
        return run.policy.after_list(error, run.context.clock())


def _permission(run: Run, s: Snapshot) -> Permission:
    deleted = run.deleted if run.options.once else s.deleted_lately
    return Permission(run.approved, run.options.allow_delete, deleted)


def _before_applying(run: Run, plan: Plan, s: Snapshot) -> Decision | None:
    """Why this plan is not to be applied; None = it is."""
    if not s.fresh and (plan.needs_list is not None or plan.deletes_foreign):
        return LIST_AGAIN
    paths = (c.file.path for c in plan.creates)
    if restless := frozenset(p for p in paths if run.sends[p] >= SENDS):
        return Decision(unsettled=restless)
    run.note_plan(plan, s)
    return run.policy.sort_out(plan.creates, s)


def _record(run: Run, plan: Plan) -> None:
    """What the plan knows without a request."""
    run.ledger.record_plan(plan.records, plan.identity, plan.mirror_approved, plan.held_of)
    run.note_done([*map(actions.of_adoption, plan.adopted)])
    if plan.in_order:
        run.ledger.record_order(plan.sequence, kept=True)


def _fit(run: Run, plan: Plan, s: Snapshot) -> Plan:
    """What of the plan fits the quota and the bounds of sorting out failed uploads."""
    creates = run.policy.search.to_send(plan.creates, run.ledger.state)
    quota = run.context.quota
    return fit(
        plan._replace(creates=creates, deletes=plan.due),
        run.limits,
        quota.left(run.folder.task.organization_id),
        quota.reserve,
        owed=s.owed,
        order_share=1.0 if run.options.once else ORDER_SHARE,
    )


def _after(run: Run, outcome: Outcome, plan: Plan, s: Snapshot) -> Sequence[Decision]:
    """Note what was done, and decide what its failures mean."""
    policy, ledger = run.policy, run.ledger
    run.unlisted = run.unlisted or outcome.unlisted
    run.sends.update(create.file.path for batch, _ in outcome.sent for create in batch)
    if outcome.reordered and outcome.reordered == len(plan.reorders):
        put_back = any(r.put_back for r in plan.reorders)
        ledger.record_order(plan.sequence, kept=False, put_back=put_back)
    policy.blame.any_change |= any(a.kind in _CHANGES for a in outcome.done)
    if outcome.sent:
        alike, proven = reconsidered(ledger.state, s.now)
        ledger.forgive(alike)
        ledger.record_refusals(proven)
    all_sent = run.left_to_do == len(plan.waiting)
    for batch, sent in outcome.sent:
        policy.search.accepted(batch)
        for create, one in zip(batch, sent, strict=True):
            if one.changed:
                all_sent = False
            else:
                file = create.file
                run.observer.contents.know(file.path, file.fingerprint, one.digest)
    ledger.write()
    if outcome.failures:
        return [policy.after_failure(f, s) for f in outcome.failures]
    # A list is all that is left to do: another scan before it would find nothing new.
    return [LIST_AGAIN if run.unlisted and all_sent else AGAIN]


def _nothing_to_send(run: Run, plan: Plan) -> Sequence[Decision]:
    """Everything possible is done: is anything left, and is it worth waiting for?"""
    blame = run.policy.blame
    if run.unlisted:
        return [LIST_AGAIN]
    if blame.try_again():
        return [AGAIN]
    run.unsent = plan.creates
    unsorted = 0 if run.policy.search.is_affordable else len(plan.creates)
    if plan.busy and not unsorted:
        return [run.policy.out_of_quota(run.context.clock(), cost(plan, run.limits))]
    if unsorted and blame.alike(plan.creates) is None:
        return [Decision(blame.not_sorted_out(unsorted))]
    if not plan.waiting:
        return []
    if plan.lagging and run.options.once and run.lags < LISTS_FOR_LAG:
        run.lags += 1
        return [Decision(needs_list=True, wait=LAG)]
    first = plan.waiting[0]
    more = f" (and {len(plan.waiting) - 1} more)" if len(plan.waiting) > 1 else ""
    return [Decision(Trouble(LATER, f"{first.path}: {first.reason}{more}", "files"))]
