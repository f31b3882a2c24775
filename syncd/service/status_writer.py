"""Keep `status.json` and systemd's status line up to date."""

from __future__ import annotations

import logging
import os
from collections import Counter
from collections.abc import Sequence

from syncd.config import Config
from syncd.engine.report import FolderReport
from syncd.errors import StateError
from syncd.local.watcher import Watcher
from syncd.model import TaskKey
from syncd.overview.folders import Folders, Target
from syncd.overview.status import FolderStatus, QuotaStatus
from syncd.overview.status_file import Status, write_status
from syncd.service.exports import Exports
from syncd.service.folder_state import FolderState
from syncd.service.schedule import PACING
from syncd.service.sdnotify import Notifier
from syncd.service.worker import Worker

log = logging.getLogger("syncd.service")

INTERVAL = 1.0
"""Seconds between two writes, unless a person waits for one."""
DELAY = 0.1
"""Seconds until a change is written: the cycle that it starts sends its first request before."""


class StatusWriter:
    """Writes the status when it changed, at most once in INTERVAL."""

    def __init__(
        self, config: Config, worker: Worker, watcher: Watcher, notifier: Notifier
    ) -> None:
        self.config = config
        self._folders = Folders((), (), (), ())
        self._worker = worker
        self._watcher = watcher
        self._notifier = notifier
        self._changed = True
        self._not_before = float("-inf")
        self._written = Status()
        self._logged_removed: set[TaskKey] = set()
        self._exports = Exports()
        worker.on_report = self._tell

    def set_folders(self, folders: Folders) -> None:
        """Write the status of these; log those that left the config, once each."""
        self._folders = folders
        self.changed()
        self._exports.found(self.config, folders)
        for removed in folders.removed:
            if removed.task not in self._logged_removed:
                log.warning("%s", removed)
        self._logged_removed = {removed.task for removed in folders.removed}

    def changed(self) -> None:
        """Something happened that the status may tell of."""
        if not self._changed:
            self._changed = True
            self._not_before = max(self._not_before, self._worker.clock() + DELAY)

    def due_in(self) -> float:
        """Seconds until `update` writes what has changed; infinity = nothing has."""
        left = self._not_before - self._worker.clock()
        return max(left, 0.0) if self._changed else float("inf")

    def update_between_cycles(self, *, at_once: bool) -> None:
        """Update; page and metrics, if there are any, also show what the ledger has yet to
        write."""
        self.update(at_once=at_once)
        if not self.config.has_outputs:
            return
        try:
            news = self._worker.context.ledger.write_waiting()
        except StateError as error:
            log.warning("%s", error)
            self._worker.renew_ledger()
        else:
            if news:
                self._show()

    def update(self, *, changed: bool = False, at_once: bool = False) -> None:
        """Write what has changed if that is due, or if a person waits for it."""
        if changed:
            self.changed()
        if not at_once and self.due_in() > 0:
            return
        self._changed = False
        self._not_before = self._worker.clock() + INTERVAL
        status = self._status(os.getpid())
        if _lasting(status) != _lasting(self._written):
            self._write(status)

    def write_stopped(self) -> None:
        """Write that the service ends; what it did last stays to be read."""
        self._write(self._status(None))
        self._exports.stop()

    def _write(self, status: Status) -> None:
        """A failure is no reason to stop syncing."""
        self._written = status
        try:
            write_status(self.config.state_dir, status)
        except StateError as error:
            log.warning("%s", error)
        self._notifier.status(_summary(status.folders))
        self._show()

    def _show(self) -> None:
        now = self._worker.context.clock()
        self._exports.show(self.config, self._folders, self._written, now)

    def _tell(self, target: Target, report: FolderReport) -> None:
        now = self._worker.context.clock()
        status = FolderStatus.of(report, target.folder.task, last_cycle=now)
        self._exports.tell(self.config, status)

    def _status(self, pid: int | None) -> Status:
        context, folders = self._worker.context, self._worker.folders
        organizations = {t.organization_id for t in folders}
        reports = (state.report for state in folders.values())
        pauses = [r.resumes_at for r in reports if r is not None and r.cause == "quota"]
        quota = QuotaStatus.of(context.quota, organizations, context.clock(), pauses)
        errors = [FolderStatus.of(e, None, last_cycle=None) for e in self._folders.errors]
        rows = (*map(self._row, folders.values()), *errors)
        return Status(rows, quota, self.config.file, pid, self._watcher.restarts)

    def _row(self, state: FolderState) -> FolderStatus:
        folder, schedule = state.target.folder, state.schedule
        report = state.report or FolderReport.of(folder)
        watch = self._watcher.state(repr(folder.task))
        paced = schedule.waits_for == PACING and schedule.not_before > self._worker.clock()
        status = FolderStatus.of(
            report, folder.task, last_cycle=state.last_cycle, next_cycle=self._next_cycle(state)
        )
        return status._replace(watch=watch.mode, watch_reason=watch.reason).in_service(
            syncing=self._worker.syncing == folder.task,
            key_refused=self._worker.pause.key_refused,
            changed=schedule.has_changes(),
            paced=PACING if paced else None,
        )

    def _next_cycle(self, state: FolderState) -> float | None:
        """When the next cycle is due, as far as is known, in whole seconds since the epoch."""
        pause = self._worker.pause
        due = max(state.schedule.due_at(), pause.ends_at())
        if pause.key_refused:
            due = pause.key_probe_at
        if due == float("inf"):
            return None
        # The difference of two clocks varies by microseconds: rounded, the status stays the same.
        return float(round(self._worker.context.clock() + max(due - self._worker.clock(), 0.0)))


def _lasting(status: Status) -> Status:
    """The status without what every second changes."""
    return status._replace(quota=status.quota._replace(resets_in=None))


def _summary(rows: Sequence[FolderStatus]) -> str:
    """One line for `systemctl status`."""
    counts = Counter(row.state for row in rows)
    text = ", ".join(f"{count} {state}" for state, count in sorted(counts.items()))
    reason = next((f"{row.name}: {row.reason}" for row in rows if row.reason), None)
    return f"{text or 'no folders'}{f'; {reason}' if reason else ''}"
