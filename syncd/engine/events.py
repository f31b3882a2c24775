"""What a log record tells programs besides its text (`--log-format json`)."""

from __future__ import annotations

from typing import Any

from syncd.engine.actions import DONE, Action, reason_of
from syncd.engine.report import FolderReport


def event(kind: str, folder: str, task: int | None, /, **fields: Any) -> dict[str, Any]:
    """The `extra` of a log record; what is None is left out."""
    found = {"event": kind, "folder": folder, "task": task, **fields}
    return {"fields": {key: value for key, value in found.items() if value is not None}}


def action_event(
    action: Action, folder: str, task: int | None, quota_left: int | None
) -> dict[str, Any]:
    """One confirmed action."""
    return event(
        DONE[action.kind],
        folder,
        task,
        name=action.name,
        reason=reason_of(action),
        attachment=action.attachment,
        quota_left=quota_left,
    )


def cycle_event(report: FolderReport, quota_left: int | None) -> dict[str, Any]:
    """The end of one run."""
    return event(
        "cycle",
        report.name,
        report.task_id,
        reason=report.error,
        requests=report.requests,
        quota_left=quota_left,
        in_sync=report.in_sync,
    )
