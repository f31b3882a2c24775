"""`syncd list`: the task's attachments in display order, and whose they are."""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from syncd.cli.output import print_json, say, tell_failure, tell_warning
from syncd.cli.reading import NOT_TRIED, answer, explain, moment
from syncd.cli.words import size_text
from syncd.core.reconcile import reconcile
from syncd.core.situation import Situation
from syncd.engine.report import KEY, OK, worst
from syncd.engine.tools import Options, Tools
from syncd.errors import ApiError, FolderError, SyncdError
from syncd.model import Attachment, Folder, LedgerEntry
from syncd.text import printable


@dataclass(frozen=True)
class Row:
    """One attachment of a task."""

    attachment: Attachment
    owner: str
    """syncd | foreign | detached"""
    file: str | None
    in_sync: bool
    note: str
    """What a person wants to know about it."""

    def as_json(self) -> dict[str, Any]:
        return {
            "id": self.attachment.id,
            "name": self.attachment.name,
            "display_order": self.attachment.display_order,
            "size": self.attachment.size,
            "owner": self.owner,
            "file": self.file,
            "in_sync": self.in_sync,
        }


@dataclass(frozen=True)
class Listed:
    """One folder's task, or why it could not be listed."""

    name: str
    task_id: int | None
    rows: tuple[Row, ...] = ()
    error: str | None = None
    code: int = OK

    def as_json(self) -> dict[str, Any]:
        failed = {"error": self.error} if self.error is not None else {}
        attachments = [row.as_json() for row in self.rows]
        return {"name": self.name, "task_id": self.task_id, "attachments": attachments, **failed}


def listing(arguments: argparse.Namespace) -> int:
    """0 if every task could be listed, in sync or not."""
    return answer(arguments, _listing, {"folders": []})


def _listing(arguments: argparse.Namespace) -> int:
    from syncd.cli.wiring import Hooks, open_workshop
    from syncd.config import find_config, load_config
    from syncd.service.folders import chosen, find_folders

    config = load_config(find_config(arguments.config))
    found: list[Listed] = []
    with open_workshop(config, writing=False, hooks=Hooks()) as workshop:
        folders = find_folders(config, workshop.tools.ledger, time.time())
        targets, errors = chosen(folders, arguments.folder)
        for left in folders.left:
            tell_warning(str(left))
        for target in targets:
            if any(listed.code == KEY for listed in found):
                task_id = target.folder.task.task_id
                found.append(Listed(target.folder.name, task_id, (), NOT_TRIED, KEY))
            else:
                found.append(_listed(workshop.tools, target.folder))
    found += [Listed(r.name, r.task_id, (), r.error, r.exit_code()) for r in errors]
    for listed in found:
        if listed.error is not None:
            tell_failure(f"{listed.name}: {listed.error}", on_stdout=arguments.json)
    if arguments.json:
        print_json({"folders": [listed.as_json() for listed in found]})
    else:
        for line in _lines(found):
            say(line)
    return worst([listed.code for listed in found])


def _listed(tools: Tools, folder: Folder) -> Listed:
    """One list request; the same look at both sides that a cycle takes."""
    from syncd.engine.look import Look, OutOfQuota

    try:
        situation = Look(tools, Options(dry_run=True), folder).situation()
    except (ApiError, FolderError, OutOfQuota) as error:
        code, text = explain(_with_time(error, tools, folder), folder.task)
        return Listed(folder.name, folder.task.task_id, (), text, code)
    return Listed(folder.name, folder.task.task_id, tuple(rows(situation)))


def _with_time(error: SyncdError, tools: Tools, folder: Folder) -> SyncdError:
    """A used-up quota, with the time when it is as good as new."""
    from syncd.engine.look import OutOfQuota

    until = tools.meter.resumes_at(folder.task.organization_id)
    if not isinstance(error, OutOfQuota) or until is None:
        return error
    return OutOfQuota(f"{error}; it is renewed at {moment(until, tools.clock())}")


def rows(s: Situation) -> Iterator[Row]:
    """Every attachment that the list shows, but those known to be deleted."""
    entries = {e.id: e for e in s.past.entries}
    judge = _Judge(s)
    for attachment in sorted(s.listing.attachments, key=lambda a: (a.display_order, a.id)):
        entry = entries.get(attachment.id)
        if entry is None:
            yield judge.foreign(attachment)
        elif entry.role != "tombstone":
            yield judge.ours(attachment, entry)


class _Judge:
    """Says of each attachment what the next cycle would make of it."""

    def __init__(self, s: Situation) -> None:
        plan = reconcile(s)
        self._s = s
        self._unchanged = {e.id: (e, f) for e, f in s.matches.unchanged}
        self._renamed = {e.id: f for e, f in s.matches.renamed}
        self._changed = {e.id: f for e, f in s.matches.changed}
        self._gone = {e.id for e in s.matches.gone}
        self._detached = {e.id for e in (*s.matches.absent, *s.matches.waiting)}
        if s.rules.delete == "never":
            self._detached |= self._gone
        self._renames = {r.entry.id for r in plan.renames}
        self._moves = {r.entry.id for r in plan.reorders}
        self._adopted = {e.id: e.path for e in plan.records if e.path in plan.adopted}
        self._contested = set(plan.contested)
        self._failed = {p.path: p.reason for p in plan.failed}

    def foreign(self, a: Attachment) -> Row:
        path = self._adopted.get(a.id)
        return Row(a, "foreign", None, False, f"will be adopted for {path}" if path else "foreign")

    def ours(self, a: Attachment, entry: LedgerEntry) -> Row:
        if a.id in self._detached:
            gone = a.id in self._gone
            note = "detached, its file is gone" if gone else "detached"
            return Row(a, "detached", None if gone else entry.path, False, note)
        if a.id in self._unchanged:
            path = self._unchanged[a.id][1].path
            trouble = self._trouble(a, path)
            return Row(a, "syncd", path, trouble is None, trouble or "in sync")
        if a.id in self._renamed:
            path = self._renamed[a.id].path
            return Row(a, "syncd", path, False, f"to be renamed {path}")
        if a.id in self._changed:
            path = self._changed[a.id].path
            return Row(a, "syncd", path, False, self._failed.get(path) or "file has changed")
        gone = a.id in self._gone
        note = "file is gone" if gone else f"old version of {entry.path}"
        return Row(a, "syncd", None, False, note)

    def _trouble(self, a: Attachment, path: str) -> str | None:
        """What keeps an attachment with its file's content from being in sync."""
        if path in self._failed:
            return self._failed[path]
        if path in self._contested:
            return "contested: somebody keeps changing it"
        entry, file = self._unchanged[a.id]
        if a.id in self._renames or not self._s.names_itself(self._s.bind(entry, file), a):
            return f"to be renamed {path}"
        return "to be moved" if a.id in self._moves else None


def _lines(found: list[Listed]) -> Iterator[str]:
    for listed in found:
        if listed.error is not None:
            continue
        count = len(listed.rows)
        yield f"{listed.name}: task {listed.task_id}, {count} attachment{'s' * (count != 1)}"
        table = [_cells(row) for row in listed.rows]
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
