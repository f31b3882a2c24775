"""List and view: documented bodies are parsed, all others are errors."""

from __future__ import annotations

import json
from typing import Any

import pytest
from test_focus_server import Talk, answering, reply

from syncd.errors import (
    InvalidResponse,
    TaskRefused,
)
from syncd.model import Attachment

PATH = "/organizations/1/workspaces/2/tasks/3/attachments"


def row(**changes: Any) -> dict[str, Any]:
    base = {
        "id": 5,
        "task_id": 3,
        "name": "a.png",
        "display_order": 100,
        "mime_type": "image/png",
        "size": 4,
        "created_at": "2026-01-02T03:04:05Z",
        "updated_at": "2026-01-02T03:04:05Z",
        "deleted_at": None,
    }
    return {key: value for key, value in {**base, **changes}.items() if value is not ...}


def items(*rows: Any) -> bytes:
    return json.dumps({"items": list(rows)}).encode()


def listed(body: bytes, *headers: str, **options: Any) -> Any:
    with answering(reply(200, body, *headers)) as server:
        talk = Talk(f"{server.url}/api", **options)
        listing = talk.client.list(talk.task)
    assert [head.split(b"\r\n")[0] for head in server.heads] == [
        f"GET /api{PATH} HTTP/1.1".encode()
    ]
    return listing


def test_a_list_is_one_get_without_parameters() -> None:
    (attachment,) = listed(items(row())).attachments
    assert attachment == Attachment(5, "a.png", 100, 4, 1767323045.0, True)


def test_deleted_rows_are_not_in_the_listing() -> None:
    gone = row(id=6, deleted_at="2026-01-02T03:04:05Z")
    assert [a.id for a in listed(items(row(), gone)).attachments] == [5]
    assert listed(items()).attachments == ()


@pytest.mark.parametrize(
    ("text", "seconds", "whole"),
    [
        ("2026-01-02T03:04:05.25Z", 1767323045.25, False),
        ("2026-01-02T04:04:05+01:00", 1767323045.0, True),
        ("2026-01-02T03:04:05.123456789Z", 1767323045.123456789, False),
        ("yesterday", None, False),
        ("2026-13-02T03:04:05Z", None, False),
        (17, None, False),
        (..., None, False),
    ],
)
def test_an_unreadable_creation_time_is_none(text: Any, seconds: float | None, whole: bool) -> None:
    (attachment,) = listed(items(row(created_at=text))).attachments
    assert attachment.created_at == pytest.approx(seconds)
    assert attachment.created_whole_second == whole


def test_optional_fields_may_be_missing_and_an_order_may_be_a_float() -> None:
    odd = row(task_id=..., mime_type=..., deleted_at=..., display_order=7.0, name="\ud800x")
    (attachment,) = listed(items(odd)).attachments
    assert attachment.display_order == 7
    assert attachment.name == "\ufffdx"


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>Please log in</html>",
        b"{}",
        b"[]",
        b"null",
        b'{"items": null}',
        b'{"items": {}}',
        b'{"items": [1]}',
        b'{"items": [',
        b'{"items": [], "x": NaN}',
        b"[" * 200_000,
        b"\xff\xfe\xfa",
        b'{"items": [{"id": ' + b"9" * 5000 + b"}]}",
        items(row(), row()),
        items(row(), row(deleted_at="2026-01-02T03:04:05Z")),
        *(
            items(row(**{key: value}))
            for key, values in {
                "id": (0, -1, True, "5", 5.0, None, 2**63, ...),
                "task_id": (4, "3", True),
                "name": (None, 5, ...),
                "display_order": ("1", 1.5, None, True, 1e300, ...),
                "size": (-1, "4", 4.0, True, None, 2**63, ...),
                "deleted_at": (False, 0, "", "x", "0001-01-01T00:00:00Z"),
            }.items()
            for value in values
        ),
    ],
)
def test_a_list_with_anything_undocumented_is_invalid(body: bytes) -> None:
    with answering(reply(200, body)) as server:
        talk = Talk(server.url)
        with pytest.raises(InvalidResponse, match="list of task 3: the answer is not what"):
            talk.client.list(talk.task)
    assert len(server.heads) == 1


@pytest.mark.parametrize(
    ("local", "skew"), [(1000.0, 0.0), (1002.0, 0.0), (1003.0, -2.5), (900.0, 100.5)]
)
def test_the_clock_skew_comes_from_the_date_header(local: float, skew: float) -> None:
    date = "Date: Thu, 01 Jan 1970 00:16:40 GMT"
    assert listed(items(), date, clock=lambda: local).clock_skew == skew


def test_an_unreadable_date_means_no_skew() -> None:
    for date in ("", "soon", "Thu, 99 Jan 1970 00:16:40 GMT"):
        assert listed(items(), f"Date: {date}").clock_skew == 0.0


def test_view_of_a_deleted_attachment_is_none() -> None:
    gone = json.dumps(row(deleted_at="2026-01-02T03:04:05Z")).encode()
    here = json.dumps(row()).encode()
    with answering(reply(200, here), reply(200, gone), reply(404), reply(403)) as server:
        talk = Talk(server.url)
        found = talk.client.view(talk.task, 5)
        assert found is not None
        assert found.id == 5
        assert talk.client.view(talk.task, 5) is None
        assert talk.client.view(talk.task, 5) is None
        with pytest.raises(TaskRefused):
            talk.client.view(talk.task, 5)
    assert server.heads[0].startswith(f"GET {PATH}/5/view HTTP".encode())


@pytest.mark.parametrize("body", [b"{}", b"<html>", json.dumps(row(id=6)).encode()])
def test_an_undocumented_view_is_invalid(body: bytes) -> None:
    with answering(reply(200, body)) as server:
        talk = Talk(server.url)
        with pytest.raises(InvalidResponse):
            talk.client.view(talk.task, 5)


def long_list(count: int) -> bytes:
    return items(*(row(id=number, name=f"{number:06} " + "é" * 100) for number in range(1, count)))


@pytest.mark.parametrize("max_files", [100_000, 0])
def test_max_files_limits_the_size_of_a_list(max_files: int) -> None:
    body = long_list(25_000)
    assert len(body) > 18 << 20
    with answering(reply(200, body)) as server:
        talk = Talk(server.url)
        assert len(talk.client.list(talk.task, max_files).attachments) == 24_999
        with pytest.raises(InvalidResponse, match="16 MiB; for a task of so many attach"):
            talk.client.list(talk.task, 100)
