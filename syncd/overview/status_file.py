"""The files under state_dir by which commands and service speak to each other.

`status.json`: how the folders stand. `approve.json`: the held sets that somebody approved.
`keys.json`: key sources that have worked. Each is replaced whole, so that no reader sees half of
one.
"""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Iterable
from contextlib import suppress
from typing import Any, NamedTuple

from syncd.errors import StateError
from syncd.model import DAY
from syncd.overview.status import FolderStatus, QuotaStatus
from syncd.state.lock import lock_owner
from syncd.state.whole_file import replace_file
from syncd.text import redact

log = logging.getLogger("syncd.service")

APPROVAL_LIVES = DAY
"""Seconds after which an approval is void."""
_STATUS, _APPROVALS, _KEYS = "status.json", "approve.json", "keys.json"


class Approval(NamedTuple):
    """A set of attachments of one task that may be deleted or replaced once."""

    ids: frozenset[int]
    given_at: float


class Status(NamedTuple):
    """What `status.json` holds."""

    folders: tuple[FolderStatus, ...] = ()
    quota: QuotaStatus = QuotaStatus()
    """Only written: a reader asks the ledger."""
    config: str | None = None
    """The config file of whoever wrote it last."""
    pid: int | None = None
    """The service, while it runs."""
    restarts: int = 0
    """How often the service had to start its watcher anew."""


def read_status(state_dir: str) -> Status:
    """The status as it was written last; empty if there is none that can be read."""
    found = _read(os.path.join(state_dir, _STATUS))
    records = found.get("folders")
    folders = map(FolderStatus.from_record, records if isinstance(records, list) else ())
    pid = found.get("pid") if found.get("service") is True else None
    return Status(tuple(f for f in folders if f is not None), pid=pid)


def running_service(state_dir: str, status: Status) -> int | None:
    """The pid of the service, if it runs; a `--once` holds the same lock, but is no service."""
    pid = lock_owner(state_dir)
    return pid if pid == status.pid else None


def write_status(state_dir: str, status: Status) -> None:
    """Raises StateError."""
    folders = [folder.to_record() for folder in status.folders]
    document = {"version": 1, "service": status.pid is not None, **status._asdict()}
    document |= {"quota": status.quota.to_json(), "folders": folders}
    _write(os.path.join(state_dir, _STATUS), document)


def read_approvals(state_dir: str, now: float) -> dict[str, Approval]:
    """Approvals that are not void by their age, by task."""
    approvals: dict[str, Approval] = {}
    for task, value in _read(os.path.join(state_dir, _APPROVALS)).items():
        with suppress(TypeError, KeyError, ValueError):
            approval = Approval(frozenset(map(int, value["ids"])), float(value["at"]))
            if 0 <= now - approval.given_at < APPROVAL_LIVES:
                approvals[task] = approval
    return approvals


def write_approvals(state_dir: str, approvals: dict[str, Approval]) -> None:
    values = {t: {"ids": sorted(a.ids), "at": a.given_at} for t, a in approvals.items()}
    _write(os.path.join(state_dir, _APPROVALS), values)


def drop_approvals(state_dir: str, tasks: Iterable[str], now: float) -> None:
    """Remove approvals that a cycle has used or found void."""
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
    except (OSError, ValueError, RecursionError) as error:
        _warn_unread(path, error)
        return {}
    return value if isinstance(value, dict) else {}


def _warn_unread(path: str, error: Exception) -> None:
    """Whoever wrote the file has to know that what it holds does not count."""
    owned = not isinstance(error, PermissionError)
    mend = "remove it" if owned else "give it to the owner of its folder"
    if os.path.basename(path) == _APPROVALS:
        mend += ", and run `syncd approve` again"
    why = error.strerror if isinstance(error, OSError) else "it is damaged"
    log.warning("%s cannot be read (%s), what it says does not count: %s", path, why, mend)


def _write(path: str, value: dict[str, Any]) -> None:
    """Replace the file; redacted, since an error that it quotes may hold a key."""
    text = redact(json.dumps(value, ensure_ascii=False)) + "\n"
    try:
        replace_file(path, text.encode())
    except OSError as error:
        raise StateError(f"{path} cannot be written: {error.strerror}") from None


def read_worked_keys(state_dir: str) -> list[str]:
    """Key sources that have worked once, by their redacted names."""
    names = _read(os.path.join(state_dir, _KEYS)).get("worked", [])
    return [name for name in names if isinstance(name, str)]


def record_worked_key(state_dir: str, source: str) -> None:
    """Record that a key source has worked: if it is refused later, its key has ended."""
    known = read_worked_keys(state_dir)
    if source not in known:
        _write(os.path.join(state_dir, _KEYS), {"worked": [*known[-9:], source]})
