"""Count requests and keep the quota of each organization, across runs.

Everything the user runs with that account in that organization draws on the same quota, so a header
always knows better than our own count.
"""

from __future__ import annotations

import json
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import NamedTuple

from syncd.model import HOUR, QuotaReading, TaskKey
from syncd.state.ledger import Ledger

FREE_PLAN = 30
"""Requests an hour that are assumed until more is seen."""
PROBES = (600.0, 1200.0, 2400.0, 3600.0)
"""Seconds between probes after a 402 that does not say when the window resets."""
_PAYMENT_REQUIRED = 402
_NOT_ABOUT_THE_KEY = (*range(300, 400), 401, 407, 408)
"""Answers that say nothing for the key, or that a captive portal gives."""


class Quota(NamedTuple):
    """What is known of the quota of one organization; times in seconds since the epoch."""

    remaining: int | None = None
    """By the last header, less what was sent since."""
    resets_in: float | None = None
    """By the last header, counted from `noted_at`."""
    noted_at: float = 0.0
    spent: int = 0
    """Our own requests since `window_from`."""
    window_from: float | None = None
    limit_seen: int = 0
    """The largest remaining-plus-own-spending seen in a window."""
    spent_up: bool = False
    """The last answer was a 402."""
    probes: int = 0
    """402s in a row that did not say when the window resets."""
    lowest: int | None = None
    """The lowest header since requests are under way together: their answers may overtake each
    other, and what is left in a window never grows."""

    @classmethod
    def from_json(cls, text: str | None) -> Quota:
        """As it was kept; what cannot be read counts as unknown."""
        try:
            return cls(**json.loads(text)) if text else cls()
        except (ValueError, TypeError):
            return cls()

    def to_json(self) -> str:
        return json.dumps(self._asdict())

    def at(self, now: float) -> Quota:
        """As it stands now: after its reset a window is as good as new."""
        ends = self.resets_at(now)
        if ends is not None and now >= ends:
            return Quota(limit_seen=self.limit_seen, probes=self.probes)
        return self

    def anchored(self, now: float) -> Quota:
        """What was noted later than now was noted by a clock that has been set back since."""
        window = self.window_from
        if self.noted_at <= now and (window is None or window <= now):
            return self
        window = None if window is None else min(window, now)
        return self._replace(noted_at=min(self.noted_at, now), window_from=window)

    def resets_at(self, now: float) -> float | None:
        """When the window ends; a clock set back cannot move that away."""
        if self.resets_in is not None:
            return min(self.noted_at, now) + self.resets_in
        if self.window_from is not None:
            return min(self.window_from, now) + HOUR
        return None

    def left(self, configured: int | None) -> int | None:
        """Requests that may still be sent, the reserve included; None = nobody knows."""
        if self.spent_up:
            return 0
        if configured is not None:
            return max(configured - self.spent, 0)
        return self.remaining

    def limit(self, configured: int | None) -> int:
        """Requests an hour, as far as is known."""
        return configured or max(self.limit_seen, FREE_PLAN)

    def sending(self, now: float) -> Quota:
        """A request is about to go out."""
        quota = self.at(now)
        remaining = None if quota.remaining is None else max(quota.remaining - 1, 0)
        return quota._replace(
            remaining=remaining,
            spent=quota.spent + 1,
            window_from=now if quota.window_from is None else quota.window_from,
        )

    def unsent(self) -> Quota:
        """What was about to go out did not: offline, nothing is spent."""
        remaining = None if self.remaining is None else self.remaining + 1
        return self._replace(remaining=remaining, spent=max(self.spent - 1, 0))

    def answered(
        self, reading: QuotaReading, now: float, *, spent_up: bool, in_parallel: bool = False
    ) -> Quota:
        """An answer came in; `spent_up` = it was a 402, `in_parallel` = others may overtake it."""
        told = reading.remaining
        if in_parallel:
            headers = [n for n in (told, self.lowest) if n is not None]
            told = min(headers, default=None)
        remaining = self.remaining if told is None else told
        resets_in, noted_at = self.resets_in, self.noted_at
        probes = self.probes if self.spent_up else 0
        if reading.resets_in is not None:
            resets_in, noted_at = max(reading.resets_in, 1.0), now
        elif spent_up:
            resets_in, noted_at = PROBES[min(self.probes, len(PROBES) - 1)], now
            probes = self.probes + 1
        seen = 0 if told is None else told + self.spent
        return self._replace(
            remaining=0 if spent_up or self.spent_up else remaining,
            resets_in=resets_in,
            noted_at=noted_at,
            limit_seen=max(self.limit_seen, seen),
            # An upload that was on its way when the 402 came says nothing to the contrary.
            spent_up=spent_up or self.spent_up,
            probes=probes,
            lowest=told if in_parallel else None,
        )


class QuotaMeter:
    """One for all folders: tasks of an organization share its quota.

    `sending` and `answered` may be called by upload threads; the rest belongs to the worker.
    """

    def __init__(
        self,
        url: str,
        ledger: Ledger,
        clock: Callable[[], float],
        *,
        configured: int | None,
        reserve: int,
    ) -> None:
        self._url = url
        self._ledger = ledger
        self._clock = clock
        self._configured = configured
        self.reserve = reserve
        self._lock = threading.Lock()
        self._quotas: dict[int, Quota] = {}
        self.requests: Counter[TaskKey] = Counter()
        self._in_parallel = False
        self.key_worked = False
        """An answer came that only a good key gets."""

    def sending(self, task: TaskKey, call: str) -> None:  # noqa: ARG002
        """A request for this task is about to go out."""
        with self._lock:
            self.requests[task] += 1
            quota = self._quotas.get(task.organization_id, Quota())
            self._keep(task.organization_id, quota.sending(self._clock()))

    def answered(self, organization_id: int, status: int | None, reading: QuotaReading) -> None:
        """An answer came in, of whatever status; None = the request never reached the server."""
        with self._lock:
            quota = self._quotas.get(organization_id, Quota())
            if status is None:
                self._keep(organization_id, quota.unsent())
                return
            good = 200 <= status < 500 and status not in _NOT_ABOUT_THE_KEY
            self.key_worked = self.key_worked or good
            after = quota.answered(
                reading,
                self._clock(),
                spent_up=status == _PAYMENT_REQUIRED,
                in_parallel=self._in_parallel,
            )
            self._keep(organization_id, after)

    @contextmanager
    def parallel(self) -> Iterator[None]:
        """While answers may overtake each other: none of them raises what is left."""
        self._in_parallel = True
        try:
            yield
        finally:
            self._in_parallel = False

    def quota(self, organization_id: int) -> Quota:
        """As it stands now; the first time, as earlier runs left it."""
        if organization_id not in self._quotas:
            kept = Quota.from_json(self._ledger.quota(self._url, organization_id))
            self._quotas[organization_id] = kept.anchored(self._clock())
        with self._lock:
            return self._quotas[organization_id].at(self._clock())

    def left(self, organization_id: int) -> int | None:
        """Requests that may be sent, the reserve included; None = nobody knows."""
        return self.quota(organization_id).left(self._configured)

    def limit(self, organization_id: int) -> int:
        """Requests an hour, as far as is known."""
        return self.quota(organization_id).limit(self._configured)

    def resumes_at(self, organization_id: int) -> float | None:
        """When the window ends, in seconds since the epoch."""
        return self.quota(organization_id).resets_at(self._clock())

    def resets_in(self, organization_id: int) -> float | None:
        """Seconds until the window ends."""
        at = self.resumes_at(organization_id)
        return None if at is None else max(at - self._clock(), 0.0)

    def _keep(self, organization_id: int, quota: Quota) -> None:
        """The ledger writes it with the outcome of the request."""
        self._quotas[organization_id] = quota
        self._ledger.keep_quota(self._url, organization_id, quota.to_json())
