"""Take over attachments that others made instead of uploading the same file again. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from syncd.core.listing import entry_of
from syncd.core.snapshot import Snapshot
from syncd.model import Attachment, LocalFile
from syncd.task_state import Intent, LedgerEntry, nfc


class Adoption(NamedTuple):
    """What became of the files that have no attachment of ours."""

    adopted: list[tuple[LedgerEntry, LocalFile]]
    new: list[LocalFile]
    older: list[str]
    """Paths whose only match is older than the file: perhaps an older version of it."""


def adopt(s: Snapshot) -> Adoption:
    """Match new files with attachments of others by name and size, of several the lowest id.

    Only an attachment that is not older than the file is taken, unless any age was asked for.
    """
    found = Adoption([], [], [])
    for file, candidates in candidates_of(s.matches.new, s.state.strangers.values()):
        skew = s.state.clock_skew
        fitting = [a for a in candidates if s.adopt_any_age or not _is_older(a, file, skew)]
        if fitting and s.why_not_now(file) is None:
            a, mark, at = fitting[0], file.fingerprint, s.scanned_at
            # As if a create of the file had made it.
            create = Intent(0, file.path, a.display_order, file.size, mark, at, file.digest)
            found.adopted.append((entry_of(create, a, since=s.now), file))
            continue
        found.new.append(file)
        if candidates and not fitting:
            found.older.append(file.path)
    return found


def candidates_of(
    files: Iterable[LocalFile], unknown: Iterable[Attachment]
) -> list[tuple[LocalFile, list[Attachment]]]:
    """Each file with the attachments of its name and size, by id."""
    found: dict[tuple[int, str], list[Attachment]] = {}
    for a in sorted(unknown, key=lambda a: a.id):
        found.setdefault((a.size, nfc(a.name)), []).append(a)
    return [(file, found.get((file.size, nfc(file.path)), [])) for file in files]


def _is_older(attachment: Attachment, file: LocalFile, clock_skew: float) -> bool:
    """Whether an attachment was made before its file was last written, by the server's clock."""
    if attachment.created_at is None:
        return True
    latest = attachment.created_at + (1.0 if attachment.created_whole_second else 0.0)
    return latest < file.fingerprint.mtime_ns / 1e9 + clock_skew
