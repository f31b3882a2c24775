"""The stored attachments and quota windows, in memory or in a JSON file."""

from __future__ import annotations

import contextlib
import fcntl
import json
import logging
import os
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, field
from typing import Any

from syncd.sandbox.messages import Task

log = logging.getLogger("syncd.sandbox")

FILE_NAME = "sandbox.json"
VERSION = 1


@dataclass(frozen=True)
class Row:
    """One attachment; times are seconds since the epoch."""

    id: int
    task: Task
    name: str
    display_order: int
    mime_type: str
    size: int
    sha256: str
    created_at: float
    updated_at: float
    deleted_at: float | None = None


@dataclass
class QuotaWindow:
    """One organization's quota window; its first request opens it."""

    opened: float
    used: int = 0


@dataclass
class Store:
    """All data in memory."""

    tasks: dict[Task, dict[int, Row]] = field(default_factory=dict)
    windows: dict[int, QuotaWindow] = field(default_factory=dict)
    next_id: int = 1

    @contextlib.contextmanager
    def session(self) -> Iterator[None]:
        """Hold the store; every read and write happens inside."""
        yield

    def rows(self, task: Task) -> list[Row]:
        """All rows of a task, deleted ones included, by id."""
        known = self.tasks.get(task, {})
        return [known[row_id] for row_id in sorted(known)]

    def live(self, task: Task) -> list[Row]:
        """The rows of a task that are not deleted, by id."""
        return [row for row in self.rows(task) if row.deleted_at is None]

    def new_row(
        self, task: Task, name: str, order: int, file: tuple[str, int, str], now: float
    ) -> Row:
        """A row with the next id, not stored yet; `file`: MIME type, size, sha256."""
        self.next_id += 1
        return Row(self.next_id - 1, task, name, order, *file, created_at=now, updated_at=now)

    def write(self, task: Task, rows: Iterable[Row]) -> None:
        """Store new or changed rows."""
        self.tasks.setdefault(task, {}).update((row.id, row) for row in rows)


class FileStore(Store):
    """Keeps the data in `DIR/sandbox.json`.

    Several processes may share the directory: every session locks it, loads the file if another
    process has written it, and saves what it changed.
    """

    def __init__(self, directory: str) -> None:
        super().__init__()
        os.makedirs(directory, mode=0o700, exist_ok=True)
        self._path = os.path.join(directory, FILE_NAME)
        self._lock_path = self._path + ".lock"
        self._signature: tuple[int, int] | None = None
        self._text = ""
        with self.session():
            pass

    @contextlib.contextmanager
    def session(self) -> Iterator[None]:
        lock = os.open(self._lock_path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)
            self._load()
            try:
                yield
            finally:
                self._save()
        finally:
            os.close(lock)

    def _stat(self) -> tuple[int, int] | None:
        try:
            status = os.stat(self._path)
        except FileNotFoundError:
            return None
        return (status.st_ino, status.st_mtime_ns)

    def _load(self) -> None:
        signature = self._stat()
        if signature is None or signature == self._signature:
            return
        try:
            with open(self._path, encoding="utf-8") as file:
                text = file.read()
            tasks, windows, next_id = _decode(json.loads(text))
        except (ValueError, KeyError, TypeError, AttributeError):
            aside = self._path + ".damaged"
            os.replace(self._path, aside)
            log.warning(
                "the sandbox's data were damaged: set aside as %s, its tasks are empty", aside
            )
            return
        self.tasks, self.windows, self.next_id = tasks, windows, next_id
        self._signature, self._text = signature, text

    def _save(self) -> None:
        text = json.dumps(_encode(self))
        if text == self._text and self._signature is not None:
            return
        draft = self._path + ".tmp"
        handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
        with open(handle, "w", encoding="utf-8") as file:
            file.write(text)
        os.replace(draft, self._path)
        self._signature, self._text = self._stat(), text


def _encode(store: Store) -> dict[str, Any]:
    rows = [row for known in store.tasks.values() for row in known.values()]
    return {
        "version": VERSION,
        "next_id": store.next_id,
        "quota": {str(org): [w.opened, w.used] for org, w in store.windows.items()},
        "attachments": [asdict(row) for row in rows],
    }


def _decode(data: Any) -> tuple[dict[Task, dict[int, Row]], dict[int, QuotaWindow], int]:
    if data["version"] != VERSION:
        raise ValueError("written by another version")
    tasks: dict[Task, dict[int, Row]] = {}
    for item in data["attachments"]:
        organization, workspace, task = item.pop("task")
        row = Row(task=(int(organization), int(workspace), int(task)), **item)
        tasks.setdefault(row.task, {})[row.id] = row
    windows = {
        int(organization): QuotaWindow(float(opened), int(used))
        for organization, (opened, used) in data["quota"].items()
    }
    highest = max((row_id for known in tasks.values() for row_id in known), default=0)
    return tasks, windows, max(int(data["next_id"]), highest + 1)
