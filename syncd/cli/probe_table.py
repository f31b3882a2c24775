"""What a probe has found out, for people: the server's habit, and what syncd makes of it."""

from __future__ import annotations

import shutil
import textwrap
from collections.abc import Iterator
from typing import Any

from syncd.overview.words import count
from syncd.probe.findings import Findings
from syncd.probe.session import REQUESTS, Session

_LEARNS = "learns it from the next list"
_TABLE: dict[str, tuple[str, dict[Any, tuple[str, str]]]] = {
    "create_answers_with_ids": (
        "answer to a create",
        {True: ("tells the id", "needs no list for it"), False: ("tells no id", _LEARNS)},
    ),
    "bulk_answers_with_ids": (
        "answer to a bulk create",
        {True: ("tells the ids", "needs no list for them"), False: ("tells no ids", _LEARNS)},
    ),
    "name_from": (
        "name of a new file",
        {
            "query": ("read from the query", "sends it there"),
            "form": ("read from the form", "sends it there"),
            "file": ("taken from the file part", "sends the same name there"),
            "other": ("made by the server", "accepts it after one try to change it"),
        },
    ),
    "order_from": (
        "order of a new file",
        {
            "query": ("read from the query", "sends it there"),
            "form": ("read from the form", "sends it there"),
            "other": ("given by the server", "puts files in order by PUTs"),
        },
    ),
    "names": (
        "names",
        {
            "kept": ("stored as sent", "shows the names of your files"),
            "changed": ("changed", "accepts the server's form after one try"),
        },
    ),
    "orders": (
        "display orders",
        {
            "kept": ("stored as sent", "knows its own files by them after a lost answer"),
            "renumbered": ("renumbered", "minds the sequence only"),
            "ignored": ("ignored", "tries twice, then leaves the sequence to the server"),
        },
    ),
    "names_unique": (
        "second file of one name",
        {
            True: ("refused or renamed", "renames the old one first, or accepts the new name"),
            False: ("allowed", "creates the new version, then deletes the old one"),
        },
    ),
    "update_keeps_other_field": (
        "PUT of the name alone",
        {
            True: ("keeps the order", "always sends both"),
            False: ("changes the order", "always sends both"),
            None: ("not told", "always sends both"),
        },
    ),
    "view_shows_deleted": (
        "view of a deleted one",
        {
            True: ("still shown", "takes deleted_at for gone, like a 404"),
            False: ("not found", "takes that for gone"),
        },
    ),
    "list_lags": (
        "list after a write",
        {
            True: ("lags behind", "believes a 201 for ten minutes; never sends twice for it"),
            False: ("up to date", "believes a 201 for ten minutes all the same"),
        },
    ),
    "quota_headers": (
        "requests left",
        {
            True: ("told in headers", "spaces its cycles by them"),
            False: ("not told", "assumes 30 an hour, more once seen; api.quota says it better"),
        },
    ),
}
"""For each finding what it is about, and for each value what the server and what syncd does."""
_HEAD = ("", "the server", "syncd")
_WIDTHS = (26, 26)
_NARROW = 72


def table(session: Session) -> Iterator[str]:
    """The findings with their consequences, the key of the config that fits, and the cost."""
    found = session.findings._asdict()
    width = shutil.get_terminal_size((100, 24)).columns
    if any(value is not None for key, value in found.items() if key != "quota_headers"):
        yield from _rows(session, width)
    state = "is as it was" if not session.left_behind and not session.lost else "is not as it was"
    yield f"{count(session.requests, 'request')} of {REQUESTS}; task {session.task.task_id} {state}"


def _rows(session: Session, width: int) -> Iterator[str]:
    yield from _row(_HEAD, width)
    for key, value in session.findings._asdict().items():
        topic, meanings = _TABLE[key]
        server, syncd = meanings.get(value, ("could not be told", "is ready for any answer"))
        if key in session.notes:
            server = session.notes[key]
        yield from _row((topic, server, syncd), width)
    yield ""
    yield f"create_params: {create_params(session.findings)}"


def create_params(findings: Findings) -> str:
    """The value of `api.create_params` that fits."""
    place = findings.name_from
    if place in ("query", "form") and findings.order_from == place:
        return f"{place} fits; both, the default, does as well"
    return "both, the default, fits"


def _row(cells: tuple[str, str, str], width: int) -> Iterator[str]:
    """A row of three columns; where the terminal is narrow, one below the other."""
    if width < _NARROW:
        topic, server, syncd = cells
        if topic:
            yield from textwrap.wrap(f"{topic}: {server}", width, subsequent_indent="  ")
            yield from textwrap.wrap(f"syncd: {syncd}", width, initial_indent="  ")
        return
    widths = (*_WIDTHS, width - sum(_WIDTHS) - 4)
    wrapped = [textwrap.wrap(text, w) or [""] for text, w in zip(cells, widths, strict=True)]
    for at in range(max(map(len, wrapped))):
        line = [column[at] if at < len(column) else "" for column in wrapped]
        yield f"{line[0]:<{widths[0]}}  {line[1]:<{widths[1]}}  {line[2]}".rstrip()
