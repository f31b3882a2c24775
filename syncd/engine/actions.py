"""One action on a task, planned or done, in one form for log, report, history and dry run."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Literal, NamedTuple

from syncd.core.plan import Create, Delete, Plan, Put
from syncd.engine.cost import Limits, batches
from syncd.model import LoggedAction

Kind = Literal["create", "replace", "rename", "reorder", "delete", "adopt", "list", "wait"]

_DELETED_BECAUSE = {
    "gone": "its file is gone",
    "replaced": "an old version",
    "foreign": "not ours, and no file has its name (delete: mirror)",
}


class Action(NamedTuple):
    """What is or was done to one attachment, and why."""

    kind: Kind
    name: str
    """The path of the file; of a delete the attachment's name; of a rename its new name."""
    reason: str
    size: int | None = None
    attachment: int | None = None
    old_name: str | None = None
    """Of a rename."""
    old_version: bool = False
    """A delete that finishes a replacement: it does not count as a delete."""
    requests: int = 1


def of_create(create: Create, attachment: int | None = None) -> Action:
    if create.replaces is None:
        return Action("create", create.file.path, "new file", create.file.size, attachment)
    return Action("replace", create.file.path, "new content", create.file.size, attachment)


def of_delete(delete: Delete) -> Action:
    return Action(
        "delete",
        delete.name,
        _DELETED_BECAUSE[delete.reason],
        delete.size,
        delete.id,
        old_version=delete.reason == "replaced",
    )


def of_rename(rename: Put) -> Action:
    why = "renamed in the task, put back" if rename.put_back else "its file was renamed"
    if rename.old_number != rename.number:
        why = f"{why}, and moved from {rename.old_number} to {rename.number}"
    return Action("rename", rename.name, why, attachment=rename.entry.id, old_name=rename.old_name)


def of_reorder(reorder: Put) -> Action:
    why = "moved in the task, put back" if reorder.put_back else "to its place in the order"
    why = f"{why}, from {reorder.old_number} to {reorder.number}"
    return Action("reorder", reorder.entry.path, why, attachment=reorder.entry.id)


def of_adoption(path: str) -> Action:
    return Action("adopt", path, "same name and size", requests=0)


DONE: dict[Kind, str] = {
    "create": "created",
    "replace": "replaced",
    "rename": "renamed",
    "reorder": "reordered",
    "delete": "deleted",
    "adopt": "adopted",
}
"""What a confirmed action is called where it is told of."""


def logged(action: Action, at: float, folder: str, quota_left: int | None) -> LoggedAction:
    """A confirmed action as the ledger keeps it for `syncd log`."""
    what = DONE[action.kind], action.name, reason_of(action), action.attachment
    return LoggedAction(at, folder, *what, quota_left, action.old_name)


def sentence(action: Action, quota_left: int | None) -> str:
    """A confirmed action in one line of the log."""
    notes = [reason_of(action)]
    notes += [f"{action.size} bytes"] if action.size is not None else []
    notes += [f"id {action.attachment}"] if action.attachment is not None else []
    notes += [f"{quota_left} requests left"] if quota_left is not None else []
    return f"{DONE[action.kind]} {action.name} ({', '.join(notes)})"


def reason_of(action: Action) -> str:
    """Why it was done, and of a rename the name before."""
    was = "" if action.old_name is None else f"was {action.old_name!r}, "
    return was + action.reason


def planned(plan: Plan, limits: Limits) -> list[Action]:
    """What a plan would do, in order; the requests of all are what it costs."""
    return [
        *map(of_delete, plan.finish),
        *_creates(plan.creates, limits),
        *(() if limits.keeps_old else _old_versions(plan.creates)),
        *map(of_delete, plan.deletes),
        *map(of_rename, plan.renames),
        *map(of_reorder, plan.reorders),
        *map(of_adoption, plan.adopted),
        *(Action("wait", p.path, p.reason, requests=0) for p in plan.waiting),
    ]


def _creates(creates: Sequence[Create], limits: Limits) -> Iterator[Action]:
    for batch in batches(creates, limits):
        for n, create in enumerate(batch):
            action = of_create(create)
            why = action.reason
            if len(batch) > 1:
                bulk = f"bulk of {len(batch)}" if n == 0 else f"in the bulk of {batch[0].file.path}"
                why = f"{why}, {bulk}"
            yield Action(action.kind, action.name, why, action.size, requests=int(n == 0))
    if creates:
        yield Action("list", "the task", "to see what was created")


def _old_versions(creates: Iterable[Create]) -> Iterator[Action]:
    for create in creates:
        if create.replaces is not None:
            name = create.replaces.name.seen
            yield Action(
                "delete", name, "the old version, once the new one is seen", old_version=True
            )
