"""What page and metrics show of folders, quota and history, as values; no request is sent."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Literal, NamedTuple

from syncd.core.snapshot import Snapshot
from syncd.engine.observe import still_written, without_unread
from syncd.local.ignore import selection
from syncd.local.scan import scan
from syncd.model import LocalFile, LoggedAction, LoggedCycle, Problem, TaskKey
from syncd.overview.folders import Target
from syncd.overview.status import FolderStatus
from syncd.overview.verdict import Kind, Verdict, Verdicts
from syncd.overview.words import count
from syncd.task_state import TaskState

Look = Literal["ok", "todo", "warn", "bad", "quiet"]

MAX_ROWS = 1000
"""Of one table; a folder of more files shows those that are not in sync first."""
_LOOKS: dict[Kind, Look] = {
    Kind.IN_SYNC: "ok",
    Kind.HELD: "warn",
    Kind.CONTESTED: "warn",
    Kind.REFUSED: "bad",
    Kind.FAILED: "bad",
    Kind.DETACHED: "quiet",
    Kind.FOREIGN: "quiet",
    Kind.NOT_SYNCED: "quiet",
}
"""All other kinds are still to be done."""


class Row(NamedTuple):
    """A file, or an attachment that no file has."""

    name: str
    kind: str
    look: Look
    note: str = ""
    size: int | None = None
    attachment: int | None = None
    is_placed: bool = False
    """It has a place in the order of the files."""


class FolderView(NamedTuple):
    """One folder and its task; times in seconds since the epoch."""

    status: FolderStatus
    files: tuple[Row, ...] = ()
    """In the order in which they are to stand in the task."""
    others: tuple[Row, ...] = ()
    """Attachments that no file has, in display order."""
    skipped: tuple[Problem, ...] = ()
    listed_at: float | None = None
    is_seen: bool = False
    """The folder could be looked at."""
    unseen: str | None = None
    """Why not, if that is news."""

    def as_seen(self) -> FolderView:
        """What was in sync after its last cycle is pending if it has changed since; what is not
        there is in error."""
        if self.status.state in ("in sync", "pending") and self.unseen is not None:
            return self._replace(status=self.status._replace(state="error", reason=self.unseen))
        changes = sum(row.look == "todo" for row in (*self.files, *self.others))
        if self.status.state != "in sync" or not changes:
            return self
        reason = f"{count(changes, 'change')} since the last cycle"
        return self._replace(status=self.status._replace(state="pending", reason=reason))


class QuotaView(NamedTuple):
    """The quota of one organization."""

    organization: int
    left: int | None
    limit: int
    """Requests an hour, as far as is known."""
    resets_at: float | None


class PageView(NamedTuple):
    """All that one page shows."""

    made_at: float
    pid: int | None
    """The service, if it runs."""
    config: str
    folders: tuple[FolderStatus, ...] = ()
    quotas: tuple[QuotaView, ...] = ()
    cycles: tuple[tuple[TaskKey, str, LoggedCycle], ...] = ()
    """Of the last day, each with its folder's name, oldest first."""
    actions: tuple[LoggedAction, ...] = ()
    """The last ones, newest first."""
    notes: tuple[str, ...] = ()
    refresh: int | None = None
    """Seconds after which a browser loads the page again."""


def verdicts_of(target: Target, state: TaskState, now: float, *, service: bool) -> Verdicts:
    """A folder as it is now, by the remembered list; no file is read. Raises FolderError.

    A file whose fingerprint is the one of its attachment counts as unchanged.
    """
    rules = target.folder.rules
    folder = scan(target.folder.path, rules, state.attached_paths)
    folder = without_unread(folder, state, now)
    known = {e.path: e for e in state.entries.values() if e.role in ("current", "detached")}

    def with_digest(file: LocalFile) -> LocalFile:
        entry = known.get(file.path)
        same = entry is not None and entry.fingerprint == file.fingerprint
        return file._replace(digest=entry.digest or "") if entry and same else file

    snapshot = Snapshot(
        folder=folder._replace(files=tuple(map(with_digest, folder.files))),
        state=state,
        rules=rules,
        selects=selection(rules).selects,
        now=now,
        scanned_at=now,
        fresh=False,
        unsettled=still_written(folder, now, target.settle) if service else frozenset(),
    )
    return Verdicts(snapshot, snapshot.deleted_lately if service else 0)


def folder_view(status: FolderStatus, look: Callable[[], Verdicts]) -> FolderView:
    """The folder as `look` finds it. Raises FolderError."""
    verdicts = look()
    s = verdicts.snapshot
    return FolderView(
        status,
        tuple(_files(verdicts)),
        tuple(_others(verdicts)),
        s.folder.skipped,
        s.state.listed_at,
        is_seen=True,
    )


def _files(verdicts: Verdicts) -> Iterator[Row]:
    s = verdicts.snapshot
    of_file = {v.file: v for v in reversed(verdicts.all) if v.file and v.kind is not Kind.OLD}
    for file in sorted(s.folder.files, key=lambda file: s.rank[file.path]):
        verdict = of_file[file.path]
        note = verdict.reason
        if verdict.kind is Kind.CHANGED and file.path in s.matches.unsure:
            note = "it was touched: the next cycle compares its content, and uploads what differs"
        yield _row(file.path, verdict, file.size, note)._replace(is_placed=True)
    for problem in s.folder.failed:
        yield Row(problem.path, "failed", "bad", problem.reason)


def _others(verdicts: Verdicts) -> Iterator[Row]:
    s = verdicts.snapshot
    there = {f.path for f in s.folder.files}
    for attachment in sorted(s.shown.values(), key=lambda a: (a.display_order, a.id)):
        verdict = verdicts.on_attachment(attachment.id)
        if verdict.kind is Kind.FAILED or (verdict.file in there and verdict.kind is not Kind.OLD):
            continue
        yield _row(attachment.name, verdict, attachment.size, verdict.reason, attachment.id)


def _row(name: str, verdict: Verdict, size: int, note: str, attachment: int | None = None) -> Row:
    if verdict.error is not None:
        note = f"{note}: {verdict.error}"
    id_ = verdict.attachment_id if attachment is None else attachment
    look = _LOOKS.get(verdict.kind, "todo")
    note = "" if verdict.kind is Kind.IN_SYNC else note
    return Row(name, str(verdict.kind), look, note, size, id_)
