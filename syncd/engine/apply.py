"""Do what a plan says and record each confirmed action; never improvise.

The first answer that is not the documented success ends it: what becomes of the rest is for a
new cycle to plan from the truth.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from syncd.core.plan import Delete, Limits, Plan, Put, batches
from syncd.engine import actions
from syncd.engine.actions import Action
from syncd.engine.context import Context
from syncd.engine.outcome import Failure, Outcome
from syncd.engine.uploads import Uploads
from syncd.errors import ApiError
from syncd.model import Attachment, TaskKey
from syncd.state.task_ledger import TaskLedger


def apply(
    context: Context,
    task: TaskKey,
    ledger: TaskLedger,
    root: str,
    plan: Plan,
    limits: Limits,
    on_done: Callable[[Action], None],
    *,
    uploads_last: bool = False,
) -> Outcome:
    """Carry out a plan, in the order of what matters most; nothing is sent after a failure.

    `on_done` hears of each action as soon as it is confirmed and recorded. `uploads_last`: the
    server failed on one in this run, and the rest does not wait for it.
    """
    changes = _Changes(context, task, ledger, on_done)
    rest: list[Delete | Put] = [*plan.deletes, *plan.renames, *plan.reorders]
    reserve = context.quota.reserve
    changes.run(plan.finish, reserve=0)
    outcome = changes.outcome
    if uploads_last and not outcome.failures:
        changes.run(rest, reserve=reserve)
    if not outcome.failures:
        uploads = Uploads(context, task, ledger, root, on_done, keeps_old=limits.keeps_old)
        uploads.run(outcome, batches(plan.creates, limits))
    if not uploads_last and not outcome.failures:
        changes.run(rest, reserve=reserve)
    return outcome


class _Changes:
    """Deletes, renames and moves: one request each."""

    def __init__(
        self,
        context: Context,
        task: TaskKey,
        ledger: TaskLedger,
        on_done: Callable[[Action], None],
    ) -> None:
        self._context = context
        self._task = task
        self._ledger = ledger
        self._on_done = on_done
        self.outcome = Outcome()

    def run(self, changes: Iterable[Delete | Put], *, reserve: int) -> None:
        """One by one, up to the first failure, or until others have spent the quota."""
        for change in changes:
            left = self._context.quota.left(self._task.organization_id)
            if left is not None and left <= reserve:
                return
            try:
                action = self._delete(change) if isinstance(change, Delete) else self._put(change)
            except ApiError as error:
                self.outcome.failures.append(_failure(error, change))
                return
            self.outcome.done.append(action)
            self._on_done(action)

    def _delete(self, delete: Delete) -> Action:
        self._context.remote.delete(self._task, delete.id)
        counted = None if delete.reason == "replaced" else delete.path or delete.name
        self._ledger.record_deleted(Attachment(delete.id, delete.name, 0, delete.size), counted)
        return actions.of_delete(delete)

    def _put(self, change: Put) -> Action:
        id_, name, number = change.entry.id, change.name, change.number
        self._context.remote.update(self._task, id_, name, number)
        renamed = name != change.old_name
        self._ledger.record_updated(id_, name, number, put_back=renamed and change.put_back)
        if renamed:
            return actions.of_rename(change)
        self.outcome.reordered += 1
        return actions.of_reorder(change)


def _failure(error: ApiError, change: Delete | Put) -> Failure:
    if isinstance(change, Delete):
        return Failure(error, attachment_id=change.id, name=change.path or change.name)
    return Failure(error, attachment_id=change.entry.id, name=change.entry.path)
