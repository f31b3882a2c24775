"""`syncd why FILE`: everything about one file, without a request."""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from syncd.cli.findings import Findings, find
from syncd.cli.format import time_text
from syncd.cli.output import print_error, print_json, print_lines
from syncd.cli.read_only import ReadOnlyView, open_read_only
from syncd.engine.report import OK, PARTLY
from syncd.overview.folders import Folders, Target


@dataclass(frozen=True)
class Place:
    """A file in a synced folder; `path` is relative, with `/`."""

    target: Target
    path: str


def blank(arguments: argparse.Namespace) -> dict[str, Any]:
    return _document(arguments.file, None, None)


def run(arguments: argparse.Namespace) -> int:
    """0 if the file lies in a synced folder, 1 if not."""
    with open_read_only(arguments) as view:
        place = find_place(arguments.file, view.folders)
        if place is None:
            return _in_no_folder(arguments, view)
        found = find(view, place.target, place.path)
    if arguments.json:
        print_json(_document(arguments.file, place, found))
    else:
        print_lines(*_lines(place, found, view.now))
    if found.code != OK:
        print_error(f"{found.path}: {found.last_error or found.state}", on_stdout=True)
    return found.code


def find_place(file: str, folders: Folders) -> Place | None:
    """The folder that a file, there or not, lies in: by its path as it is spelled, else resolved.

    The last part of the path is never resolved: a link in a folder is a file of its own.
    """
    spelled = os.path.abspath(file)
    real = os.path.join(os.path.realpath(os.path.dirname(spelled)), os.path.basename(spelled))
    for path in (spelled, real):
        found = [
            (len(root), target, os.path.relpath(path, root))
            for target in folders.targets
            for root in (target.folder.path, os.path.realpath(target.folder.path))
            if _below(path, root)
        ]
        if found:
            _, target, inner = max(found, key=lambda place: place[0])
            return Place(target, inner)
    return None


def _below(path: str, root: str) -> bool:
    return path != root and path.startswith(root.rstrip("/") + "/")


def _in_no_folder(arguments: argparse.Namespace, view: ReadOnlyView) -> int:
    text = f"{arguments.file}: {_why_in_no_folder(os.path.abspath(arguments.file), view.folders)}"
    if arguments.json:
        document = _document(arguments.file, None, None)
        print_json(document | {"exit": PARTLY, "error": text})
    print_error(text, on_stdout=arguments.json)
    return PARTLY


def _why_in_no_folder(path: str, folders: Folders) -> str:
    """Why a file belongs to no folder."""
    for report in folders.errors:
        if report.path == path or _below(path, report.path):
            return report.error or "its folder cannot be synced"
    for removed in folders.removed:
        if removed.path == path or _below(path, removed.path):
            return str(removed)
    for target in folders.targets:
        if path in (target.folder.path, os.path.realpath(target.folder.path)):
            return f"this is the folder {target.folder.name} itself; name a file in it"
    for parent in folders.parents:
        if _below(path, parent):
            return (
                f"it lies below {parent}, but in no subfolder that begins with a task's number "
                "(4711 Logo): only such are synced"
            )
    names = ", ".join(t.folder.path for t in folders.targets) or "none"
    return f"it lies in no folder of the config (there is: {names})"


def _document(file: str, place: Place | None, found: Findings | None) -> dict[str, Any]:
    nothing = Findings("", False, "not synced: it lies in no synced folder", "unknown", code=PARTLY)
    return {
        "version": 1,
        "exit": 0,
        "error": None,
        "file": file,
        "folder": place.target.folder.name if place else None,
        "task_id": place.target.folder.task.task_id if place else None,
        **((found or nothing).to_json() | ({} if found else {"path": None})),
    }


def _lines(place: Place, found: Findings, now: float) -> Iterator[str]:
    folder = place.target.folder
    yield f"file        {found.path}"
    yield f"folder      {folder.name}: {folder.path} -> {folder.task}"
    yield f"rule        {found.rule}"
    yield f"state       {found.state}"
    if found.attachment is not None:
        a = found.attachment
        yield f"attachment  id {a.id}, named {a.name.seen}, number {a.order.seen}"
    for note in found.notes:
        yield f"            {note}"
    if found.last_error is not None:
        yield f"last error  {found.last_error}"
    if found.next_try is not None:
        yield f"next try    {time_text(found.next_try, now)}"
