"""The six calls and the quirks, in-process."""

from __future__ import annotations

import re
from collections.abc import Callable
from hashlib import sha256
from typing import Any

import pytest

from tests.support.sandbox import HEADERS, TASK, URL, World, path


def test_any_task_is_valid_and_empty() -> None:
    assert World().items() == []


def test_a_create_answers_201_without_a_body_and_the_list_shows_the_row() -> None:
    world = World()
    answer = world.create("ä b.txt", b"hello", 7)
    assert (answer.status_code, answer.content) == (201, b"")
    assert world.items() == [
        {
            "id": 1,
            "task_id": TASK[2],
            "name": "ä b.txt",
            "display_order": 7,
            "mime_type": "text/plain",
            "size": 5,
            "created_at": "2023-11-14T22:13:20Z",
            "updated_at": "2023-11-14T22:13:20Z",
            "deleted_at": None,
        }
    ]
    assert world.api.rows(TASK)[0].sha256 == sha256(b"hello").hexdigest()


def test_the_name_defaults_to_the_file_name_and_an_order_is_required() -> None:
    world = World()
    file = {"file": ('q"ü.txt', b"")}
    assert world.call("POST", params={"display_order": 1}, files=file).status_code == 201
    assert world.listed() == [("q%22ü.txt", 1)]
    refused = world.call("POST", files=file)
    assert refused.status_code == 400
    assert refused.json()["error"] == "validation"
    assert refused.json()["error_description"].startswith("Key: 'display_order'")
    assert re.fullmatch("[0-9a-f]{32}", refused.json()["trace_id"])


@pytest.mark.parametrize("field", ["files[]", "files[#]"])
def test_a_bulk_create_reads_indexed_names_and_orders(field: str) -> None:
    world = World()
    assert world.bulk("x", "y", "z", field=field).status_code == 201
    assert world.listed() == [("x", 100), ("y", 200), ("z", 300)]


def test_a_bulk_takes_ten_files_and_no_more_and_is_all_or_nothing() -> None:
    world = World(poison=lambda name: name == "bad")
    assert world.bulk(*"abcdefghij").status_code == 201
    assert world.bulk(*"abcdefghijk").status_code == 400
    assert world.bulk("ok", "bad").status_code == 400
    assert world.bulk("p", "q", **{"display_orders[1]": ""}).status_code == 400
    assert len(world.items()) == 10


def test_a_put_needs_both_fields_and_a_known_id() -> None:
    world = World()
    world.create()
    world.now += 10
    assert world.put(1, "b.txt", 5).status_code == 204
    assert world.listed() == [("b.txt", 5)]
    assert world.items()[0]["updated_at"] == "2023-11-14T22:13:30Z"
    wrong: list[Any] = [{"name": "c"}, {"display_order": 1}, {"name": "c", "display_order": "1"}, 3]
    for body in wrong:
        assert world.call("PUT", "/1", json=body).status_code == 400
    assert world.call("PUT", "/1", data=b"{").status_code == 400
    unknown = world.put(99, "c", 1)
    assert unknown.status_code == 404
    assert unknown.json()["error_description"] == "Task attachment does not exist"


def test_a_deleted_row_leaves_the_list_but_view_still_shows_it() -> None:
    world = World()
    world.create()
    assert world.call("DELETE", "/1").status_code == 204
    assert world.call("DELETE", "/1").status_code == 404
    assert world.put(1, "b", 1).status_code == 404
    assert world.items() == []
    assert world.call("GET", "/1/view").json()["deleted_at"] == "2023-11-14T22:13:20Z"
    world.api.quirks.view_soft_deleted = False
    assert world.call("GET", "/1/view").status_code == 404
    world.api.quirks.list_deleted = True
    assert [row["deleted_at"] for row in world.items()] == ["2023-11-14T22:13:20Z"]
    world.create()
    assert [row.id for row in world.api.rows(TASK)] == [2]
    assert len(world.api.rows(TASK, deleted=True)) == 2


def test_names_need_not_be_unique() -> None:
    world = World()
    assert world.bulk("x", "x").status_code == 201
    assert [name for name, _ in world.listed()] == ["x", "x"]


def test_unknown_paths_and_methods_are_refused() -> None:
    world = World()
    assert world.session.get(URL + "/organizations/1").status_code == 404
    assert world.call("GET", "/one").status_code == 404
    assert world.call("PATCH").status_code == 405


def test_the_key_is_checked() -> None:
    world = World(key=HEADERS["Authorization"].split()[1])
    assert world.call("GET").status_code == 200
    assert world.call("GET", headers={"Authorization": "Bearer other"}).status_code == 401
    world.api.quirks.key = None
    assert world.call("GET", headers={"Authorization": "Bearer other"}).status_code == 200
    assert world.call("GET", headers={"Authorization": None}).status_code == 401


def test_the_quota_counts_every_call_even_refused_ones_until_its_window_resets() -> None:
    world = World(quota=3)
    first = world.call("GET")
    assert first.headers["X-Toggl-Quota-Remaining"] == "2"
    assert first.headers["X-Toggl-Quota-Resets-In"] == "3600"
    world.now += 600
    assert world.call("DELETE", "/9").status_code == 404
    assert world.call("GET").headers["X-Toggl-Quota-Remaining"] == "0"
    spent = world.create()
    assert spent.status_code == 402
    assert spent.headers["X-Toggl-Quota-Resets-In"] == "3000"
    other = world.session.get(URL + path((1, 2, 3)))
    assert other.headers["X-Toggl-Quota-Remaining"] == "2"
    world.now += 3000
    assert world.call("GET").headers["X-Toggl-Quota-Remaining"] == "2"
    assert world.api.spend(TASK[0], 2)
    assert world.call("GET").status_code == 402
    world.api.quirks.quota_headers = False
    assert "X-Toggl-Quota-Remaining" not in world.call("GET").headers


def test_the_quirk_says_where_parameters_are_read() -> None:
    file = {"file": ("f.bin", b"1")}
    query, form = {"name": "q", "display_order": 1}, {"name": "f", "display_order": 2}
    expected: dict[str, Any] = {"both": ("q", 1), "query": ("q", 1), "form": ("f", 2)}
    for mode, row in expected.items():
        world = World(params=mode)
        assert world.call("POST", params=query, data=form, files=file).status_code == 201
        assert world.listed() == [row]
    assert World(params="query").call("POST", data=form, files=file).status_code == 400
    assert World(params="form").call("POST", params=query, files=file).status_code == 400
    assert World().call("POST", data=form, files=file).status_code == 201


@pytest.mark.parametrize(
    ("mode", "single", "bulk"),
    [
        ("object", lambda v: v["id"], lambda v: [x["id"] for x in v]),
        ("array", lambda v: v[0]["id"], lambda v: [x["id"] for x in v]),
        ("items", lambda v: v["items"][0]["id"], lambda v: [x["id"] for x in v["items"]]),
    ],
)
def test_a_201_may_hold_the_new_attachments(
    mode: str, single: Callable[[Any], int], bulk: Callable[[Any], list[int]]
) -> None:
    world = World(ids_in_201=mode)
    assert single(world.create().json()) == 1
    assert bulk(world.bulk("x", "y").json()) == [2, 3]


def test_names_may_be_rewritten_limited_or_made_unique() -> None:
    world = World(rewrite_name=str.upper)
    world.create("a.txt")
    world.put(1, "b.txt", 1)
    assert world.listed() == [("B.TXT", 1)]
    world = World(name_limit=3)
    assert world.create("abcd").status_code == 400
    assert world.create("äöü").status_code == 201
    assert world.put(world.items()[0]["id"], "abcd", 1).status_code == 400
    world = World(unique_names="suffix")
    world.bulk("x", "x", "x")
    assert [name for name, _ in world.listed()] == ["x", "x (1)", "x (2)"]
    world = World(unique_names="refuse")
    assert world.bulk("x", "x").status_code == 400
    assert world.bulk("x", "y").status_code == 201
    x, y = (row["id"] for row in world.items())
    assert world.put(y, "x", 1).status_code == 400
    assert world.put(x, "x", 1).status_code == 204


def test_orders_may_be_ignored_or_renumbered() -> None:
    world = World(orders="ignored")
    world.bulk("x", "y")
    world.put(1, "x", 77)
    assert world.listed() == [("x", 1), ("y", 2)]
    world = World(orders="renumbered", ids_in_201="array")
    world.bulk("x", "y", "z")
    assert world.listed() == [("x", 1), ("y", 2), ("z", 3)]
    assert world.create("first", order=0).json()[0]["display_order"] == 1
    world.call("DELETE", "/1")
    assert world.listed() == [("y", 2), ("z", 3), ("first", 1)]


def test_orders_out_of_range_are_refused() -> None:
    world = World()
    for order in ("-1", str(2**31), "nan", "1.5", "x"):
        answer = world.call("POST", params={"display_order": order}, files={"file": ("a", b"")})
        assert answer.status_code == 400, order


def test_a_file_or_request_that_is_too_large_is_a_413() -> None:
    world = World(max_file_size=10)
    assert world.create(content=b"x" * 11).status_code == 413
    assert world.create(content=b"x" * 10).status_code == 201
    world = World(max_request_size=1000)
    assert world.create(content=b"x" * 1000).status_code == 413
    assert world.api.log[-1].size == 0, "refused before the body was read"
    assert world.create(content=b"x" * 500).status_code == 201


def test_the_list_may_lag_but_view_does_not() -> None:
    world = World(list_lag=5.0)
    world.create("a")
    world.now += 3
    world.create("b")
    assert world.items() == []
    assert world.call("GET", "/1/view").json()["name"] == "a"
    world.now += 2
    assert [name for name, _ in world.listed()] == ["a"]
    world.now += 3
    assert [name for name, _ in world.listed()] == ["a", "b"]


def test_a_task_may_be_gone() -> None:
    for how in (400, 403, 404):
        world = World(task_gone=how)
        assert world.call("GET").status_code == how
        assert world.create().status_code == how
    world = World(task_gone="empty")
    assert world.items() == []
    assert world.create().status_code == 404
    world.api.quirks.gone_tasks = frozenset({1})
    assert world.create().status_code == 201


def test_times_may_carry_a_fraction_and_the_date_header_follows_the_clock() -> None:
    world = World(created_fraction=True)
    assert world.create().headers["Date"] == "Tue, 14 Nov 2023 22:13:20 GMT"
    assert world.items()[0]["created_at"] == "2023-11-14T22:13:20.750000Z"


def test_the_body_of_a_list_may_be_replaced() -> None:
    world = World(list_body=lambda: b"<html>")
    answer = world.call("GET")
    assert (answer.status_code, answer.content) == (200, b"<html>")


def test_an_incomplete_form_creates_nothing() -> None:
    world = World()
    whole = (
        b'--b\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\nx\r\n--b--\r\n'
    )
    kind = {"Content-Type": "multipart/form-data; boundary=b"}
    for body, headers in ((whole[:-6], kind), (b"", kind), (b"junk", kind), (whole, {})):
        answer = world.call("POST", params={"display_order": 1}, data=body, headers=headers)
        assert answer.status_code == 400
    assert world.items() == []
    answer = world.call("POST", params={"display_order": 1}, data=whole, headers=kind)
    assert answer.status_code == 201


def test_seed_creates_a_row_without_a_request() -> None:
    world = World()
    row = world.api.seed(TASK, "theirs", b"abc", 5)
    assert world.api.log == []
    assert world.listed() == [("theirs", 5)]
    assert (row.size, row.sha256) == (3, sha256(b"abc").hexdigest())
