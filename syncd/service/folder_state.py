"""One folder of the service: its schedule, its ledger, and what its last cycle saw."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from syncd.engine.observe import Observer, still_written
from syncd.engine.report import FolderReport
from syncd.errors import FolderError
from syncd.local.folder_hash import folder_hash
from syncd.local.scan import scan
from syncd.model import FolderSnapshot
from syncd.overview.folders import Target
from syncd.service.schedule import SCAN_EVERY, Schedule
from syncd.state.task_ledger import TaskLedger

_SHORTEST_WAIT = 0.2


@dataclass(frozen=True)
class ScanSummary:
    """What one scan found."""

    signature: int | None
    """The same as long as nothing changed that a cycle acts on; None = the scan failed."""
    quiet_in: float | None = None
    """Seconds until files that are still being written may be quiet; None = there are none."""


@dataclass
class FolderState:
    """What the worker keeps of one folder between its cycles."""

    target: Target
    schedule: Schedule
    ledger: TaskLedger | None
    """Valid as long as this process holds the lock; None = load it before the next cycle."""
    report: FolderReport | None = None
    """Of the last cycle."""
    last_cycle: float | None = None
    """When it ended, in seconds since the epoch."""
    began: float = 0.0
    """When the last run began, in monotonic seconds."""
    sent_at: float | None = None
    """When it ended, in monotonic seconds; None = it sent no request."""
    rescan_at: float = 0.0
    """When the next rescan is due, in monotonic seconds."""
    seen: ScanSummary | None = None
    """What the last cycle saw; None = it could not read some of it and has to try again."""
    racy: bool = False
    """The last cycle saw a file so soon after a change that its fingerprint may miss a later
    one."""
    missing: frozenset[str] = frozenset()
    """Files with attachments that the last cycle did not find, or a scan since."""
    only_listed: bool = False
    """The last cycle listed the task and sent nothing, as its files were still being written."""
    kept_twins: frozenset[str] = frozenset()
    """All files of the last cycle, if it left out some whose names are equal after NFC."""
    unmoved: int | None = None
    """The folder's hash before a scan that found what the last cycle saw, or before that cycle."""

    def begin_run(self, now: float) -> None:
        """A run starts, which sees all changes up to now."""
        self.began = now
        # The hash is for the next rescan; nobody who waits for a change waits for it.
        self.unmoved = None if self.schedule.has_changes() else self._hash()
        self.schedule.start_cycle()

    def record_run(self, observer: Observer, requests: int, now: float, wall: float) -> None:
        """Keep what the run saw that ended at `now` and sent so many requests."""
        folder, settle = observer.found, self.target.settle
        seen = _summary(folder, observer.unsettled, wall, settle) if folder else ScanSummary(None)
        self.seen = None if observer.unreadable else seen
        self.missing = self._attached - _paths(folder)
        quiet = [f for f in folder.files if f.path not in observer.unsettled] if folder else []
        self.racy = any(f.fingerprint.racy_at(observer.scanned_at) for f in quiet)
        if seen.quiet_in is not None:
            self.schedule.scan_at, self.unmoved = now + seen.quiet_in, None
        only_listed = observer.fresh and requests == 1
        self.only_listed = only_listed and bool(observer.unsettled) and not self.only_listed
        self.kept_twins = _paths(folder) if folder and folder.failed else frozenset()
        self._record_list(observer, now, wall)

    def _record_list(self, observer: Observer, now: float, wall: float) -> None:
        listed_at = self.ledger.state.listed_at if self.ledger else None
        if observer.needs_list or listed_at is None:
            self.schedule.listed_at = None
        elif observer.fresh:
            # The wall clock may have been set since, but the list is not older than the run.
            self.schedule.listed_at = max(now - max(wall - listed_at, 0.0), self.began)

    def has_changed(self, wall: float) -> bool:
        """Whether a scan finds what the last cycle did not see; none is made if nothing moved."""
        if self.seen is None:
            return True
        hash_now = self._hash()
        if hash_now is not None and hash_now == self.unmoved:
            return False
        found, _ = self._scan(wall)
        changed = found.signature != self.seen.signature
        self.unmoved = None if changed or found.quiet_in is not None else hash_now
        return changed

    def _hash(self) -> int | None:
        return folder_hash(self.target.folder.path, self.target.folder.rules)

    def can_wait(self, now: float, wall: float) -> bool:
        """Scan after a change; whether nothing is to be done about it yet, or at all.

        A file that vanished while changes go on may be back at once: many programs save by
        deleting. It counts as gone if the next scan misses it, too.
        """
        found, files = self._scan(wall)
        vanished = self._attached - files - self.missing
        self.missing |= vanished
        if found.signature is None:
            return False
        if self.seen is not None and found.signature == self.seen.signature and not self.racy:
            quiet_in = found.quiet_in
            self.schedule.clear_changes(None if quiet_in is None else now + quiet_in)
            return True
        if vanished and self.schedule.keeps_changing(now):
            self.schedule.postpone_changes(now)
            return True
        return False

    @property
    def _attached(self) -> frozenset[str]:
        return self.ledger.state.attached_paths if self.ledger else frozenset()

    def _scan(self, wall: float) -> tuple[ScanSummary, frozenset[str]]:
        """The summary, and the paths of the files."""
        folder, settle = self.target.folder, self.target.settle
        try:
            found = scan(folder.path, folder.rules, self.kept_twins)
        except FolderError:
            return ScanSummary(None), frozenset()
        return _summary(found, still_written(found, wall, settle), wall, settle), _paths(found)


def _summary(
    folder: FolderSnapshot, unsettled: Collection[str], wall: float, settle: float
) -> ScanSummary:
    quiet = tuple((f.path, f.fingerprint) for f in folder.files if f.path not in unsettled)
    writing = [f for f in folder.files if f.path in unsettled]
    names = tuple(f.path for f in writing)
    others = (folder.manifest, folder.occupied, folder.downloading)
    signature = hash((folder.root, folder.identity, quiet, names, *others))
    waits = [f.fingerprint.ctime_ns / 1e9 + settle - wall for f in writing]
    # A file that changed although its ctime seems quiet has to be quiet for the whole time again.
    waits = [wait if wait > 0 else max(settle, _SHORTEST_WAIT) for wait in waits]
    # Wait for the last of them, but not for long once the first is quiet.
    quiet_in = min(max(waits), max(min(waits), SCAN_EVERY)) if waits else None
    return ScanSummary(signature, quiet_in)


def _paths(folder: FolderSnapshot | None) -> frozenset[str]:
    return frozenset(file.path for file in folder.files) if folder else frozenset()
