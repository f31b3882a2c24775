"""`syncd log`: what was done lately, newest last."""

from __future__ import annotations

import argparse
from typing import Any

from syncd.cli.file_place import find_place, why_in_no_folder
from syncd.cli.history import history_json, history_lines, of_file
from syncd.cli.output import print_error, print_json, print_lines
from syncd.cli.read_only import open_read_only
from syncd.engine.report import OK, PARTLY


def blank(_: argparse.Namespace) -> dict[str, Any]:
    return {"events": []}


def run(arguments: argparse.Namespace) -> int:
    """0, or 1 for a file in no folder; no request is sent."""
    error = None
    with open_read_only(arguments) as view:
        history = [e for e in view.ledger.actions() if e[0].url == view.config.api.url]
        if arguments.file is not None:
            place = find_place(arguments.file, view.folders)
            if place is None:
                error = f"{arguments.file}: {why_in_no_folder(arguments.file, view.folders)}"
                history = []
            else:
                history = [*of_file(history, place[0].folder.task, place[1])]
    code = OK if error is None else PARTLY
    if arguments.json:
        told = {} if error is None else {"error": error}
        print_json({"version": 1, "events": history_json(history), **told})
    elif history:
        print_lines(*history_lines((action for _, action in history), with_folder=True))
    elif error is None:
        what = "to it " if arguments.file is not None else ""
        print_lines(f"nothing was done {what}lately: `syncd status` tells how things stand")
    if error is not None:
        print_error(error)
    return code
