"""Tell a command of the user's (`on_problem`) which folders get into trouble and out of it.

Each is told once, across runs and restarts: what was told is kept in `told.json` under state_dir.
"""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Callable, Iterator
from typing import Any, Literal

from syncd.config import Config
from syncd.export.command import run_command
from syncd.export.output_file import OutputError, write_file
from syncd.overview.folders import Folders
from syncd.overview.status import FolderStatus
from syncd.text import json_text, without_numbers

log = logging.getLogger("syncd.service")

_FILE = "told.json"
_MAX_REASONS = 20
"""Of one folder in trouble: so many are remembered."""
Told = dict[str, list[str]]
"""What was told of the folders that are in trouble, by path."""


class Problems:
    """One for a process; whoever uses it holds the lock of the state directory."""

    def __init__(self, config: Config, is_stopped: Callable[[], bool]) -> None:
        """`is_stopped`: whether syncd stops; then no command is waited for."""
        self._is_stopped = is_stopped
        self._path = os.path.join(config.state_dir, _FILE)
        self._config = config.file
        self._told = _read(self._path).get(self._config, {})
        self.stuck = False
        """The last command did not end by itself."""

    def forget_others(self, folders: Folders) -> None:
        """Folders that are not there any more are no trouble; below a parent that cannot be read
        nobody knows."""
        there = {t.folder.path for t in folders.targets} | {*folders.parents}
        there |= {report.path for report in folders.errors}
        unread = tuple(f"{path}/" for path in (r.path for r in folders.errors))
        left = [p for p in self._told if p not in there and not p.startswith(unread)]
        for path in left:
            del self._told[path]
        if left:
            self._remember()

    def tell(self, status: FolderStatus, config: Config) -> None:
        """Run the command, if how this folder stands after a cycle is news."""
        event = self._news(status)
        if event is None:
            return
        self._remember()  # first: nothing is told twice, whatever happens
        source = config.api.key_source
        self.stuck = False
        try:
            failure = run_command(
                config.on_problem,
                document(status, event),
                directory=os.path.dirname(config.file),
                without=source.location[0] if source and source.kind == "token_env" else None,
                is_stopped=self._is_stopped,
            )
        except TimeoutError as error:
            self.stuck, failure = True, str(error)
        if failure is not None:
            log.warning("on_problem: %s", failure)

    def _news(self, status: FolderStatus) -> Literal["problem", "recovered"] | None:
        """What there is to tell; from now on it counts as told."""
        known = self._told.get(status.path)
        if status.state in ("held", "error"):
            reason = f"{status.state}: {without_numbers(status.reason or '')}"
            if known is not None and reason in known:
                return None
            self._told[status.path] = [*(known or ()), reason][-_MAX_REASONS:]
            return "problem"
        if status.state == "in sync" and known is not None:
            del self._told[status.path]
            return "recovered"
        return None

    def _remember(self) -> None:
        configs = _read(self._path) | {self._config: self._told}
        try:
            write_file(self._path, json.dumps({"version": 1, "told": configs}) + "\n", mode=0o600)
        except OutputError as error:
            log.warning("%s; the next process may tell on_problem the same again", error)


def without_task(folders: Folders) -> Iterator[FolderStatus]:
    """What has no cycle of its own: `each:` parents, and subfolders that cannot be synced."""
    failed = {report.path for report in folders.errors}
    for report in folders.errors:
        yield FolderStatus.of(report, None, last_cycle=None)
    for path in folders.parents:
        if path not in failed:
            yield FolderStatus(os.path.basename(path), path, None, "in sync", None)


def document(status: FolderStatus, event: Literal["problem", "recovered"]) -> str:
    """What the command gets on its stdin (contract.md, Report)."""
    record = status.to_json()
    keys = ("path", "task_id", "state", "reason", "held", "failed")
    found = {"version": 1, "event": event, "folder": status.name}
    return json_text(found | {key: record[key] for key in keys}) + "\n"


def _read(path: str) -> dict[str, Told]:
    """What was told, by config; empty if there is nothing that makes sense."""
    try:
        with open(path, encoding="utf-8") as file:
            configs: Any = json.load(file)["told"]
        return {
            str(config): {str(path): [*map(str, reasons)] for path, reasons in told.items()}
            for config, told in configs.items()
        }
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        return {}
