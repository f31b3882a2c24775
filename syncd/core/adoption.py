"""Take over attachments that others made instead of uploading the same file again. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from syncd.attribute import Attribute, nfc
from syncd.core.snapshot import Snapshot
from syncd.model import Attachment, LocalFile
from syncd.task_state import LedgerEntry


class Adoption(NamedTuple):
    """What became of the files that have no attachment of ours."""

    adopted: tuple[tuple[LedgerEntry, LocalFile], ...]
    new: tuple[LocalFile, ...]
    older: tuple[str, ...]
    """Paths whose only match is older than the file: perhaps an older version of it."""


def adopt(s: Snapshot) -> Adoption:
    """Match new files with attachments of others by name and size, of several the lowest id.

    Only an attachment that is not older than the file is taken, unless any age was asked for.
    """
    adopted: list[tuple[LedgerEntry, LocalFile]] = []
    new: list[LocalFile] = []
    older: list[str] = []
    for file, candidates in zip(
        s.matches.new, candidates_of(s.matches.new, s.state.strangers.values()), strict=True
    ):
        fitting = [
            a for a in candidates if s.adopt_any_age or not _is_older(a, file, s.state.clock_skew)
        ]
        if fitting and s.why_not_now(file) is None:
            adopted.append((_entry(s, fitting[0], file), file))
            continue
        new.append(file)
        if candidates and not fitting:
            older.append(file.path)
    return Adoption(tuple(adopted), tuple(new), tuple(older))


def candidates_of(
    files: Iterable[LocalFile], unknown: Iterable[Attachment]
) -> list[list[Attachment]]:
    """For each file the attachments with its name and size, by id."""
    found: dict[tuple[int, str], list[Attachment]] = {}
    for a in sorted(unknown, key=lambda a: a.id):
        found.setdefault((a.size, nfc(a.name)), []).append(a)
    return [found.get((file.size, nfc(file.path)), []) for file in files]


def _is_older(attachment: Attachment, file: LocalFile, clock_skew: float) -> bool:
    """Whether an attachment was made before its file was last written, by the server's clock."""
    if attachment.created_at is None:
        return True
    latest = attachment.created_at + (1.0 if attachment.created_whole_second else 0.0)
    return latest < file.fingerprint.mtime_ns / 1e9 + clock_skew


def _entry(s: Snapshot, attachment: Attachment, file: LocalFile) -> LedgerEntry:
    number = attachment.display_order
    return LedgerEntry(
        id=attachment.id,
        role="current",
        path=file.path,
        size=file.size,
        name=Attribute(file.path, file.path, kept=True),
        order=Attribute(number, number, kept=True),
        digest=file.digest,
        fingerprint=file.fingerprint,
        racy=file.digest is None or file.fingerprint.racy_at(s.scanned_at),
        shown=True,
        listed=True,
        since=s.now,
    )
