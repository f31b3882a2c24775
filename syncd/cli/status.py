"""`syncd status`: what was done last and will be done next."""

from __future__ import annotations

import argparse
import shlex
from collections.abc import Iterator, Sequence
from typing import Any

from syncd.cli.output import print_json, say, tell_failure, tell_warning
from syncd.cli.reading import Reading, answer, duration, moment, open_reading
from syncd.cli.reading import seconds_of as seconds
from syncd.cli.words import size_text
from syncd.engine.report import LATER, OK, PARTLY, worst
from syncd.service.status import quota_status
from syncd.state.opening import were_set_aside
from syncd.text import printable

_UNKNOWN_QUOTA = {"remaining": None, "resets_in": None, "paused_until": None}
_BLANK: dict[str, Any] = {"running": False, "pid": None, "quota": _UNKNOWN_QUOTA, "folders": []}
_NEVER: dict[str, Any] = {
    "state": "pending",
    "reason": "never synced",
    "last_cycle": None,
    "next_cycle": None,
    "pending": 0,
    "failed": [],
    "held": [],
    "error": None,
}
"""Of a folder that no cycle has reported on; the keys are those of contract.md."""


def status(arguments: argparse.Namespace) -> int:
    """0 healthy, 1 something failed or held, 75 paused or no service."""
    return answer(arguments, _status, _BLANK)


def _status(arguments: argparse.Namespace) -> int:
    with open_reading(arguments) as reading:
        folders = folder_documents(reading)
        organizations = {t.folder.task.organization_id for t in reading.folders.targets}
        short = [r for r in reading.records() if r.get("cause") == "quota"]
        pauses = [seconds(record.get("next_cycle")) for record in short]
        quota = quota_status(reading.meter(), organizations, reading.now, pauses)
        left, service, now = reading.folders.left, reading.service, reading.now
        notes = [*map(str, left), *aside_lines(reading)]
    if arguments.json:
        document = {"version": 1, "running": service is not None, "pid": service}
        print_json({**document, "quota": quota, "folders": folders})
        for line in notes:
            tell_warning(line)
    else:
        for line in _lines(folders, notes, quota, service, now):
            say(line)
    for line in _troubles(folders, service):
        tell_failure(line, on_stdout=True)
    no_service = LATER if service is None else OK
    return worst([no_service, *(_code(folder) for folder in folders)])


def aside_lines(reading: Reading) -> Iterator[str]:
    """The damaged ledgers that were set aside, for as long as somebody keeps them."""
    for aside in were_set_aside(reading.config.state_dir):
        yield (
            f"a damaged ledger was set aside {moment(aside.at, reading.now)} as {aside.path}: "
            "attachments that match no file by name and size count as foreign since then "
            "(`syncd list` shows them); delete that file to be told no more"
        )


def folder_documents(reading: Reading) -> list[dict[str, Any]]:
    """The part `folders` of `status --json`: every folder of the config, synced yet or not."""
    found = [
        _document(t.folder.name, t.folder.path, t.folder.task.task_id, reading.record(t), reading)
        for t in reading.folders.targets
    ]
    records = {record.get("path"): record for record in reading.records()}
    for report in reading.folders.errors:
        record = records.get(report.path)
        document = _document(report.name, report.path, report.task_id, record, reading)
        found.append(document | {"state": "error", "reason": report.error, "error": report.error})
    return found


def _document(
    name: str, path: str, task_id: int | None, record: dict[str, Any] | None, reading: Reading
) -> dict[str, Any]:
    known = {key: record[key] for key in _NEVER if key in record} if record else {}
    document = {"name": name, "path": path, "task_id": task_id, **_NEVER, **known}
    if record:
        document["reason"] = known.get("reason")
    document["next_cycle"] = reading.next_cycle(document)
    if reading.service is None and document["state"] == "syncing":
        document |= {"state": "pending", "reason": "the cycle was interrupted"}
    return document


def _code(folder: dict[str, Any]) -> int:
    if folder["state"] == "paused" or (folder["state"] == "pending" and folder["error"]):
        return LATER
    trouble = folder["failed"] or folder["held"] or folder["error"]
    return PARTLY if trouble or folder["state"] in ("held", "error") else OK


def _lines(
    folders: list[dict[str, Any]],
    notes: Sequence[str],
    quota: dict[str, Any],
    service: int | None,
    now: float,
) -> Iterator[str]:
    yield "no service is running" if service is None else f"the service is running (pid {service})"
    for folder in folders:
        yield from _folder_lines(folder, now)
    yield from notes
    if quota["remaining"] is not None:
        line = f"quota: {quota['remaining']} requests left"
        if quota["resets_in"] is not None:
            line += f", renewed in {duration(quota['resets_in'])}"
        until = seconds(quota["paused_until"])
        yield line if until is None else f"{line}; paused until {moment(until, now)}"


def _troubles(folders: list[dict[str, Any]], service: int | None) -> Iterator[str]:
    """What makes the exit status other than 0, a line each."""
    if service is None:
        yield "no service is running: start it, or sync with `syncd --once`"
    for folder in folders:
        if _code(folder) == OK:
            continue
        name = folder["name"]
        for item in folder["failed"]:
            yield printable(f"{name}: {item.get('name')}: {item.get('error')}")
        for item in folder["held"]:
            approve = f"syncd approve --folder {shlex.quote(name)}"
            yield printable(f"{name}:{held_line(item)[1:]}; `{approve}` releases it")
        if folder["error"] or not (folder["failed"] or folder["held"]):
            yield printable(f"{name}: {folder['error'] or folder['reason'] or folder['state']}")


def _folder_lines(folder: dict[str, Any], now: float) -> Iterator[str]:
    parts = [f"{folder['state']}: {folder['reason']}" if folder["reason"] else folder["state"]]
    if folder["pending"]:
        parts.append(f"{folder['pending']} left to do")
    for key, words in (("last_cycle", "last cycle"), ("next_cycle", "next")):
        at = seconds(folder[key])
        parts += [f"{words} {moment(at, now)}"] if at is not None else []
    task = f" (task {folder['task_id']})" if folder["task_id"] is not None else ""
    yield f"{folder['name']}{task}: {'; '.join(parts)}"
    for item in folder["failed"]:
        yield f"  failed: {item.get('name')}: {item.get('error')}"
    for item in folder["held"]:
        yield held_line(item)
    if folder["held"]:
        yield f"  approve exactly this with: syncd approve --folder {shlex.quote(folder['name'])}"


def held_line(item: dict[str, Any]) -> str:
    """One attachment that the guard holds back."""
    size = item.get("size")
    shown = size_text(size) if isinstance(size, int) else "unknown size"
    what = f"{item.get('action')} {item.get('name')} (id {item.get('id')}, {shown})"
    return f"  held: {what}: {item.get('reason')}"
