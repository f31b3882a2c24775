"""Timers that wake the worker, and the clocks they go by.

What is due the worker knows itself, by a clock that nobody can set and that goes on while the
machine sleeps. Jobs only wake it.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.triggers.date import DateTrigger
from apscheduler.triggers.interval import IntervalTrigger

JUMP = 3.0
"""Seconds that two clocks may drift apart between two looks."""
_LONGEST_ALARM = 86_400.0
_CLOSE = 0.01
_SHORTEST = 0.1
"""Seconds; of a job that comes faster than it is run the scheduler complains each time."""


def uptime() -> float:
    """Seconds since the start of the machine, suspends included."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)


class Alarms:
    """The scheduler's jobs: the rescan, the watchdog's tick, and whatever is due next."""

    def __init__(self, ring: Callable[[str], None]) -> None:
        self._ring = ring
        self._at = 0.0
        """When the alarm for whatever is due next rings, by `uptime`."""
        self._scheduler = BackgroundScheduler(
            timezone=UTC,
            job_defaults={"misfire_grace_time": None, "coalesce": True, "max_instances": 1},
        )

    def start(self) -> None:
        self._scheduler.start()

    def stop(self) -> None:
        if self._scheduler.running:
            self._scheduler.shutdown(wait=False)

    def every(self, name: str, seconds: float) -> None:
        """Ring again and again; to be said anew after the clock was set: jobs go by the wall's."""
        self._at = 0.0
        seconds = max(seconds, _SHORTEST)
        self._scheduler.add_job(
            lambda: self._ring(name),
            IntervalTrigger(seconds=seconds, timezone=UTC),
            id=name,
            replace_existing=True,
            next_run_time=datetime.now(UTC) + timedelta(seconds=seconds),
        )

    def once(self, seconds: float) -> None:
        """Ring for whatever is due next; replaces the alarm set before."""
        if not 0 < seconds < _LONGEST_ALARM:
            return
        at = uptime() + seconds
        if abs(at - self._at) < _CLOSE:
            return
        self._at = at
        self._scheduler.add_job(
            lambda: self._ring("due"),
            DateTrigger(datetime.now(UTC) + timedelta(seconds=seconds)),
            id="due",
            replace_existing=True,
        )


class Clocks:
    """Notices that the clock was set, or that the machine slept."""

    def __init__(self) -> None:
        self._drifts = _drifts()

    def jumped(self) -> bool:
        """Whether that happened since the last look."""
        before, self._drifts = self._drifts, _drifts()
        return any(abs(a - b) > JUMP for a, b in zip(before, self._drifts, strict=True))


def _drifts() -> tuple[float, float]:
    """Wall clock against uptime, and uptime against what runs only while the machine does."""
    up = uptime()
    return time.time() - up, up - time.monotonic()
