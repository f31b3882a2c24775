"""One folder of the service: its clock, its last report, and what it looked like then."""

from __future__ import annotations

from dataclasses import dataclass

from syncd.core.ignore import selection
from syncd.engine.cycle import Cycle
from syncd.engine.report import FolderReport
from syncd.errors import FolderError
from syncd.local.scan import scan
from syncd.model import FolderSnapshot
from syncd.service.agenda import Timing
from syncd.service.folders import Target


@dataclass
class Watched:
    """One folder, with all that the worker remembers of it."""

    target: Target
    timing: Timing
    report: FolderReport | None = None
    last_cycle: float | None = None
    """Wall clock."""
    rescan_at: float = 0.0
    unsettled: bool = False
    """Files were left out of the last cycle because they were still being written."""
    twins: frozenset[str] = frozenset()
    """If some of two twin names goes on: the paths that do."""

    def went(self, cycle: Cycle, began: float, now: float, wall: float) -> None:
        """Remember what a cycle saw, and how old its list is."""
        look, timing = cycle.look, self.timing
        self.report, self.last_cycle = cycle.report, wall
        self.unsettled = bool(look.unsettled)
        folder = look.folder
        timing.signature = _signature_of(folder)
        self.twins = (
            frozenset(f.path for f in folder.files) if folder and folder.failed else frozenset()
        )
        if look.listing is None:
            timing.listed_at = None
        elif look.fresh:
            # The wall clock may have been set since: a list of this cycle is as old as it at most.
            timing.listed_at = max(now - max(wall - look.listed_at, 0.0), began)

    def signature(self) -> int | None:
        """What the folder looks like now; None = it cannot be read."""
        folder = self.target.folder
        rules = folder.rules
        try:
            return _signature_of(
                scan(
                    folder.path,
                    selection(rules),
                    recursive=rules.recursive,
                    max_file_size=rules.max_file_size,
                    max_files=rules.max_files,
                    known=self.twins,
                    manifest=rules.order == "manifest",
                )
            )
        except FolderError:
            return None


def _signature_of(folder: FolderSnapshot | None) -> int | None:
    """Equal as long as nothing changed that a cycle would look at."""
    if folder is None:
        return None
    files = tuple((f.path, f.fingerprint) for f in folder.files)
    others = (folder.manifest, folder.occupied, folder.downloading)
    return hash((folder.root, folder.identity, files, *others))
