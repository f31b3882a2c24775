"""What a decision rests on, and the small questions that every part of it asks."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property

from syncd.core.books import in_doubt
from syncd.core.habits import counted_to
from syncd.core.matching import Matches, match
from syncd.core.names import same_name
from syncd.model import (
    Attachment,
    FolderSnapshot,
    Intent,
    LedgerEntry,
    Listing,
    LocalFile,
    Past,
    Refusal,
    Rules,
)

TIMES_A_DAY = 2
"""How often unchanged bytes are created, and a person's change is put back, in 24 hours."""
DOWNLOADING = "empty until the download beside it (.part or .crdownload) is done"
UNPROVEN = "/"
"""Before the subject (a path, an attachment) of what the server failed on alone: while nothing
else of its kind is taken, it may as well be the server. No path begins so."""
_MOMENT = 0.001
"""Seconds by which what comes after something is later, if the clock does not tell."""


def refusal_delay(attempts: int) -> float:
    """Seconds for which a refusal is honoured: a minute at first, then twice as long each time."""
    return min(60.0 * 2.0 ** (attempts - 1), 86_400.0)


def honoured(past: Past, now: float) -> dict[str, Refusal]:
    """Refusals that still hold, by subject; a clock set back cannot make one last longer than it
    may."""
    return {
        r.subject: r for r in past.refusals if 0 < r.not_before - now <= refusal_delay(r.attempts)
    }


@dataclass(frozen=True)
class Situation:
    """Folder, task and ledger at one moment, with the rules that hold for them."""

    folder: FolderSnapshot
    listing: Listing
    past: Past
    """Settled by this list, if the list is fresh."""
    rules: Rules
    selects: Callable[[str], bool]
    now: float
    scanned_at: float
    fresh: bool = True
    """The list was taken in this run; False = remembered."""
    adopt_any_age: bool = False
    unsettled: frozenset[str] = frozenset()
    """Files that are still being written: left for a later cycle."""

    @cached_property
    def matches(self) -> Matches:
        return match(self.folder, self.past, self.selects, self.unsettled)

    @cached_property
    def shown(self) -> dict[int, Attachment]:
        return {a.id: a for a in self.listing.attachments}

    @cached_property
    def unknown(self) -> tuple[Attachment, ...]:
        """Attachments that are not ours, nor ids we know to be deleted."""
        known = {e.id for e in self.past.entries}
        return tuple(a for a in self.listing.attachments if a.id not in known)

    @cached_property
    def _refusals(self) -> dict[str, Refusal]:
        return honoured(self.past, self.now)

    @cached_property
    def _doubtful_paths(self) -> frozenset[str]:
        return frozenset(i.path for i in in_doubt(self.past))

    @cached_property
    def _moved_under_way(self) -> tuple[Intent, ...]:
        """Creates in doubt whose file is gone from its path: perhaps renamed since."""
        there = {f.path: f for f in self.folder.files}
        return tuple(
            i
            for i in in_doubt(self.past)
            if i.digest
            if i.size and ((f := there.get(i.path)) is None or f.fingerprint != i.fingerprint)
        )

    @property
    def sizes_under_way(self) -> frozenset[int]:
        """Of files of other sizes nobody has to know the content on this account."""
        return frozenset(i.size for i in self._moved_under_way)

    @property
    def owed(self) -> int:
        """Requests that creates under way still need: the list that shows them, and a DELETE
        for every version that they replace."""
        under_way = self._doubtful_paths
        replaced = sum(1 for _, file in self.matches.changed if file.path in under_way)
        return bool(under_way) + replaced

    @property
    def refused_alike(self) -> str | None:
        """The error, if lately every upload was refused alike and one of them is still to do."""
        found = (self.upload_refused(file) for file in self.folder.files)
        return next((r.error for r in found if r is not None and r.whole), None)

    def put_back_too_often(self, entry: LedgerEntry) -> bool:
        return self.past.put_back.get(entry.id, 0) >= TIMES_A_DAY

    def change_refused(self, entry_id: int) -> Refusal | None:
        """The refusal of a PUT or DELETE to this attachment, while it is to be honoured."""
        subject = f"#{entry_id}"
        return self._refusals.get(subject) or self._refusals.get(UNPROVEN + subject)

    def upload_refused(self, file: LocalFile) -> Refusal | None:
        """The refusal of these very bytes, while it is to be honoured."""
        refusal = self._refusals.get(file.path) or self._refusals.get(UNPROVEN + file.path)
        if refusal is None:
            return None
        same = refusal.digest and refusal.digest == file.digest
        return refusal if same or refusal.fingerprint == file.fingerprint else None

    def may_be_refused(self, file: LocalFile) -> bool:
        """Whether only its content tells if these are the bytes that were refused."""
        refusal = self._refusals.get(file.path)
        if refusal is None or not refusal.digest or refusal.fingerprint is None:
            return False
        refused, now = refusal.fingerprint, file.fingerprint
        return refused != now and refused.size == now.size

    @cached_property
    def _unread(self) -> dict[str, Refusal]:
        return {r.subject: r for r in self.past.refusals if r.unread}

    def was_unreadable(self, file: LocalFile) -> bool:
        """Whether it is to be read before it is sent: the last time it did not come to its end."""
        unread = self._unread.get(file.path)
        return unread is not None and unread.fingerprint == file.fingerprint

    def why_not_now(self, file: LocalFile) -> str | None:
        """Why nothing can be decided about an upload of this file yet."""
        if file.path in self.unsettled:
            return "still being written"
        if file.path in self.folder.downloading:
            return DOWNLOADING
        if file.path in self._doubtful_paths:
            return "an earlier upload of it may still arrive"
        if any(i.digest == file.digest for i in self._moved_under_way):
            return "an upload under its former name may still arrive"
        return None

    def created_too_often(self, file: LocalFile) -> bool:
        key = (file.path, file.digest or "")
        return self.past.created.get(key, 0) >= TIMES_A_DAY

    @cached_property
    def _last_sent(self) -> dict[str, float]:
        """When an upload of each path was sent last, of those that may yet come to light."""
        return {i.path: i.sent_at for i in sorted(self.past.intents, key=lambda i: i.sent_at)}

    def bind(self, entry: LedgerEntry, file: LocalFile) -> LedgerEntry:
        """The entry of an attachment that has the content of this file."""
        trusted = entry.fingerprint == file.fingerprint and not entry.racy
        stays = entry.role == "current" and (entry.path == file.path or not entry.listed)
        # If it has come back to this content since others were sent, those are earlier versions.
        sent_at = self._last_sent.get(file.path, -1.0)
        later = max(self.now, sent_at + _MOMENT)
        return replace(
            entry,
            role="current",
            since=entry.since if stays and entry.since > sent_at else later,
            path=file.path,
            size=file.size,
            digest=entry.digest if trusted else file.digest or entry.digest,
            fingerprint=file.fingerprint,
            racy=not trusted and file.fingerprint.racy_at(self.scanned_at),
        )

    @cached_property
    def counted_to(self) -> int:
        """Up to here a number may have been met by chance where the server counts by itself."""
        return counted_to(self.past.entries, self.listing)

    @cached_property
    def only_told(self) -> frozenset[int]:
        """Attachments whose number no list has shown since we told it."""
        told = {e.id: e.order.sent for e in self.past.entries if not e.order.kept}
        shown = self.listing.attachments
        return frozenset(a.id for a in shown if told.get(a.id) == a.display_order)

    @cached_property
    def counts_itself(self) -> bool:
        """Whether the server gives numbers of its own, and new ones to all at every change.

        Then they run from 0 or 1 without gaps, but for those that were only told. One that it
        kept shows that it does not, unless it is small: the server may have come to the same one
        by itself.
        """
        attachments = self.listing.attachments
        numbers = [a.display_order for a in attachments if a.id not in self.only_told]
        distinct = len(set(numbers)) == len(numbers) > 0
        if not distinct or not 0 <= max(numbers) - min(1, *numbers) < len(attachments):
            return False
        ours = [e for e in self.past.entries if e.listed and e.id in self.shown]
        orders = [e.order for e in ours if e.order.was_told]
        if any(o.kept and o.sent > self.counted_to for o in orders):
            return False
        return any(not o.kept and o.believed(o.seen, self.now) != o.sent for o in orders)

    def believed(self, entry: LedgerEntry) -> Attachment:
        """What the list shows of ours, and what our last PUT made of it where the list may lag.

        But of a number on a server that counts itself only the list tells.
        """
        shown = self.shown[entry.id]
        number = shown.display_order
        if not self.counts_itself:
            number = entry.order.believed(number, self.now)
        name = entry.name.believed(shown.name, self.now)
        return replace(shown, name=name, display_order=number)

    def names_itself(self, entry: LedgerEntry, attachment: Attachment) -> bool:
        """Whether an attachment's name is its file's, or the server's lasting form of it."""
        return same_name(attachment.name, entry.path) or entry.name.is_form_of(
            entry.path, attachment.name
        )
