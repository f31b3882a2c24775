"""`syncd list`: the task's attachments in display order, and whose they are."""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from syncd.cli.assembly import Hooks, assemble
from syncd.cli.errors import NOT_TRIED, explain
from syncd.cli.format import count, size_text, time_text
from syncd.cli.output import print_error, print_json, print_lines, print_warning
from syncd.config import find_config, load_config
from syncd.core.snapshot import Snapshot
from syncd.engine.context import Context, Options
from syncd.engine.observe import Observer, OutOfQuota
from syncd.engine.report import KEY, OK, worst
from syncd.errors import ApiError, FolderError, SyncdError
from syncd.model import Attachment, Folder
from syncd.overview.folders import choose, find_folders
from syncd.overview.verdict import Kind, Verdict, Verdicts
from syncd.text import printable

_NOTES = {
    Kind.IN_SYNC: "in sync",
    Kind.NEW: "will be adopted for {v.file}",
    Kind.CHANGED: "file has changed",
    Kind.RENAMED: "to be renamed {v.file}",
    Kind.MOVED: "to be moved",
    Kind.GONE: "file is gone",
    Kind.DETACHED: "detached",
    Kind.OLD: "old version of {v.entry.path}",
    Kind.FOREIGN: "foreign",
    Kind.REFUSED: "{v.error}",
}
"""What people read of a verdict; of all other kinds the kind and its reason."""


@dataclass(frozen=True)
class Row:
    """One attachment of a task."""

    attachment: Attachment
    verdict: Verdict

    @property
    def owner(self) -> str:
        if self.verdict.entry is None:
            return "foreign"
        return "detached" if self.verdict.kind in (Kind.DETACHED, Kind.FAILED) else "syncd"

    @property
    def note(self) -> str:
        return _NOTES.get(self.verdict.kind, "{v.kind}: {v.reason}").format(v=self.verdict)

    def to_json(self) -> dict[str, Any]:
        return {
            "id": self.attachment.id,
            "name": self.attachment.name,
            "display_order": self.attachment.display_order,
            "size": self.attachment.size,
            "owner": self.owner,
            "file": None if self.owner == "foreign" else self.verdict.file,
            "in_sync": self.verdict.kind is Kind.IN_SYNC,
        }


@dataclass(frozen=True)
class TaskListing:
    """The attachments of one folder's task, or why they could not be listed."""

    name: str
    task_id: int | None
    rows: tuple[Row, ...] = ()
    error: str | None = None
    code: int = OK

    def to_json(self) -> dict[str, Any]:
        error = {"error": self.error} if self.error is not None else {}
        attachments = [row.to_json() for row in self.rows]
        return {"name": self.name, "task_id": self.task_id, "attachments": attachments, **error}


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
    if arguments.json:
        print_json({"folders": [listing.to_json() for listing in found]})
    else:
        print_lines(*_lines(found))
    return worst([listing.code for listing in found])


def _list_task(context: Context, folder: Folder) -> TaskListing:
    """Look at both sides as a cycle does; one list request."""
    name, task_id, ledger = folder.name, folder.task.task_id, context.ledger.task(folder.task)
    try:
        snapshot = Observer(context, Options(dry_run=True), folder, ledger).observe()
    except (ApiError, FolderError, OutOfQuota) as error:
        code, text = explain(_with_time(error, context, folder), folder.task)
        return TaskListing(name, task_id, (), text, code)
    return TaskListing(name, task_id, tuple(_rows(snapshot)))


def _with_time(error: SyncdError, context: Context, folder: Folder) -> SyncdError:
    """Add to the error of a used-up quota when it is renewed."""
    until = context.quota.resumes_at(folder.task.organization_id)
    if not isinstance(error, OutOfQuota) or until is None:
        return error
    return OutOfQuota(f"{error}; it is renewed at {time_text(until, context.clock())}")


def _rows(snapshot: Snapshot) -> Iterator[Row]:
    """Every attachment that the list shows, but those known to be deleted."""
    verdicts = Verdicts(snapshot)
    shown = sorted(snapshot.shown.values(), key=lambda a: (a.display_order, a.id))
    return (Row(a, verdicts.on_attachment(a.id)) for a in shown)


def _lines(found: Iterable[TaskListing]) -> Iterator[str]:
    for listing in (listing for listing in found if listing.error is None):
        attachments = count(len(listing.rows), "attachment")
        yield f"{listing.name}: task {listing.task_id}, {attachments}"
        table = [_cells(row) for row in listing.rows]
        widths = [max(map(len, column)) for column in zip(*table, strict=True)]
        for order, id_, size, owner, note, name in table:
            yield (
                f"  {order:>{widths[0]}}  {id_:>{widths[1]}}  {size:>{widths[2]}}  "
                f"{owner:<{widths[3]}}  {note:<{widths[4]}}  {name}"
            )


def _cells(row: Row) -> tuple[str, ...]:
    a = row.attachment
    order, size = str(a.display_order), size_text(a.size)
    return order, f"id {a.id}", size, row.owner, printable(row.note), a.name
