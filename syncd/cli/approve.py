"""`syncd approve`: show what is held back, and let exactly that happen once."""

from __future__ import annotations

import argparse
import os
import signal
from dataclasses import dataclass
from typing import Any

from syncd.cli.output import print_json, say, tell_failure, tell_warning
from syncd.cli.reading import Reading, answer, moment, open_reading
from syncd.cli.reading import seconds_of as seconds
from syncd.cli.status import held_line
from syncd.engine.report import OK, worst
from syncd.model import Folder
from syncd.service.folders import Target
from syncd.service.notes import Approval, read_approvals, task_text, write_approvals

_KEYS = ("id", "name", "size", "action", "reason")


@dataclass(frozen=True)
class Held:
    """What is held back of one folder."""

    folder: Folder
    items: tuple[dict[str, Any], ...]
    last_cycle: float | None

    @property
    def ids(self) -> frozenset[int]:
        return frozenset(item["id"] for item in self.items)

    def as_json(self) -> dict[str, Any]:
        task_id = self.folder.task.task_id
        return {"name": self.folder.name, "task_id": task_id, "held": list(self.items)}


def approve(arguments: argparse.Namespace) -> int:
    """No request is sent: what is held back is planned anew from the remembered list."""
    blank = {"dry_run": arguments.dry_run, "approved": [], "folders": []}
    return answer(arguments, _approve, blank)


def _approve(arguments: argparse.Namespace) -> int:
    from syncd.service.folders import chosen

    with open_reading(arguments) as reading:
        targets, errors = chosen(reading.folders, arguments.folder)
        folders = [_held(reading, target) for target in targets]
        held = [folder for folder in folders if folder.items]
        if held and not arguments.dry_run:
            _write(reading, held)
    for report in errors:
        tell_failure(f"{report.name}: {report.error}", on_stdout=arguments.json)
    code = worst([OK, *(report.exit_code() for report in errors)])
    if not arguments.json:
        _tell(reading, held, dry_run=arguments.dry_run)
    if held and not arguments.dry_run:
        _wake(reading)
    if arguments.json:
        approved = [] if arguments.dry_run else [h.folder.name for h in held]
        print_json(
            {
                "version": 1,
                "exit": code,
                "error": errors[0].error if errors else None,
                "dry_run": arguments.dry_run,
                "approved": approved,
                "folders": [folder.as_json() for folder in folders],
            }
        )
    return code


def _held(reading: Reading, target: Target) -> Held:
    """As a cycle would find it now; else, where that takes a list, as the last one found it."""
    from syncd.cli.offline import held_now

    now = held_now(reading, target)
    if now is None:
        return _noted(target.folder, reading.record(target))
    items = [{key: getattr(item, key) for key in _KEYS} for item in now]
    return Held(target.folder, tuple(items), None)


def _noted(folder: Folder, record: dict[str, Any] | None) -> Held:
    found = record.get("held") if record else None
    items = [
        {key: item.get(key) for key in _KEYS}
        for item in (found if isinstance(found, list) else [])
        if isinstance(item, dict) and isinstance(item.get("id"), int)
    ]
    return Held(folder, tuple(items), seconds(record.get("last_cycle")) if record else None)


def _write(reading: Reading, held: list[Held]) -> None:
    """Approvals of other tasks that still count stay as they are."""
    state_dir = reading.config.state_dir
    approvals = read_approvals(state_dir, reading.now)
    for folder in held:
        approvals[task_text(folder.folder.task)] = Approval(folder.ids, reading.now)
    write_approvals(state_dir, approvals)


def _tell(reading: Reading, held: list[Held], *, dry_run: bool) -> None:
    for folder in held:
        seen = f", as of {moment(folder.last_cycle, reading.now)}" if folder.last_cycle else ""
        say(f"{folder.folder.name} (task {folder.folder.task.task_id}{seen}):")
        for item in folder.items:
            say(held_line(item))
    if not held:
        say("nothing is held back")
    elif dry_run:
        say("nothing was approved (--dry-run)")
    else:
        say(
            "approved, for exactly these attachments and 24 hours: "
            + ("the service goes on now" if reading.service else "the next `syncd --once` goes on")
        )


def _wake(reading: Reading) -> None:
    """The service looks at approvals when it is woken, else at its next cycle."""
    if reading.service is None:
        return
    try:
        os.kill(reading.service, signal.SIGUSR1)
    except OSError as error:
        why = (error.strerror or "").lower()
        tell_warning(f"the service could not be woken ({why}): its next cycle goes on")
