"""What one run of one folder works with, and what it has done so far."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field

from syncd.core.plan import Limits
from syncd.engine import actions
from syncd.engine.actions import Action
from syncd.engine.context import Context, Options
from syncd.engine.failures import FailurePolicy
from syncd.engine.observe import Observer
from syncd.engine.run_notes import RunNotes
from syncd.model import Folder
from syncd.state.task_ledger import TaskLedger

writes = logging.getLogger("syncd.apply")
"""One line per write."""


@dataclass(frozen=True)
class Run:
    """One run of one folder."""

    context: Context
    options: Options
    folder: Folder
    ledger: TaskLedger
    approved: frozenset[int]
    observer: Observer
    policy: FailurePolicy
    requests_before: int
    notes: RunNotes = field(default_factory=RunNotes)

    @property
    def requests(self) -> int:
        """Requests of this run so far."""
        return self.context.quota.requests[self.folder.task] - self.requests_before

    @property
    def limits(self) -> Limits:
        """What bounds one create request."""
        task, remote = self.folder.task, self.context.remote
        return Limits(
            remote.max_files,
            self.context.max_batch_bytes,
            lambda names: remote.fits(task, names),
            keeps_old=self.folder.rules.delete == "never",
        )

    def done(self, action: Action) -> None:
        """Note a confirmed action; a line of the log tells of each write."""
        self.notes.done.append(action)
        if action.kind != "adopt":
            left = self.context.quota.left(self.folder.task.organization_id)
            writes.info("%s: %s", self.folder.name, actions.sentence(action, left))
