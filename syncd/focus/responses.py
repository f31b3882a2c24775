"""Parse the bodies of list, view and create responses; docs/api.md describes their fields."""

from __future__ import annotations

import datetime
import json
import re
from collections.abc import Sequence
from operator import itemgetter
from typing import Any, NoReturn

from syncd.errors import InvalidResponse
from syncd.focus.headers import server_time
from syncd.focus.transport import Response
from syncd.focus.uploads import Upload
from syncd.model import Attachment, Listing

_TIME = re.compile(
    r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(?:\.\d+)?(?:[Zz]|[+-]\d\d:\d\d)\Z", re.ASCII
)
_INT64 = 2**63
_SURROGATES = re.compile("[\ud800-\udfff]")
_MIN_SKEW = 1.5
"""Seconds; a smaller difference of the clocks is ignored: Date headers have whole seconds."""


class _Undocumented(Exception):
    """A value that the API does not document."""


def parse_list(response: Response, task_id: int, call: str, clock: float) -> Listing:
    """The attachments that are not deleted, and the clock skew against `clock` (epoch seconds).

    Raises InvalidResponse if any part of the body is undocumented: a list that cannot be trusted
    in one row is not used at all.
    """
    try:
        body = _json(response.body)
        items = body.get("items") if isinstance(body, dict) else None
        if not isinstance(items, list):
            raise _Undocumented("it holds no list of items")
        rows = [_attachment(item, task_id) for item in items]
        if len({row.id for row, _ in rows}) != len(rows):
            raise _Undocumented("an id occurs twice")
    except _Undocumented as error:
        raise _invalid(call, response, error) from None
    return Listing(tuple(row for row, deleted in rows if not deleted), _skew(response, clock))


def parse_view(
    response: Response, task_id: int, attachment_id: int, call: str
) -> Attachment | None:
    """The attachment; None = it is deleted. Raises InvalidResponse."""
    try:
        row, deleted = _attachment(_json(response.body), task_id)
        if row.id != attachment_id:
            raise _Undocumented("it describes another attachment")
    except _Undocumented as error:
        raise _invalid(call, response, error) from None
    return None if deleted else row


def parse_created(
    response: Response, task_id: int, uploads: Sequence[Upload]
) -> tuple[Attachment, ...] | None:
    """The attachments of a 201 in the order of the uploads.

    None if the body does not identify all of them: the API documents no body for a 201, so
    anything may be there (one object, an array, or `{"items": […]}` have been proposed).
    """
    if response.incomplete:
        return None
    try:
        items = _json(response.body)
        if isinstance(items, dict):
            items = items.get("items", [items])
        if not isinstance(items, list) or len(items) != len(uploads):
            return None
        rows = [_attachment(item, task_id) for item in items]
    except _Undocumented:
        return None
    if any(deleted for _, deleted in rows) or len({row.id for row, _ in rows}) != len(rows):
        return None
    return _in_upload_order([row for row, _ in rows], uploads)


def _in_upload_order(
    rows: Sequence[Attachment], uploads: Sequence[Upload]
) -> tuple[Attachment, ...] | None:
    """Match rows to uploads by size and name, else size and display order, else size.

    The server may rewrite names or orders. None if nothing identifies every row, or if a row
    carries the name of another upload.
    """
    facts = [(row.size, row.name, row.display_order) for row in rows]
    wanted = [(u.fingerprint.size, u.name, u.display_order) for u in uploads]
    names = {upload.name for upload in uploads}
    for key in (itemgetter(0, 1), itemgetter(0, 2), itemgetter(0)):
        by_key = {key(fact): row for fact, row in zip(facts, rows, strict=True)}
        if len(by_key) == len(rows) and by_key.keys() == set(map(key, wanted)):
            found = tuple(by_key[key(fact)] for fact in wanted)
            pairs = zip(found, uploads, strict=True)
            swapped = any(row.name != u.name and row.name in names for row, u in pairs)
            return None if swapped else found
    return None


def _json(body: bytes) -> Any:
    def no_constant(text: str) -> NoReturn:  # NaN and Infinity, which json accepts
        raise _Undocumented(f"{text} is no JSON")

    try:
        return json.loads(body, parse_constant=no_constant)
    except (ValueError, RecursionError):
        raise _Undocumented("it is no JSON") from None


def _attachment(item: Any, task_id: int) -> tuple[Attachment, bool]:
    """An attachment, and whether it is deleted."""
    if not isinstance(item, dict):
        raise _Undocumented("an item is no object")
    if item.get("task_id") is not None and _integer(item, "task_id") != task_id:
        raise _Undocumented("an item belongs to another task")
    identity, size = _integer(item, "id"), _integer(item, "size")
    if identity <= 0 or size < 0:
        raise _Undocumented("an id or a size is out of range")
    name = item.get("name")
    if not isinstance(name, str):
        raise _Undocumented("a name is missing or no text")
    created_at, has_fraction = _time(item.get("created_at")) or (None, True)
    row = Attachment(
        identity,
        name if name.isascii() else _SURROGATES.sub("\ufffd", name),
        _integer(item, "display_order", integral=True),
        size,
        created_at,
        not has_fraction,
    )
    return row, _is_deleted(item.get("deleted_at"))


def _integer(item: dict[str, Any], key: str, *, integral: bool = False) -> int:
    """`integral` accepts 7.0 too: the API documents display_order as a number."""
    value = item.get(key)
    if type(value) is int and -_INT64 <= value < _INT64:  # a bool is an instance of int
        return value
    if integral and isinstance(value, float) and value.is_integer():
        return _integer({key: int(value)}, key)
    raise _Undocumented(f"{key} is missing or no whole number")


def _is_deleted(value: Any) -> bool:
    """Whether deleted_at is a time; null is not deleted, anything else is undocumented."""
    if value is None:
        return False
    moment = _time(value)
    if moment is None or moment[0] <= 0:
        raise _Undocumented("deleted_at is neither null nor a time")
    return True


def _time(value: Any) -> tuple[float, bool] | None:
    """An RFC 3339 time in seconds since the epoch, and whether it has a fraction."""
    if not isinstance(value, str) or not _TIME.match(value):
        return None
    try:
        return datetime.datetime.fromisoformat(value.upper()).timestamp(), "." in value
    except ValueError:
        return None


def _skew(response: Response, clock: float) -> float:
    date = server_time(response)
    if date is None:
        return 0.0
    skew = date + 0.5 - clock
    return 0.0 if abs(skew) <= _MIN_SKEW else skew


def _invalid(call: str, response: Response, reason: _Undocumented) -> InvalidResponse:
    message = f"{call}: the answer is not what the API documents"
    return InvalidResponse(message, status=response.status, description=str(reason))
