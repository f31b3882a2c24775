"""The hourly quota of an organization; docs/api.md."""

from __future__ import annotations

import math

from syncd.sandbox.quirks import Quirks
from syncd.sandbox.storage import QuotaWindow, Store


def spend(store: Store, quirks: Quirks, organization: int, now: float, requests: int = 1) -> bool:
    """Count requests against the quota; False = not enough are left, and none is counted."""
    if quirks.quota is None:
        return True
    window = _window(store, quirks, organization, now)
    if window.used + requests > quirks.quota:
        return False
    window.used += requests
    return True


def quota_headers(store: Store, quirks: Quirks, organization: int, now: float) -> dict[str, str]:
    """The two quota headers, or none if there is no quota or they are switched off."""
    if quirks.quota is None or not quirks.quota_headers:
        return {}
    window = _window(store, quirks, organization, now)
    left = window.opened + quirks.quota_window - now
    return {
        "X-Toggl-Quota-Remaining": str(max(0, quirks.quota - window.used)),
        "X-Toggl-Quota-Resets-In": str(math.ceil(left)),
    }


def _window(store: Store, quirks: Quirks, organization: int, now: float) -> QuotaWindow:
    window = store.windows.get(organization)
    # 0 <=: a window opened before the clock was set back would last for years.
    if window is None or not 0 <= now - window.opened < quirks.quota_window:
        window = store.windows[organization] = QuotaWindow(opened=now)
    return window
