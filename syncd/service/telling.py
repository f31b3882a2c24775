"""What the log says of cycles: news only. An error once, its end once, quiet in between."""

from __future__ import annotations

import logging
import re
from collections.abc import Sequence

from syncd.engine.report import OK, FolderReport
from syncd.service.folders import Target

log = logging.getLogger("syncd.service")

_PASSING = re.compile(r"trace_id \S+|\d+")
"""What differs between two tellings of the same error."""
_NAMED = 5
"""So many folders are named when the service is up."""


def up(targets: Sequence[Target]) -> str:
    """Which folders are watched, and for which task, in one line."""
    named = [f"{t.folder.path} for task {t.folder.task.task_id}" for t in targets[:_NAMED]]
    more = len(targets) - len(named)
    named += [f"{more} more folder{'s' * (more != 1)}"] if more else []
    return f"up, watching {', '.join(named) or 'for folders to sync: there is none yet'}"


class Telling:
    """Remembers what was told last, of every folder and of the server."""

    def __init__(self) -> None:
        self._told: dict[str, str] = {}
        self._offline = False

    def tell(self, name: str, report: FolderReport) -> None:
        """Log what is new about a folder after a cycle."""
        if report.cause == "key":
            return  # Told once for all folders, with what helps.
        if report.cause == "offline":
            if not self._offline:
                log.warning("offline: %s; changes are collected meanwhile", report.error)
            self._offline = True
            return
        if self._offline and report.requests:
            log.info("online again")
            self._offline = False
        for hint in report.hints:
            self._once(f"{name} hint {hint}", f"{name}: {hint}", logging.INFO)
        text = _trouble(report)
        if text is None:
            if report.exit_code() == OK and self._told.pop(name, None) is not None:
                log.info("%s: in order again", name)
            return
        likeness = _PASSING.sub("#", text)
        if self._told.get(name) != likeness:
            self._told[name] = likeness
            log.log(_level(report), "%s: %s", name, text)

    def _once(self, key: str, text: str, level: int) -> None:
        if key not in self._told:
            self._told[key] = text
            log.log(level, "%s", text)


def _trouble(report: FolderReport) -> str | None:
    """What keeps a folder from being in sync, in one line; None = nothing does."""
    if report.cause == "files" and not report.failed and report.pending and report.error:
        # Files that are still being written, or on their way: that passes by itself.
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


def _level(report: FolderReport) -> int:
    return logging.INFO if report.cause == "quota" else logging.WARNING
