"""What was done lately, as `syncd log` and `syncd why` tell it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from syncd.model import LoggedAction, TaskKey
from syncd.overview.status import rfc3339
from syncd.overview.words import count

History = Sequence[tuple[TaskKey, LoggedAction]]
"""Newest last."""


def of_file(history: History, task: TaskKey, path: str) -> History:
    """What was done to one file, under the names that it had before, too.

    Another file may have taken a former name: its attachment is another one. A file that is known
    by another name now ends with that rename.
    """
    found: list[tuple[TaskKey, LoggedAction]] = []
    name, renamed = path, None
    for key, action in reversed(history):
        if key != task or action.name != name:
            continue
        if renamed is not None and action.attachment not in (None, renamed):
            continue
        if action.old_name is not None:
            name, renamed = action.old_name, action.attachment
        elif action.action != "reordered":
            renamed = None  # before that, the file may have had another attachment
        found.append((key, action))
    return [*found[::-1], *_rename_away(history, task, path, found[:1])]


def _rename_away(history: History, task: TaskKey, path: str, last: History) -> History:
    """The rename that took the file away from this path; `last`: what was done to it before."""
    for key, action in reversed(history):
        if (key, action) in last:
            break
        if key == task and action.old_name == path:
            is_same = not last or last[0][1].attachment == action.attachment
            return [(key, action)] if is_same else []
    return []


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
