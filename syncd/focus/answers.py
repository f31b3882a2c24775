"""What the server says it holds, checked before it is believed."""

from __future__ import annotations

import calendar
import datetime
import json
import re
from collections.abc import Callable, Hashable, Sequence
from typing import Any, NoReturn

from syncd.core.names import form_of
from syncd.errors import Unbelievable
from syncd.focus.sending import Upload
from syncd.focus.transport import Answer
from syncd.focus.verdicts import server_time
from syncd.model import Attachment, Listing

_TIME = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)[Tt ](\d\d):(\d\d):(\d\d)(\.\d+)?([Zz]|[+-]\d\d:\d\d)\Z", re.ASCII
)
_BIG = 2**63
_SURROGATES = re.compile("[\ud800-\udfff]")
_STEADY = 1.5
"""Seconds by which the clocks may differ unnoticed: a Date header has no fractions."""


class _Strange(Exception):
    """A value that the API does not document."""


def listing(answer: Answer, task_id: int, what: str, clock: float) -> Listing:
    """A 200 of the list; anything undocumented in it makes all of it Unbelievable."""
    try:
        found = _parsed(answer.body)
        items = found.get("items") if isinstance(found, dict) else None
        if not isinstance(items, list):
            raise _Strange("it holds no list of items")
        rows = [_row(item, task_id) for item in items]
        if len({row.id for row, _ in rows}) != len(rows):
            raise _Strange("an id occurs twice")
    except _Strange as error:
        raise _unbelievable(what, answer, str(error)) from None
    kept = tuple(row for row, deleted in rows if not deleted)
    return Listing(kept, _skew(answer, clock))


def viewed(answer: Answer, task_id: int, attachment_id: int, what: str) -> Attachment | None:
    """A 200 of view; None = it says that the attachment is deleted."""
    try:
        row, deleted = _row(_parsed(answer.body), task_id)
        if row.id != attachment_id:
            raise _Strange("it speaks of another attachment")
    except _Strange as error:
        raise _unbelievable(what, answer, str(error)) from None
    return None if deleted else row


def created(
    answer: Answer, task_id: int, uploads: Sequence[Upload]
) -> tuple[Attachment, ...] | None:
    """The objects of a 201, in the order of the uploads; None = not there or not clear."""
    if answer.cut:
        return None
    try:
        found = _parsed(answer.body)
        if isinstance(found, dict):
            found = found.get("items", [found])
        if not isinstance(found, list) or len(found) != len(uploads):
            return None
        rows = [_row(item, task_id) for item in found]
    except _Strange:
        return None
    if any(deleted for _, deleted in rows) or len({row.id for row, _ in rows}) != len(rows):
        return None
    return _assigned([row for row, _ in rows], uploads)


def _assigned(
    rows: Sequence[Attachment], uploads: Sequence[Upload]
) -> tuple[Attachment, ...] | None:
    """Rows to uploads: by the strongest marks that name each once, else by their order.

    None if one has the name of another: a server that counts itself may give our numbers to
    others.
    """
    marks: tuple[tuple[Callable[[Upload], Hashable], Callable[[Attachment], Hashable]], ...] = (
        (
            lambda u: (_size(u), u.name, u.display_order),
            lambda r: (r.size, r.name, r.display_order),
        ),
        (lambda u: (_size(u), u.name), lambda r: (r.size, r.name)),
        (lambda u: (_size(u), form_of(u.name)), lambda r: (r.size, form_of(r.name))),
        (lambda u: (_size(u), u.display_order), lambda r: (r.size, r.display_order)),
        (_size, lambda r: r.size),
    )
    for of_upload, of_row in marks:
        by_mark = {of_row(row): row for row in rows}
        wanted = [of_upload(upload) for upload in uploads]
        if len(by_mark) == len(rows) and by_mark.keys() == set(wanted):
            rows = [by_mark[mark] for mark in wanted]
            break
    names = {upload.name for upload in uploads}
    for row, upload in zip(rows, uploads, strict=True):
        stray = row.name != upload.name and row.name in names
        if stray or row.size != _size(upload):
            return None
    return tuple(rows)


def _size(upload: Upload) -> int:
    return upload.fingerprint.size


def _parsed(body: bytes) -> Any:
    def no_number(text: str) -> NoReturn:
        raise _Strange(f"{text} is no JSON")

    try:
        return json.loads(body, parse_constant=no_number)
    except (ValueError, RecursionError):
        raise _Strange("it is no JSON") from None


def _row(item: Any, task_id: int) -> tuple[Attachment, bool]:
    """An attachment, and whether it is deleted."""
    if not isinstance(item, dict):
        raise _Strange("an item is no object")
    if item.get("task_id") is not None and _whole(item, "task_id") != task_id:
        raise _Strange("an item belongs to another task")
    identity, size = _whole(item, "id"), _whole(item, "size")
    if identity <= 0 or size < 0:
        raise _Strange("an id or a size is out of range")
    name = item.get("name")
    if not isinstance(name, str):
        raise _Strange("a name is missing or no text")
    mime_type, made = item.get("mime_type"), item.get("created_at")
    created_at, has_fraction = _moment(made) or (None, True)
    row = Attachment(
        id=identity,
        name=_SURROGATES.sub("\ufffd", name),
        display_order=_whole(item, "display_order", integral=True),
        size=size,
        mime_type=mime_type if isinstance(mime_type, str) else "",
        created_at=created_at,
        created_whole_second=not has_fraction,
    )
    return row, _is_deleted(item.get("deleted_at"))


def _whole(item: dict[str, Any], key: str, *, integral: bool = False) -> int:
    value = item.get(key)
    if integral and isinstance(value, float) and value.is_integer():
        value = int(value)
    if not isinstance(value, int) or isinstance(value, bool) or not -_BIG <= value < _BIG:
        raise _Strange(f"{key} is missing or no whole number")
    return value


def _is_deleted(value: Any) -> bool:
    """A deletion is believed only with a time: an empty text may be a sloppy null."""
    if value is None:
        return False
    moment = _moment(value)
    if moment is None or moment[0] <= 0:
        raise _Strange("deleted_at is neither null nor a time")
    return True


def _moment(value: Any) -> tuple[float, bool] | None:
    """An RFC 3339 time in seconds since the epoch, and whether it has a fraction."""
    match = _TIME.match(value) if isinstance(value, str) else None
    if match is None:
        return None
    try:
        moment = datetime.datetime(*(int(part) for part in match.groups()[:6]))  # type: ignore[arg-type]
    except ValueError:
        return None
    seconds = calendar.timegm(moment.timetuple()) + float(match[7] or 0)
    zone = match[8]
    if zone not in "Zz":
        offset = int(zone[1:3]) * 3600 + int(zone[4:6]) * 60
        seconds += offset if zone[0] == "-" else -offset
    return seconds, match[7] is not None


def _skew(answer: Answer, clock: float) -> float:
    date = server_time(answer)
    if date is None:
        return 0.0
    skew = date + 0.5 - clock
    return 0.0 if abs(skew) <= _STEADY else skew


def _unbelievable(what: str, answer: Answer, reason: str) -> Unbelievable:
    message = f"{what}: the answer is not what the API documents"
    return Unbelievable(message, status=answer.status, description=reason)
