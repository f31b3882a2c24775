"""One verdict on every file and every attachment of a folder: how it stands, and what comes next.

It plans as a cycle does, and reads the verdicts off that plan. Pure.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from enum import StrEnum

from syncd.core.guard import Permission, guard
from syncd.core.plan import Held
from syncd.core.reconcile import reconcile
from syncd.core.snapshot import TIMES_A_DAY, Snapshot
from syncd.model import Attachment, LocalFile
from syncd.task_state import LedgerEntry, Refusal, same_name
from syncd.text import escaped_unless_utf8


class Kind(StrEnum):
    """How a file and its attachment stand."""

    IN_SYNC = "in sync"
    NEW = "new"
    CHANGED = "changed"
    RENAMED = "renamed"
    MOVED = "moved"
    GONE = "gone"
    DETACHED = "detached"
    OLD = "old version"
    FOREIGN = "foreign"
    WAITING = "waiting"
    HELD = "held"
    REFUSED = "refused"
    CONTESTED = "contested"
    FAILED = "failed"
    NOT_SYNCED = "not synced"
    UNKNOWN = "unknown"


_RESTING = (
    *(Kind.IN_SYNC, Kind.DETACHED, Kind.HELD, Kind.CONTESTED, Kind.NOT_SYNCED),
    Kind.UNKNOWN,
)
_UNTIL = "left as it is until 24 h are over, or `syncd --once --retry`"
_STAYS = "its attachment stays as it is, and is not kept up to date"
_FOREIGN = "it is not ours: left alone"


@dataclass(frozen=True)
class Verdict:
    """What is true of one file, of one attachment, or of the pair of them."""

    kind: Kind
    reason: str
    """What the kind means here, or why it is so."""
    file: str | None = None
    """The path of the file that the attachment is for; None = there is none."""
    entry: LedgerEntry | None = None
    """The attachment, if it is ours."""
    foreign: Attachment | None = None
    """The attachment, if it is not."""
    error: str | None = None
    """What the server or the disk answered, if it was refused or failed."""
    next_try: float | None = None
    """When that is tried again, in seconds since the epoch."""

    @property
    def is_resting(self) -> bool:
        """Whether no cycle does anything about it."""
        return self.kind in _RESTING

    @property
    def attachment_id(self) -> int | None:
        attachment = self.entry or self.foreign
        return attachment.id if attachment else None


class Verdicts:
    """The verdicts on one folder and its task."""

    def __init__(self, snapshot: Snapshot, deleted: int = 0) -> None:
        """`deleted` as in `Permission`."""
        self.snapshot = self._s = snapshot
        self._plan = guard(reconcile(snapshot), snapshot, Permission(deleted=deleted))
        self._held = {h.id: h for h in self.held}
        self._waiting = {p.path: p.reason for p in self._plan.waiting}
        self._failed = {p.path for p in self._plan.failed}
        self._unusable = {p.path: p.reason for p in snapshot.folder.failed}
        self._put = {r.entry.id for r in self._plan.renames}
        self._moved = {r.entry.id for r in self._plan.reorders}
        self.all = (*self._on_pairs(), *self._on_attachments_without_file())
        # Of two verdicts on one attachment the first counts.
        self._by_id = {v.attachment_id: v for v in reversed(self.all)}

    @property
    def held(self) -> tuple[Held, ...]:
        """What the guard holds back."""
        return self._plan.held

    @property
    def need_list(self) -> bool:
        """Whether only a new list of the task tells what is held back."""
        state, mirror = self._s.state, self._s.rules.delete == "mirror"
        doubtful = state.listed_at is None or bool(state.in_doubt) or mirror
        return not self._s.fresh and (doubtful or self._plan.needs_list is not None)

    def on_attachment(self, id_: int) -> Verdict:
        """The verdict on an attachment of the task; what nobody knows of is foreign."""
        stranger = self._s.shown.get(id_)
        return self._by_id.get(id_) or Verdict(Kind.FOREIGN, _FOREIGN, foreign=stranger)

    def on_path(self, path: str) -> Verdict:
        """The verdict on a path, whether or not a file is there."""
        file = self.file(path)
        ours = [v for v in self.all if v.kind is not Kind.OLD]
        if file is not None:
            return next(v for v in ours if v.file == file.path)
        there = {f.path for f in self._s.folder.files}
        for v in ours:
            if v.entry and v.entry.path not in there and same_name(v.entry.path, path):
                renamed = f"it is {v.file} now, the next cycle renames the attachment"
                return replace(v, reason=renamed) if v.kind is Kind.RENAMED else v
        return self._on_unknown(path)

    def file(self, path: str) -> LocalFile | None:
        """The synced file of this name; names that are equal after NFC are one."""
        files = {f.path: f for f in self._s.folder.files}
        if path in files or self.obstacle(path):
            return files.get(path)
        return next((f for f in files.values() if same_name(f.path, path)), None)

    def obstacle(self, path: str) -> str | None:
        """Why a path that the patterns take is not synced: a link, too large, unreadable, …"""
        shown = escaped_unless_utf8(path)
        for problem in (*self._s.folder.skipped, *self._s.folder.failed):
            inside = problem.path.endswith("/") and f"{shown}/".startswith(problem.path)
            if problem.path == shown or inside:
                return f"{problem.reason} ({problem.path})" if inside else problem.reason
        return None

    def _on_unknown(self, path: str) -> Verdict:
        """No attachment is known, and no file that is synced."""
        if escaped_unless_utf8(path) in self._unusable:
            return self._on_unusable(path)
        if self.obstacle(path) or not self._s.selects(path):
            return Verdict(Kind.NOT_SYNCED, "no attachment of ours is known")
        return Verdict(Kind.UNKNOWN, "there is no such file, and no attachment of it is known")

    def _on_unusable(self, path: str, entry: LedgerEntry | None = None) -> Verdict:
        """A file that is there, and cannot be read or named."""
        refusal = self._s.state.refusals.get(path)
        next_try = refusal.not_before if refusal and refusal.unread else None
        reason = self._unusable[escaped_unless_utf8(path)]
        return Verdict(Kind.FAILED, reason, path if entry else None, entry, next_try=next_try)

    def _on_pairs(self) -> Iterator[Verdict]:
        matches = self._s.matches
        yield from (self._on_content(e, f) for e, f in (*matches.unchanged, *matches.renamed))
        yield from (self._on_upload(f, e) for e, f in matches.changed)
        strangers = self._s.state.strangers
        adopted = {e.path: strangers[e.id] for e in self._plan.records if e.id in strangers}
        for file in matches.new:
            if (stranger := adopted.get(file.path)) is not None:
                reason = f"the next cycle adopts attachment {stranger.id}, which is the same"
                yield Verdict(Kind.NEW, reason, file.path, foreign=stranger)
            else:
                yield self._on_upload(file, None)

    def _on_content(self, entry: LedgerEntry, file: LocalFile) -> Verdict:
        """An attachment that has the content of its file."""
        path, refusal = file.path, self._s.change_refused(entry.id)
        if path in self._waiting:
            return Verdict(Kind.WAITING, self._waiting[path], path, entry)
        if path in self._plan.contested:
            reason = f"somebody keeps changing its attachment; {_UNTIL}"
            return Verdict(Kind.CONTESTED, reason, path, entry)
        if path in self._failed and refusal is not None:
            return _refused(refusal, path, entry)
        if entry.path != path:
            reason = f"it was {entry.path}; the next cycle renames the attachment"
            return Verdict(Kind.RENAMED, reason, path, entry)
        if entry.id in self._put or not self._s.has_its_name(self._s.bind(entry, file)):
            reason = f"its attachment is named {entry.name.seen}; the next cycle renames it"
            return Verdict(Kind.RENAMED, reason, path, entry)
        if entry.id in self._moved:
            reason = "the next cycle moves its attachment to its place in the order"
            return Verdict(Kind.MOVED, reason, path, entry)
        return Verdict(Kind.IN_SYNC, "unchanged since it was uploaded or adopted", path, entry)

    def _on_upload(self, file: LocalFile, entry: LedgerEntry | None) -> Verdict:
        """A file whose content the task does not have."""
        path = file.path
        if entry is not None and entry.id in self._held:
            return self._on_held(entry, path)
        if path in self._waiting:
            return Verdict(Kind.WAITING, self._waiting[path], path, entry)
        if path in self._plan.contested:
            reason = f"uploaded {TIMES_A_DAY} times in 24 h; {_UNTIL}"
            return Verdict(Kind.CONTESTED, reason, path, entry)
        if (refusal := self._s.upload_refused(file)) is not None:
            return _refused(refusal, path, entry)
        if entry is None:
            reason = "the next cycle uploads it (or adopts an attachment that is the same)"
            return Verdict(Kind.NEW, reason, path)
        reason = "the next cycle uploads it and deletes the old version"
        return Verdict(Kind.CHANGED, reason, path, entry)

    def _on_attachments_without_file(self) -> Iterator[Verdict]:
        matches, state = self._s.matches, self._s.state
        yield from map(self._on_gone, matches.gone)
        waits = (
            "the file is gone; its attachment waits, since a file of the same size cannot be read "
            "yet and may be it under another name"
        )
        yield from (Verdict(Kind.DETACHED, waits, e.path, e) for e in matches.waiting)
        for entry in matches.unsynced:
            if escaped_unless_utf8(entry.path) in self._unusable:
                yield self._on_unusable(entry.path, entry)
            else:
                yield Verdict(Kind.DETACHED, _STAYS, entry.path, entry)
        superseded = (e for e in state.entries.values() if e.role == "superseded")
        for entry in (*matches.replaced, *superseded):
            yield Verdict(Kind.OLD, f"a newer version of {entry.path} is there", entry=entry)

    def _on_gone(self, entry: LedgerEntry) -> Verdict:
        if entry.id in self._held:
            return self._on_held(entry, None)
        if self._s.rules.delete == "never":
            return Verdict(Kind.DETACHED, f"its file is gone; {_STAYS}", entry=entry)
        if (refusal := self._s.change_refused(entry.id)) is not None:
            return _refused(refusal, None, entry)
        reason = "the file was there, and is not any more; the next cycle deletes its attachment"
        return Verdict(Kind.GONE, reason, entry=entry)

    def _on_held(self, entry: LedgerEntry, path: str | None) -> Verdict:
        held = self._held[entry.id]
        reason = f"{held.action} waits for approval: {held.reason}"
        return Verdict(Kind.HELD, reason, path, entry)


def _refused(refusal: Refusal, path: str | None, entry: LedgerEntry | None) -> Verdict:
    whole = ", as is every other upload" if refusal.whole else ""
    reason = f"the server does not take it{whole}"
    return Verdict(
        Kind.REFUSED, reason, path, entry, error=refusal.error, next_try=refusal.not_before
    )
