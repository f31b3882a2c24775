"""`syncd list`: the task's attachments in display order, and whose they are."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from shutil import get_terminal_size
from textwrap import wrap
from typing import Any, NamedTuple

from syncd.cli.assembly import Hooks, assemble
from syncd.cli.errors import NOT_TRIED, explain
from syncd.cli.output import print_error, print_json, print_lines, print_warning
from syncd.config import find_config, load_config
from syncd.engine.context import Context, Options
from syncd.engine.observe import Observer, OutOfQuota
from syncd.engine.report import KEY, OK, worst
from syncd.errors import ApiError, FolderError
from syncd.model import Attachment, Folder
from syncd.overview.folders import choose, find_folders
from syncd.overview.verdict import Kind, Verdict, Verdicts
from syncd.overview.words import count, size_text, time_text
from syncd.text import printable

_WORDS = {
    Kind.NEW: "to be adopted",
    Kind.CHANGED: "file has changed",
    Kind.RENAMED: "to be renamed",
    Kind.MOVED: "to be moved",
    Kind.GONE: "file is gone",
    Kind.DETACHED: "",
    Kind.FOREIGN: "",
}
"""What people read of a verdict; of all other kinds the kind itself. The owner's column tells of
detached and foreign ones."""
_REASONS = {
    Kind.NEW: "for {v.file}",
    Kind.RENAMED: "{v.file}",
    Kind.OLD: "of {v.entry.path}",
    Kind.REFUSED: "{v.error}",
    **dict.fromkeys((*_WORDS.keys() - {Kind.NEW, Kind.RENAMED}, Kind.IN_SYNC), ""),
}
"""What stands behind the name; of all other kinds the verdict's reason."""

_NAME = 16
"""Columns that a table leaves for a name at least."""


class TaskListing(NamedTuple):
    """The attachments of one folder's task, or why they could not be listed."""

    name: str
    task_id: int | None
    attachments: tuple[tuple[Attachment, Verdict], ...] = ()
    error: str | None = None
    code: int = OK

    def to_json(self) -> dict[str, Any]:
        rows = [_row(attachment, verdict) for attachment, verdict in self.attachments]
        error = {"error": self.error} if self.error is not None else {}
        return {"name": self.name, "task_id": self.task_id, "attachments": rows, **error}


def blank(_: argparse.Namespace) -> dict[str, Any]:
    return {"folders": []}


def run(arguments: argparse.Namespace) -> int:
    """0 if every task could be listed, in sync or not."""
    config = load_config(find_config(arguments.config))
    found: list[TaskListing] = []
    with assemble(config, writing=False, hooks=Hooks()) as assembly:
        folders = find_folders(config, assembly.context.ledger)
        targets, errors = choose(folders, arguments.folder)
        for removed in folders.removed:
            print_warning(str(removed))
        for folder in (target.folder for target in targets):
            if any(listing.code == KEY for listing in found):
                found.append(TaskListing(folder.name, folder.task.task_id, (), NOT_TRIED, KEY))
            else:
                found.append(_list_task(assembly.context, folder))
    found += [TaskListing(r.name, r.task_id, (), r.error, r.exit_code) for r in errors]
    for listing in found:
        if listing.error is not None:
            print_error(f"{listing.name}: {listing.error}", on_stdout=arguments.json)
    is_terminal = sys.stdout.isatty()
    if arguments.json:
        print_json({"folders": [listing.to_json() for listing in found]})
    else:
        for listing in found:
            print_lines(*_lines(listing, get_terminal_size().columns if is_terminal else 0))
    return worst(listing.code for listing in found)


def _list_task(context: Context, folder: Folder) -> TaskListing:
    """Look at both sides as a cycle does; one list request."""
    name, task_id, ledger = folder.name, folder.task.task_id, context.ledger.task(folder.task)
    try:
        snapshot = Observer(context, Options(dry_run=True), folder, ledger).observe()
    except (ApiError, FolderError, OutOfQuota) as error:
        code, text = explain(error, folder.task)
        until = context.quota.resumes_at(folder.task.organization_id)
        if isinstance(error, OutOfQuota) and until is not None:
            text += f"; it is renewed at {time_text(until, context.clock())}"
        return TaskListing(name, task_id, (), text, code)
    verdicts = Verdicts(snapshot)
    shown = sorted(snapshot.shown.values(), key=lambda a: (a.display_order, a.id))
    return TaskListing(name, task_id, tuple((a, verdicts.on_attachment(a.id)) for a in shown))


def _row(attachment: Attachment, verdict: Verdict) -> dict[str, Any]:
    owner = _owner(verdict)
    row = {key: getattr(attachment, key) for key in ("id", "name", "display_order", "size")}
    file = None if owner == "foreign" else verdict.file
    return row | {"owner": owner, "file": file, "in_sync": verdict.kind is Kind.IN_SYNC}


def _owner(verdict: Verdict) -> str:
    if verdict.entry is None:
        return "foreign"
    return "detached" if verdict.kind in (Kind.DETACHED, Kind.FAILED) else "syncd"


def _lines(listing: TaskListing, columns: int) -> Iterator[str]:
    """A table; where a terminal has too few columns, the name first and the rest below it."""
    if listing.error is not None:
        return
    attachments = count(len(listing.attachments), "attachment")
    yield f"{listing.name}: task {listing.task_id}, {attachments}"
    table = [_cells(a, v) for a, v in listing.attachments]
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    if columns and sum(widths[:5], 12) + _NAME > columns:
        for *details, name in table:
            yield f"  {name}"
            for line in wrap(", ".join(filter(None, details)), max(columns - 6, 1)):
                yield f"      {line}"
        return
    for order, id_, size, owner, kind, name in table:
        yield (
            f"  {order:>{widths[0]}}  {id_:>{widths[1]}}  {size:>{widths[2]}}  "
            f"{owner:<{widths[3]}}  {kind:<{widths[4]}}  {name}"
        )


def _cells(a: Attachment, verdict: Verdict) -> tuple[str, ...]:
    """The name comes last: only it and what follows may be wide, or long."""
    reason = _REASONS.get(verdict.kind, "{v.reason}").format(v=verdict)
    name = f"{a.name} ({printable(reason)})" if reason else a.name
    word, size = _WORDS.get(verdict.kind, str(verdict.kind)), size_text(a.size)
    return str(a.display_order), f"id {a.id}", size, _owner(verdict), word, name
