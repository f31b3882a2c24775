"""Timers that wake the worker, and a check of the clocks they run by.

The worker itself decides what is due, by a clock that nobody can set and that goes on while the
machine sleeps. The scheduler's jobs only wake it.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.triggers.date import DateTrigger
from apscheduler.triggers.interval import IntervalTrigger

JUMP = 3.0
"""Seconds that two clocks may drift apart between two checks."""
_LONGEST_TIMER = 86_400.0
_SAME_TIME = 0.01
_SHORTEST_INTERVAL = 0.1
"""Seconds; the scheduler logs a warning for each run of a job that comes too often."""


def uptime() -> float:
    """Seconds since the start of the machine, suspends included."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)


class Timers:
    """Calls `wake` with a timer's name, from the scheduler's thread."""

    def __init__(self, wake: Callable[[str], None]) -> None:
        self._wake = wake
        self._due_at = 0.0
        """When the timer "due" fires, by `uptime`."""
        self._scheduler = BackgroundScheduler(
            timezone=UTC,
            job_defaults={"misfire_grace_time": None, "coalesce": True, "max_instances": 1},
        )

    def start(self) -> None:
        self._scheduler.start()

    def stop(self) -> None:
        if self._scheduler.running:
            self._scheduler.shutdown(wait=False)

    def repeat(self, name: str, seconds: float) -> None:
        """Fire again and again. Call it anew after the clock was set: jobs run by wall clock."""
        self._due_at = 0.0
        seconds = max(seconds, _SHORTEST_INTERVAL)
        self._scheduler.add_job(
            lambda: self._wake(name),
            IntervalTrigger(seconds=seconds, timezone=UTC),
            id=name,
            replace_existing=True,
            next_run_time=datetime.now(UTC) + timedelta(seconds=seconds),
        )

    def set_due(self, seconds: float) -> None:
        """Fire "due" once, in so many seconds, instead of when it was set to fire before."""
        if not 0 < seconds < _LONGEST_TIMER:
            return
        at = uptime() + seconds
        if abs(at - self._due_at) < _SAME_TIME:
            return
        self._due_at = at
        self._scheduler.add_job(
            lambda: self._wake("due"),
            DateTrigger(datetime.now(UTC) + timedelta(seconds=seconds)),
            id="due",
            replace_existing=True,
        )


class ClockCheck:
    """Notices that the wall clock was set, or that the machine slept."""

    def __init__(self) -> None:
        self._drifts = _drifts()

    def jumped(self) -> bool:
        """Whether that happened since the last call."""
        before, self._drifts = self._drifts, _drifts()
        return any(abs(a - b) > JUMP for a, b in zip(before, self._drifts, strict=True))


def _drifts() -> tuple[float, float]:
    """Wall clock minus uptime, and uptime minus the clock that stops while the machine sleeps."""
    up = uptime()
    return time.time() - up, up - time.monotonic()
