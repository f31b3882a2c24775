"""One folder on the page: its state, what is held or failed, its files in order."""

from __future__ import annotations

import os
import shlex
from collections.abc import Iterable, Sequence

from syncd.export.elements import Markup, element, table, together
from syncd.export.times import moment
from syncd.export.view import MAX_ROWS, FolderView, Look, Row
from syncd.overview.status import FolderStatus, State
from syncd.overview.words import count, held_text, size_text

LOOKS: dict[State, Look] = {
    "in sync": "ok",
    "pending": "todo",
    "syncing": "todo",
    "paused": "warn",
    "held": "warn",
    "error": "bad",
}
_SIGNS: dict[Look, str] = {"ok": "✓", "todo": "↻", "warn": "!", "bad": "✕", "quiet": "–"}
_OPEN = 60
"""A list of so many rows, or less, is unfolded."""
_LISTED = 100
_USUAL_CONFIGS = ("~/.config/syncd/config.yaml", "/etc/syncd/config.yaml")


def chip(word: str, look: Look) -> Markup:
    """A state: a word, and a sign and a colour besides."""
    sign = element("span", f"{_SIGNS[look]} ", aria_hidden="true")
    return element("span", sign, word, class_=f"chip {look}")


def folder_section(view: FolderView, anchor: str, config: str, now: float) -> Markup:
    """All about one folder; `config`: the file that names it."""
    status = view.status
    task = "no task" if status.task_id is None else f"task {status.task_id}"
    return element(
        "section",
        element(
            "div",
            element("h2", status.name, id=anchor),
            chip(status.state, LOOKS[status.state]),
            class_="head",
        ),
        element("p", f"{status.path} → {task}", class_="path"),
        _reason(status),
        _times(view, now),
        _held(status, config) if status.held else None,
        _failed(status) if status.failed else None,
        _contested(status) if status.contested else None,
        _files(view.files) if view.is_seen else None,
        _others(view.others),
        _skipped(view),
        aria_labelledby=anchor,
    )


def _reason(status: FolderStatus) -> Markup:
    """Why it is in its state, unless that follows as a list."""
    reason, error = status.reason, status.error
    told = reason is None or reason == error or status.held or status.failed
    return together(
        None if told else element("p", reason),
        None if error is None else element("p", error, class_=f"note {LOOKS[status.state]}"),
    )


def _times(view: FolderView, now: float) -> Markup:
    status = view.status
    times = {
        "Last cycle": status.last_cycle,
        "Next cycle": status.next_cycle,
        "Task listed": view.listed_at,
    }
    facts = [(name, moment(at, now)) for name, at in times.items() if at is not None]
    if status.pending:
        facts.append(("Left to do", Markup(status.pending)))
    if status.watch is not None:
        why = f": {status.watch_reason}" if status.watch_reason else ""
        facts.append(("Changes noticed by", together(f"{status.watch}{why}")))
    pairs = (element("div", element("dt", name), element("dd", text)) for name, text in facts)
    return element("dl", *pairs)


def _held(status: FolderStatus, config: str) -> Markup:
    return element(
        "div",
        element("h3", f"{count(len(status.held), 'change')} held back until you approve"),
        _list(map(held_text, status.held)),
        element("p", "All else goes on. This releases exactly these, once:"),
        element("pre", element("code", approve_command(status, config))),
        class_="note warn",
    )


def approve_command(status: FolderStatus, config: str) -> str:
    """What releases the held changes of one folder."""
    command = f"syncd approve --folder {shlex.quote(status.name)}"
    if config in map(os.path.expanduser, _USUAL_CONFIGS):
        return command
    return f"{command} -c {shlex.quote(config)}"


def _failed(status: FolderStatus) -> Markup:
    return element(
        "div",
        element("h3", f"{count(len(status.failed), 'file')} could not be synced"),
        _list(f"{problem.path}: {problem.reason}" for problem in status.failed),
        class_="note bad",
    )


def _contested(status: FolderStatus) -> Markup:
    text = "Somebody keeps changing it in the task: left as it is until tomorrow"
    return element("div", element("h3", text), _list(status.contested), class_="note warn")


def _list(items: Iterable[str]) -> Markup:
    """At most _LISTED of them."""
    found = list(items)
    more = f"… and {len(found) - _LISTED} more" if len(found) > _LISTED else None
    entries = (element("li", item) for item in found[:_LISTED])
    return element("ul", *entries, element("li", more) if more else None)


def _files(rows: Sequence[Row]) -> Markup | None:
    if not rows:
        return element("p", "No file in it is synced.", class_="soft")
    undone = sum(row.look != "ok" for row in rows)
    title = f"{count(len(rows), 'file')}, " + ("all in sync" if not undone else f"{undone} not")
    if undone:
        title += " in sync"
    return _table(rows, title, "The files, in the order in which they stand in the task", "File")


def _others(rows: Sequence[Row]) -> Markup | None:
    if not rows:
        return None
    title = f"{count(len(rows), 'more attachment')} in the task"
    return _table(rows, title, "Attachments without a synced file, in the task's order", "Name")


def _skipped(view: FolderView) -> Markup | None:
    if not view.skipped:
        return None
    return element(
        "details",
        element("summary", f"{len(view.skipped)} skipped"),
        _list(f"{problem.path} ({problem.reason})" for problem in view.skipped),
    )


def _table(rows: Sequence[Row], title: str, caption: str, what: str) -> Markup:
    shown = _first(rows)
    if len(shown) < len(rows):
        caption += f"; {len(rows) - len(shown)} more are not shown (`syncd list` shows all)"
    columns = (
        ("#" if any(row.is_placed for row in rows) else "", "place wide"),
        (what, None),
        ("State", "state"),
        ("Size", "number wide"),
        ("Attachment", "number wide"),
    )
    found = table(caption, columns, (_row(place, row) for place, row in shown))
    is_open = "" if len(shown) <= _OPEN else None
    return element("details", element("summary", title), found, open=is_open)


def _first(rows: Sequence[Row]) -> list[tuple[int, Row]]:
    """At most MAX_ROWS with their places: those that are not in sync, then the first ones."""
    numbered = list(enumerate(rows, 1))
    if len(numbered) <= MAX_ROWS:
        return numbered
    chosen = sorted(numbered, key=lambda pair: pair[1].look == "ok")[:MAX_ROWS]
    return sorted(chosen, key=lambda pair: pair[0])


def _row(place: int, row: Row) -> Markup:
    note = element("small", row.note) if row.note else None
    size = "" if row.size is None else size_text(row.size)
    return element(
        "tr",
        element("td", str(place) if row.is_placed else "", class_="place wide"),
        element("th", element("bdi", row.name), note, scope="row"),
        element("td", chip(row.kind, row.look)),
        element("td", size, class_="number wide"),
        element("td", "" if row.attachment is None else str(row.attachment), class_="number wide"),
    )
