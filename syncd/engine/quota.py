"""Count requests and keep the quota of each organization, across runs."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from syncd.engine.quota_window import Quota
from syncd.model import QuotaReading, TaskKey
from syncd.state.ledger import Ledger

_PAYMENT_REQUIRED = 402
_NOT_ABOUT_THE_KEY = (*range(300, 400), 401, 407, 408)
"""Answers that say nothing for the key, or that a captive portal gives."""


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

    def sending(self, task: TaskKey, method: str) -> None:  # noqa: ARG002
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
