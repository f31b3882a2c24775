"""Does what a plan says and records each confirmed action; never improvises.

The first answer that is not the documented success ends it: what became of the rest is for
a new cycle to plan from the truth.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from syncd.core.plan import Delete, Limits, Plan, Rename, Reorder, batches
from syncd.engine.outcome import Failure, Outcome
from syncd.engine.report import FolderReport, counts_as_deleted
from syncd.engine.tools import Tools
from syncd.engine.uploads import Uploads, tell_write
from syncd.errors import ApiError
from syncd.model import Folder, LedgerEntry, Listing, Past
from syncd.said import Said


class Apply:
    """One plan for one folder, action by action, in the worker's thread."""

    def __init__(
        self, tools: Tools, folder: Folder, root: str, past: Past, report: FolderReport
    ) -> None:
        self._tools = tools
        self._folder = folder
        self._task = folder.task
        self._past = past
        self._report = report
        self._uploads = Uploads(tools, folder, root, past, report)

    def run(
        self, plan: Plan, listing: Listing, limits: Limits, *, uploads_last: bool = False
    ) -> Outcome:
        """In the order of what matters most; nothing is sent after a failure.

        `uploads_last`: one of them failed in this run, and the rest does not wait for it.
        """
        outcome = Outcome(listing)
        rest: list[Delete | Rename | Reorder]
        rest = [*plan.deletes, *plan.renames, *plan.finish_renamed, *plan.reorders]
        self._change(outcome, plan.finish_first, reserve=0)
        if uploads_last and not outcome.failures:
            self._change(outcome, rest, reserve=self._tools.meter.reserve)
        if not outcome.failures:
            self._uploads.run(outcome, batches(plan.creates, limits))
        if not uploads_last and not outcome.failures:
            self._change(outcome, rest, reserve=self._tools.meter.reserve)
        self._tools.meter.save()
        return outcome

    def _change(
        self, outcome: Outcome, actions: Iterable[Delete | Rename | Reorder], *, reserve: int
    ) -> None:
        """One by one, up to the first failure, or until others have spent the quota."""
        for action in actions:
            left = self._tools.meter.left(self._task.organization_id)
            if left is not None and left <= reserve:
                return
            try:
                if isinstance(action, Delete):
                    self._delete(outcome, action)
                else:
                    self._put(outcome, action)
            except ApiError as error:
                outcome.failures.append(_failure(error, action))
                return
            outcome.changed += 1
            self._tools.meter.save()

    def _delete(self, outcome: Outcome, delete: Delete) -> None:
        self._tools.client.delete(self._task, delete.id)
        counted = counts_as_deleted(delete)
        self._tools.ledger.put(
            self._task,
            [_tombstone(delete, self._entry(delete.id), self._tools.clock())],
            deleted=(delete.path or delete.name) if counted else None,
        )
        outcome.lacks(delete.id)
        if counted:
            self._report.deleted.append(delete.name)
        reasons = {
            "gone": "its file is gone",
            "replaced": "old version",
            "foreign": "not ours, mirror",
        }
        size = f"{delete.size} bytes"
        tell_write(
            self._tools,
            self._folder,
            "deleted",
            delete.name,
            f"{reasons[delete.reason]}, {size}",
            delete.id,
        )

    def _put(self, outcome: Outcome, action: Rename | Reorder) -> None:
        entry, name, number = action.entry, action.name, action.number
        shown = next(a for a in outcome.listing.attachments if a.id == entry.id)
        self._tools.client.update(self._task, entry.id, name, number)
        entry, now = self._entry(entry.id) or entry, self._tools.clock()
        self._tools.ledger.put(
            self._task,
            [
                replace(
                    entry,
                    name=entry.name.put(name, over=shown.name, now=now),
                    order=entry.order.put(number, over=shown.display_order, now=now),
                )
            ],
            put_back=entry.id if action.put_back else None,
        )
        outcome.shows([replace(shown, name=name, display_order=number)])
        outcome.updated.append(entry.id)
        back = ", put back" if action.put_back else ""
        if isinstance(action, Rename):
            self._report.renamed.append((action.old_name, name))
            tell_write(
                self._tools,
                self._folder,
                "renamed",
                name,
                f"was {action.old_name!r}{back}",
                entry.id,
            )
        else:
            outcome.moved = True
            self._report.reordered.append(entry.path)
            tell_write(
                self._tools,
                self._folder,
                "moved",
                name,
                f"{action.old_number} -> {number}{back}",
                entry.id,
            )

    def _entry(self, id_: int) -> LedgerEntry | None:
        return next((e for e in self._past.entries if e.id == id_), None)


def _failure(error: ApiError, action: Delete | Rename | Reorder) -> Failure:
    if isinstance(action, Delete):
        return Failure(error, attachment_id=action.id, name=action.path or action.name)
    return Failure(error, attachment_id=action.entry.id, name=action.entry.path)


def _tombstone(delete: Delete, entry: LedgerEntry | None, now: float) -> LedgerEntry:
    """What is left of a deleted attachment for a day, so that no lagging list revives it."""
    if entry is None:
        entry = LedgerEntry(
            id=delete.id,
            role="tombstone",
            path=delete.name,
            size=delete.size,
            name=Said(delete.name, delete.name),
            order=Said(0, 0),
        )
    return replace(entry, role="tombstone", listed=True, since=now)
