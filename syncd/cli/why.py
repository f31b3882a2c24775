"""`syncd why FILE`: everything about one file, without a request."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from typing import Any

from syncd.cli.file_place import find_place, why_in_no_folder
from syncd.cli.findings import findings
from syncd.cli.history import History, history_json, history_lines, of_file
from syncd.cli.output import print_error, print_json, print_lines
from syncd.cli.read_only import open_read_only
from syncd.engine.report import OK, PARTLY
from syncd.model import Folder
from syncd.overview.status import rfc3339
from syncd.overview.words import time_text

EVENTS = 10
"""The last of them are told."""


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
        "events": [],
    }


def run(arguments: argparse.Namespace) -> int:
    """0 if the file lies in a synced folder, 1 if not."""
    document = blank(arguments)
    history: History = ()
    with open_read_only(arguments) as view:
        place = find_place(arguments.file, view.folders)
        if place is None:
            reason = why_in_no_folder(arguments.file, view.folders)
            document |= {"exit": PARTLY, "error": f"{arguments.file}: {reason}"}
        else:
            folder = place[0].folder
            document |= {"folder": folder.name, "task_id": folder.task.task_id}
            document |= findings(view, *place)
            history = of_file(view.ledger.actions(), folder.task, document["path"])[-EVENTS:]
    if arguments.json:
        document["next_try"] = rfc3339(document["next_try"])
        print_json(document | {"events": history_json(history)})
    elif place is not None:
        print_lines(*_lines(place[0].folder, document, view.now))
        events = history_lines((action for _, action in history), with_folder=False)
        print_lines(*(f"{'' if n else 'history':<12}{line}" for n, line in enumerate(events)))
    if document["exit"] != OK:
        print_error(document["error"], on_stdout=arguments.json or place is not None)
    return int(document["exit"])


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
