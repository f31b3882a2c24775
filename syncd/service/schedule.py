"""When a folder's next cycle is due: arithmetic on monotonic seconds, nothing else."""

from __future__ import annotations

from dataclasses import dataclass

SCAN_EVERY = 3.0
"""Seconds of unbroken change after which a folder is scanned for files that are quiet already."""
LONGEST_CHANGE = 30.0
"""Seconds of unbroken change during which a file that vanished may come back (a save)."""
PACING = "pacing: what is left of the quota has to last"
IN_ERROR = "the folder is in error"
FIRST_RETRY, LONGEST_RETRY = 5.0, 900.0
_ANY_TIME = float("-inf")
_SHARE_OF_SCANS = 20
"""While changes go on, scans take at most this part (1/20) of the time."""


@dataclass
class Schedule:
    """What makes a cycle of one folder due, and what delays it."""

    settle: float
    refresh: float
    """Seconds between two lists, as configured."""
    refresh_every: float = 0.0
    """Seconds between two lists that the folder's share of the quota allows."""
    first_change: float | None = None
    """The first change that no cycle and no scan has dealt with; None = there is none."""
    last_change: float | None = None
    """The last such change."""
    scanned_at: float | None = None
    """When a scan left these changes for a later one."""
    scan_took: float = 0.0
    """Seconds that the last scan took."""
    scan_at: float | None = None
    """When files that are still being written may be quiet."""
    listed_at: float | None = None
    """When the remembered list was taken; None = the next cycle has to list the task."""
    not_before: float = _ANY_TIME
    waits_for: str | None = None
    """Why nothing happens before `not_before`."""
    retry_at: float | None = None
    """When a cycle is due although nothing changes: the last one left work."""
    forced: bool = True
    """A cycle is due now, whatever the other fields say: at the start, and on request."""
    failures: int = 0
    """Cycles in a row that failed."""
    never_ran: bool = True

    def changed(self, now: float) -> None:
        """Something in the folder changed."""
        self.last_change = now
        if self.first_change is None:
            self.first_change = now

    def force(self) -> None:
        """Make a cycle due now, and forget all delays."""
        self.forced = True
        self.failures = 0

    def due_at(self) -> float:
        """When the next cycle, or the next scan after a change, is due."""
        if self.forced:
            return _ANY_TIME
        due = self._refresh_at()
        if self.first_change is not None and self.last_change is not None:
            since = self.first_change if self.scanned_at is None else self.scanned_at
            between = max(SCAN_EVERY, self.settle, self.scan_took * _SHARE_OF_SCANS)
            due = min(due, self.last_change + self.settle, since + between)
        for moment in (self.scan_at, self.retry_at):
            due = due if moment is None else min(due, moment)
        return max(due, self.not_before)

    def needs_scan_first(self, now: float) -> bool:
        """Whether only changes make a cycle due, so that a scan may show that none is needed."""
        retry = self.retry_at is not None and self.retry_at <= now
        return not (self.forced or retry or now >= self._refresh_at())

    def keeps_changing(self, now: float) -> bool:
        """Whether changes go on, and began less than LONGEST_CHANGE ago."""
        if self.first_change is None or self.last_change is None:
            return False
        return now < min(self.last_change + self.settle, self.first_change + LONGEST_CHANGE)

    def has_changes(self) -> bool:
        """Whether something that changed waits for a cycle."""
        return self.first_change is not None or self.scan_at is not None

    def clear_changes(self, scan_at: float | None) -> None:
        """A scan or a cycle dealt with all changes; scan again at `scan_at`."""
        self.first_change = self.last_change = self.scanned_at = None
        self.scan_at = scan_at

    def postpone_changes(self, now: float) -> None:
        """A scan came in the middle of a save, perhaps: leave the changes to the next scan."""
        self.scanned_at, self.scan_at = now, None

    def needs_list(self, now: float) -> bool:
        """Whether the remembered list is too old to plan on."""
        return self.listed_at is None or now >= self._refresh_at()

    def _refresh_at(self) -> float:
        if self.listed_at is None:
            return _ANY_TIME
        return self.listed_at + max(self.refresh, self.refresh_every)

    def start_cycle(self) -> None:
        """A cycle starts, which sees all changes up to now."""
        self.forced = self.never_ran = False
        self.clear_changes(None)
        self.retry_at = None
        self._end_delay()

    def wait_until(self, moment: float, why: str) -> None:
        """Do nothing before `moment`; then run a cycle."""
        self.retry_at = self.not_before = moment
        self.waits_for = why

    def pace_until(self, moment: float) -> None:
        """Delay the next cycle, if something makes one due."""
        if moment > self.not_before:
            self.not_before = moment
            self.waits_for = PACING

    def moved(self, now: float) -> None:
        """The folder itself came or went. Delays that concern its content end, as the cycle
        that follows costs no request."""
        self.changed(now)
        if self.waits_for in (PACING, IN_ERROR):
            self._end_delay()

    def back_off(self, now: float, longest: float = LONGEST_RETRY) -> float:
        """Wait twice as long after each failure in a row; returns the seconds."""
        delay = min(FIRST_RETRY * 2.0**self.failures, longest)
        self.failures += 1
        self.wait_until(now + delay, "backing off after a failure")
        return delay

    def _end_delay(self) -> None:
        self.not_before, self.waits_for = _ANY_TIME, None
