"""What is known of the server by what it made of names and numbers. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable
from dataclasses import dataclass

from syncd.core.names import form_of, is_plain, resembles
from syncd.model import Attachment, Intent, LedgerEntry, Listing
from syncd.said import BELIEF, Said

_TOLERANCE = 2.0
"""Seconds by which two clocks that were compared may still differ."""
_MANY = 3
"""So many numbers are not all kept by chance."""


def counted_to(entries: Iterable[LedgerEntry], listing: Listing) -> int:
    """How far a server that numbers by itself may have counted: what is gone was counted, too."""
    return len(listing.attachments) + sum(1 for e in entries if e.role == "tombstone")


@dataclass(frozen=True)
class Habits:
    """What is known of the server that made the candidates."""

    keeps_names: bool | None
    """True: names are kept as they are sent; False: they are made into something else; None:
    nobody has seen yet."""
    skew: float
    """Seconds to add to a local time to get the server's."""
    listed_at: float
    """When the list was taken, by the server's clock."""
    counted_to: int
    """A server that numbers by itself may have given any number up to this."""
    tied: frozenset[int]
    """But it gives none of them twice."""
    keeps_numbers: bool | None
    """True: it was seen to keep one that is not met by chance; False: to make another of one;
    None: nobody has seen yet."""

    @classmethod
    def shown_by(cls, entries: Collection[LedgerEntry], listing: Listing, now: float) -> Habits:
        """By what the list shows of the names and numbers that were sent before; but one that was
        found, or was there before a change, tells nothing. What was kept is proof even when it
        is gone by now."""
        count = counted_to(entries, listing)
        shown = {a.id for a in listing.attachments}
        there = {e.id for e in entries if e.role != "tombstone" and e.id in shown}
        names = [e for e in entries if e.name.was_told and is_plain(e.name.sent)]
        orders = [e for e in entries if e.order.was_told]
        keeps_names = keeps_numbers = None
        if any(e.id in there and _renamed(e.name, now) for e in names):
            keeps_names = False
        elif any(e.name.kept for e in names):
            keeps_names = True
        kept = [e.order.sent for e in orders if e.order.kept]
        renumbers = any(e.id in there and _renumbered(e.order, now) for e in orders)
        if any(n > count for n in kept) or (len(kept) >= _MANY and not renumbers):
            keeps_numbers = True
        elif renumbers:
            keeps_numbers = False
        skew = listing.clock_skew
        numbers = Counter(a.display_order for a in listing.attachments)
        tied = frozenset(n for n, times in numbers.items() if times > 1)
        return cls(keeps_names, skew, now + skew, count, tied, keeps_numbers)

    def allow(self, intent: Intent, a: Attachment) -> bool:
        """Whether the server may have made this attachment of what the intent sent.

        It may fold or number any name, trim, cut or extend it, and make anything of an odd one.
        Of a plain one it made something else only if it does so, or at least answered 201. None
        that it really changed was there before it was sent. What a lost one goes by is its
        number: that must not be there by chance. Nothing comes later than ten minutes after all was
        over: an old copy of the ledger may wait for what came hours ago.
        """
        number_tells = self.keeps_numbers
        if number_tells is None:
            number_tells = a.display_order > self.counted_to or a.display_order in self.tied
        if intent.state == "lost" and not number_tells:
            return False
        if self._made_after(intent, a, BELIEF):
            return False
        explained = a.display_order == intent.number or not self.keeps_numbers
        if explained and form_of(a.name) == form_of(intent.name):
            return True
        strange = is_plain(intent.name) and not resembles(a.name, intent.name)
        if strange and self.keeps_names:
            return False
        if strange and self.keeps_names is None and intent.state != "answered":
            return False
        return self.at_its_time(intent, a)

    def at_its_time(self, intent: Intent, a: Attachment) -> bool:
        """Whether an attachment is no older than the send and no younger than its 201."""
        late = intent.state == "answered" and self._made_after(intent, a, 0.0)
        return not late and not self.made_before(intent, a)

    def apart(self, intent: Intent, a: Attachment) -> float:
        """Seconds between an attachment and the 201 that said that it was made; 0 without one."""
        if intent.state != "answered" or intent.ended_at is None or a.created_at is None:
            return 0.0
        return abs(a.created_at - intent.ended_at - self.skew)

    def _made_after(self, intent: Intent, a: Attachment, late: float) -> bool:
        """Whether it was made when an answer, or a failure, had been there for so many seconds."""
        if a.created_at is None or intent.ended_at is None:
            return False
        if a.created_at > self.listed_at + _TOLERANCE:
            return False  # Nothing is made in the future: its times are not those of `Date`.
        return a.created_at - late - _TOLERANCE > intent.ended_at + self.skew

    def made_before(self, intent: Intent, a: Attachment) -> bool:
        """Whether an attachment is older than the send, by the server's clock."""
        if a.created_at is None:
            return False
        latest = a.created_at + (1.0 if a.created_whole_second else 0.0)
        return latest + _TOLERANCE < intent.sent_at + self.skew


def _renamed(name: Said[str], now: float) -> bool:
    return not name.kept and not resembles(name.believed(name.seen, now), name.sent)


def _renumbered(order: Said[int], now: float) -> bool:
    return not order.kept and order.believed(order.seen, now) != order.sent
