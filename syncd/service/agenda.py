"""When each folder's next cycle is due. Arithmetic on monotonic seconds, nothing else."""

from __future__ import annotations

from dataclasses import dataclass

LOOK_EVERY = 3.0
"""Seconds of unbroken change after which the folder is looked at for what is quiet already."""
LONGEST_CHANGE = 30.0
"""Seconds of unbroken change for which files that vanish meanwhile may come back (a save)."""
LONGEST_PACE = 600.0
"""Seconds that pacing makes a folder wait at most."""
PACING = "pacing: what is left of the quota has to last"
IN_ERROR = "the folder is in error"
FIRST_RETRY, LONGEST_RETRY = 5.0, 900.0
_SOON = float("-inf")
_SHARE_OF_REFRESHES = 5
"""All refreshes together take at most this part (1/5) of the hourly quota."""
_SHARE_OF_LOOKS = 20
"""While changes go on, looks take at most this part (1/20) of the time."""
_FREE_SHARE = 3
"""This part (1/3) of a window's quota is spent without waiting."""


@dataclass
class Timing:
    """One folder's clock: what has happened, and what that makes due."""

    settle: float
    refresh: float
    """As configured; see `refresh_every`."""
    refresh_every: float = 0.0
    """Stretched to the folder's share of the quota."""
    first_change: float | None = None
    """Of those that no look has dealt with yet; so is `last_change`."""
    last_change: float | None = None
    looked_at: float | None = None
    """The last look that left these changes for a later one."""
    look_took: float = 0.0
    """Seconds that the last look took."""
    look_at: float | None = None
    """When files that are still being written may be quiet."""
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
        """When the next cycle, or the next look at what changed, is due."""
        if self.forced:
            return _SOON
        due = self._refresh_at()
        if self.first_change is not None and self.last_change is not None:
            since = self.first_change if self.looked_at is None else self.looked_at
            often = max(LOOK_EVERY, self.settle, self.look_took * _SHARE_OF_LOOKS)
            due = min(due, self.last_change + self.settle, since + often)
        for moment in (self.look_at, self.retry_at):
            due = due if moment is None else min(due, moment)
        return max(due, self.not_before)

    def only_changed(self, now: float) -> bool:
        """Whether changes alone make a cycle due, so that a look may find that there are none."""
        retry = self.retry_at is not None and self.retry_at <= now
        return not (self.forced or retry or now >= self._refresh_at())

    def still_changes(self, now: float) -> bool:
        """Whether changes go on, and have not done so for long."""
        if self.first_change is None or self.last_change is None:
            return False
        return now < min(self.last_change + self.settle, self.first_change + LONGEST_CHANGE)

    def waiting(self) -> bool:
        """Whether something that changed waits for its cycle."""
        return self.first_change is not None or self.look_at is not None

    def looked(self, quiet_at: float | None) -> None:
        """A look found nothing to do yet; at `quiet_at` there may be."""
        self.first_change = self.last_change = self.looked_at = None
        self.look_at = quiet_at

    def put_off(self, now: float) -> None:
        """A look found what may be the middle of a save: another one follows."""
        self.looked_at, self.look_at = now, None

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
        self.looked(None)
        self.retry_at = None
        self.not_before, self.waits_for = _SOON, None

    def wait_until(self, moment: float, why: str) -> None:
        """Nothing before `moment`; then work goes on by itself."""
        self.retry_at = self.not_before = moment
        self.waits_for = why

    def pace(self, moment: float) -> None:
        """A next cycle, if there will be a reason for one, waits."""
        if moment > self.not_before:
            self.not_before = moment
            self.waits_for = PACING

    def moved(self, now: float) -> None:
        """The folder itself came or went: that costs no request, so it waits for nothing that
        was said of the other."""
        self.changed(now)
        if self.waits_for in (PACING, IN_ERROR):
            self.not_before, self.waits_for = _SOON, None

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
    spent: int, left: int | None, limit: int, reserve: int, resets_in: float | None, settle: float
) -> float:
    """Seconds until what a cycle has spent is there again, if the rest is to last until the reset.

    0 while the first part of the window is not spent, and where nobody knows what is left.
    """
    if left is None or resets_in is None or spent == 0:
        return 0.0
    if (limit - left) * _FREE_SHARE < limit:
        return 0.0
    usable = max(left - reserve, 1)
    return min(max(resets_in * min(spent / usable, 1.0), settle), LONGEST_PACE)
