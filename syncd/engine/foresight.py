"""What a plan would do, action by action, each with its reason and its requests (dry run)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from syncd.core.plan import Create, Delete, Limits, Plan, Rename, batches


@dataclass(frozen=True)
class PlannedAction:
    """One line of a dry run; the requests of all are what the plan costs."""

    what: str
    name: str
    reason: str
    requests: int


_CREATE, _REPLACE = ("create", "new file"), ("replace", "new content")
_DELETED_BECAUSE = {
    "gone": "its file is gone",
    "replaced": "an old version",
    "foreign": "not ours, and no file has its name (delete: mirror)",
}


def planned_actions(plan: Plan, limits: Limits) -> list[PlannedAction]:
    """In the order in which they would be done."""
    return [
        *(_delete(d) for d in plan.finish_first),
        *_creates(plan.creates, limits),
        *(() if limits.keeps_old else _old_versions(plan.creates)),
        *(_delete(d) for d in plan.deletes),
        *(_rename(r) for r in plan.renames),
        *(_delete(d) for d in plan.finish_renamed),
        *(
            PlannedAction("move", r.entry.path, _moved(r.old_number, r.number, r.put_back), 1)
            for r in plan.reorders
        ),
        *(PlannedAction("adopt", path, "same name and size", 0) for path in plan.adopted),
        *(PlannedAction("wait", p.path, p.reason, 0) for p in plan.waiting),
    ]


def _creates(creates: Sequence[Create], limits: Limits) -> Iterator[PlannedAction]:
    for batch in batches(creates, limits):
        first = batch[0].file.path
        for n, create in enumerate(batch):
            what, why = _CREATE if create.replaces is None else _REPLACE
            if len(batch) > 1:
                with_whom = f"bulk of {len(batch)}" if n == 0 else f"in the bulk of {first}"
                why = f"{why}, {with_whom}"
            yield PlannedAction(what, create.file.path, why, int(n == 0))
    if creates:
        yield PlannedAction("list", "the task", "to see what was created", 1)


def _old_versions(creates: Iterable[Create]) -> Iterator[PlannedAction]:
    for create in creates:
        if create.replaces is not None:
            name = create.replaces.name.seen
            yield PlannedAction("delete", name, "the old version, once the new one is seen", 1)


def _delete(delete: Delete) -> PlannedAction:
    return PlannedAction("delete", delete.name, _DELETED_BECAUSE[delete.reason], 1)


def _rename(rename: Rename) -> PlannedAction:
    why = "renamed in the task, put back" if rename.put_back else "its file was renamed"
    if rename.old_number != rename.number:
        why = f"{why}, and moved from {rename.old_number} to {rename.number}"
    return PlannedAction("rename", f"{rename.old_name} -> {rename.name}", why, 1)


def _moved(old: int, new: int, put_back: bool) -> str:
    why = "moved in the task, put back" if put_back else "to its place in the order"
    return f"{why}, from {old} to {new}"
