"""One attribute of an attachment, a name or a display order, between us and the server."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Generic, TypeVar

T = TypeVar("T")

BELIEF = 600.0
"""Seconds for which an answer is believed while lists still show what was before it."""
_FORMER = 8
"""As many earlier values are remembered as anybody gives in ten minutes."""


@dataclass(frozen=True)
class Said(Generic[T]):
    """What we told of it, and what became of that."""

    sent: T
    """What we told the server last."""
    seen: T
    """What a list showed last."""
    kept: bool = False
    """A list has shown what we sent: a later difference is a person's doing, not the server's."""
    tried: bool = False
    """It was told again what it had made something else of: what it shows next may be its form."""
    form: T | None = None
    """What the server makes of it, and keeps to; of what was adopted, what was found."""
    put_at: float = 0.0
    """When our last PUT was confirmed, seconds since the epoch."""
    former: tuple[T, ...] = ()
    """What was told or shown shortly before that: a list that lags may still show it."""

    @property
    def was_told(self) -> bool:
        """Whether the server had it from us: what was adopted says nothing of its habits."""
        return not self.kept or self.form != self.sent

    def observe(self, value: T, now: float, *, alike: bool = False) -> Said[T]:
        """Take in what a fresh list shows.

        After one more try it is the server's form if it is what was there before, or at least
        `alike` what was sent: some make another at each write. All else is a person's doing.
        """
        if value in self.former and self._is_recent(now):
            return replace(self, seen=value)  # It may be from before our last PUT.
        if value == self.sent and not self.was_told:
            return replace(self, seen=value)
        if value == self.sent:
            return replace(self, seen=value, kept=True, tried=False, form=None)
        formed = self.tried and (alike or value in self.former)
        return replace(self, seen=value, tried=False, form=value if formed else self.form)

    def put(self, value: T, *, over: T, now: float) -> Said[T]:
        """A PUT that carried `value` was confirmed while the task showed `over`."""
        lags = self._lags(over, now)
        if value == over and not lags:
            # It went along as it was, and is not our word; but of a form, or of what was found,
            # the server may make another one.
            told = self if self.was_told else replace(self, kept=False)
            formed = told.is_form_of(self.sent, value)
            return replace(told, tried=True, put_at=now, former=(value,)) if formed else self
        again = value == self.sent
        lately = self.former if self._is_recent(now) else ()
        former = dict.fromkeys((*lately, self.sent, over))
        if value not in (*lately, over):
            former.pop(value, None)
        return Said(
            sent=value,
            seen=value,
            kept=self.kept and again,
            tried=again and (self.tried or not lags),
            put_at=now,
            former=tuple(former)[-_FORMER:],
        )

    def is_form_of(self, wanted: T, value: T) -> bool:
        """The server turned `wanted` into `value`, and did so again when it was told again."""
        return self.sent == wanted and not self.kept and self.form == value

    def believed(self, value: T, now: float) -> T:
        """What it is where a list shows `value`.

        What was there before our last PUT is lag; but what a list had shown as we sent it, a
        person may have changed once more.
        """
        return value if self.kept else self.along(value, now)

    def along(self, value: T, now: float) -> T:
        """What a PUT for the other attribute says of this one, where a list shows `value`."""
        return self.sent if self._lags(value, now) else value

    def _lags(self, value: T, now: float) -> bool:
        return value != self.sent and value in self.former and self._is_recent(now)

    def _is_recent(self, now: float) -> bool:
        return 0 <= now - self.put_at < BELIEF
