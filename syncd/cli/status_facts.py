"""What `syncd status` tells, gathered without a request."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from syncd.cli.format import time_text
from syncd.cli.read_only import ReadOnlyView
from syncd.overview.status import FolderStatus, QuotaStatus
from syncd.state.ledger_file import ledgers_set_aside

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
    notes = [*map(str, view.folders.removed), *_damaged_ledgers(view)]
    return StatusFacts(view.statuses(), notes, quota, view.service, view.now)


def _damaged_ledgers(view: ReadOnlyView) -> Iterator[str]:
    """The damaged ledgers that were set aside and not deleted yet."""
    for aside in ledgers_set_aside(view.config.state_dir):
        yield (
            f"a damaged ledger was set aside {time_text(aside.at, view.now)} as {aside.path}: "
            "attachments that match no file by name and size count as foreign since then "
            "(`syncd list` shows them); delete that file to be told no more"
        )
