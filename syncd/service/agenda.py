"""When each folder's next cycle is due. Arithmetic on monotonic seconds, nothing else."""

from __future__ import annotations

from dataclasses import dataclass

LONGEST_CHANGE = 30.0
"""Seconds of unbroken change after which a cycle runs without the files that still change."""
LONGEST_PACE = 600.0
"""Seconds that pacing makes a folder wait at most."""
FIRST_RETRY, LONGEST_RETRY = 5.0, 900.0
_SOON = float("-inf")
_SHARE_OF_REFRESHES = 5
"""All refreshes together take at most this part (1/5) of the hourly quota."""


@dataclass
class Timing:
    """One folder's clock: what has happened, and what that makes due."""

    settle: float
    refresh: float
    """As configured; see `refresh_every`."""
    refresh_every: float = 0.0
    """Stretched to the folder's share of the quota."""
    first_change: float | None = None
    last_change: float | None = None
    listed_at: float | None = None
    """When the remembered list was taken; None = there is none to be trusted."""
    not_before: float = _SOON
    waits_for: str | None = None
    """Why nothing happens before `not_before`."""
    retry_at: float | None = None
    """Work is left that no change will announce."""
    forced: bool = True
    """A cycle is to run whatever else is said: at the start, and when asked to."""
    failures: int = 0
    signature: int | None = None
    """What the folder looked like in its last cycle."""
    never_tried: bool = True

    def changed(self, now: float) -> None:
        """Something in the folder changed."""
        self.last_change = now
        if self.first_change is None:
            self.first_change = now

    def force(self) -> None:
        """Run now, and forget all waits."""
        self.forced = True
        self.failures = 0

    def due_at(self) -> float:
        """When the next cycle is due."""
        if self.forced:
            return _SOON
        due = self._refresh_at()
        if self.first_change is not None and self.last_change is not None:
            settled = self.last_change + self.settle
            due = min(due, settled, self.first_change + max(LONGEST_CHANGE, self.settle))
        if self.retry_at is not None:
            due = min(due, self.retry_at)
        return max(due, self.not_before)

    def needs_list(self, now: float) -> bool:
        """Whether the remembered list is too old to plan on."""
        return self.listed_at is None or now >= self._refresh_at()

    def _refresh_at(self) -> float:
        if self.listed_at is None:
            return _SOON
        return self.listed_at + max(self.refresh, self.refresh_every)

    def begin(self) -> None:
        """A cycle starts: it sees all changes up to now."""
        self.forced = self.never_tried = False
        self.first_change = self.last_change = self.retry_at = None
        self.not_before, self.waits_for = _SOON, None

    def wait_until(self, moment: float, why: str) -> None:
        """Nothing before `moment`; then work goes on by itself."""
        self.retry_at = self.not_before = moment
        self.waits_for = why

    def pace(self, moment: float) -> None:
        """A next cycle, if there will be a reason for one, waits."""
        if moment > self.not_before:
            self.not_before = moment
            self.waits_for = "pacing: what is left of the quota has to last"

    def back_off(self, now: float, longest: float = LONGEST_RETRY) -> float:
        """Wait longer after each failure in a row; the seconds to wait."""
        delay = min(FIRST_RETRY * 2.0**self.failures, longest)
        self.failures += 1
        self.wait_until(now + delay, "backing off after a failure")
        return delay


def refresh_interval(folders: int, hourly_limit: int) -> float:
    """Seconds between two lists of one folder, so that all refreshes keep to their share."""
    return 3600.0 * folders * _SHARE_OF_REFRESHES / hourly_limit


def pace(
    spent: int, left: int | None, reserve: int, resets_in: float | None, settle: float
) -> float:
    """Seconds until what a cycle has spent is there again, if the rest is to last.

    Without headers nobody knows what is left: then there is only `settle`.
    """
    if left is None or resets_in is None or spent == 0:
        return settle
    usable = max(left - reserve, 1)
    return min(max(resets_in * spent / usable, settle), LONGEST_PACE)
