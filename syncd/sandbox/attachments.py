"""The six calls on a task's attachments."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from syncd.sandbox.body_parser import Form, FormFile
from syncd.sandbox.messages import HttpError, Response, Task, invalid, json_response, not_found
from syncd.sandbox.quirks import Quirks
from syncd.sandbox.routes import is_gone
from syncd.sandbox.storage import Row, Store

Pairs = Sequence[tuple[str, str]]
MAX_BULK = 10
"""Files in a bulk create; docs/api.md."""
MAX_ORDER = 2**31 - 1
_BULK_FIELD = re.compile(r"files\[([0-9]{0,4})\]")


@dataclass(frozen=True)
class _New:
    """An attachment to create."""

    name: str
    order: int
    file: FormFile


@dataclass
class Attachments:
    """Every call raises HttpError if it is refused; `now` is seconds since the epoch."""

    store: Store
    quirks: Quirks

    def list(self, task: Task, now: float) -> Response:
        """200 with `{"items": […]}` in the order of the ids."""
        quirks = self.quirks
        if quirks.list_body is not None:
            return Response(200, {"Content-Type": "application/json"}, quirks.list_body())
        rows = [] if is_gone(task, quirks) else self.store.listed(task, now, quirks.list_lag)
        shown = [row for row in rows if quirks.list_deleted or row.deleted_at is None]
        return json_response(200, {"items": [self._public(row) for row in shown]})

    def view(self, task: Task, row_id: int) -> Response:
        """200 with the attachment."""
        row = self.store.tasks.get(task, {}).get(row_id)
        if row is None or (row.deleted_at is not None and not self.quirks.view_soft_deleted):
            raise not_found()
        return json_response(200, self._public(row))

    def update(self, task: Task, row_id: int, body: Any, now: float) -> Response:
        """204; the body must have both `name` and `display_order`."""
        row = self._live(task, row_id)
        if not isinstance(body, dict):
            raise HttpError(400, "validation", "the body is not a JSON object")
        name, order = body.get("name"), body.get("display_order")
        if not isinstance(name, str) or not name:
            raise invalid("name")
        if not isinstance(order, int) or isinstance(order, bool):
            raise invalid("display_order")
        _check_order(order, "display_order")
        others = {other.name for other in self.store.live(task) if other.id != row_id}
        name = self._stored_name(name, others)
        if self.quirks.orders == "ignored":
            order = row.display_order
        changed = replace(row, name=name, display_order=order, updated_at=now)
        self._write(task, [changed], now)
        return Response(204)

    def delete(self, task: Task, row_id: int, now: float) -> Response:
        """204; the row stays, with deleted_at set."""
        self._write(task, [replace(self._live(task, row_id), deleted_at=now)], now)
        return Response(204)

    def create(self, task: Task, query: Pairs, form: Form, now: float) -> Response:
        """201 for `file`, `name` and `display_order`."""
        files = [file for file in form.files if file.field == "file"]
        if len(files) != 1:
            raise invalid("file")
        get = self._parameters(query, form)
        new = _New(get("name") or files[0].filename, _order(get, "display_order"), files[0])
        return self._created(self._make(task, [new], now), single=True)

    def create_bulk(self, task: Task, query: Pairs, form: Form, now: float) -> Response:
        """201 for `files[]`, `names[i]` and `display_orders[i]`; all or none are created."""
        files = _bulk_files(form)
        if not files:
            raise invalid("files")
        if len(files) > MAX_BULK:
            raise invalid("files", "max")
        get = self._parameters(query, form)
        new = [
            _New(get(f"names[{i}]") or file.filename, _order(get, f"display_orders[{i}]"), file)
            for i, file in enumerate(files)
        ]
        return self._created(self._make(task, new, now), single=False)

    def _public(self, row: Row) -> dict[str, Any]:
        """The attachment object of the API."""
        return {
            "id": row.id,
            "task_id": row.task[2],
            "name": row.name,
            "display_order": row.display_order,
            "mime_type": row.mime_type,
            "size": row.size,
            "created_at": self._time(row.created_at),
            "updated_at": self._time(row.updated_at),
            "deleted_at": None if row.deleted_at is None else self._time(row.deleted_at),
        }

    def _live(self, task: Task, row_id: int) -> Row:
        row = self.store.tasks.get(task, {}).get(row_id)
        if row is None or row.deleted_at is not None:
            raise not_found()
        return row

    def _parameters(self, query: Pairs, form: Form) -> Callable[[str], str | None]:
        """A lookup in query and form, as the quirk `params` says."""
        found: dict[str, str] = {}
        if self.quirks.params != "query":
            found.update(form.fields)
        if self.quirks.params != "form":
            found.update(query)
        return found.get

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

    def _make(self, task: Task, new: Sequence[_New], now: float) -> Sequence[Row]:
        """Create all rows, or raise before the first is written."""
        live = self.store.live(task)
        taken = {row.name for row in live}
        last = max((row.display_order for row in live), default=0)
        names: list[str] = []
        for item in new:
            self._check_file(item)
            names.append(self._stored_name(item.name, taken))
            taken.add(names[-1])
        ignored = self.quirks.orders == "ignored"
        rows = [
            self.store.new_row(
                task,
                name,
                last + place if ignored else item.order,
                (item.file.mime_type, item.file.size, item.file.sha256),
                now,
            )
            for place, (name, item) in enumerate(zip(names, new, strict=True), 1)
        ]
        self._write(task, rows, now)
        return [self.store.tasks[task][row.id] for row in rows]

    def _check_file(self, new: _New) -> None:
        quirks = self.quirks
        if quirks.max_file_size is not None and new.file.size > quirks.max_file_size:
            raise HttpError(413, "too_large", "the file is too large")
        if quirks.poison is not None and quirks.poison(new.name):
            raise HttpError(quirks.poison_status, "validation", "the file could not be processed")

    def _write(self, task: Task, rows: Sequence[Row], now: float) -> None:
        if self.quirks.orders == "renumbered":
            after = {row.id: row for row in [*self.store.live(task), *rows]}
            live = [row for row in after.values() if row.deleted_at is None]
            live.sort(key=lambda row: (row.display_order, row.id))
            rows = [*rows, *(replace(row, display_order=n) for n, row in enumerate(live, 1))]
        self.store.write(task, rows, now, self.quirks.list_lag)

    def _created(self, rows: Sequence[Row], *, single: bool) -> Response:
        items: Any = [self._public(row) for row in rows]
        match self.quirks.ids_in_201:
            case "none":
                return Response(201)
            case "items":
                return json_response(201, {"items": items})
            case "object" if single:
                return json_response(201, items[0])
        return json_response(201, items)

    def _time(self, seconds: float) -> str:
        fraction = ".%f" if self.quirks.created_fraction else ""
        return datetime.fromtimestamp(seconds, UTC).strftime(f"%Y-%m-%dT%H:%M:%S{fraction}Z")


def _order(get: Callable[[str], str | None], key: str) -> int:
    text = get(key)
    if not text:
        raise invalid(key)
    try:
        order = int(text)
    except ValueError:
        raise invalid(key, "number") from None
    _check_order(order, key)
    return order


def _check_order(order: int, key: str) -> None:
    if not 0 <= order <= MAX_ORDER:
        raise invalid(key, "max")


def _bulk_files(form: Form) -> list[FormFile]:
    """The parts `files[]` in the order of the body, or `files[0]`, `files[1]`, … by index."""
    indexed: list[tuple[int, FormFile]] = []
    for place, file in enumerate(form.files):
        found = _BULK_FIELD.fullmatch(file.field)
        if found:
            indexed.append((int(found[1]) if found[1] else place, file))
    indexed.sort(key=lambda pair: pair[0])
    return [file for _, file in indexed]
