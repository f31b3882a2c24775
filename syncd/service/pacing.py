"""Share out the hourly quota among the folders of an organization."""

from __future__ import annotations

from syncd.engine.quota import QuotaMeter
from syncd.engine.report import FolderReport
from syncd.model import TaskKey
from syncd.service.folder_state import FolderState

LONGEST_PACE = 600.0
"""Seconds that pacing delays a folder at most."""
_SHARE_OF_REFRESHES = 5
"""All refreshes together take at most this part (1/5) of the hourly quota."""
_FREE_SHARE = 3
"""This part (1/3) of a window's quota is spent without waiting."""


def refresh_interval(folders: int, hourly_limit: int) -> float:
    """Seconds between two lists of one folder, so that all refreshes keep to their share."""
    return 3600.0 * folders * _SHARE_OF_REFRESHES / hourly_limit


class RecentSenders:
    """The folders whose last cycle sent requests and ended at most LONGEST_PACE ago."""

    def __init__(self) -> None:
        self._ended: dict[int, dict[TaskKey, float]] = {}
        """By organization; the earliest first."""

    def record(self, task: TaskKey, requests: int, now: float) -> None:
        """A cycle that sent so many requests ended at `now`, in monotonic seconds."""
        self.remove(task)
        if requests:
            self._ended.setdefault(task.organization_id, {})[task] = now

    def remove(self, task: TaskKey) -> None:
        self._ended.get(task.organization_id, {}).pop(task, None)

    def count(self, organization_id: int, now: float) -> int:
        ended = self._ended.get(organization_id, {})
        while ended and now - ended[first := next(iter(ended))] > LONGEST_PACE:
            del ended[first]
        return len(ended)


def pace_next(
    state: FolderState, report: FolderReport, meter: QuotaMeter, now: float, senders: int
) -> None:
    """Delay the folder's next cycle so that the quota lasts until its reset: the more requests
    the last one sent, the longer. `senders` folders draw on the quota at present."""
    if state.only_listed or report.cause in ("quota", "offline", "key"):
        return
    organization = state.target.folder.task.organization_id
    left, resets_in = meter.left(organization), meter.resets_in(organization)
    spent, limit = report.requests * senders, meter.limit(organization)
    if left is None or resets_in is None or spent == 0:
        return
    if (limit - left) * _FREE_SHARE < limit:
        return
    usable = max(left - meter.reserve, 1)
    seconds = min(max(resets_in * min(spent / usable, 1.0), state.schedule.settle), LONGEST_PACE)
    if seconds:
        state.schedule.pace_until(now + seconds)
