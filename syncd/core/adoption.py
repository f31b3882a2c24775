"""Taking up attachments that were there before us, instead of uploading twins of them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from syncd.core.books import NO_FRUIT
from syncd.core.names import same_name
from syncd.core.situation import Situation
from syncd.model import Attachment, LedgerEntry, Listing, LocalFile
from syncd.said import Said


@dataclass(frozen=True)
class Adoption:
    """Which files found an attachment by name and size, and which have only an older one."""

    adopted: tuple[tuple[LedgerEntry, LocalFile], ...]
    new: tuple[LocalFile, ...]
    older: tuple[str, ...]
    """Paths whose only match is older than the file: perhaps an older version of it."""


def adopt(s: Situation) -> Adoption:
    """Match files without an attachment with attachments that are not ours.

    By name and size, which is all that can be checked, and only where the attachment is not
    older than the file; of several the lowest id. One that was ours and was replaced (`delete:
    never` leaves it there) has another content, whatever its size.
    """
    adopted: list[tuple[LedgerEntry, LocalFile]] = []
    new: list[LocalFile] = []
    older: list[str] = []
    strangers = [a for a in s.unknown if s.past.first_seen.get(a.id) != NO_FRUIT]
    for file, candidates in zip(
        s.matches.new, candidates_of(s.matches.new, strangers), strict=True
    ):
        fitting = [a for a in candidates if s.adopt_any_age or not _older(a, file, s.listing)]
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
    by_size: dict[int, list[Attachment]] = {}
    for a in sorted(unknown, key=lambda a: a.id):
        by_size.setdefault(a.size, []).append(a)
    return [
        [a for a in by_size.get(file.size, []) if same_name(a.name, file.path)] for file in files
    ]


def _older(attachment: Attachment, file: LocalFile, listing: Listing) -> bool:
    """Whether an attachment was made before its file was last written, by the server's clock."""
    if attachment.created_at is None:
        return True
    latest = attachment.created_at + (1.0 if attachment.created_whole_second else 0.0)
    return latest < file.fingerprint.mtime_ns / 1e9 + listing.clock_skew


def _entry(s: Situation, attachment: Attachment, file: LocalFile) -> LedgerEntry:
    number = attachment.display_order
    return LedgerEntry(
        id=attachment.id,
        role="current",
        path=file.path,
        size=file.size,
        name=Said(file.path, file.path, kept=True, form=file.path),
        order=Said(number, number, kept=True, form=number),
        digest=file.digest,
        fingerprint=file.fingerprint,
        racy=file.digest is None or file.fingerprint.racy_at(s.scanned_at),
        listed=True,
        since=s.now,
    )
