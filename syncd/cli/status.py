"""`syncd status`: what was done last and will be done next."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from typing import Any

from syncd.cli.format import quota_line, status_lines, trouble_lines
from syncd.cli.output import print_error, print_json, print_lines, print_warning
from syncd.cli.read_only import open_read_only
from syncd.cli.status_facts import NO_SERVICE, StatusFacts, gather
from syncd.cli.streams import is_capable_terminal
from syncd.engine.report import LATER, OK, worst
from syncd.errors import UsageError
from syncd.overview.status import QuotaStatus


def blank(_: argparse.Namespace) -> dict[str, Any]:
    return {"running": False, "pid": None, "quota": QuotaStatus().to_json(), "folders": []}


def run(arguments: argparse.Namespace) -> int:
    """0 healthy, 1 something failed or held, 75 paused or no service; --watch: 0."""
    if arguments.watch:
        return _watch(arguments)
    with open_read_only(arguments) as view:
        facts = gather(view)
        if arguments.html is not None:
            from syncd.cli.status_page import write_page  # only this needs it

            write_page(arguments.html, view, facts.folders)
    if arguments.json:
        _print_json(facts)
    elif is_capable_terminal(sys.stdout):
        from syncd.cli.status_table import status_view, terminal

        console = terminal()
        console.print(status_view(facts, console))
    else:
        print_lines(*_lines(facts))
    if facts.service is None:
        print_error(NO_SERVICE, on_stdout=True)
    for line in (line for folder in facts.folders for line in trouble_lines(folder)):
        print_error(line, on_stdout=True)
    no_service = LATER if facts.service is None else OK
    return worst([no_service, *(folder.exit_code for folder in facts.folders)])


def _watch(arguments: argparse.Namespace) -> int:
    for option in ("json", "html"):
        if getattr(arguments, option):
            raise UsageError(f"--watch is for a terminal: leave out --{option}, or --watch")
    if not is_capable_terminal(sys.stdout):
        raise UsageError("--watch needs a terminal; for a program there is `syncd status --json`")
    from syncd.cli.status_watch import watch

    return watch(arguments)


def _print_json(facts: StatusFacts) -> None:
    document = {"version": 1, "running": facts.service is not None, "pid": facts.service}
    rows = [folder.to_json() for folder in facts.folders]
    print_json({**document, "quota": facts.quota.to_json(), "folders": rows})
    for note in facts.notes:
        print_warning(note)


def _lines(facts: StatusFacts) -> Iterator[str]:
    yield facts.service_line
    for folder in facts.folders:
        yield from status_lines(folder, facts.now)
    yield from facts.notes
    if facts.quota.remaining is not None:
        yield quota_line(facts.quota, facts.now)
