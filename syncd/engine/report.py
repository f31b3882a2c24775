"""What one run did to one folder, as data; the words for people are made elsewhere."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Literal, NamedTuple

from syncd.core.plan import Held
from syncd.engine.actions import Action
from syncd.model import Folder, Problem

OK, PARTLY, LATER, KEY, CONFIG = 0, 1, 75, 77, 78
"""Exit codes of contract.md; usage (2) is the command line's own."""
Cause = Literal["folder", "task", "key", "quota", "server", "offline", "files"]
"""What an error is about, for who decides when to come again."""
_RANK = (CONFIG, KEY, LATER, PARTLY, OK)


def worst(codes: Iterable[int]) -> int:
    """The exit code that stands for several."""
    return min(codes, key=_RANK.index, default=OK)


class Trouble(NamedTuple):
    """What ends a run before the folder is in sync."""

    code: int
    """The exit code that it means."""
    error: str
    cause: Cause = "folder"
    resumes_at: float | None = None
    """When a later run may go on, in seconds since the epoch."""


def worse(one: Trouble | None, other: Trouble | None) -> Trouble | None:
    """Of two troubles the one that is told."""
    if one is None or other is None:
        return one or other
    return other if worst([one.code, other.code]) != one.code else one


class FolderReport(NamedTuple):
    """Names are paths below the folder, or what the task shows."""

    name: str
    path: str
    task_id: int | None
    trouble: Trouble | None = None
    in_sync: bool = False
    requests: int = 0
    planned_requests: int = 0
    """What the whole run costs by its first plan, its lists included."""
    actions: Sequence[Action] = ()
    """What was done; in a dry run what would be done, in order."""
    detached: Sequence[str] = ()
    foreign: Sequence[str] = ()
    held: Sequence[Held] = ()
    contested: Sequence[str] = ()
    failed: Sequence[Problem] = ()
    skipped: Sequence[Problem] = ()
    hints: Sequence[str] = ()
    pending: int = 0
    """Actions that are left for a later run."""

    @classmethod
    def of(cls, folder: Folder, trouble: Trouble | None = None, requests: int = 0) -> FolderReport:
        """The report of a folder in which nothing was done."""
        return cls(folder.name, folder.path, folder.task.task_id, trouble, requests=requests)

    @property
    def code(self) -> int:
        """The exit code of what kept the folder from being in sync."""
        return self.trouble.code if self.trouble else OK

    @property
    def error(self) -> str | None:
        return self.trouble.error if self.trouble else None

    @property
    def cause(self) -> Cause | None:
        return self.trouble.cause if self.trouble else None

    @property
    def resumes_at(self) -> float | None:
        return self.trouble.resumes_at if self.trouble else None

    @property
    def exit_code(self) -> int:
        unsettled = self.failed or self.held or self.contested
        return worst([self.code, PARTLY if unsettled else OK])

    @property
    def created(self) -> list[str]:
        return self._names("create")

    @property
    def replaced(self) -> list[str]:
        return self._names("replace")

    @property
    def renamed(self) -> list[tuple[str, str]]:
        return [(a.old_name or "", a.name) for a in self.actions if a.kind == "rename"]

    @property
    def reordered(self) -> list[str]:
        return self._names("reorder")

    @property
    def deleted(self) -> list[str]:
        """Without old versions of replaced files."""
        return [a.name for a in self.actions if a.kind == "delete" and not a.old_version]

    @property
    def adopted(self) -> list[str]:
        return self._names("adopt")

    def _names(self, kind: str) -> list[str]:
        return [a.name for a in self.actions if a.kind == kind]

    @property
    def is_decided(self) -> bool:
        """Whether the run came to decide on an approval: it is used then, or void."""
        undecided = self.pending or self.cause in ("folder", "task")
        return self.code in (OK, PARTLY) and not undecided

    def as_json(self) -> dict[str, Any]:
        """The folder's part of `--once --json`."""
        single = ("name", "path", "task_id", "in_sync", "requests", "planned_requests")
        names = ("created", "replaced", "reordered", "deleted", "adopted", "detached", "foreign")
        return {
            **{key: getattr(self, key) for key in single},
            **{key: list(getattr(self, key)) for key in (*names, "contested")},
            "renamed": [list(pair) for pair in self.renamed],
            "held": [h.name for h in self.held],
            "failed": [{"name": p.path, "error": p.reason} for p in self.failed],
            "skipped": [{"name": p.path, "reason": p.reason} for p in self.skipped],
            "error": self.error,
        }
