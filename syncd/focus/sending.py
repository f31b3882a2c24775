"""What goes into a create, and what is known when it was answered."""

from __future__ import annotations

from dataclasses import dataclass

from syncd.model import Attachment, Fingerprint


@dataclass(frozen=True)
class Upload:
    """A file about to be sent: opened afresh, and refused if it is not the planned one."""

    file: str
    """Absolute path."""
    name: str
    display_order: int
    fingerprint: Fingerprint


@dataclass(frozen=True)
class Sent:
    """What really went over the wire for one file."""

    digest: str
    changed: bool
    """The file was another after the last byte than before the first."""


@dataclass(frozen=True)
class Receipt:
    """A confirmed create: what was sent and, if the server said so, what was made of it."""

    sent: tuple[Sent, ...]
    attachments: tuple[Attachment, ...] | None = None
    """In the order of the uploads; None = the answer carried no (or not as many) objects."""
