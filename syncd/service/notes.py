"""The notes that commands and service leave for each other under state_dir.

`status.json`: what was done last, what is held back, what comes next. `approve.json`: the
held sets that somebody approved. `keys.json`: key sources that have worked. Each is replaced
whole, so that no reader sees half of one.
"""

from __future__ import annotations

import json
import logging
import os
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from syncd.errors import StateError
from syncd.model import TaskKey
from syncd.secrets import redact
from syncd.state.private import give_to_owner

log = logging.getLogger("syncd.service")

APPROVAL_LIVES = 86_400.0
"""Seconds after which an approval is void."""
_STATUS, _APPROVALS, _KEYS = "status.json", "approve.json", "keys.json"


@dataclass(frozen=True)
class Approval:
    """A set of attachments of one task that may be deleted or replaced once."""

    ids: frozenset[int]
    given_at: float


def task_text(task: TaskKey) -> str:
    """A task as a JSON key."""
    return f"{task.url} {task.organization_id} {task.workspace_id} {task.task_id}"


def read_status(state_dir: str) -> dict[str, Any]:
    """The status as it was written last; empty if there is none that can be read."""
    return _read(os.path.join(state_dir, _STATUS))


def write_status(state_dir: str, status: dict[str, Any]) -> None:
    _write(os.path.join(state_dir, _STATUS), status)


def read_approvals(state_dir: str, now: float) -> dict[str, Approval]:
    """Approvals that are not void by their age, by task."""
    approvals: dict[str, Approval] = {}
    for task, value in _read(os.path.join(state_dir, _APPROVALS)).items():
        try:
            approval = Approval(frozenset(int(i) for i in value["ids"]), float(value["at"]))
        except (TypeError, KeyError, ValueError):
            continue
        if 0 <= now - approval.given_at < APPROVAL_LIVES:
            approvals[task] = approval
    return approvals


def write_approvals(state_dir: str, approvals: dict[str, Approval]) -> None:
    values = {t: {"ids": sorted(a.ids), "at": a.given_at} for t, a in approvals.items()}
    _write(os.path.join(state_dir, _APPROVALS), values)


def drop_approvals(state_dir: str, tasks: Iterable[str], now: float) -> None:
    """Approvals that a cycle has used, or found void."""
    approvals = read_approvals(state_dir, now)
    used = approvals.keys() & set(tasks)
    if used:
        write_approvals(state_dir, {t: a for t, a in approvals.items() if t not in used})


def _read(path: str) -> dict[str, Any]:
    try:
        with open(path, encoding="utf-8") as file:
            value = json.load(file)
    except (FileNotFoundError, NotADirectoryError):
        return {}
    except (OSError, ValueError) as error:
        _tell_unread(path, error)
        return {}
    return value if isinstance(value, dict) else {}


def _tell_unread(path: str, error: OSError | ValueError) -> None:
    """What it holds does not count: whoever wrote it has to hear of that."""
    if isinstance(error, PermissionError):
        mend = "give it to the owner of its folder"
    else:
        mend = "remove it"
    if os.path.basename(path) == _APPROVALS:
        mend += ", and run `syncd approve` again"
    why = error.strerror if isinstance(error, OSError) else "it is damaged"
    log.warning("%s cannot be read (%s), what it says does not count: %s", path, why, mend)


def _write(path: str, value: dict[str, Any]) -> None:
    """Atomically, readable by its owner alone (mkstemp makes it so), who is the folder's owner;
    no error that was quoted brings a key into it."""
    directory, name = os.path.split(path)
    temporary = None
    try:
        descriptor, temporary = tempfile.mkstemp(prefix=f".{name}.", dir=directory)
        with open(descriptor, "w", encoding="utf-8") as file:
            give_to_owner(descriptor, directory)
            file.write(redact(json.dumps(value, ensure_ascii=False)) + "\n")
        os.replace(temporary, path)
    except OSError as error:
        if temporary is not None and os.path.exists(temporary):
            os.unlink(temporary)
        raise StateError(f"{path} cannot be written: {error.strerror}") from None


def read_worked(state_dir: str) -> list[str]:
    """Key sources that have worked once, by their redacted names."""
    names = _read(os.path.join(state_dir, _KEYS)).get("worked", [])
    return [name for name in names if isinstance(name, str)]


def write_worked(state_dir: str, source: str) -> None:
    """Note that a key source has worked: a refusal later on is a key that ended."""
    known = read_worked(state_dir)
    if source not in known:
        _write(os.path.join(state_dir, _KEYS), {"worked": [*known[-9:], source]})
