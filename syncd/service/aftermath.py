"""What a cycle's report means for the next cycle: when it comes, and who has to wait with it."""

from __future__ import annotations

from dataclasses import dataclass

from syncd.engine.meter import Meter
from syncd.engine.report import KEY, LATER, OK, FolderReport
from syncd.model import Past
from syncd.service.agenda import IN_ERROR, Timing, pace
from syncd.service.watched import Watched

OFFLINE_FIRST, OFFLINE_LONGEST = 5.0, 120.0
"""Seconds between two tries while the server cannot be reached: those cost no quota."""
GONE_TASK = (3_600.0, 21_600.0)
"""Seconds until a task that is gone or forbidden is looked at again: at first, and later on."""
KEY_PROBE = 3600.0
_FILES_LONGEST = 60.0
"""Seconds after which files that were not ready are looked at again, at the latest."""
_ANY_TIME = float("-inf")


@dataclass
class Gate:
    """What keeps all folders waiting; monotonic seconds."""

    key_refused: bool = False
    key_probe_at: float = 0.0
    offline_until: float | None = None
    offline_failures: int = 0

    def opens_at(self) -> float:
        """Before this no folder's cycle starts."""
        probe = self.key_probe_at if self.key_refused else _ANY_TIME
        return max(probe, _ANY_TIME if self.offline_until is None else self.offline_until)

    def open(self) -> None:
        """Forget all of it: somebody wants to see for themselves."""
        self.key_refused, self.offline_until = False, None

    def passed(self, report: FolderReport, now: float) -> None:
        """A cycle went through it, or was turned back."""
        if report.code == KEY:
            self.key_refused, self.key_probe_at = True, now + KEY_PROBE
        elif report.cause == "offline":
            delay = min(OFFLINE_FIRST * 2.0**self.offline_failures, OFFLINE_LONGEST)
            self.offline_failures += 1
            self.offline_until = now + delay
        elif report.requests:
            self.offline_until, self.offline_failures = None, 0
            # A failing server may not have looked at the key.
            self.key_refused = self.key_refused and report.cause == "server"


def afterwards(watched: Watched, report: FolderReport, gate: Gate, now: float, wall: float) -> None:
    """Set the folder's clock by the end of its cycle; `wall` in seconds since the epoch."""
    timing = watched.timing
    gate.passed(report, now)
    if report.code == KEY:
        timing.retry_at = now
    elif report.cause == "offline":
        timing.wait_until(gate.opens_at(), "the server cannot be reached")
    elif report.cause == "quota" and report.resumes_at is not None:
        timing.wait_until(now + max(report.resumes_at - wall, 1.0), "quota")
    elif report.cause == "task":
        first, later = GONE_TASK
        timing.wait_until(now + (later if timing.failures else first), "the task is refused")
        timing.failures += 1
    elif report.cause == "server":
        delay = timing.back_off(now)
        if report.resumes_at is not None and report.resumes_at - wall > delay:
            at = now + report.resumes_at - wall
            timing.wait_until(at, "the server asked for patience")
    elif report.cause == "folder":
        timing.wait_until(now + watched.target.rescan, IN_ERROR)
    elif timing.look_at is not None:
        # What waits for something else than quiet has its turn, too.
        timing.retry_at = now + _FILES_LONGEST
    elif report.cause == "files" and report.code == LATER:
        timing.back_off(now, _FILES_LONGEST)
    elif report.code == OK:
        timing.failures = 0


def pace_next(
    watched: Watched, report: FolderReport, meter: Meter, now: float, sharing: int
) -> None:
    """What is left of the quota has to last: the more a cycle took, the longer the next waits;
    `sharing`: folders that draw on it at present, this one included."""
    if watched.excused or report.cause in ("quota", "offline", "key"):
        return
    organization = watched.target.folder.task.organization_id
    seconds = pace(
        report.requests * sharing,
        meter.left(organization),
        meter.limit(organization),
        meter.reserve,
        meter.resets_in(organization),
        watched.timing.settle,
    )
    if seconds:
        watched.timing.pace(now + seconds)


def retry_refused(timing: Timing, past: Past, now: float, wall: float) -> None:
    """A refused file is tried again when its delay is over, though nothing changes."""
    waits = [r.not_before - wall for r in past.refusals if r.not_before > wall]
    if waits and timing.retry_at is None:
        timing.retry_at = now + min(waits)
