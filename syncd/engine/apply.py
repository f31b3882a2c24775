"""Do what a plan says and record each confirmed action; never improvise.

The first answer that is not the documented success ends it: what becomes of the rest is for a
new cycle to plan from the truth.
"""

from __future__ import annotations

from collections.abc import Iterable

from syncd.core.plan import Delete, Plan, Put
from syncd.engine import actions
from syncd.engine.actions import Action
from syncd.engine.cost import batches
from syncd.engine.outcome import Failure, Outcome
from syncd.engine.run import Run
from syncd.errors import ApiError
from syncd.model import Attachment

Change = Delete | Put
"""One request each."""


def apply(run: Run, root: str, plan: Plan) -> Outcome:
    """Carry out a plan, in the order of what matters most; nothing is sent after a failure.

    Uploads come last if the server failed on one in this run: the rest does not wait for it.
    """
    outcome = Outcome()
    rest: list[Change] = [*plan.deletes, *plan.renames, *plan.reorders]
    reserve, uploads_last = run.context.quota.reserve, run.policy.blame.upload_error is not None
    _carry_out(run, outcome, plan.finish, reserve=0)
    if uploads_last:
        _carry_out(run, outcome, rest, reserve)
    if plan.creates and not outcome.ended:
        from syncd.engine.uploads import Uploads  # many a run sends none, and needs no threads

        Uploads(run, outcome, root).send(batches(plan.creates, run.limits))
    if not uploads_last:
        _carry_out(run, outcome, rest, reserve)
    return outcome


def _carry_out(run: Run, outcome: Outcome, changes: Iterable[Change], reserve: int) -> None:
    """One by one, up to the first failure, or until others have spent the quota."""
    for change in changes:
        if outcome.ended or not run.affords(1 + reserve):
            return
        run.ledger.write()
        try:
            action = _delete(run, change) if isinstance(change, Delete) else _put(run, change)
        except ApiError as error:
            outcome.failures.append(_failure(error, change))
            continue
        outcome.reordered += action.kind == "reorder"
        outcome.done.append(action)
        run.note_done([action])


def _delete(run: Run, delete: Delete) -> Action:
    run.context.remote.delete(run.folder.task, delete.id)
    counted = None if delete.reason == "replaced" else delete.path or delete.name
    run.ledger.record_deleted(Attachment(delete.id, delete.name, 0, delete.size), counted)
    return actions.of_delete(delete)


def _put(run: Run, change: Put) -> Action:
    id_, name, number = change.entry.id, change.name, change.number
    renamed = name != change.old_name
    run.context.remote.update(run.folder.task, id_, name, number)
    run.ledger.record_updated(id_, name, number, put_back=renamed and change.put_back)
    return actions.of_rename(change) if renamed else actions.of_reorder(change)


def _failure(error: ApiError, change: Change) -> Failure:
    if isinstance(change, Delete):
        return Failure(error, attachment_id=change.id, name=change.path or change.name)
    return Failure(error, attachment_id=change.entry.id, name=change.entry.path)
