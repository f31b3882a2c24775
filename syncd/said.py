"""One attribute of an attachment, a name or a display order, between us and the server."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Generic, TypeVar

T = TypeVar("T")

BELIEF = 600.0
"""Seconds for which an answer is believed while lists still show what was before it."""


@dataclass(frozen=True)
class Said(Generic[T]):
    """What we told of it, and what became of that."""

    sent: T
    """What we told the server last."""
    seen: T
    """What a list showed last."""
    kept: bool = False
    """A list has shown what we sent: a later difference is a person's doing, not the server's."""
    tried: T | None = None
    """The seen value that our last PUT tried to change; None = a list showed another since."""
    tries: int = 0
    """PUTs that told the server over `tried` again what it had been told before. The first that
    says something new proves nothing: a list may lag, or an earlier PUT be carried out late."""
    put_at: float = 0.0
    """When our last PUT over `tried` was confirmed, seconds since the epoch."""

    def observe(self, value: T) -> Said[T]:
        """Take in what a fresh list shows."""
        if value == self.tried:
            return replace(self, seen=value)
        return Said(self.sent, value, self.kept or value == self.sent)

    def put(self, value: T, *, over: T, now: float) -> Said[T]:
        """A PUT that carried `value` was confirmed while the task showed `over`."""
        if value == over:
            # What a person or the server made of it went along, and is not our word now.
            theirs = self.kept or self.is_form_of(self.sent, value)
            return self if theirs else Said(value, value)
        again = value == self.sent
        tries = self.tries if again and over == self.tried else 0
        return Said(
            sent=value,
            seen=value,
            kept=self.kept and again,
            tried=over,
            tries=tries + (again and not self._is_recent(now)),
            put_at=now,
        )

    def is_form_of(self, wanted: T, value: T) -> bool:
        """The server turned `wanted` into `value`, and keeps to it.

        Where it once showed what we sent, one more try has to tell that it was by chance.
        """
        return self.sent == wanted and self.tried == value and self.tries > self.kept

    def believed(self, value: T, now: float) -> T:
        """What it is where a list shows `value`: if that was there before our last PUT, and the
        list may lag, what the PUT carried."""
        lags = self.tried == value and self._is_recent(now)
        return self.sent if lags and not self.kept and not self.tries else value

    def _is_recent(self, now: float) -> bool:
        return 0 <= now - self.put_at < BELIEF
