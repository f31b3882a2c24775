"""What `syncd status` tells, gathered without a request."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from syncd.cli.read_only import ReadOnlyView
from syncd.overview.notes import notes
from syncd.overview.status import FolderStatus, QuotaStatus

NO_SERVICE = "no service is running: start it, or sync with `syncd --once`"


class StatusFacts(NamedTuple):
    """How everything stands at one moment."""

    folders: Sequence[FolderStatus]
    notes: Sequence[str]
    """Folders that left the config, ledgers that were set aside."""
    quota: QuotaStatus
    service: int | None
    """Its pid, if it runs."""
    now: float

    @property
    def service_line(self) -> str:
        if self.service is None:
            return NO_SERVICE
        return f"the service is running (pid {self.service})"


def gather(view: ReadOnlyView) -> StatusFacts:
    """From the ledger, the status file and the folders."""
    organizations = {t.folder.task.organization_id for t in view.folders.targets}
    pauses = [f.next_cycle for f in view.status.folders if f.cause == "quota"]
    quota = QuotaStatus.of(view.meter(), organizations, view.now, pauses)
    told = [*notes(view.folders, view.config.state_dir, view.now)]
    return StatusFacts(view.statuses(), told, quota, view.service, view.now)
