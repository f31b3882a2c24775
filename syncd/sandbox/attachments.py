"""The six calls on a task's attachments."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from syncd.sandbox.body_parser import Form, FormFile
from syncd.sandbox.messages import HttpError, Response, Task, invalid, json_response, not_found
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


class Attachments:
    """Every call raises HttpError if it is refused; `now` is seconds since the epoch."""

    def __init__(self, store: Store) -> None:
        self.store = store

    def list(self, task: Task, now: float) -> Response:  # noqa: ARG002
        """200 with `{"items": […]}` in the order of the ids."""
        return json_response(200, {"items": [self.public(r) for r in self.store.live(task)]})

    def view(self, task: Task, row_id: int) -> Response:
        """200 with the attachment, also with a deleted one."""
        row = self.store.tasks.get(task, {}).get(row_id)
        if row is None:
            raise not_found()
        return json_response(200, self.public(row))

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
        self.write(task, [replace(row, name=name, display_order=order, updated_at=now)], now)
        return Response(204)

    def delete(self, task: Task, row_id: int, now: float) -> Response:
        """204; the row stays, with deleted_at set."""
        self.write(task, [replace(self._live(task, row_id), deleted_at=now)], now)
        return Response(204)

    def create(self, task: Task, query: Pairs, form: Form, now: float) -> Response:
        """201 for `file`, `name` and `display_order`."""
        files = [file for file in form.files if file.field == "file"]
        if len(files) != 1:
            raise invalid("file")
        get = self.parameters(query, form).get
        new = _New(get("name") or files[0].filename, _order(get, "display_order"), files[0])
        return self.created(self._make(task, [new], now), single=True)

    def create_bulk(self, task: Task, query: Pairs, form: Form, now: float) -> Response:
        """201 for `files[]`, `names[i]` and `display_orders[i]`; all or none are created."""
        files = _bulk_files(form)
        if not files:
            raise invalid("files")
        if len(files) > MAX_BULK:
            raise invalid("files", "max")
        get = self.parameters(query, form).get
        new = [
            _New(get(f"names[{i}]") or file.filename, _order(get, f"display_orders[{i}]"), file)
            for i, file in enumerate(files)
        ]
        return self.created(self._make(task, new, now), single=False)

    def public(self, row: Row) -> dict[str, Any]:
        """The attachment object of the API."""
        return {
            "id": row.id,
            "task_id": row.task[2],
            "name": row.name,
            "display_order": row.display_order,
            "mime_type": row.mime_type,
            "size": row.size,
            "created_at": self.time(row.created_at),
            "updated_at": self.time(row.updated_at),
            "deleted_at": None if row.deleted_at is None else self.time(row.deleted_at),
        }

    def parameters(self, query: Pairs, form: Form) -> dict[str, str]:
        """The parameters of a create: query or form, and the query wins."""
        return {**dict(form.fields), **dict(query)}

    def write(self, task: Task, rows: Sequence[Row], now: float) -> None:  # noqa: ARG002
        """Store new or changed rows, all or none of them."""
        self.store.write(task, rows)

    def created(self, rows: Sequence[Row], *, single: bool) -> Response:  # noqa: ARG002
        """201 without a body: ids are not documented."""
        return Response(201)

    def time(self, seconds: float) -> str:
        """A time as the API shows it."""
        return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")

    def _live(self, task: Task, row_id: int) -> Row:
        row = self.store.tasks.get(task, {}).get(row_id)
        if row is None or row.deleted_at is not None:
            raise not_found()
        return row

    def _make(self, task: Task, new: Sequence[_New], now: float) -> Sequence[Row]:
        rows = [
            self.store.new_row(
                task, n.name, n.order, (n.file.mime_type, n.file.size, n.file.sha256), now
            )
            for n in new
        ]
        self.write(task, rows, now)
        return [self.store.tasks[task][row.id] for row in rows]


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
