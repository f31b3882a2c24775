"""Keeps `status.json` and systemd's status line up to date."""

from __future__ import annotations

import logging
import os
from typing import Any

from syncd.config import Config
from syncd.engine.report import FolderReport
from syncd.errors import StateError
from syncd.local.watch import Watcher
from syncd.model import TaskKey
from syncd.service.agenda import PACING
from syncd.service.folders import Folders
from syncd.service.notes import write_status
from syncd.service.sdnotify import Notifier
from syncd.service.status import folder_status, quota_status
from syncd.service.watched import Watched
from syncd.service.worker import Worker

log = logging.getLogger("syncd.service")


class Board:
    """What the service tells about itself, whether or not anybody asks."""

    def __init__(
        self, config: Config, worker: Worker, watcher: Watcher, notifier: Notifier
    ) -> None:
        self.config = config
        self.folders = Folders((), (), (), ())
        self._worker = worker
        self._watcher = watcher
        self._notifier = notifier
        self._written: list[dict[str, Any]] = []
        self._told_left: set[TaskKey] = set()

    def show(self, folders: Folders) -> None:
        """From now on tell of these; those that left are told in the log, once each."""
        self.folders = folders
        for left in folders.left:
            if left.task not in self._told_left:
                log.warning("%s", left)
        self._told_left = {left.task for left in folders.left}

    def write_news(self) -> None:
        """Write the status if a folder's part of it is not what was written last."""
        if self._rows() != self._written:
            self.write()

    def write(self, *, running: bool = True) -> None:
        """Write the status; failing to is no reason to stop syncing."""
        tools = self._worker.tools
        rows = self._written = self._rows()
        organizations = {t.organization_id for t in self._worker.folders}
        status = {
            "version": 1,
            "config": self.config.file,
            "service": running,
            "pid": os.getpid() if running else None,
            "restarts": self._watcher.restarts,
            "quota": quota_status(tools.meter, organizations, tools.clock(), self._pauses()),
            "folders": rows,
        }
        try:
            write_status(self.config.state_dir, status)
        except StateError as error:
            log.warning("%s", error)
        self._notifier.status(_summary(rows))

    def _pauses(self) -> list[float | None]:
        reports = (w.report for w in self._worker.folders.values())
        return [r.resumes_at for r in reports if r is not None and r.cause == "quota"]

    def leave(self) -> None:
        """The last word: what is known stays, but nobody is at work on it."""
        self.write(running=False)

    def _rows(self) -> list[dict[str, Any]]:
        rows = [self._row(w) for w in self._worker.folders.values()]
        return rows + [folder_status(e, None, last_cycle=None) for e in self.folders.errors]

    def _row(self, watched: Watched) -> dict[str, Any]:
        folder, timing = watched.target.folder, watched.timing
        report = watched.report or FolderReport.of(folder)
        row = folder_status(
            report, folder.task, last_cycle=watched.last_cycle, next_cycle=self._next(watched)
        )
        watch = self._watcher.state(repr(folder.task))
        row["watch"] = watch.mode
        row["watch_reason"] = watch.reason
        if self._worker.syncing == folder.task:
            row |= {"state": "syncing", "reason": None}
        elif self._worker.gate.key_refused:
            row |= {"state": "paused", "reason": "the key was refused: put a new one in place"}
        elif watched.report is None:
            row |= {"state": "pending", "reason": "not synced yet"}
        elif timing.waiting() and row["state"] in ("in sync", "pending"):
            paced = timing.waits_for == PACING and timing.not_before > self._worker.clock()
            if paced or row["state"] == "in sync":
                why = timing.waits_for if paced else None
                row |= {"state": "pending", "reason": why or "a change settles"}
        return row

    def _next(self, watched: Watched) -> float | None:
        """Wall clock of what is known to come next."""
        due = watched.timing.due_at()
        if self._worker.gate.key_refused:
            due = self._worker.gate.key_probe_at
        if due == float("inf"):
            return None
        now = self._worker.tools.clock()
        return max(now + due - self._worker.clock(), now)


def _summary(rows: list[dict[str, Any]]) -> str:
    """One line for `systemctl status`."""
    counts: dict[str, int] = {}
    for row in rows:
        counts[row["state"]] = counts.get(row["state"], 0) + 1
    text = ", ".join(f"{count} {state}" for state, count in sorted(counts.items()))
    reason = next((f"{r['name']}: {r['reason']}" for r in rows if r["reason"]), None)
    return f"{text or 'no folders'}{f'; {reason}' if reason else ''}"
