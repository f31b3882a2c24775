"""`syncd approve`: show what is held back, and let exactly that happen once."""

from __future__ import annotations

import argparse
import os
import signal
from collections.abc import Sequence
from typing import Any, NamedTuple

from syncd.cli.output import print_error, print_json, print_lines, print_warning
from syncd.cli.read_only import ReadOnlyView, open_read_only
from syncd.core.plan import Held
from syncd.engine.report import worst
from syncd.errors import FolderError
from syncd.model import Folder
from syncd.overview.folders import Target, choose
from syncd.overview.status import task_text
from syncd.overview.status_file import Approval, read_approvals, write_approvals
from syncd.overview.words import held_text, time_text


class HeldBack(NamedTuple):
    """What is held back of one folder."""

    folder: Folder
    items: tuple[Held, ...]
    noted_at: float | None = None
    """When the cycle that reported it ended; None = it was found now."""


def blank(arguments: argparse.Namespace) -> dict[str, Any]:
    return {"dry_run": arguments.dry_run, "approved": [], "folders": []}


def run(arguments: argparse.Namespace) -> int:
    """Approve what the remembered list says is held back; no request is sent."""
    dry_run = arguments.dry_run
    with open_read_only(arguments) as view:
        targets, errors = choose(view.folders, arguments.folder)
        folders = [_held_back(view, target) for target in targets]
        held = [folder for folder in folders if folder.items]
        if held and not dry_run:
            _write(view, held)
    for report in errors:
        print_error(f"{report.name}: {report.error}", on_stdout=arguments.json)
    if not arguments.json:
        _print(view, held, dry_run=dry_run)
    if held and not dry_run:
        _wake(view)
    code = worst(report.exit_code for report in errors)
    if arguments.json:
        document = blank(arguments) | {"version": 1, "exit": code}
        document["error"] = errors[0].error if errors else None
        document["approved"] = [] if dry_run else [f.folder.name for f in held]
        document["folders"] = [
            {
                "name": folder.name,
                "task_id": folder.task.task_id,
                "held": [item._asdict() for item in items],
            }
            for folder, items, _ in folders
        ]
        print_json(document)
    return code


def _held_back(view: ReadOnlyView, target: Target) -> HeldBack:
    """What a cycle would hold back now; where that takes a list, what the last one reported."""
    try:
        verdicts = view.verdicts(target)
        if not verdicts.need_list:
            return HeldBack(target.folder, verdicts.held)
    except FolderError:
        pass
    status = view.status_of(target)
    return HeldBack(target.folder, status.held, status.last_cycle)


def _write(view: ReadOnlyView, held: Sequence[HeldBack]) -> None:
    """Add to the approvals of other tasks that still count."""
    state_dir = view.config.state_dir
    approvals = read_approvals(state_dir, view.now)
    for folder in held:
        ids = frozenset(item.id for item in folder.items)
        approvals[task_text(folder.folder.task)] = Approval(ids, view.now)
    write_approvals(state_dir, approvals)


def _print(view: ReadOnlyView, held: Sequence[HeldBack], *, dry_run: bool) -> None:
    for folder in held:
        noted = f", as of {time_text(folder.noted_at, view.now)}" if folder.noted_at else ""
        print_lines(f"{folder.folder.name} (task {folder.folder.task.task_id}{noted}):")
        print_lines(*(f"  held: {held_text(item)}" for item in folder.items))
    if not held:
        print_lines("nothing is held back")
    elif dry_run:
        print_lines("nothing was approved (--dry-run)")
    else:
        next_one = "the service goes on now" if view.service else "the next `syncd --once` goes on"
        print_lines(f"approved, for exactly these attachments and 24 hours: {next_one}")


def _wake(view: ReadOnlyView) -> None:
    """Wake the service: it reads approvals when it is woken, else at its next cycle."""
    if view.service is None:
        return
    try:
        os.kill(view.service, signal.SIGUSR1)
    except OSError as error:
        why = (error.strerror or "").lower()
        print_warning(f"the service could not be woken ({why}): its next cycle goes on")
