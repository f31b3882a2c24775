"""The six calls of the attachments API, without quota; a 201 has no body, as documented."""

from __future__ import annotations

import json
import re
from time import gmtime, strftime

from benchmarks.contents import NAME, text
from benchmarks.messages import Reply, Request, Tally, reply

_JSON = b"Content-Type: application/json\r\n"
_NAME = re.compile(rb'; name="([^"]*)"')
_BOUNDARY = re.compile(rb'boundary="?([^";]+)')


class Attachments:
    def __init__(self, tally: Tally) -> None:
        self._tally = tally
        self._tasks: dict[str, dict[int, dict[str, object]]] = {}
        """By the path of a task's attachments, then by id."""
        self._lists: dict[str, bytes] = {}
        """Lists that were sent and still hold."""
        self._last_id = 0

    def answer(self, request: Request) -> Reply:
        base, _, rest = request.path.partition("/attachments")
        if request.method == "GET":
            return self._view(base, int(rest.split("/")[1])) if rest else self._list(base)
        self._lists.pop(base, None)
        if request.method == "POST":
            self._tally.upload_began = request.began
            return self._create(base, request)
        return self._change(base, int(rest[1:]), request)

    def benchmark(self, request: Request) -> Reply:
        """`GET /_/tally`, or `POST /_/seed`: a task that holds `files` attachments already."""
        if request.path == "/_/seed":
            wanted = json.loads(request.body)
            for number in range(1, wanted["files"] + 1):
                name, size = NAME.format(number), len(text(number))
                self._add(wanted["base"], name, number * 100, size)
        return reply(200, json.dumps(self._tally.__dict__).encode(), _JSON)

    def _list(self, base: str) -> Reply:
        if base not in self._lists:
            items = list(self._tasks.get(base, {}).values())
            self._lists[base] = json.dumps({"items": items}).encode()
        return reply(200, self._lists[base], _JSON)

    def _view(self, base: str, number: int) -> Reply:
        row = self._tasks.get(base, {}).get(number)
        return reply(200, json.dumps(row).encode(), _JSON) if row else reply(404)

    def _change(self, base: str, number: int, request: Request) -> Reply:
        rows = self._tasks.get(base, {})
        if number not in rows:
            return reply(404)
        if request.method == "DELETE":
            del rows[number]
        else:
            rows[number] |= json.loads(request.body)
        return reply(204)

    def _create(self, base: str, request: Request) -> Reply:
        fields, sizes = _form(request)
        bulk = request.path.endswith("/bulk")
        for index, size in enumerate(sizes):
            name = fields[f"names[{index}]" if bulk else "name"]
            order = fields[f"display_orders[{index}]" if bulk else "display_order"]
            self._add(base, name, int(order), size)
        return reply(201)

    def _add(self, base: str, name: str, order: int, size: int) -> None:
        self._last_id += 1
        now = strftime("%Y-%m-%dT%H:%M:%SZ", gmtime())
        self._tasks.setdefault(base, {})[self._last_id] = {
            "id": self._last_id,
            "task_id": int(base.rpartition("/")[2]),
            "name": name,
            "display_order": order,
            "mime_type": "application/octet-stream",
            "size": size,
            "created_at": now,
            "updated_at": now,
            "deleted_at": None,
        }


def _form(request: Request) -> tuple[dict[str, str], list[int]]:
    """Text fields by name, and the sizes of the files in their order.

    Of a body that was not kept whole, the file must be the last part.
    """
    found = _BOUNDARY.search(request.header("content-type"))
    if not found:
        raise ValueError("no boundary")
    mark = b"--" + found[1]
    fields: dict[str, str] = {}
    sizes: list[int] = []
    cut = request.length - len(request.body)
    for part in request.body.split(mark)[1:]:
        head, blank, content = part.partition(b"\r\n\r\n")
        name = _NAME.search(head)
        if not blank or not name:
            continue  # What follows the last boundary.
        if b"filename" in head:
            sizes.append(len(content) - 2)
        else:
            fields[name[1].decode()] = content[:-2].decode()
    if cut:
        sizes[-1] += cut - len(mark) - len("--\r\n")
    return fields, sizes
