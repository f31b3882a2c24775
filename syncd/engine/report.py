"""What one run did to one folder, as data; the words for people are made elsewhere."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

from syncd.core.plan import Delete, Held, Limits, Plan
from syncd.engine.foresight import PlannedAction, planned_actions
from syncd.model import Folder, Problem

OK, PARTLY, LATER, KEY, CONFIG = 0, 1, 75, 77, 78
"""Exit codes of contract.md; usage (2) is the command line's own."""
Cause = Literal["folder", "task", "key", "quota", "server", "offline", "files"]
"""What an error is about, for who decides when to come again."""
_RANK = (CONFIG, KEY, LATER, PARTLY, OK)


def worst(codes: list[int]) -> int:
    """The exit code that stands for several."""
    return min(codes, key=_RANK.index, default=OK)


@dataclass
class FolderReport:
    """Grows over the rounds of a run; names are paths below the folder, or what the task shows."""

    name: str
    path: str
    task_id: int | None
    in_sync: bool = False
    requests: int = 0
    planned_requests: int = 0
    created: list[str] = field(default_factory=list)
    replaced: list[str] = field(default_factory=list)
    renamed: list[tuple[str, str]] = field(default_factory=list)
    reordered: list[str] = field(default_factory=list)
    deleted: list[str] = field(default_factory=list)
    adopted: list[str] = field(default_factory=list)
    detached: list[str] = field(default_factory=list)
    foreign: list[str] = field(default_factory=list)
    held: list[Held] = field(default_factory=list)
    contested: list[str] = field(default_factory=list)
    failed: list[Problem] = field(default_factory=list)
    skipped: list[Problem] = field(default_factory=list)
    error: str | None = None
    cause: Cause | None = None
    code: int = OK
    """The exit code of what kept this folder from being in sync."""
    pending: int = 0
    """Actions that are left for a later run."""
    resumes_at: float | None = None
    """When a later run may go on, in seconds since the epoch."""
    hints: list[str] = field(default_factory=list)
    planned: int = 0
    """Requests of the first plan, without what it took to make it."""
    actions: list[PlannedAction] = field(default_factory=list)
    """Dry run: what would be done; their requests add up to `planned`."""

    @classmethod
    def of(cls, folder: Folder) -> FolderReport:
        return cls(folder.name, folder.path, folder.task.task_id)

    def fails(self, code: int, error: str, cause: Cause = "folder") -> None:
        """Something ended the folder's run; the worst error is the one that is told."""
        if self.error is None or worst([code, self.code]) != self.code:
            self.error, self.cause = error, cause
        self.code = worst([code, self.code])

    @property
    def decided(self) -> bool:
        """Whether the run came to decide on an approval: it is used then, or void."""
        undecided = self.pending or self.cause in ("folder", "task")
        return self.code in (OK, PARTLY) and not undecided

    def exit_code(self) -> int:
        unsettled = self.failed or self.held or self.contested
        return worst([self.code, PARTLY if unsettled else OK])

    def describe(self, plan: Plan) -> None:
        """Take over what a plan says of the state of things, not of what is to be done."""
        self.detached = list(plan.detached)
        self.foreign = list(plan.foreign)
        self.held = list(plan.held)
        self.contested = list(plan.contested)
        self.failed = list(dict.fromkeys(plan.failed))
        # What a hint speaks of may be settled (uploaded) within the run: it is told all the same.
        self.hints = list(dict.fromkeys((*self.hints, *plan.hints)))

    def foresee(self, plan: Plan, limits: Limits) -> None:
        """Dry run: take over what a plan would do, and exactly what that takes."""
        self.actions = planned_actions(plan, limits)
        requests = sum(action.requests for action in self.actions)
        self.planned_requests += requests - self.planned
        self.planned = requests
        for create in plan.creates:
            (self.created if create.replaces is None else self.replaced).append(create.file.path)
        self.renamed = [(r.old_name, r.name) for r in plan.renames]
        self.reordered = [r.entry.path for r in plan.reorders]
        self.deleted = [d.name for d in plan.deletes]
        self.adopted = list(plan.adopted)
        for delete in plan.deletes:
            if delete.reason == "foreign" and delete.name in self.foreign:
                self.foreign.remove(delete.name)
        if limits.keeps_old:
            self.foreign += [c.replaces.name.seen for c in plan.creates if c.replaces]

    def as_json(self) -> dict[str, Any]:
        """The folder's part of `--once --json` (contract.md, Report)."""
        return {
            "name": self.name,
            "path": self.path,
            "task_id": self.task_id,
            "in_sync": self.in_sync,
            "requests": self.requests,
            "planned_requests": self.planned_requests,
            "created": self.created,
            "replaced": self.replaced,
            "renamed": [list(pair) for pair in self.renamed],
            "reordered": self.reordered,
            "deleted": self.deleted,
            "adopted": self.adopted,
            "detached": self.detached,
            "foreign": self.foreign,
            "held": [h.name for h in self.held],
            "contested": self.contested,
            "failed": [{"name": p.path, "error": p.reason} for p in self.failed],
            "skipped": [{"name": p.path, "reason": p.reason} for p in self.skipped],
            "error": self.error,
        }


def counts_as_deleted(delete: Delete) -> bool:
    """Files replaced do not count as deletes."""
    return delete.reason != "replaced"
