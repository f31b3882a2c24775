"""Creates: names arrive unchanged, and a receipt holds only attachments that are identified."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from test_focus_server import Talk, answering, parsed, reply, upload_of

from syncd.errors import Refused
from syncd.focus.uploads import Receipt, Upload

PATH = "/organizations/1/workspaces/2/tasks/3/attachments"
NAMES = [
    'say "hi".txt',
    "a;b=c; filename=d",
    "100%22%0A.txt",
    "line\nbreak\r\n--x\rend",
    "tab\there",
    "back\\slash",
    "x" * 200,
    "  edges  ",
    "🎉👩‍👧.png",
    "cafe\u0301",
    "a&b=c+d#e?f",
    "\x1b[31mred\x7f",
    "Übergrößenträger 漢字",
]


def query_of(head: bytes) -> dict[str, str]:
    target = head.split(b" ")[1].decode()
    return {key: value[0] for key, value in parse_qs(urlsplit(target).query).items()}


@pytest.mark.parametrize("mode", ["both", "query", "form"])
def test_names_of_single_creates_arrive_unchanged(mode: Any, tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"data")
    with answering(reply(201)) as server:
        talk = Talk(server.url, create_params=mode)
        for number, name in enumerate(NAMES):
            talk.client.create(talk.task, upload_of(tmp_path / "a", name, number))
    for number, name in enumerate(NAMES):
        wanted = {"name": name, "display_order": str(number)}
        fields, files = parsed(server.heads[number], server.bodies[number])
        assert query_of(server.heads[number]) == ({} if mode == "form" else wanted)
        assert fields == ({} if mode == "query" else wanted)
        assert [(field, content) for field, _, content in files] == [("file", b"data")]
        assert server.heads[number].startswith(f"POST {PATH}".encode())


def test_names_of_a_bulk_create_arrive_unchanged(tmp_path: Path) -> None:
    contents = [f"content {number}".encode() for number in range(10)]
    uploads = []
    for number, content in enumerate(contents):
        (tmp_path / str(number)).write_bytes(content)
        uploads.append(upload_of(tmp_path / str(number), NAMES[number], 100 * number))
    with answering(reply(201)) as server:
        talk = Talk(server.url)
        assert talk.client.fits(talk.task, NAMES[:10])
        receipt = talk.client.create_bulk(talk.task, uploads)
    wanted = {f"names[{i}]": name for i, name in enumerate(NAMES[:10])}
    wanted |= {f"display_orders[{i}]": str(100 * i) for i in range(10)}
    fields, files = parsed(server.heads[0], server.bodies[0])
    assert query_of(server.heads[0]) == fields == wanted
    assert [(field, content) for field, _, content in files] == [("files[]", c) for c in contents]
    assert server.heads[0].startswith(f"POST {PATH}/bulk?".encode())
    assert [sent.digest for sent in receipt.sent] == [
        hashlib.sha256(c).hexdigest() for c in contents
    ]
    assert receipt.attachments is None


def test_a_refusal_names_the_file(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"x")
    uploads = [upload_of(tmp_path / "a", name) for name in ("a\n.png", "b", "c")]
    with answering(reply(413)) as server:
        talk = Talk(server.url)
        with pytest.raises(Refused) as one:
            talk.client.create(talk.task, uploads[0])
        with pytest.raises(Refused) as many:
            talk.client.create_bulk(talk.task, uploads)
    assert str(one.value).startswith('create "a\\n.png" for task 3: 413 ')
    assert str(many.value).startswith('create 3 files ("a\\n.png" … "c") for task 3: 413 ')
    assert one.value.status == 413


def made(name: str, size: int, order: int, identity: int, **changes: Any) -> dict[str, Any]:
    base = {"id": identity, "task_id": 3, "name": name, "size": size, "display_order": order}
    return {**base, **changes}


def received(tmp_path: Path, body: Any, files: Sequence[tuple[str, int, int]]) -> Receipt:
    """Create files (name, size, order) on a server that answers 201 with `body`."""
    uploads: list[Upload] = []
    for number, (name, size, order) in enumerate(files):
        path = tmp_path / f"{len(list(tmp_path.iterdir()))}-{number}"
        path.write_bytes(b"x" * size)
        uploads.append(upload_of(path, name, order))
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    with answering(reply(201, raw)) as server:
        talk = Talk(server.url)
        if len(uploads) == 1:
            return talk.client.create(talk.task, uploads[0])
        return talk.client.create_bulk(talk.task, uploads)


def ids(receipt: Receipt) -> list[int] | None:
    if receipt.attachments is None:
        return None
    return [attachment.id for attachment in receipt.attachments]


def test_a_created_object_is_read_from_all_three_shapes_of_a_201(tmp_path: Path) -> None:
    for body in (made("a", 3, 1, 9), [made("a", 3, 1, 9)], {"items": [made("a", 3, 1, 9)]}):
        assert ids(received(tmp_path, body, [("a", 3, 1)])) == [9]


def test_an_object_with_another_name_and_order_is_matched_by_its_size(tmp_path: Path) -> None:
    assert ids(received(tmp_path, made("a (1)", 3, 77, 9), [("a", 3, 1)])) == [9]


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>created</html>",
        b"{",
        {},
        [],
        {"items": None},
        {"items": []},
        "ok",
        {"message": "Task attachment created successfully"},
        [made("a", 3, 1, 9), made("b", 3, 1, 10)],
        made("a", 4, 1, 9),
        made("a", 3, 1, 0),
        made("a", 3, 1, 9, task_id=4),
        made("a", 3, 1, 9, deleted_at="2026-01-02T03:04:05Z"),
    ],
)
def test_a_201_with_an_unusable_body_confirms_the_create_without_ids(
    tmp_path: Path, body: Any
) -> None:
    receipt = received(tmp_path, body, [("a", 3, 1)])
    assert receipt.attachments is None
    assert receipt.sent[0].digest == hashlib.sha256(b"xxx").hexdigest()


PAIR = [("a", 3, 1), ("b", 3, 2)]


@pytest.mark.parametrize(
    ("files", "rows", "wanted"),
    [
        (PAIR, [made("a", 3, 1, 9), made("b", 3, 2, 10)], [9, 10]),
        (PAIR, [made("b", 3, 2, 10), made("a", 3, 1, 9)], [9, 10]),
        (PAIR, [made("b", 3, 8, 10), made("a", 3, 7, 9)], [9, 10]),
        (PAIR, [made("B", 3, 2, 10), made("A", 3, 1, 9)], [9, 10]),
        (PAIR, [made("A", 3, 7, 9), made("B", 3, 8, 10)], None),
        (PAIR, [made("b", 3, 7, 9), made("X", 3, 8, 10)], None),
        (PAIR, [made("a", 3, 1, 9), made("b", 3, 2, 9)], None),
        (PAIR, [made("a", 3, 1, 9), made("b", 4, 2, 10)], None),
        ([("a", 3, 1), ("b", 4, 2)], [made("X", 4, 7, 10), made("Y", 3, 8, 9)], [9, 10]),
        ([("a", 3, 1), ("a", 3, 2)], [made("a", 3, 2, 10), made("a", 3, 1, 9)], [9, 10]),
        (
            [("a", 3, 2), ("a.txt", 3, 1), ("B", 3, 3)],
            [made("a", 3, 1, 8), made("x", 3, 2, 9), made("y", 3, 3, 10)],
            None,
        ),
    ],
)
def test_objects_of_a_bulk_are_matched_by_name_then_order_then_size(
    tmp_path: Path, files: Any, rows: Any, wanted: list[int] | None
) -> None:
    assert ids(received(tmp_path, rows, files)) == wanted


def test_uploads_of_two_threads_do_not_mix(tmp_path: Path) -> None:
    uploads = []
    for number in range(12):
        (tmp_path / str(number)).write_bytes(str(number).encode() * 300_000)
        uploads.append(upload_of(tmp_path / str(number), str(number), number))
    with answering(reply(201)) as server, ThreadPoolExecutor(2) as pool:
        talk = Talk(server.url)
        receipts = list(pool.map(lambda upload: talk.client.create(talk.task, upload), uploads))
    for upload, receipt in zip(uploads, receipts, strict=True):
        content = Path(upload.file).read_bytes()
        assert receipt.sent[0].digest == hashlib.sha256(content).hexdigest()
    contents = {body.split(b"\r\n\r\n")[-1][0:4] for body in server.bodies}
    assert contents == {(str(number) * 4).encode()[:4] for number in range(12)}
    assert server.connections <= 2
