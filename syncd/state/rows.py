"""Ledger rows to frozen values and back."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping
from dataclasses import astuple
from typing import Any, TypeVar

from syncd.model import (
    Attachment,
    Fingerprint,
    FolderIdentity,
    Intent,
    LedgerEntry,
    Listing,
    Refusal,
)
from syncd.said import Said

T = TypeVar("T", str, int)


def entry_values(entry: LedgerEntry) -> dict[str, Any]:
    return {
        "id": entry.id,
        "role": entry.role,
        "path": entry.path,
        "size": entry.size,
        "name": _said_text(entry.name),
        "display_order": _said_text(entry.order),
        "digest": entry.digest,
        "fingerprint": fingerprint_text(entry.fingerprint),
        "racy": int(entry.racy),
        "listed": int(entry.listed),
        "since": entry.since,
    }


def entry_of(row: sqlite3.Row) -> LedgerEntry:
    return LedgerEntry(
        id=row["id"],
        role=row["role"],
        path=row["path"],
        size=row["size"],
        name=_said(row["name"], str),
        order=_said(row["display_order"], int),
        digest=row["digest"],
        fingerprint=_fingerprint(row["fingerprint"]),
        racy=bool(row["racy"]),
        listed=bool(row["listed"]),
        since=row["since"],
    )


def intent_values(intent: Intent) -> dict[str, Any]:
    return {
        "path": intent.path,
        "name": intent.name,
        "number": intent.number,
        "size": intent.size,
        "fingerprint": fingerprint_text(intent.fingerprint),
        "sequence": intent.sequence,
        "sent_at": intent.sent_at,
        "digest": intent.digest,
        "state": intent.state,
        "ended_at": intent.ended_at,
    }


def intent_of(row: sqlite3.Row) -> Intent:
    fingerprint = _fingerprint(row["fingerprint"])
    if fingerprint is None:
        raise ValueError("an intent without a fingerprint")
    return Intent(
        key=row["key"],
        path=row["path"],
        name=row["name"],
        number=row["number"],
        size=row["size"],
        fingerprint=fingerprint,
        sequence=row["sequence"],
        sent_at=row["sent_at"],
        digest=row["digest"],
        state=row["state"],
        ended_at=row["ended_at"],
    )


def refusal_values(refusal: Refusal) -> dict[str, Any]:
    return {
        "subject": refusal.subject,
        "error": refusal.error,
        "fingerprint": fingerprint_text(refusal.fingerprint),
        "attempts": refusal.attempts,
        "not_before": refusal.not_before,
        "whole": int(refusal.whole),
        "digest": refusal.digest,
    }


def refusal_of(row: sqlite3.Row) -> Refusal:
    return Refusal(
        subject=row["subject"],
        error=row["error"],
        fingerprint=_fingerprint(row["fingerprint"]),
        attempts=row["attempts"],
        not_before=row["not_before"],
        whole=bool(row["whole"]),
        digest=row["digest"],
    )


def listing_text(listing: Listing) -> str:
    return json.dumps([astuple(a) for a in listing.attachments])


def listing_of(text: str) -> Listing:
    return Listing(tuple(Attachment(*values) for values in json.loads(text)))


def identity_text(identity: FolderIdentity | None) -> str | None:
    return None if identity is None else json.dumps(astuple(identity))


def identity_of(text: str | None) -> FolderIdentity | None:
    return None if text is None else FolderIdentity(*json.loads(text))


def fingerprint_text(fingerprint: Fingerprint | None) -> str | None:
    """As text: an inode may be larger than SQLite's largest integer."""
    return None if fingerprint is None else json.dumps(astuple(fingerprint))


def upsert(table: str, keys: Mapping[str, Any], values: Mapping[str, Any]) -> str:
    """An INSERT that replaces the row of these keys, with named parameters."""
    names = ", ".join((*keys, *values))
    marks = ", ".join(f":{name}" for name in (*keys, *values))
    return f"INSERT OR REPLACE INTO {table} ({names}) VALUES ({marks})"  # noqa: S608


def _fingerprint(text: str | None) -> Fingerprint | None:
    return None if text is None else Fingerprint(*json.loads(text))


def _said_text(said: Said[Any]) -> str:
    return json.dumps(astuple(said))


def _said(text: str, kind: type[T]) -> Said[T]:
    sent, seen, kept, tried, form, put_at, former = json.loads(text)
    if not (isinstance(sent, kind) and isinstance(seen, kind)):
        raise ValueError(f"not a pair of {kind.__name__}: {text!r}")
    return Said(sent, seen, bool(kept), bool(tried), form, put_at, tuple(former))
