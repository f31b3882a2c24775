"""Gathers what is known about one file of a folder: rule, books, waits. Sends nothing."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from syncd.cli.glance import look, matched, obstacle
from syncd.cli.reading import Reading, moment, seconds_of
from syncd.cli.words import size_text
from syncd.core.ignore import selection
from syncd.core.matching import Matches
from syncd.core.names import same_name
from syncd.core.situation import DOWNLOADING, TIMES_A_DAY, UNPROVEN
from syncd.engine.report import OK, PARTLY
from syncd.errors import FolderError
from syncd.model import LedgerEntry, LocalFile, Past
from syncd.service.folders import Target
from syncd.service.status import timestamp

_STATES = {
    "in sync": "in sync: unchanged since it was uploaded or adopted",
    "changed": "changed: the next cycle uploads it and deletes the old version",
    "new": "new: the next cycle uploads it (or adopts an attachment that is the same)",
    "gone": "gone: the file was there, and is not any more; the next cycle deletes its attachment",
    "waiting": "detached: the file is gone; its attachment waits, since a file of the same size "
    "cannot be read yet and may be it under another name",
    "detached": "detached: its attachment stays as it is, and is not kept up to date",
    "not synced": "not synced: no attachment of ours is known",
    "unknown": "unknown: there is no such file, and no attachment of it is known",
}

_RESTING = ("in sync", "not synced", "detached", "unknown", "held", "contested")
"""States in which no cycle does anything about the file."""


@dataclass
class Facts:
    """What `syncd why` tells; times in seconds since the epoch."""

    path: str
    synced: bool = False
    rule: str = ""
    state: str = ""
    """A word, a colon, and what it means."""
    attachment: dict[str, Any] | None = None
    last_error: str | None = None
    next_try: float | None = None
    notes: list[str] = field(default_factory=list)
    code: int = OK


def facts(reading: Reading, target: Target, path: str) -> Facts:
    """Look at the folder, the ledger's copy and the status file."""
    past = reading.ledger.past(target.folder.task, reading.now)
    choice = selection(target.folder.rules)
    found = Facts(path, rule=choice.reason(path))
    try:
        snapshot = look(target, choice, past)
    except FolderError as error:
        found.state, found.last_error = "error: its folder cannot be synced", str(error)
        found.code = PARTLY
        found.attachment = _attachment(_entry(past, path))
        return found
    what = obstacle(snapshot, path)
    file = next((f for f in snapshot.files if f.path == path), None)
    if file is None and what is None:
        file = next((f for f in snapshot.files if same_name(f.path, path)), None)
    if file is not None:
        found.path = path = file.path
    if what and found.rule.startswith("synced"):
        found.rule = f"not synced: {what}"
    found.synced = file is not None
    matches, file = matched(path, snapshot, past, choice)
    entry = _judge(found, target, matches)
    if path in snapshot.downloading and found.state.startswith(("new", "changed")):
        found.state = f"waiting: {DOWNLOADING}"
    _from_books(found, reading, past, entry, file)
    _from_status(found, reading, target, past)
    return found


def _judge(found: Facts, target: Target, matches: Matches) -> LedgerEntry | None:
    """The state, and the attachment that it speaks of."""
    path = found.path
    for entry, file in matches.unchanged:
        if file.path == path:
            found.state = _STATES["in sync"]
            return entry
    for entry, file in matches.renamed:
        if file.path == path:
            found.state = f"renamed: it was {entry.path}; the next cycle renames the attachment"
            return entry
        if entry.path == path and not found.synced:
            found.state = f"renamed: it is {file.path} now, the next cycle renames the attachment"
            return entry
    for entry, file in matches.changed:
        if file.path == path:
            found.state = _STATES["changed"]
            return entry
    if any(file.path == path for file in matches.new):
        found.state = _STATES["new"]
        return None
    gone = next((e for e in matches.gone if same_name(e.path, path)), None)
    if gone is not None:
        never = target.folder.rules.delete == "never"
        found.state = _STATES["detached" if never else "gone"]
        return gone
    waiting = next((e for e in matches.waiting if same_name(e.path, path)), None)
    if waiting is not None:
        found.state = _STATES["waiting"]
        return waiting
    absent = next((e for e in matches.absent if same_name(e.path, path)), None)
    not_synced = found.rule.startswith("not synced")
    found.state = _STATES["detached" if absent else "not synced" if not_synced else "unknown"]
    return absent


def _entry(past: Past, path: str) -> LedgerEntry | None:
    live = (e for e in past.entries if e.role in ("current", "detached"))
    return next((e for e in live if same_name(e.path, path)), None)


def _attachment(entry: LedgerEntry | None) -> dict[str, Any] | None:
    if entry is None:
        return None
    return {
        "id": entry.id,
        "name": entry.name.seen,
        "display_order": entry.order.seen,
        "size": entry.size,
        "role": entry.role,
        "digest": entry.digest,
        "since": timestamp(entry.since),
    }


def _from_books(
    found: Facts, reading: Reading, past: Past, entry: LedgerEntry | None, file: LocalFile | None
) -> None:
    """What the ledger says besides: history, creates under way, refusals, contests."""
    path, notes, now = found.path, found.notes, reading.now
    found.attachment = _attachment(entry)
    if entry is not None:
        notes += _about(entry, now)
    for other in past.entries:
        if other.path == path and other.role == "superseded" and other != entry:
            notes.append(f"an old version, id {other.id}, is to be deleted")
        if other.path == path and other.role == "tombstone":
            notes.append(f"attachment {other.id} was deleted {moment(other.since, now)}")
    for intent in past.intents:
        if intent.path == path and intent.state != "lost":
            notes.append(f"sent {moment(intent.sent_at, now)}, not confirmed by a list yet")
    _refused(found, past, entry, file, now)
    _contested(found, past, entry, file)


def _contested(found: Facts, past: Past, entry: LedgerEntry | None, file: LocalFile | None) -> None:
    """What was done twice within a day is not done a third time."""
    until = "left as it is until 24 h are over, or `syncd --once --retry`"
    created = past.created.get((found.path, (file.digest if file else None) or ""), 0)
    if not found.state.startswith("in sync") and created >= TIMES_A_DAY:
        found.state = f"contested: uploaded {created} times in 24 h; {until}"
    put_back = past.put_back.get(entry.id, 0) if entry else 0
    if entry and put_back >= TIMES_A_DAY:
        found.notes.append(f"name or place put back {put_back} times in 24 h: {until}")


def _about(entry: LedgerEntry, now: float) -> Sequence[str]:
    now_is = "" if entry.role == "current" else f", now {entry.role}"
    notes = [f"{size_text(entry.size)}, of this file since {moment(entry.since, now)}{now_is}"]
    notes.append(f"sha256 {entry.digest}" if entry.digest else "content known by its size alone")
    if not entry.listed:
        notes.append("uploaded; no list has shown it yet")
    if not same_name(entry.name.seen, entry.name.sent):
        notes.append(f"named {entry.name.seen} in the task, {entry.name.sent} by us")
    return notes


def _refused(
    found: Facts, past: Past, entry: LedgerEntry | None, file: LocalFile | None, now: float
) -> None:
    """Refusals that are still remembered; one of other bytes is not waited for."""
    subjects = {found.path, UNPROVEN + found.path, *([f"#{entry.id}"] if entry else [])}
    for refusal in past.refusals:
        if refusal.subject not in subjects:
            continue
        found.last_error = refusal.error
        what = "could not be read" if refusal.unread else "refused"
        if refusal.attempts:
            found.notes.append(f"{what} {refusal.attempts} time{'s' * (refusal.attempts != 1)}")
        of_these_bytes = file is not None and refusal.fingerprint == file.fingerprint
        if refusal.not_before > now and (of_these_bytes or refusal.subject.startswith("#")):
            found.next_try = max(found.next_try or 0.0, refusal.not_before)
            whole = ", as is every other upload" if refusal.whole else ""
            found.state = f"refused: the server does not take it{whole}"
            if refusal.unread:
                found.state = "failed: it cannot be read to its end"
        elif not of_these_bytes and not refusal.subject.startswith("#"):
            found.notes.append("it has changed since: the next cycle tries it again")


def _from_status(found: Facts, reading: Reading, target: Target, past: Past) -> None:
    """What the last cycle reported, and when the next one comes."""
    record = reading.record(target) or {}
    ids = {e.id for e in past.entries if same_name(e.path, found.path)}
    held = [h for h in record.get("held", []) if h.get("id") in ids]
    for item in held:
        found.state = f"held: {item.get('action')} waits for approval: {item.get('reason')}"
        name = shlex.quote(target.folder.name)
        found.notes.append(f"let it happen with: syncd approve --folder {name}")
    for item in record.get("failed", []):
        if item.get("name") == found.path and found.last_error is None:
            found.last_error = item.get("error")
    if found.path in record.get("contested", []) and not found.state.startswith("contested"):
        found.state = "contested: somebody keeps changing its attachment"
    if record.get("error"):
        found.notes.append(f"the last cycle of its folder: {record['error']}")
        found.last_error = found.last_error or record["error"]
    elif record.get("state") in ("pending", "paused", "syncing") and record.get("reason"):
        found.notes.append(f"its folder is {record['state']}: {record['reason']}")
    if found.state.split(":")[0] in _RESTING:
        return
    found.next_try = _next_try(found, reading, target, record)
    if reading.service is None:
        found.notes.append("no service is running: `syncd --once` makes the next cycle")


def _next_try(
    found: Facts, reading: Reading, target: Target, record: dict[str, Any]
) -> float | None:
    """The latest of all waits that are known."""
    waits = [found.next_try, seconds_of(reading.next_cycle(record))]
    meter, organization = reading.meter(), target.folder.task.organization_id
    left = meter.left(organization)
    if left is not None and left <= meter.reserve:
        found.notes.append(f"quota: {left} requests left, {meter.reserve} kept back")
        waits.append(meter.resumes_at(organization))
    ahead = [at for at in waits if at is not None and at > reading.now]
    return max(ahead, default=None)
