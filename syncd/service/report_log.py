"""Log the reports of cycles: an error when it begins, its end once, nothing in between."""

from __future__ import annotations

import logging
from collections.abc import Sequence

from syncd.engine.events import event
from syncd.engine.report import OK, FolderReport
from syncd.overview.folders import Target
from syncd.text import without_numbers

log = logging.getLogger("syncd.service")

_NAMED = 5
"""So many folders are named when the service starts."""


def startup_line(targets: Sequence[Target]) -> str:
    """Which folders are watched, and for which tasks."""
    named = [f"{t.folder.path} for task {t.folder.task.task_id}" for t in targets[:_NAMED]]
    more = len(targets) - len(named)
    named += [f"{more} more folder{'s' * (more != 1)}"] if more else []
    return f"up, watching {', '.join(named) or 'for folders to sync: there is none yet'}"


class ReportLog:
    """Remembers the last message about each folder, and whether the server could be reached."""

    def __init__(self) -> None:
        self._logged: dict[str, str] = {}
        """Messages without what varies, by folder."""
        self._hints: set[tuple[str, str]] = set()
        """Folders and the hints about them."""
        self._offline = False

    def log(self, name: str, report: FolderReport) -> None:
        """Log what is new about a folder after a cycle."""
        if report.cause == "key":
            return  # The daemon logs it, once for all folders.
        if report.cause == "offline":
            if not self._offline:
                log.warning("offline: %s; changes are collected meanwhile", report.error)
            self._offline = True
            return
        if self._offline and report.requests:
            log.info("online again")
            self._offline = False
        for hint in report.hints:
            if (name, hint) not in self._hints:
                self._hints.add((name, hint))
                log.info("%s: %s", name, hint)
        message = _problem(report)
        if message is None:
            if report.exit_code == OK and self._logged.pop(name, None) is not None:
                told = event("recovered", name, report.task_id)
                log.info("%s: in order again", name, extra=told)
            return
        constant = without_numbers(message)
        if self._logged.get(name) != constant:
            self._logged[name] = constant
            level = logging.INFO if report.cause == "quota" else logging.WARNING
            told = event("problem", name, report.task_id, reason=message)
            log.log(level, "%s: %s", name, message, extra=told)


def _problem(report: FolderReport) -> str | None:
    """What keeps a folder from being in sync, in one line; None = nothing does."""
    if report.cause == "files" and not report.failed and report.pending and report.error:
        # Files that are still being written or sent: the next cycle follows by itself.
        return None
    if report.error is not None:
        return report.error
    if report.held:
        names = ", ".join(f"{h.name} (id {h.id}, {h.size} bytes)" for h in report.held[:10])
        more = f" and {len(report.held) - 10} more" if len(report.held) > 10 else ""
        return (
            f"held back: {report.held[0].reason}: {names}{more}; "
            "`syncd approve` releases exactly these"
        )
    if report.failed:
        first = report.failed[0]
        more = f" (and {len(report.failed) - 1} more)" if len(report.failed) > 1 else ""
        return f"{first.path}: {first.reason}{more}"
    if report.contested:
        return f"somebody keeps changing in the task: {', '.join(report.contested)}; left as is"
    return None
