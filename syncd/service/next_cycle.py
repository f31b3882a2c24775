"""Decide from a cycle's report when the next cycle comes, of its folder or of all folders: back
off after a failure, and share out the hourly quota."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from syncd.engine.quota import QuotaMeter
from syncd.engine.report import KEY, LATER, OK, FolderReport
from syncd.service.folder_state import FolderState
from syncd.service.schedule import IN_ERROR, Schedule
from syncd.task_state import TaskState

OFFLINE_FIRST, OFFLINE_LONGEST = 5.0, 120.0
"""Seconds between two tries while the server cannot be reached: those cost no quota."""
GONE_TASK = (3_600.0, 21_600.0)
"""Seconds until a task that is gone or forbidden is tried again: at first, and later on."""
KEY_PROBE = 3600.0
"""Seconds between two tries with a key that was refused."""
_FILES_LONGEST = 60.0
"""Seconds until files that were not ready are tried again, at the latest."""
LONGEST_PACE = 600.0
"""Seconds that pacing delays a folder at most."""
_SHARE_OF_REFRESHES = 5
"""All refreshes together take at most this part (1/5) of the hourly quota."""
_FREE_SHARE = 3
"""This part (1/3) of a window's quota is spent without waiting."""
_ANY_TIME = float("-inf")


@dataclass
class Pause:
    """What delays the cycles of all folders; monotonic seconds."""

    key_refused: bool = False
    key_probe_at: float = 0.0
    offline_until: float | None = None
    offline_failures: int = 0
    """Tries in a row that did not reach the server."""

    def ends_at(self) -> float:
        """Before this no folder's cycle starts."""
        probe = self.key_probe_at if self.key_refused else _ANY_TIME
        return max(probe, _ANY_TIME if self.offline_until is None else self.offline_until)

    def end(self) -> None:
        """End it now: somebody asked for a cycle."""
        self.key_refused, self.offline_until = False, None

    def update(self, report: FolderReport, now: float) -> None:
        """Begin, prolong or end it by what a cycle met."""
        if report.code == KEY:
            self.key_refused, self.key_probe_at = True, now + KEY_PROBE
        elif report.cause == "offline":
            delay = min(OFFLINE_FIRST * 2.0**self.offline_failures, OFFLINE_LONGEST)
            self.offline_failures += 1
            self.offline_until = now + delay
        elif report.requests:
            self.offline_until, self.offline_failures = None, 0
            # A server that fails may not have checked the key.
            self.key_refused = self.key_refused and report.cause == "server"


def schedule_next(
    state: FolderState, report: FolderReport, pause: Pause, now: float, wall: float
) -> None:
    """Set the folder's schedule after a cycle; `wall` in seconds since the epoch."""
    schedule = state.schedule
    pause.update(report, now)
    if report.code == KEY:
        schedule.retry_at = now
    elif report.cause == "offline":
        schedule.wait_until(pause.ends_at(), "the server cannot be reached")
    elif report.cause == "quota" and report.resumes_at is not None:
        schedule.wait_until(now + max(report.resumes_at - wall, 1.0), "quota")
    elif report.cause == "task":
        first, later = GONE_TASK
        schedule.wait_until(now + (later if schedule.failures else first), "the task is refused")
        schedule.failures += 1
    elif report.cause == "server":
        delay = schedule.back_off(now)
        if report.resumes_at is not None and report.resumes_at - wall > delay:
            at = now + report.resumes_at - wall
            schedule.wait_until(at, "the server asked for patience")
    elif report.cause == "folder":
        schedule.wait_until(now + state.target.rescan, IN_ERROR)
    elif schedule.scan_at is not None:
        # Files that are still written may not delay a retry of the others for ever.
        schedule.retry_at = now + _FILES_LONGEST
    elif report.cause == "files" and report.code == LATER:
        schedule.back_off(now, _FILES_LONGEST)
    elif report.code == OK:
        schedule.failures = 0


def retry_refused_files(schedule: Schedule, ledger: TaskState, now: float, wall: float) -> None:
    """Try the first refused file again when its delay is over, though nothing changes."""
    waits = [r.not_before - wall for r in ledger.refusals.values() if r.not_before > wall]
    if waits and schedule.retry_at is None:
        schedule.retry_at = now + min(waits)


def refresh_interval(folders: int, hourly_limit: int) -> float:
    """Seconds between two lists of one folder, so that all refreshes keep to their share."""
    return 3600.0 * folders * _SHARE_OF_REFRESHES / hourly_limit


def pace_next(
    state: FolderState,
    report: FolderReport,
    meter: QuotaMeter,
    now: float,
    folders: Iterable[FolderState],
) -> None:
    """Delay the folder's next cycle so that the quota lasts until its reset: the more requests
    the last one sent, and the more of the `folders` draw on it at present, the longer."""
    if state.only_listed or report.cause in ("quota", "offline", "key"):
        return
    organization = state.target.folder.task.organization_id
    left, resets_in = meter.left(organization), meter.resets_in(organization)
    limit = meter.limit(organization)
    if left is None or resets_in is None or not report.requests:
        return
    if (limit - left) * _FREE_SHARE < limit:
        return
    spent = report.requests * _recent_senders(folders, organization, now)
    usable = max(left - meter.reserve, 1)
    seconds = min(max(resets_in * min(spent / usable, 1.0), state.schedule.settle), LONGEST_PACE)
    if seconds:
        state.schedule.pace_until(now + seconds)


def _recent_senders(folders: Iterable[FolderState], organization: int, now: float) -> int:
    """Folders whose last cycle sent requests and ended at most LONGEST_PACE ago."""
    return sum(
        f.sent_at is not None
        and now - f.sent_at <= LONGEST_PACE
        and f.target.folder.task.organization_id == organization
        for f in folders
    )
