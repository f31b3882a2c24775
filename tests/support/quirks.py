"""Habits that a server may have where the API's documentation leaves it open (docs/api.md)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, Literal

from syncd.sandbox.attachments import Attachments, Pairs
from syncd.sandbox.body_parser import Form
from syncd.sandbox.messages import HttpError, Response, Task, invalid, json_response, not_found
from syncd.sandbox.storage import Row, Store


@dataclass
class Quirks:
    """May change at any time; the defaults are the least helpful server that the docs allow."""

    key: str | None = None
    """The accepted key; None = any that is not empty."""
    quota: int | None = 30
    """Requests per window and organization; None = no quota and no headers."""
    quota_window: float = 3600.0
    """Seconds."""
    quota_headers: bool = True
    params: Literal["both", "query", "form"] = "both"
    """Where creates read name and display order; with `both` the query wins."""
    ids_in_201: Literal["none", "object", "array", "items"] = "none"
    """The body of a 201; with `object` a bulk create answers an array."""
    rewrite_name: Callable[[str], str] | None = None
    unique_names: Literal[False, "refuse", "suffix"] = False
    name_limit: int | None = None
    """Characters; a longer name gets 400."""
    orders: Literal["kept", "ignored", "renumbered"] = "kept"
    """ignored: the server assigns its own numbers · renumbered: 1 … N after every write."""
    max_file_size: int | None = None
    """Bytes; a larger file gets 413."""
    max_request_size: int | None = None
    """Bytes; a larger body gets 413."""
    poison: Callable[[str], bool] | None = None
    """Names whose files get `poison_status`."""
    poison_status: int = 400
    list_lag: float = 0.0
    """Seconds until the list shows a write; `view` shows it at once."""
    list_deleted: bool = False
    """The list also shows deleted rows, with deleted_at set."""
    list_body: Callable[[], bytes] | None = None
    """Replaces the body of every list."""
    view_soft_deleted: bool = True
    """`view` of a deleted row: 200 with deleted_at set, or 404."""
    task_gone: Literal[None, 400, 403, 404, "empty"] = None
    """The response of a task that is gone; `empty`: an empty list, and 404 for all other calls."""
    gone_tasks: frozenset[int] | None = None
    """Ids of the tasks that are gone while `task_gone` is set; None = all."""
    tasks: Literal["both", "stream", "pages", "none"] = "both"
    """Which lists of a workspace's tasks there are; any other gets 404."""
    tasks_body: Callable[[], bytes] | None = None
    """Replaces the body of both lists of tasks."""
    created_fraction: bool = False
    """Times have microseconds; else whole seconds, rounded down."""


def is_gone(task: Task, quirks: Quirks) -> bool:
    """Whether the quirk `task_gone` applies to this task."""
    applies = quirks.gone_tasks is None or task[2] in quirks.gone_tasks
    return quirks.task_gone is not None and applies


class QuirkyAttachments(Attachments):
    """The six calls as a server with these habits answers them."""

    def __init__(self, store: Store, quirks: Quirks) -> None:
        super().__init__(store)
        self.quirks = quirks
        self._before: dict[Task, list[tuple[float, tuple[Row, ...]]]] = {}
        """For each write that a lagging list does not show yet: its time, and the rows before."""

    def list(self, task: Task, now: float) -> Response:
        quirks = self.quirks
        if quirks.list_body is not None:
            return Response(200, {"Content-Type": "application/json"}, quirks.list_body())
        rows = [] if is_gone(task, quirks) else self._listed(task, now)
        shown = [row for row in rows if quirks.list_deleted or row.deleted_at is None]
        return json_response(200, {"items": [self.public(row) for row in shown]})

    def view(self, task: Task, row_id: int) -> Response:
        row = self.store.tasks.get(task, {}).get(row_id)
        if row is not None and row.deleted_at is not None and not self.quirks.view_soft_deleted:
            raise not_found()
        return super().view(task, row_id)

    def parameters(self, query: Pairs, form: Form) -> dict[str, str]:
        if self.quirks.params == "query":
            return dict(query)
        return (
            dict(form.fields) if self.quirks.params == "form" else super().parameters(query, form)
        )

    def write(self, task: Task, rows: Sequence[Row], now: float) -> None:
        live = {row.id: row for row in self.store.live(task)}
        written_ids = {row.id for row in rows}
        taken = {row.name for row in live.values() if row.id not in written_ids}
        last = max((row.display_order for row in live.values()), default=0)
        written: list[Row] = []
        for place, row in enumerate(rows, 1):
            if row.deleted_at is None:
                before = live.get(row.id)
                self._check(row, is_new=before is None)
                row = replace(row, name=self._stored_name(row.name, taken))
                taken.add(row.name)
                if self.quirks.orders == "ignored":
                    order = last + place if before is None else before.display_order
                    row = replace(row, display_order=order)
            written.append(row)
        if self.quirks.orders == "renumbered":
            after = (live | {row.id: row for row in written}).values()
            left = [row for row in after if row.deleted_at is None]
            left.sort(key=lambda row: (row.display_order, row.id))
            written += [replace(row, display_order=n) for n, row in enumerate(left, 1)]
        self.keep(task, written, now)

    def keep(self, task: Task, rows: Sequence[Row], now: float) -> None:
        """Store rows as they are; the list shows them `list_lag` seconds later."""
        if self.quirks.list_lag > 0:
            self._before.setdefault(task, []).append((now, tuple(self.store.rows(task))))
        self.store.write(task, rows)

    def created(self, rows: Sequence[Row], *, single: bool) -> Response:
        items: Any = [self.public(row) for row in rows]
        match self.quirks.ids_in_201:
            case "none":
                return Response(201)
            case "items":
                return json_response(201, {"items": items})
            case "object" if single:
                return json_response(201, items[0])
        return json_response(201, items)

    def time(self, seconds: float) -> str:
        if not self.quirks.created_fraction:
            return super().time(seconds)
        return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")

    def _listed(self, task: Task, now: float) -> Sequence[Row]:
        """The rows as they were `list_lag` seconds ago."""
        horizon = now - self.quirks.list_lag
        unseen = [entry for entry in self._before.get(task, []) if entry[0] > horizon]
        self._before[task] = unseen
        return list(unseen[0][1]) if unseen else self.store.rows(task)

    def _check(self, row: Row, *, is_new: bool) -> None:
        quirks = self.quirks
        if is_new and quirks.max_file_size is not None and row.size > quirks.max_file_size:
            raise HttpError(413, "too_large", "the file is too large")
        if is_new and quirks.poison is not None and quirks.poison(row.name):
            raise HttpError(quirks.poison_status, "validation", "the file could not be processed")

    def _stored_name(self, name: str, taken: set[str]) -> str:
        """The name that the server stores; `taken` are the other names in the task."""
        quirks = self.quirks
        if quirks.name_limit is not None and len(name) > quirks.name_limit:
            raise invalid("name", "max")
        if quirks.rewrite_name is not None:
            name = quirks.rewrite_name(name)
        if not quirks.unique_names or name not in taken:
            return name
        if quirks.unique_names == "refuse":
            raise invalid("name", "unique")
        number = 1
        while f"{name} ({number})" in taken:
            number += 1
        return f"{name} ({number})"
