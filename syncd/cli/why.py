"""`syncd why FILE`: everything about one file, without a request."""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from syncd.cli.facts import Facts, facts
from syncd.cli.output import print_json, say, tell_failure
from syncd.cli.reading import Reading, answer, moment, open_reading
from syncd.engine.report import OK, PARTLY
from syncd.service.folders import Folders, Target
from syncd.service.status import timestamp


@dataclass(frozen=True)
class Place:
    """A file in a synced folder; `path` is relative, with `/`."""

    target: Target
    path: str


def why(arguments: argparse.Namespace) -> int:
    """0 if the file lies in a synced folder, 1 if not."""
    return answer(arguments, _why, _document(arguments.file, None, None) | {"exit": PARTLY})


def _why(arguments: argparse.Namespace) -> int:
    with open_reading(arguments) as reading:
        place = find_place(arguments.file, reading.folders)
        if place is None:
            return _nowhere(arguments, reading)
        found = facts(reading, place.target, place.path)
    if arguments.json:
        print_json(_document(arguments.file, place, found))
    else:
        for line in _lines(place, found, reading.now):
            say(line)
    if found.code != OK:
        tell_failure(f"{found.path}: {found.last_error or found.state}", on_stdout=True)
    return found.code


def find_place(file: str, folders: Folders) -> Place | None:
    """The folder that a file belongs to, there or not: by its spelling, else by where it is.

    The last part is never resolved: a link in a folder is a file of its own.
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


def _nowhere(arguments: argparse.Namespace, reading: Reading) -> int:
    text = f"{arguments.file}: {_whereabouts(os.path.abspath(arguments.file), reading.folders)}"
    if arguments.json:
        document = _document(arguments.file, None, None)
        print_json(document | {"exit": PARTLY, "error": text})
    tell_failure(text, on_stdout=arguments.json)
    return PARTLY


def _whereabouts(path: str, folders: Folders) -> str:
    """Why a file belongs to no folder."""
    for report in folders.errors:
        if report.path == path or _below(path, report.path):
            return report.error or "its folder cannot be synced"
    for left in folders.left:
        if left.path == path or _below(path, left.path):
            return str(left)
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


def _document(file: str, place: Place | None, found: Facts | None) -> dict[str, Any]:
    document: dict[str, Any] = {
        "version": 1,
        "exit": 0,
        "error": None,
        "file": file,
        "folder": place.target.folder.name if place else None,
        "task_id": place.target.folder.task.task_id if place else None,
        "path": place.path if place else None,
        "synced": False,
        "rule": "not synced: it lies in no synced folder",
        "state": "unknown",
        "attachment": None,
        "last_error": None,
        "next_try": None,
        "notes": [],
    }
    if found is not None:
        document |= {
            "exit": found.code,
            "error": found.last_error if found.code else None,
            "synced": found.synced,
            "path": found.path,
            "rule": found.rule,
            "state": found.state,
            "attachment": found.attachment,
            "last_error": found.last_error,
            "next_try": timestamp(found.next_try),
            "notes": found.notes,
        }
    return document


def _lines(place: Place, found: Facts, now: float) -> Iterator[str]:
    folder = place.target.folder
    yield f"file        {found.path}"
    yield f"folder      {folder.name}: {folder.path} -> {folder.task}"
    yield f"rule        {found.rule}"
    yield f"state       {found.state}"
    if found.attachment is not None:
        a = found.attachment
        yield f"attachment  id {a['id']}, named {a['name']}, number {a['display_order']}"
    for note in found.notes:
        yield f"            {note}"
    if found.last_error is not None:
        yield f"last error  {found.last_error}"
    if found.next_try is not None:
        yield f"next try    {moment(found.next_try, now)}"
