"""The input and the result of a create."""

from __future__ import annotations

from dataclasses import dataclass

from syncd.model import Attachment, Fingerprint


@dataclass(frozen=True)
class Upload:
    """A file to send; the client refuses it if its fingerprint has changed."""

    file: str
    """Absolute path."""
    name: str
    """Name of the attachment."""
    display_order: int
    fingerprint: Fingerprint


@dataclass(frozen=True)
class SentFile:
    """The bytes of one file that went out."""

    digest: str
    """sha256 in hex."""
    changed: bool
    """The file's fingerprint changed while it was sent."""


@dataclass(frozen=True)
class Receipt:
    """A confirmed create."""

    sent: tuple[SentFile, ...]
    """In the order of the uploads."""
    attachments: tuple[Attachment, ...] | None = None
    """In the order of the uploads; None = the response does not identify all of them."""
