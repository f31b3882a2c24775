"""`syncd why FILE`: everything about one file, without a request."""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterator
from typing import Any

from syncd.cli.findings import findings
from syncd.cli.format import time_text
from syncd.cli.output import print_error, print_json, print_lines
from syncd.cli.read_only import open_read_only
from syncd.engine.report import OK, PARTLY
from syncd.model import Folder
from syncd.overview.folders import Folders, Target
from syncd.overview.status import rfc3339


def blank(arguments: argparse.Namespace) -> dict[str, Any]:
    """What is told of a file in no folder; times in seconds since the epoch."""
    return {
        "version": 1,
        "exit": OK,
        "error": None,
        "file": arguments.file,
        "folder": None,
        "task_id": None,
        "path": None,
        "synced": False,
        "rule": "not synced: it lies in no synced folder",
        "state": "unknown",
        "attachment": None,
        "last_error": None,
        "next_try": None,
        "notes": [],
    }


def run(arguments: argparse.Namespace) -> int:
    """0 if the file lies in a synced folder, 1 if not."""
    document = blank(arguments)
    with open_read_only(arguments) as view:
        place = _find_place(arguments.file, view.folders)
        if place is None:
            reason = _why_in_no_folder(os.path.abspath(arguments.file), view.folders)
            document |= {"exit": PARTLY, "error": f"{arguments.file}: {reason}"}
        else:
            folder = place[0].folder
            document |= {"folder": folder.name, "task_id": folder.task.task_id}
            document |= findings(view, *place)
    if arguments.json:
        print_json(document | {"next_try": rfc3339(document["next_try"])})
    elif place is not None:
        print_lines(*_lines(place[0].folder, document, view.now))
    if document["exit"] != OK:
        print_error(document["error"], on_stdout=arguments.json or place is not None)
    return int(document["exit"])


def _find_place(file: str, folders: Folders) -> tuple[Target, str] | None:
    """The folder that a file, there or not, lies in, and its relative path: by its path as it is
    spelled, else resolved.

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
            return target, inner
    return None


def _below(path: str, root: str) -> bool:
    return path != root and path.startswith(root.rstrip("/") + "/")


def _why_in_no_folder(path: str, folders: Folders) -> str:
    """Why a file belongs to no folder."""
    left_out = [(r.path, r.error or "its folder cannot be synced") for r in folders.errors]
    left_out += [(removed.path, str(removed)) for removed in folders.removed]
    for place, reason in left_out:
        if place == path or _below(path, place):
            return reason
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


def _lines(folder: Folder, found: dict[str, Any], now: float) -> Iterator[str]:
    yield f"file        {found['path']}"
    yield f"folder      {folder.name}: {folder.path} -> {folder.task}"
    yield f"rule        {found['rule']}"
    yield f"state       {found['state']}"
    if (a := found["attachment"]) is not None:
        yield f"attachment  id {a['id']}, named {a['name']}, number {a['display_order']}"
    for note in found["notes"]:
        yield f"            {note}"
    if found["last_error"] is not None:
        yield f"last error  {found['last_error']}"
    if found["next_try"] is not None:
        yield f"next try    {time_text(found['next_try'], now)}"
