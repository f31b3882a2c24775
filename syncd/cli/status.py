"""`syncd status`: what was done last and will be done next."""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from typing import Any

from syncd.cli.format import duration_text, status_lines, time_text, trouble_lines
from syncd.cli.output import print_error, print_json, print_lines, print_warning
from syncd.cli.read_only import ReadOnlyView, open_read_only
from syncd.engine.report import LATER, OK, worst
from syncd.overview.status import FolderStatus, QuotaStatus
from syncd.state.ledger_file import ledgers_set_aside


def blank(_: argparse.Namespace) -> dict[str, Any]:
    return {"running": False, "pid": None, "quota": QuotaStatus().to_json(), "folders": []}


def run(arguments: argparse.Namespace) -> int:
    """0 healthy, 1 something failed or held, 75 paused or no service."""
    with open_read_only(arguments) as view:
        folders, service = view.statuses(), view.service
        organizations = {t.folder.task.organization_id for t in view.folders.targets}
        pauses = [f.next_cycle for f in view.status.folders if f.cause == "quota"]
        quota = QuotaStatus.of(view.meter(), organizations, view.now, pauses)
        notes = [*map(str, view.folders.removed), *_damaged_ledgers(view)]
    if arguments.json:
        document = {"version": 1, "running": service is not None, "pid": service}
        rows = [folder.to_json() for folder in folders]
        print_json({**document, "quota": quota.to_json(), "folders": rows})
        for note in notes:
            print_warning(note)
    else:
        print_lines(*_lines(folders, notes, quota, service, view.now))
    if service is None:
        text = "no service is running: start it, or sync with `syncd --once`"
        print_error(text, on_stdout=True)
    for line in (line for folder in folders for line in trouble_lines(folder)):
        print_error(line, on_stdout=True)
    no_service = LATER if service is None else OK
    return worst([no_service, *(folder.exit_code for folder in folders)])


def _damaged_ledgers(view: ReadOnlyView) -> Iterator[str]:
    """The damaged ledgers that were set aside and not deleted yet."""
    for aside in ledgers_set_aside(view.config.state_dir):
        yield (
            f"a damaged ledger was set aside {time_text(aside.at, view.now)} as {aside.path}: "
            "attachments that match no file by name and size count as foreign since then "
            "(`syncd list` shows them); delete that file to be told no more"
        )


def _lines(
    folders: Sequence[FolderStatus],
    notes: Sequence[str],
    quota: QuotaStatus,
    service: int | None,
    now: float,
) -> Iterator[str]:
    yield "no service is running" if service is None else f"the service is running (pid {service})"
    for folder in folders:
        yield from status_lines(folder, now)
    yield from notes
    if quota.remaining is not None:
        line = f"quota: {quota.remaining} requests left"
        if quota.resets_in is not None:
            line += f", renewed in {duration_text(quota.resets_in)}"
        until = quota.paused_until
        yield line if until is None else f"{line}; paused until {time_text(until, now)}"
