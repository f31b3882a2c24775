"""The hourly quota of an organization; docs/api.md."""

from __future__ import annotations

import math

from syncd.sandbox.storage import QuotaWindow, Store


class Quota:
    """Counts the requests of each organization; the first one opens its window."""

    def __init__(self, store: Store, limit: int | None, window: float = 3600.0) -> None:
        """`limit` in requests per `window` seconds; None = no quota and no headers."""
        self._store = store
        self.limit = limit
        self.window = window

    def spend(self, organization: int, now: float, requests: int = 1) -> bool:
        """Count requests against the quota; False = not enough are left, and none is counted."""
        if self.limit is None:
            return True
        window = self._window(organization, now)
        if window.used + requests > self.limit:
            return False
        window.used += requests
        return True

    def headers(self, organization: int, now: float) -> dict[str, str]:
        """The two quota headers, or none if there is no quota."""
        if self.limit is None:
            return {}
        window = self._window(organization, now)
        return {
            "X-Toggl-Quota-Remaining": str(max(0, self.limit - window.used)),
            "X-Toggl-Quota-Resets-In": str(math.ceil(window.opened + self.window - now)),
        }

    def _window(self, organization: int, now: float) -> QuotaWindow:
        window = self._store.windows.get(organization)
        # 0 <=: a window opened before the clock was set back would last for years.
        if window is None or not 0 <= now - window.opened < self.window:
            window = self._store.windows[organization] = QuotaWindow(opened=now)
        return window
