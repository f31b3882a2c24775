"""What the commands share that only read: they take no lock and write no ledger."""

from __future__ import annotations

import argparse
import logging
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from syncd.cli.failing import code_of, message_of
from syncd.cli.output import print_json, tell_failure
from syncd.config import Config, find_config, load_config
from syncd.engine.advice import about_task
from syncd.engine.meter import Meter
from syncd.engine.report import KEY, PARTLY
from syncd.errors import KeyRefused, Refused, TaskRefused, Unreachable, UsageError
from syncd.model import TaskKey
from syncd.service.folders import Folders, Target, find_folders
from syncd.service.notes import read_status, task_text
from syncd.state.ledger import Ledger
from syncd.state.lock import owner

NOT_TRIED = "not tried: the key was refused"


@dataclass(frozen=True)
class Reading:
    """What config, ledger and status file say at one moment."""

    config: Config
    ledger: Ledger
    folders: Folders
    status: dict[str, Any]
    service: int | None
    """The pid of the service, if it runs."""
    now: float

    def record(self, target: Target) -> dict[str, Any] | None:
        """What the last cycle of a folder left in the status file."""
        task = target.folder.task
        for found in self.records():
            same_task = found.get("task") == task_text(task) or (
                found.get("task") is None and found.get("task_id") == task.task_id
            )
            if found.get("path") == target.folder.path and same_task:
                return found
        return None

    def records(self) -> list[dict[str, Any]]:
        """All that the status file holds of folders, other configs' too."""
        found = self.status.get("folders")
        return [f for f in found if _is_sound(f)] if isinstance(found, list) else []

    def next_cycle(self, record: Mapping[str, Any]) -> str | None:
        """What the record says of it; without a service only a pause still means something."""
        text: str | None = record.get("next_cycle")
        if self.service is not None:
            return text
        ahead = (seconds_of(text) or 0.0) > self.now
        return text if ahead and record.get("state") == "paused" else None

    def meter(self) -> Meter:
        """The quotas as the ledger knows them."""
        api = self.config.api
        return Meter(
            api.url, self.ledger, lambda: self.now, configured=api.quota, reserve=api.quota_reserve
        )


def _is_sound(record: object) -> bool:
    """Whether a record can be told: other versions, and editors, may have written it."""
    if not isinstance(record, dict):
        return False
    lists = [record.get(key, []) for key in ("failed", "held")]
    return isinstance(record.get("contested", []), list) and all(
        isinstance(items, list) and all(isinstance(item, dict) for item in items) for items in lists
    )


@contextmanager
def open_reading(arguments: argparse.Namespace) -> Iterator[Reading]:
    """Config, a copy of the ledger, and notes; neither key nor server is asked."""
    config = load_config(find_config(arguments.config), with_key=False)
    now = time.time()
    ledger = Ledger.snapshot(config.state_dir)
    try:
        status = read_status(config.state_dir)
        service = running_service(config.state_dir, status)
        folders = find_folders(config, ledger, now)
        yield Reading(config, ledger, folders, status, service, now)
    finally:
        ledger.close()


def running_service(state_dir: str, status: Mapping[str, Any]) -> int | None:
    """The service's pid: a `--once` holds the same lock, but does not call itself a service."""
    pid = owner(state_dir)
    is_service = status.get("service") is True and status.get("pid") == pid
    return pid if is_service else None


def answer(
    arguments: argparse.Namespace,
    command: Callable[[argparse.Namespace], int],
    blank: Mapping[str, Any],
) -> int:
    """Run a command. Whatever ends it: with --json one document of its shape goes out."""
    try:
        return command(arguments)
    except UsageError:
        raise
    except Exception as error:
        logging.getLogger("syncd").debug("traceback", exc_info=True)
        code, message = code_of(error), message_of(error)
        if arguments.json:
            print_json({**blank, "version": 1, "exit": code, "error": message})
        tell_failure(message, on_stdout=arguments.json)
        return code


def explain(error: Exception, task: TaskKey) -> tuple[int, str]:
    """What an error about one task means for it: the exit status, and how to mend it."""
    if isinstance(error, KeyRefused):
        return KEY, f"{error}: make a new key in Focus and put it in place"
    if isinstance(error, (TaskRefused, Refused)):
        return PARTLY, f"{about_task(error, task)} if it is gone, take it out of the config"
    if isinstance(error, Unreachable):
        return code_of(error), f"{error}: is the network up, and api.url right?"
    return code_of(error), message_of(error)


def seconds_of(text: object) -> float | None:
    """Seconds since the epoch of an RFC 3339 time; None for what is none."""
    try:
        return datetime.fromisoformat(text).timestamp() if isinstance(text, str) else None
    except (ValueError, OverflowError):
        return None


def moment(at: float, now: float) -> str:
    """A time for people: "14:03 (2 min ago)", "2026-11-02 14:03 (in 3 days)"."""
    local, today = datetime.fromtimestamp(at), datetime.fromtimestamp(now)
    clock = local.strftime("%H:%M" if local.date() == today.date() else "%Y-%m-%d %H:%M")
    span = duration(abs(at - now))
    return f"{clock} ({f'{span} ago' if at <= now else f'in {span}'})"


def duration(seconds: float) -> str:
    """About how long, in the largest unit that fits."""
    for unit, length in (("day", 86_400), ("h", 3_600), ("min", 60)):
        if seconds >= length:
            count = int(seconds // length)
            return f"{count} {unit}{'s' if unit == 'day' and count > 1 else ''}"
    return f"{int(seconds)} s"
