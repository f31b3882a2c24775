"""The clock by which everything is due, and a check of the others.

It is one that nobody can set and that goes on while the machine sleeps.
"""

from __future__ import annotations

import time

JUMP = 3.0
"""Seconds that two clocks may drift apart between two checks."""


def uptime() -> float:
    """Seconds since the start of the machine, suspends included."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)


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
