"""The tasks of a workspace; the sandbox has the same few in each."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from syncd.sandbox.messages import Response, Task, invalid, json_response
from syncd.sandbox.storage import Store

MAX_PAGE = 100
_SAMPLES = {
    789: ("Landing page", "Website", "Acme"),
    790: ("Newsletter, December", "Website", "Acme"),
    791: ("Logo", "Brand", "Acme"),
    792: ("Übersetzung 日本語", "Brand", "Müller & Töchter"),
    793: ("Invoices", None, None),
}
"""Name, project and client by id."""


def stream(store: Store, task: Task) -> Response:
    """200 with all tasks of the workspace in a list."""
    return json_response(200, _tasks(store, task))


def page(store: Store, task: Task, query: Mapping[str, str]) -> Response:
    """200 with one page of them."""
    number, size = _whole(query, "page", "Page"), _whole(query, "per_page", "PerPage")
    if size > MAX_PAGE:
        raise invalid("Pagination.PerPage", "max")
    wanted = query.get("name", "").casefold()
    found = [row for row in _tasks(store, task) if wanted in " ".join(_texts(row)).casefold()]
    rows = found[(number - 1) * size : number * size]
    return json_response(200, {"page": number, "per_page": size, "data": rows, "total": len(found)})


def _tasks(store: Store, task: Task) -> list[dict[str, Any]]:
    """The samples, and every other task that holds attachments."""
    others = {key[2] for key in store.tasks if key[:2] == task[:2]} - _SAMPLES.keys()
    known = {**_SAMPLES, **{id_: (f"Task {id_}", None, None) for id_ in sorted(others)}}
    return [
        {"id": id_, "name": name, "project": _named(project), "client": _named(client)}
        for id_, (name, project, client) in known.items()
    ]


def _named(name: str | None) -> dict[str, str] | None:
    return None if name is None else {"name": name}


def _texts(row: Mapping[str, Any]) -> list[str]:
    named = (row[key]["name"] for key in ("project", "client") if row[key] is not None)
    return [row["name"], *named]


def _whole(query: Mapping[str, str], key: str, name: str) -> int:
    text = query.get(key, "")
    if not (text.isascii() and text.isdigit() and int(text)):
        raise invalid(f"Pagination.{name}", "min")
    return int(text)
