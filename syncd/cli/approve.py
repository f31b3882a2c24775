"""`syncd approve`: show what is held back, and let exactly that happen once."""

from __future__ import annotations

import argparse
import os
import signal
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from syncd.cli.format import held_text, time_text
from syncd.cli.offline import judge_offline
from syncd.cli.output import print_error, print_json, print_lines, print_warning
from syncd.cli.read_only import ReadOnlyView, open_read_only, run_command
from syncd.core.plan import Held
from syncd.engine.report import OK, FolderReport, worst
from syncd.errors import FolderError
from syncd.model import Folder
from syncd.overview.folders import Target, choose
from syncd.overview.status import task_text
from syncd.overview.status_file import Approval, read_approvals, write_approvals


@dataclass(frozen=True)
class HeldBack:
    """What is held back of one folder."""

    folder: Folder
    items: tuple[Held, ...]
    noted_at: float | None = None
    """When the cycle that reported it ended; None = it was found now."""

    def to_json(self) -> dict[str, Any]:
        task_id, items = self.folder.task.task_id, [item._asdict() for item in self.items]
        return {"name": self.folder.name, "task_id": task_id, "held": items}


def approve(arguments: argparse.Namespace) -> int:
    """Approve what the remembered list says is held back; no request is sent."""
    blank = {"dry_run": arguments.dry_run, "approved": [], "folders": []}
    return run_command(arguments, _approve, blank)


def _approve(arguments: argparse.Namespace) -> int:
    with open_read_only(arguments) as view:
        targets, errors = choose(view.folders, arguments.folder)
        folders = [_held_back(view, target) for target in targets]
        held = [folder for folder in folders if folder.items]
        if held and not arguments.dry_run:
            _write(view, held)
    for report in errors:
        print_error(f"{report.name}: {report.error}", on_stdout=arguments.json)
    if not arguments.json:
        _print(view, held, dry_run=arguments.dry_run)
    if held and not arguments.dry_run:
        _wake(view)
    code = worst([OK, *(report.exit_code for report in errors)])
    if arguments.json:
        print_json(_document(code, arguments.dry_run, folders, errors))
    return code


def _document(
    code: int, dry_run: bool, folders: Sequence[HeldBack], errors: Sequence[FolderReport]
) -> dict[str, Any]:
    return {
        "version": 1,
        "exit": code,
        "error": errors[0].error if errors else None,
        "dry_run": dry_run,
        "approved": [] if dry_run else [f.folder.name for f in folders if f.items],
        "folders": [folder.to_json() for folder in folders],
    }


def _held_back(view: ReadOnlyView, target: Target) -> HeldBack:
    """What a cycle would hold back now; where that takes a list, what the last one reported."""
    try:
        verdicts = judge_offline(view, target)
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
