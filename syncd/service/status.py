"""What `syncd status` tells, made from the reports of cycles."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from syncd.engine.meter import Meter
from syncd.engine.report import LATER, FolderReport
from syncd.model import TaskKey
from syncd.service.notes import task_text


def timestamp(at: float | None) -> str | None:
    """RFC 3339 in UTC."""
    if at is None:
        return None
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def state_of(report: FolderReport) -> str:
    """One word for how a folder stands."""
    if report.code == LATER:
        return "paused" if report.resumes_at is not None else "pending"
    if report.error is not None:
        return "error"
    if report.held:
        return "held"
    if report.failed or report.contested:
        return "error"
    return "in sync" if report.in_sync else "pending"


def folder_status(
    report: FolderReport,
    task: TaskKey | None,
    *,
    last_cycle: float | None,
    next_cycle: float | None = None,
) -> dict[str, Any]:
    """One folder's part of `status --json` (contract.md), and what `approve` needs to know."""
    state = state_of(report)
    return {
        "name": report.name,
        "path": report.path,
        "task_id": report.task_id,
        "state": state,
        "reason": None if state == "in sync" else _reason(report),
        "last_cycle": timestamp(last_cycle),
        "next_cycle": timestamp(next_cycle if next_cycle is not None else report.resumes_at),
        "pending": report.pending,
        "failed": [{"name": p.path, "error": p.reason} for p in report.failed],
        "held": [
            {"id": h.id, "name": h.name, "size": h.size, "action": h.action, "reason": h.reason}
            for h in report.held
        ],
        "contested": report.contested,
        "detached": report.detached,
        "error": report.error,
        "cause": report.cause,
        "task": task_text(task) if task is not None else None,
    }


def _reason(report: FolderReport) -> str | None:
    if report.error is not None:
        return report.error
    if report.held:
        return f"{len(report.held)} held back: {report.held[0].reason}"
    if report.failed:
        return f"{report.failed[0].path}: {report.failed[0].reason}"
    if report.contested:
        return f"somebody keeps changing {report.contested[0]}"
    return None


def quota_status(
    meter: Meter, organizations: Iterable[int], now: float, pauses: Iterable[float | None] = ()
) -> dict[str, Any]:
    """The scarcest quota among the organizations (contract.md, Report); `pauses`: until when
    folders wait for theirs."""
    known = [(meter.quota(o), meter.left(o), o) for o in sorted(set(organizations))]
    counted = [(left, o) for _, left, o in known if left is not None]
    until = max((at for at in pauses if at is not None and at > now), default=None)
    if not counted:
        return {"remaining": None, "resets_in": None, "paused_until": timestamp(until)}
    left, organization = min(counted)
    resets_at = meter.resumes_at(organization)
    if until is None and left <= meter.reserve:
        until = resets_at
    return {
        "remaining": left,
        "resets_in": None if resets_at is None else max(round(resets_at - now), 0),
        "paused_until": timestamp(until),
    }
