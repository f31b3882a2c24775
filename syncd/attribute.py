"""One attribute of an attachment, its name or its display order: what we sent, what lists show."""

from __future__ import annotations

from typing import Generic, NamedTuple, TypeVar
from unicodedata import normalize

T = TypeVar("T")

BELIEF = 600.0
"""Seconds for which a confirmed write is believed while a list still shows the value before it."""


def same_name(one: str, other: str) -> bool:
    """Whether two names are equal after NFC: a server may normalize what it stores."""
    return one == other or nfc(one) == nfc(other)


def nfc(name: str) -> str:
    """A name as it is compared."""
    return normalize("NFC", name)


class Attribute(NamedTuple, Generic[T]):
    """The ledger's knowledge of one attribute."""

    sent: T
    """The value of our last create or PUT."""
    seen: T
    """The value that the last list showed, or that we have put since."""
    kept: bool = False
    """A list has shown the sent value: if it differs later, a person changed it."""
    retried: T | None = None
    """The server's value that we replaced by sending `sent` a second time."""
    accepted: T | None = None
    """The value that the server makes of `sent`, shown again after the second try."""
    before: T | None = None
    """The value before our last PUT: a lagging list still shows it."""
    put_at: float = 0.0
    """When that PUT was confirmed, in seconds since the epoch."""

    def listed(self, value: T) -> Attribute[T]:
        """The attribute after a list showed `value`."""
        if value == self.sent:
            if self.kept and self.seen == value:
                return self
            return self._replace(seen=value, kept=True, retried=None, accepted=None)
        if not self.kept and value == self.retried:
            return self._replace(seen=value, accepted=value)
        return self._replace(seen=value)

    def put(self, value: T, now: float) -> Attribute[T]:
        """The attribute after a PUT of `value` was confirmed."""
        current = self.current(now)
        if value == current:
            return self
        if value == self.sent:
            return self._replace(seen=value, retried=current, put_at=now)
        return Attribute(value, value, before=current, put_at=now)

    def current(self, now: float) -> T:
        """The value in the task: a list may be older than our last PUT."""
        if self.kept or self.seen != self.before:
            return self.seen
        return self.sent if 0 <= now - self.put_at < BELIEF else self.seen

    def is_accepted(self, wanted: T) -> bool:
        """Whether the value in the task is what the server always makes of `wanted`."""
        return self.sent == wanted and self.accepted == self.seen
