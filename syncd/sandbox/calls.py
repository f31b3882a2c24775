"""The six calls on a task's attachments, as far as they concern rows and quirks."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from syncd.sandbox.forms import Form, FormFile
from syncd.sandbox.gate import task_is_gone
from syncd.sandbox.quirks import Quirks
from syncd.sandbox.storage import Row, Store
from syncd.sandbox.wire import Refusal, Response, Task, invalid, json_response, missing

Pairs = Sequence[tuple[str, str]]
_BULK_FIELD = re.compile(r"files\[([0-9]{0,4})\]")


@dataclass(frozen=True)
class New:
    """One attachment about to be made."""

    name: str
    order: int
    file: FormFile


@dataclass
class Calls:
    """Carries out one call at the time `now`; refuses with `Refusal`."""

    store: Store
    quirks: Quirks

    def listing(self, task: Task, now: float) -> Response:
        """200 with `{"items": […]}` by id, as of `list_lag` seconds ago."""
        quirks = self.quirks
        if quirks.list_body is not None:
            return Response(200, {"Content-Type": quirks.list_content_type}, quirks.list_body())
        rows = self.store.seen(task, now, quirks.list_lag)
        shown = [row for row in rows if quirks.list_deleted or row.deleted_at is None]
        if task_is_gone(task, quirks):
            shown = []
        answer = json_response(200, {"items": [self.public(row) for row in shown]})
        answer.headers["Content-Type"] = quirks.list_content_type
        return answer

    def view(self, task: Task, row_id: int) -> Response:
        """200 with the attachment; a deleted one as `view_soft_deleted` says."""
        row = self.store.tasks.get(task, {}).get(row_id)
        if row is None or (row.deleted_at is not None and not self.quirks.view_soft_deleted):
            raise missing()
        return json_response(200, self.public(row))

    def update(self, task: Task, row_id: int, body: Any, now: float) -> Response:
        """204; the body must carry both `name` and `display_order`."""
        row = self._live(task, row_id)
        if not isinstance(body, dict):
            raise Refusal(400, "validation", "the body is not a JSON object")
        name, order = body.get("name"), body.get("display_order")
        if not isinstance(name, str) or not name:
            raise invalid("name")
        if not isinstance(order, int) or isinstance(order, bool):
            raise invalid("display_order")
        self._check_order(order, "display_order")
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
        """201 from `file`, `name` and `display_order`."""
        files = [file for file in form.files if file.field == "file"]
        if len(files) != 1:
            raise invalid("file")
        given = self._given(query, form)
        new = New(given("name") or files[0].filename, self._order(given, "display_order"), files[0])
        made = self._make(task, [new], now)
        return self._created(made, single=True)

    def create_bulk(self, task: Task, query: Pairs, form: Form, now: float) -> Response:
        """201 from `files[]`, `names[i]` and `display_orders[i]`; all or nothing."""
        files = _bulk_files(form)
        if not files:
            raise invalid("files")
        if len(files) > self.quirks.max_bulk:
            raise invalid("files", "max")
        given = self._given(query, form)
        new = [
            New(
                given(f"names[{index}]") or file.filename,
                self._order(given, f"display_orders[{index}]"),
                file,
            )
            for index, file in enumerate(files)
        ]
        return self._created(self._make(task, new, now), single=False)

    def public(self, row: Row) -> dict[str, Any]:
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
            raise missing()
        return row

    def _given(self, query: Pairs, form: Form) -> Callable[[str], str | None]:
        """Looks a parameter up where `params` says; with both, the query wins."""
        known: dict[str, str] = {}
        if self.quirks.params != "query":
            known.update(form.fields)
        if self.quirks.params != "form":
            known.update(query)
        return known.get

    def _order(self, given: Callable[[str], str | None], key: str) -> int:
        text = given(key)
        if text is None or text == "":
            raise invalid(key)
        try:
            order = int(text)
        except ValueError:
            raise invalid(key, "number") from None
        self._check_order(order, key)
        return order

    def _check_order(self, order: int, key: str) -> None:
        if not 0 <= order <= self.quirks.order_limit:
            raise invalid(key, "max")

    def _stored_name(self, name: str, taken: set[str]) -> str:
        """The name as this server keeps it among the others of the task."""
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

    def _make(self, task: Task, new: list[New], now: float) -> list[Row]:
        """Make all of them or, by raising before the first write, none."""
        quirks = self.quirks
        live = self.store.live(task)
        taken = {row.name for row in live}
        last = max((row.display_order for row in live), default=0)
        stored: list[tuple[str, int, FormFile]] = []
        for number, item in enumerate(new, 1):
            if quirks.max_file_size is not None and item.file.size > quirks.max_file_size:
                raise Refusal(413, "too_large", "the file is too large")
            if quirks.poison is not None and quirks.poison(item.name):
                raise Refusal(quirks.poison_status, "validation", "the file could not be processed")
            name = self._stored_name(item.name, taken)
            taken.add(name)
            order = last + number if quirks.orders == "ignored" else item.order
            stored.append((name, order, item.file))
        rows = [
            Row(
                id=self.store.take_id(),
                task=task,
                name=name,
                display_order=order,
                mime_type=file.mime_type,
                size=file.size,
                sha256=file.sha256,
                created_at=now,
                updated_at=now,
            )
            for name, order, file in stored
        ]
        self._write(task, rows, now)
        return [self.store.tasks[task][row.id] for row in rows]

    def _write(self, task: Task, rows: Sequence[Row], now: float) -> None:
        if self.quirks.orders == "renumbered":
            after = {row.id: row for row in [*self.store.live(task), *rows]}
            live = [row for row in after.values() if row.deleted_at is None]
            live.sort(key=lambda row: (row.display_order, row.id))
            numbered = [replace(row, display_order=n) for n, row in enumerate(live, 1)]
            rows = [*rows, *numbered]
        self.store.write(task, rows, now, self.quirks.list_lag)

    def _created(self, rows: list[Row], *, single: bool) -> Response:
        items: Any = [self.public(row) for row in rows]
        match self.quirks.ids_in_201:
            case "none":
                return Response(201)
            case "items":
                return json_response(201, {"items": items})
            case "object" if single:
                return json_response(201, items[0])
        return json_response(201, items)

    def _time(self, seconds: float) -> str:
        moment = datetime.fromtimestamp(seconds, UTC)
        if self.quirks.created_fraction:
            return moment.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def _bulk_files(form: Form) -> list[FormFile]:
    """The parts `files[]` as they came, or `files[0]`, `files[1]`, … by their index."""
    indexed: list[tuple[int, FormFile]] = []
    for place, file in enumerate(form.files):
        found = _BULK_FIELD.fullmatch(file.field)
        if found:
            indexed.append((int(found[1]) if found[1] else place, file))
    indexed.sort(key=lambda pair: pair[0])
    return [file for _, file in indexed]
