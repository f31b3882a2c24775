"""Rows of the ledger to frozen values and back: one column per field, in the order of the table."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from syncd.model import Attachment, Fingerprint, FolderIdentity
from syncd.task_state import Attribute, Event, Intent, LedgerEntry, Refusal

Row = tuple[Any, ...]

_NAME = "name_sent, name_seen, name_kept, name_retried, name_accepted, name_before, name_put_at"
_FINGERPRINT = "file_size, mtime_ns, ctime_ns, inode"
ENTRY = (
    f"id, role, path, size, {_NAME}, {_NAME.replace('name', 'order')}, "
    f"digest, {_FINGERPRINT}, racy, shown, listed, since, replaced_by"
)
INTENT = f"key, path, number, size, {_FINGERPRINT}, sent_at, digest, state, ended_at"
STRANGER = "id, name, display_order, size"
RETIRED = "display_order, at"
REFUSAL = f"subject, error, {_FINGERPRINT}, attempts, not_before, whole, digest, proven"
EVENT = "at, what, subject, digest"

_INODES = 2**64
"""SQLite's integers are signed: the upper half of the inodes is stored as negative numbers."""
_LARGEST = 2**63 - 1
"""Nanoseconds: a file that is dated after 2262 is read once more by the next process."""


def entry_row(e: LedgerEntry) -> Row:
    return (
        *(e.id, e.role, e.path, e.size, *e.name, *e.order, e.digest),
        *_fingerprint_row(e.fingerprint),
        *(e.racy, e.shown, e.listed, e.since, e.replaced_by),
    )


def entry_of(row: Row) -> LedgerEntry:
    id_, role, path, size = row[:4]
    racy, shown, listed, since, replaced_by = row[23:]
    return LedgerEntry(
        id=id_,
        role=role,
        path=path,
        size=size,
        name=_attribute(row[4:11]),
        order=_attribute(row[11:18]),
        digest=row[18],
        fingerprint=_fingerprint(row[19:23]),
        racy=bool(racy),
        shown=bool(shown),
        listed=bool(listed),
        since=since,
        replaced_by=replaced_by,
    )


def intent_row(i: Intent) -> Row:
    fingerprint = _fingerprint_row(i.fingerprint)
    return (i.key, i.path, i.number, i.size, *fingerprint, i.sent_at, i.digest, i.state, i.ended_at)


def intent_of(row: Row) -> Intent:
    key, path, number, size = row[:4]
    sent_at, digest, state, ended_at = row[8:]
    fingerprint = _fingerprint(row[4:8])
    assert fingerprint is not None, "the table has no intent without a fingerprint"
    return Intent(key, path, number, size, fingerprint, sent_at, digest, state, ended_at)


def stranger_row(a: Attachment) -> Row:
    return (a.id, a.name, a.display_order, a.size)


def stranger_of(row: Row) -> Attachment:
    return Attachment(*row)


def refusal_row(r: Refusal) -> Row:
    fingerprint = _fingerprint_row(r.fingerprint)
    told = (r.attempts, r.not_before, r.whole, r.digest, r.proven)
    return (r.subject, r.error, *fingerprint, *told)


def refusal_of(row: Row) -> Refusal:
    subject, error = row[:2]
    attempts, not_before, whole, digest, proven = row[6:]
    return Refusal(
        subject=subject,
        error=error,
        fingerprint=_fingerprint(row[2:6]),
        attempts=attempts,
        not_before=not_before,
        whole=bool(whole),
        digest=digest,
        proven=bool(proven),
    )


def event_row(e: Event) -> Row:
    return (e.at, e.what, e.subject, e.digest)


def event_of(row: Row) -> Event:
    return Event(*row)


def task_values(fields: Mapping[str, Any]) -> dict[str, Any]:
    """The columns of single fields of a TaskState."""
    values = {k: v for k, v in fields.items() if k not in ("identity", "clock_skew")}
    if (identity := fields.get("identity")) is not None:
        values["identity_inode"] = signed(identity.inode)
        values["identity_file_system"] = signed(identity.file_system)
    return values


def identity_of(inode: int | None, file_system: int | None) -> FolderIdentity | None:
    if inode is None or file_system is None:
        return None
    return FolderIdentity(inode % _INODES, file_system % _INODES)


def _attribute(row: Row) -> Attribute[Any]:
    sent, seen, kept, retried, accepted, before, put_at = row
    return Attribute(sent, seen, bool(kept), retried, accepted, before, put_at)


def _fingerprint_row(fingerprint: Fingerprint | None) -> Row:
    if fingerprint is None:
        return (None, None, None, None)
    size, mtime_ns, ctime_ns, inode = fingerprint
    return (size, _bounded(mtime_ns), _bounded(ctime_ns), signed(inode))


def _fingerprint(row: Row) -> Fingerprint | None:
    if row[0] is None:
        return None
    size, mtime_ns, ctime_ns, inode = row
    return Fingerprint(size, mtime_ns, ctime_ns, inode % _INODES)


def _bounded(nanoseconds: int) -> int:
    return max(-_LARGEST, min(nanoseconds, _LARGEST))


def signed(number: int) -> int:
    """An unsigned number of 64 bits as SQLite stores it."""
    return number - _INODES if number >= _INODES // 2 else number
