"""The tables of one task: rows to named tuples and back, a column per field, in their order."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple

from syncd.model import Attachment, Fingerprint, FolderIdentity
from syncd.task_state import Attribute, Intent, LedgerEntry, Refusal

Row = tuple[Any, ...]

_NAME = "name_sent, name_seen, name_kept, name_retried, name_accepted, name_before, name_put_at"
_FINGERPRINT = "file_size, mtime_ns, ctime_ns, inode"
_ENTRY = (
    f"id, role, path, size, {_NAME}, {_NAME.replace('name', 'order')}, "
    f"digest, {_FINGERPRINT}, racy, shown, listed, since, replaced_by"
)
_INTENT = f"key, path, number, size, {_FINGERPRINT}, sent_at, digest, state, ended_at"
_REFUSAL = f"subject, error, {_FINGERPRINT}, attempts, not_before, whole, digest, proven"
EVENT = "at, what, subject, digest"
ACTION = "at, folder_name, action, name, reason, attachment, quota_left, old_name"
CYCLE = "at, code, actions, requests, quota_left"

_INODES = 2**64
"""SQLite's integers are signed: the upper half of the inodes is stored as negative numbers."""
_LARGEST = 2**63 - 1
"""Nanoseconds: a file that is dated after 2262 is read once more by the next process."""


class Table(NamedTuple):
    """One mapping of a TaskState and where its values are stored."""

    field: str
    name: str
    columns: str
    """The first is the key of the mapping."""
    row_of: Callable[[Any], Row] | None = None
    """None: a row is the key and the value."""
    value_of: Callable[[Row], Any] = tuple

    @property
    def key(self) -> str:
        return self.columns.partition(",")[0]

    def rows(self, values: Mapping[Any, Any]) -> Iterable[Row]:
        return values.items() if self.row_of is None else map(self.row_of, values.values())

    def mapping(self, rows: Iterable[Row]) -> dict[Any, Any]:
        if self.row_of is None:
            return dict(rows)
        return {row[0]: self.value_of(row) for row in rows}


def _entry_row(e: LedgerEntry) -> Row:
    return (*e[:4], *e.name, *e.order, e.digest, *_fingerprint_row(e.fingerprint), *e[8:])


def _entry_of(row: Row) -> LedgerEntry:
    path = row[2]
    # Equal texts are one object: with 100,000 files that saves some 15 MiB.
    sent, seen = (path if name == path else name for name in row[4:6])
    name: Attribute[str] = Attribute(sent, seen, *row[6:11])
    order: Attribute[int] = Attribute._make(row[11:18])
    fingerprint, flags = _fingerprint(row[19:23]), map(bool, row[23:26])
    return LedgerEntry._make((*row[:4], name, order, row[18], fingerprint, *flags, *row[26:]))


def _intent_row(i: Intent) -> Row:
    return (*i[:4], *_fingerprint_row(i.fingerprint), *i[5:])


def _intent_of(row: Row) -> Intent:
    return Intent._make((*row[:4], _fingerprint(row[4:8]), *row[8:]))


def _refusal_row(r: Refusal) -> Row:
    return (*r[:2], *_fingerprint_row(r.fingerprint), *r[3:])


def _refusal_of(row: Row) -> Refusal:
    whole, digest, proven = row[8:]
    told = (*row[6:8], bool(whole), digest, bool(proven))
    return Refusal._make((*row[:2], _fingerprint(row[2:6]), *told))


TABLES = (
    Table("entries", "attachments", _ENTRY, _entry_row, _entry_of),
    Table("intents", "intents", _INTENT, _intent_row, _intent_of),
    Table(
        "strangers",
        "strangers",
        "id, name, display_order, size",
        lambda a: a[:4],
        lambda row: Attachment(*row),
    ),
    Table("retired", "retired_orders", "display_order, at"),
    Table("refusals", "refusals", _REFUSAL, _refusal_row, _refusal_of),
)


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


def _fingerprint_row(fingerprint: Fingerprint | None) -> Row:
    if fingerprint is None:
        return (None, None, None, None)
    size, mtime_ns, ctime_ns, inode = fingerprint
    return (size, _bounded(mtime_ns), _bounded(ctime_ns), signed(inode))


def _fingerprint(row: Row) -> Fingerprint | None:
    size, mtime_ns, ctime_ns, inode = row
    return None if size is None else Fingerprint(size, mtime_ns, ctime_ns, inode % _INODES)


def _bounded(nanoseconds: int) -> int:
    return max(-_LARGEST, min(nanoseconds, _LARGEST))


def signed(number: int) -> int:
    """An unsigned number of 64 bits as SQLite stores it."""
    return number - _INODES if number >= _INODES // 2 else number
