"""Gather what `syncd why` tells about one file of a folder; nothing is sent."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Iterator
from typing import Any

from syncd.cli.read_only import ReadOnlyView
from syncd.engine.report import PARTLY
from syncd.errors import FolderError
from syncd.local.ignore import selection
from syncd.model import LocalFile
from syncd.overview.folders import Target
from syncd.overview.status import FolderStatus, rfc3339
from syncd.overview.verdict import Kind, Verdict
from syncd.overview.words import count, size_text, time_text
from syncd.task_state import LedgerEntry, Refusal, TaskState, same_name


def findings(view: ReadOnlyView, target: Target, path: str) -> dict[str, Any]:
    """Look at the folder, the copy of the ledger, and the status file."""
    folder, patterns = target.folder, selection(target.folder.rules)
    try:
        verdicts = view.verdicts(target)
    except FolderError as error:
        return _without_folder(view, target, path, str(error))
    obstacle, file = verdicts.obstacle(path), verdicts.file(path)
    blocked = obstacle and patterns.selects(path)
    rule = f"not synced: {obstacle}" if blocked else patterns.reason(path)
    path = file.path if file else path
    verdict, status = verdicts.on_path(path), view.status_of(target)
    ledger, id_ = view.ledger.state(folder.task), verdict.entry.id if verdict.entry else None
    refusals = [r for r in ledger.refusals.values() if r.subject in (path, f"#{id_}")]
    failed = [p.reason for p in status.failed if p.path == path]
    errors = [verdict.error, *(r.error for r in refusals), *failed, status.error]
    notes = [
        *_from_ledger(path, verdict.entry, ledger, view.now),
        *_from_refusals(refusals, verdict, file),
        *_from_status(status, verdict),
    ]
    next_try = None
    if not verdict.is_resting:
        next_try, reasons = _next_try(view, target, verdict, status)
        notes += reasons
    return {
        "path": path,
        "synced": file is not None,
        "rule": rule,
        "state": f"{verdict.kind}: {verdict.reason}",
        "attachment": _attachment(verdict.entry),
        "last_error": next((error for error in errors if error), None),
        "next_try": next_try,
        "notes": notes,
    }


def _without_folder(view: ReadOnlyView, target: Target, path: str, error: str) -> dict[str, Any]:
    """What is known of a file whose folder cannot be looked at."""
    return {
        "exit": PARTLY,
        "error": error,
        "path": path,
        "rule": selection(target.folder.rules).reason(path),
        "state": "error: its folder cannot be synced",
        "attachment": _attachment(_entry_of(view, target, path)),
        "last_error": error,
    }


def _from_ledger(
    path: str, entry: LedgerEntry | None, state: TaskState, now: float
) -> Iterator[str]:
    """The attachment, former ones, and uploads under way."""
    if entry is not None:
        yield from _about(entry, now)
    for other in state.entries.values():
        if other.path == path and other.role == "superseded" and other != entry:
            yield f"an old version, id {other.id}, is to be deleted"
        if other.path == path and other.role == "tombstone":
            yield f"attachment {other.id} was deleted {time_text(other.since, now)}"
    for intent in state.in_doubt:
        if intent.path == path:
            yield f"sent {time_text(intent.sent_at, now)}, not confirmed by a list yet"


def _about(entry: LedgerEntry, now: float) -> Iterator[str]:
    role = "" if entry.role == "current" else f", now {entry.role}"
    yield f"{size_text(entry.size)}, of this file since {time_text(entry.since, now)}{role}"
    yield f"sha256 {entry.digest}" if entry.digest else "content known by its size alone"
    if not entry.listed:
        yield "uploaded; no list has shown it yet"
    if not same_name(entry.name.seen, entry.name.sent):
        yield f"named {entry.name.seen} in the task, {entry.name.sent} by us"


def _from_refusals(
    refusals: Iterable[Refusal], verdict: Verdict, file: LocalFile | None
) -> Iterator[str]:
    """How often it was refused; a refusal of other bytes is not waited for."""
    for refusal in refusals:
        if refusal.attempts:
            text = "could not be read" if refusal.unread else "refused"
            yield f"{text} {count(refusal.attempts, 'time')}"
        other = file is not None and refusal.fingerprint not in (None, file.fingerprint)
        if other and verdict.kind is not Kind.REFUSED:
            yield "it has changed since: the next cycle tries it again"


def _from_status(status: FolderStatus, verdict: Verdict) -> Iterator[str]:
    """How its folder stands, and what is to be done about it."""
    if verdict.kind is Kind.HELD:
        yield f"let it happen with: syncd approve --folder {shlex.quote(status.name)}"
    if status.error:
        yield f"the last cycle of its folder: {status.error}"
    elif status.state in ("pending", "paused", "syncing") and status.last_cycle and status.reason:
        yield f"its folder is {status.state}: {status.reason}"


def _next_try(
    view: ReadOnlyView, target: Target, verdict: Verdict, status: FolderStatus
) -> tuple[float | None, list[str]]:
    """When the last of all waits ends, and notes about them."""
    notes, waits = [], [verdict.next_try, status.next_cycle]
    meter, organization = view.meter(), target.folder.task.organization_id
    left = meter.left(organization)
    if left is not None and left <= meter.reserve:
        notes.append(f"quota: {left} requests left, {meter.reserve} kept back")
        waits.append(meter.resumes_at(organization))
    if view.service is None:
        notes.append("no service is running: `syncd --once` makes the next cycle")
    return max((at for at in waits if at and at > view.now), default=None), notes


def _entry_of(view: ReadOnlyView, target: Target, path: str) -> LedgerEntry | None:
    entries = view.ledger.state(target.folder.task).entries.values()
    live = (e for e in entries if e.role in ("current", "detached"))
    return next((e for e in live if same_name(e.path, path)), None)


def _attachment(entry: LedgerEntry | None) -> dict[str, Any] | None:
    if entry is None:
        return None
    names = {"name": entry.name.seen, "display_order": entry.order.seen}
    rest = {key: getattr(entry, key) for key in ("size", "role", "digest")}
    return {"id": entry.id, **names, **rest, "since": rfc3339(entry.since)}
