"""One folder of the service: its clock, its last report, and what it looked like then."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from syncd.core.ignore import selection
from syncd.engine.cycle import Cycle
from syncd.engine.look import still_written
from syncd.engine.report import FolderReport
from syncd.errors import FolderError
from syncd.local.scan import scan
from syncd.model import FolderSnapshot
from syncd.service.agenda import LOOK_EVERY, Timing
from syncd.service.folders import Target

_A_MOMENT = 0.2


@dataclass(frozen=True)
class Sight:
    """What a folder looks like at one moment."""

    mark: int | None
    """Equal as long as nothing changed that a cycle would act on; None = it cannot be read."""
    files: frozenset[str] = frozenset()
    quiet_in: float | None = None
    """Seconds until files that are still being written may be quiet; None = there are none."""


@dataclass
class Watched:
    """One folder, with all that the worker remembers of it."""

    target: Target
    timing: Timing
    report: FolderReport | None = None
    last_cycle: float | None = None
    """Wall clock."""
    rescan_at: float = 0.0
    seen: Sight | None = None
    """By the last cycle; None = some of it could not be read, which may be over."""
    hidden: bool = False
    """It saw a file so soon after a change that a later one may hide behind the same times."""
    standing: frozenset[str] = frozenset()
    """Files of the last cycle that every look since has found."""
    excused: bool = False
    """The last cycle could do nothing yet: it listed the task, and its files were being written."""
    twins: frozenset[str] = frozenset()
    """If some of two twin names goes on: the paths that do."""

    def went(self, cycle: Cycle, began: float, now: float, wall: float) -> None:
        """Remember what a cycle saw, and how old its list is."""
        look, timing = cycle.look, self.timing
        self.report, self.last_cycle = cycle.report, wall
        folder, settle = look.found, self.target.settle
        sight = _sight_of(folder, look.unsettled, wall, settle) if folder else Sight(None)
        self.standing = sight.files
        quiet = [f for f in folder.files if f.path not in look.unsettled] if folder else []
        self.hidden = any(f.fingerprint.racy_at(look.scanned_at) for f in quiet)
        self.seen = None if look.unreadable else sight
        if sight.quiet_in is not None:
            timing.look_at = now + sight.quiet_in
        only_listed = look.fresh and cycle.report.requests == 1
        self.excused = only_listed and bool(look.unsettled) and not self.excused
        self.twins = (
            frozenset(f.path for f in folder.files) if folder and folder.failed else frozenset()
        )
        if look.listing is None:
            timing.listed_at = None
        elif look.fresh:
            # The wall clock may have been set since: a list of this cycle is as old as it at most.
            timing.listed_at = max(now - max(wall - look.listed_at, 0.0), began)

    def look(self, wall: float) -> Sight:
        """What the folder looks like now."""
        folder = self.target.folder
        rules = folder.rules
        try:
            found = scan(
                folder.path,
                selection(rules),
                recursive=rules.recursive,
                max_file_size=rules.max_file_size,
                max_files=rules.max_files,
                known=self.twins,
                manifest=rules.order == "manifest",
            )
        except FolderError:
            return Sight(None)
        settle = self.target.settle
        return _sight_of(found, still_written(found, wall, settle), wall, settle)

    def changed(self, wall: float) -> bool:
        """Whether a look finds what the last cycle did not see."""
        sight = self.look(wall)
        return self.seen is None or sight.mark != self.seen.mark

    def may_wait(self, now: float, wall: float) -> bool:
        """Look at what changed; whether there is nothing to do about it yet, or at all.

        A file that has just vanished, while changes go on, may be back at once: many programs
        save by deleting. It counts as gone if the next look misses it, too.
        """
        sight = self.look(wall)
        vanished = self.standing - sight.files
        self.standing -= vanished
        if sight.mark is None:
            return False
        if self.seen is not None and sight.mark == self.seen.mark and not self.hidden:
            quiet_in = sight.quiet_in
            self.timing.looked(None if quiet_in is None else now + quiet_in)
            return True
        if vanished and self.timing.still_changes(now):
            self.timing.put_off(now)
            return True
        return False


def _sight_of(
    folder: FolderSnapshot, unsettled: Collection[str], wall: float, settle: float
) -> Sight:
    quiet = tuple((f.path, f.fingerprint) for f in folder.files if f.path not in unsettled)
    writing = [f for f in folder.files if f.path in unsettled]
    names = tuple(f.path for f in writing)
    others = (folder.manifest, folder.occupied, folder.downloading)
    mark = hash((folder.root, folder.identity, quiet, names, *others))
    waits = [f.fingerprint.ctime_ns / 1e9 + settle - wall for f in writing]
    # One that was quiet by its ctime, and yet changed, is given the whole time once more.
    waits = [wait if wait > 0 else max(settle, _A_MOMENT) for wait in waits]
    # All of them together; but those that are quiet before the others do not wait for long.
    quiet_in = min(max(waits), max(min(waits), LOOK_EVERY)) if waits else None
    return Sight(mark, frozenset(f.path for f in folder.files), quiet_in)
