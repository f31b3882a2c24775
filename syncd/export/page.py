"""The page for a browser: one file, no network, no script."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterator, Sequence
from hashlib import sha256

from syncd import __version__
from syncd.export.elements import Markup, element, table, together
from syncd.export.folder_section import LOOKS, chip
from syncd.export.timeline import timeline
from syncd.export.times import moment, stamp
from syncd.export.view import Look, PageView, QuotaView
from syncd.model import LoggedAction
from syncd.overview.status import FolderStatus
from syncd.overview.words import count
from syncd.packaged_files import packaged

_CSS = packaged("page.css")
_STYLE_HASH = b64encode(sha256(_CSS.encode()).digest()).decode()
_POLICY = (
    f"default-src 'none'; style-src 'sha256-{_STYLE_HASH}'; img-src data:; base-uri 'none'; "
    "form-action 'none'"
)
"""Nothing is loaded, nothing runs; `data:` is the icon."""
_COLOURS: dict[Look, str] = {"ok": "1a8f4d", "todo": "2f6fc4", "warn": "c27c0e", "bad": "c62334"}


def page(view: PageView, sections: Sequence[Markup]) -> str:
    """The whole document; `sections`: one a folder."""
    title, look = _headline(view.folders)
    body = element(
        "body",
        element("a", "Skip to the folders", href="#folders", class_="skip"),
        _header(view, title),
        element(
            "main",
            _notes(view.notes),
            _overview(view) if len(view.folders) > 1 else None,
            *_timelines(view),
            element("div", *sections, id="folders", tabindex=-1),
            _history(view),
        ),
        _footer(view),
    )
    head = element(
        "head",
        element("meta", charset="utf-8"),
        element("meta", http_equiv="Content-Security-Policy", content=_POLICY),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("meta", name="referrer", content="no-referrer"),
        element("meta", name="color-scheme", content="light dark"),
        None
        if view.refresh is None
        else element("meta", http_equiv="refresh", content=view.refresh),
        element("title", f"{title} – syncd"),
        element("link", rel="icon", href=_icon(look)),
        element("style", Markup(_CSS)),
    )
    return f"<!DOCTYPE html>\n{element('html', head, body, lang='en')}\n"


def _headline(folders: Sequence[FolderStatus]) -> tuple[str, Look]:
    """How all folders stand, in words."""
    number = len(folders)
    troubled = [f for f in folders if f.exit_code and f.state in ("held", "error")]
    waiting = [f for f in folders if f.state != "in sync"]
    if not folders:
        return "There is no folder to sync yet", "todo"
    if troubled:
        look: Look = "bad" if any(f.state == "error" for f in troubled) else "warn"
        needs = "needs" if len(troubled) == 1 else "need"
        if number == 1:
            return "The folder needs you", look
        return f"{len(troubled)} of {number} folders {needs} you", look
    if waiting:
        if number == 1:
            return "The folder is not in sync yet", "todo"
        are = "is" if len(waiting) == 1 else "are"
        return f"{len(waiting)} of {number} folders {are} not in sync yet", "todo"
    return ("The folder is in sync" if number == 1 else f"All {number} folders are in sync"), "ok"


def _icon(look: Look) -> str:
    dot = f'<circle cx="8" cy="8" r="7" fill="#{_COLOURS[look]}"/>'
    svg = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 16 16">{dot}</svg>'
    return f"data:image/svg+xml;base64,{b64encode(svg.encode()).decode()}"


def _header(view: PageView, title: str) -> Markup:
    service = "No service is running." if view.pid is None else "The service is running."
    again = None
    if view.refresh is not None:
        again = (
            f" This page loads itself again every {view.refresh} s; "
            "`syncd status --html FILE` makes one that stands still."
        )
    return element(
        "header",
        element("p", "syncd", class_="brand"),
        element("h1", title),
        element("p", f"{service} As of ", stamp(view.made_at), ".", again, class_="soft"),
    )


def _notes(notes: Sequence[str]) -> Markup | None:
    if not notes:
        return None
    items = (element("p", note, class_="note warn") for note in notes)
    heading = element("h2", "To know", id="notes")
    return element("section", heading, *items, aria_labelledby="notes")


def _overview(view: PageView) -> Markup:
    rows = [
        element(
            "tr",
            element(
                "th",
                element("a", f.name, href=f"#{anchor(n)}"),
                element("small", f.reason) if f.reason else None,
                scope="row",
            ),
            element("td", chip(f.state, LOOKS[f.state])),
            element("td", moment(f.last_cycle, view.made_at), class_="time"),
            element("td", moment(f.next_cycle, view.made_at), class_="time wide"),
        )
        for n, f in enumerate(view.folders)
    ]
    columns = (
        ("Folder", None),
        ("State", "state"),
        ("Last cycle", "when"),
        ("Next cycle", "when wide"),
    )
    return element(
        "section",
        element("h2", "Folders", id="overview"),
        table(count(len(rows), "folder"), columns, rows),
        aria_labelledby="overview",
    )


def anchor(number: int) -> str:
    """The id of a folder's heading."""
    return f"folder-{number + 1}"


def _timelines(view: PageView) -> Iterator[Markup]:
    for quota in view.quotas:
        id_ = f"day-{quota.organization}"
        title = "The last day"
        if len(view.quotas) > 1:
            title += f", organization {quota.organization}"
        cycles = [
            (name, cycle)
            for task, name, cycle in view.cycles
            if task.organization_id == quota.organization
        ]
        yield element(
            "section",
            element("h2", title, id=id_),
            element("p", _quota_text(quota), _resets(quota, view.made_at)),
            timeline(quota, cycles, view.made_at),
            aria_labelledby=id_,
        )


def _quota_text(quota: QuotaView) -> str:
    if quota.left is None:
        return f"How many requests are left is not known; {quota.limit} an hour are assumed."
    return f"{quota.left} of {count(quota.limit, 'request')} an hour are left."


def _resets(quota: QuotaView, now: float) -> Markup | None:
    if quota.resets_at is None or quota.resets_at <= now:
        return None
    return together(" The quota is renewed at ", moment(quota.resets_at, now), ".")


def _history(view: PageView) -> Markup:
    rows = [_history_row(action, view.made_at) for action in view.actions]
    columns = (
        ("When", "when"),
        ("Done", "state"),
        ("File", None),
        ("Requests left", "number wide"),
    )
    caption = "The last actions, newest first; `syncd log` shows more"
    found = table(caption, columns, rows) if rows else element("p", "Nothing yet.", class_="soft")
    return element(
        "section",
        element("h2", "What was done", id="history"),
        found,
        aria_labelledby="history",
    )


def _history_row(action: LoggedAction, now: float) -> Markup:
    left = "" if action.quota_left is None else str(action.quota_left)
    about = element("small", f"{action.folder}: {action.reason}")
    return element(
        "tr",
        element("td", moment(action.at, now), class_="time"),
        element("td", action.action),
        element("th", element("bdi", action.name), about, scope="row"),
        element("td", left, class_="number wide"),
    )


def _footer(view: PageView) -> Markup:
    return element("footer", element("p", f"Written by syncd {__version__} from {view.config}."))
