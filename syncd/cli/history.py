"""What was done lately, as `syncd log` and `syncd why` tell it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from syncd.cli.format import count
from syncd.model import LoggedAction, TaskKey
from syncd.overview.status import rfc3339

History = Sequence[tuple[TaskKey, LoggedAction]]
"""Newest last."""


def of_file(history: History, task: TaskKey, path: str) -> History:
    """What was done to one file, under the names that it had before, too.

    In a swap or a chain another file took a former name: its rename has another attachment.
    """
    found, name, renamed = [], path, None
    for key, action in reversed(history):
        if key != task or action.name != name:
            continue
        if action.old_name is None:
            if action.action != "reordered":
                renamed = None  # before that, the file may have had another attachment
        elif renamed in (None, action.attachment):
            name, renamed = action.old_name, action.attachment
        else:
            continue
        found.append((key, action))
    return found[::-1]


def history_json(history: History) -> list[dict[str, Any]]:
    """The events of `log --json` (contract.md, Report)."""
    return [
        {
            "time": rfc3339(action.at),
            "folder": action.folder,
            "task_id": task.task_id,
            "action": action.action,
            "name": action.name,
            "reason": action.reason,
            "attachment": action.attachment,
            "quota_left": action.quota_left,
        }
        for task, action in history
    ]


def history_lines(actions: Iterable[LoggedAction], *, with_folder: bool) -> list[str]:
    """A line each: when, where, what, and why."""
    return [
        f"{datetime.fromtimestamp(a.at):%Y-%m-%d %H:%M:%S}  "
        f"{f'{a.folder}: ' if with_folder else ''}{a.action} {a.name} ({_notes(a)})"
        for a in actions
    ]


def _notes(action: LoggedAction) -> str:
    notes = [action.reason]
    notes += [f"id {action.attachment}"] if action.attachment is not None else []
    if action.quota_left is not None:
        notes.append(f"{count(action.quota_left, 'request')} left")
    return ", ".join(notes)
