"""What is remembered of the server between runs: lists of tasks, quotas of organizations."""

from __future__ import annotations

import json
from dataclasses import asdict

from syncd.core.pacing import Quota
from syncd.model import Listing, TaskKey
from syncd.state import rows
from syncd.state.store import Store


class Memory(Store):
    """The part of the ledger that only saves requests."""

    def remember(self, task: TaskKey, listing: Listing, listed_at: float) -> None:
        """Keep a list with its age, as our own writes have changed it since."""
        with self.transaction():
            self._db.execute(
                "UPDATE tasks SET listing = ?, listed_at = ? WHERE row = ?",
                (rows.listing_text(listing), listed_at, self._row(task, create=True)),
            )

    def distrust(self, task: TaskKey) -> None:
        """The kept list is about to be outdated."""
        with self.transaction():
            self._db.execute("UPDATE tasks SET listing = NULL WHERE row = ?", (self._row(task),))

    def remembered(self, task: TaskKey) -> tuple[Listing, float] | None:
        """The list kept last, and when it was taken."""
        return self.read(lambda: self._remembered(task))

    def _remembered(self, task: TaskKey) -> tuple[Listing, float] | None:
        found = self._db.execute(
            "SELECT listing, listed_at FROM tasks WHERE row = ?", (self._row(task),)
        ).fetchone()
        if found is None or found["listing"] is None:
            return None
        return rows.listing_of(found["listing"]), float(found["listed_at"])

    def quota(self, url: str, organization_id: int) -> Quota:
        """What is known of an organization's quota."""
        return self.read(lambda: self._quota(url, organization_id))

    def _quota(self, url: str, organization_id: int) -> Quota:
        found = self._db.execute(
            "SELECT state FROM quotas WHERE url = ? AND organization_id = ?",
            (url, organization_id),
        ).fetchone()
        return Quota(**json.loads(found["state"])) if found else Quota()

    def keep_quota(self, url: str, organization_id: int, quota: Quota) -> None:
        values = {"state": json.dumps(asdict(quota))}
        keys = {"url": url, "organization_id": organization_id}
        with self.transaction():
            self._db.execute(rows.upsert("quotas", keys, values), keys | values)
