"""What an apply leaves behind, as data."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from syncd.core.plan import Create
from syncd.errors import Stopped, SyncdError
from syncd.focus.sending import Sent
from syncd.model import Attachment, Listing, LocalFile


@dataclass(frozen=True)
class Failure:
    """What ended an apply: the error, and what was being done."""

    error: SyncdError
    creates: tuple[Create, ...] = ()
    attachment_id: int | None = None
    name: str = ""
    file: LocalFile | None = None
    """The one among the creates that could not be opened or read."""


@dataclass
class Outcome:
    """What an apply leaves behind."""

    listing: Listing
    """The list as the confirmed actions have changed it."""
    unlisted: bool = False
    """Something was created of which only the next list tells the id."""
    failures: list[Failure] = field(default_factory=list)
    stopped: Stopped | None = None
    changed: int = 0
    """Renames, moves and deletes that were carried out."""
    moved: bool = False
    """A move was among them."""
    updated: list[int] = field(default_factory=list)
    """Attachments that were renamed or moved, in turn."""
    sent: list[tuple[tuple[Create, ...], tuple[Sent, ...]]] = field(default_factory=list)
    """The creates that were carried out, with what went over the wire."""

    @property
    def done(self) -> int:
        """Actions carried out."""
        return self.changed + sum(len(batch) for batch, _ in self.sent)

    @property
    def ended(self) -> bool:
        return bool(self.failures) or self.stopped is not None

    def shows(self, attachments: Iterable[Attachment]) -> None:
        """The task has these now, in place of the ones of the same id."""
        rows = {a.id: a for a in self.listing.attachments} | {a.id: a for a in attachments}
        self.listing = replace(self.listing, attachments=tuple(rows.values()))

    def lacks(self, id_: int) -> None:
        """The task has this one no more."""
        rest = tuple(a for a in self.listing.attachments if a.id != id_)
        self.listing = replace(self.listing, attachments=rest)
