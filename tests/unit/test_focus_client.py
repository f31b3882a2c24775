"""The six calls: their requests, their results, and which are repeated."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from test_focus_server import Talk, answering, headers_of, parsed, reply, serving, upload_of

from syncd.errors import (
    Doubtful,
    FileProblem,
    InvalidResponse,
    SyncdError,
    Unreachable,
)
from syncd.focus.client import FocusClient
from syncd.focus.query import REQUEST_LINE, create_parameters, fits_request_line, request_line_size
from syncd.model import TaskKey

PATH = "/organizations/1/workspaces/2/tasks/3/attachments"


def test_update_sends_name_and_order_and_delete_sends_no_body() -> None:
    with answering(reply(204)) as server:
        talk = Talk(server.url)
        talk.client.update(talk.task, 5, "ü\n", 7)
        talk.client.delete(talk.task, 6)
    assert json.loads(server.bodies[0]) == {"name": "ü\n", "display_order": 7}
    assert headers_of(server.heads[0])["content-type"] == "application/json"
    assert [head.split(b"\r\n")[0] for head in server.heads] == [
        f"PUT {PATH}/5 HTTP/1.1".encode(),
        f"DELETE {PATH}/6 HTTP/1.1".encode(),
    ]


def test_a_get_is_repeated_twice_at_most_and_each_counts() -> None:
    with answering(reply(500), reply(503), reply(200, b'{"items": []}')) as server:
        talk = Talk(server.url)
        assert talk.client.list(talk.task).attachments == ()
    assert (talk.requests, talk.slept) == (["list"] * 3, [0.5, 2.0])
    assert [status for _, status, _ in talk.answers] == [500, 503, 200]
    with answering(reply(502)) as server:
        talk = Talk(server.url)
        with pytest.raises(Doubtful, match="list of task 3: 502 Bad Gateway"):
            talk.client.list(talk.task)
    assert len(server.heads) == 3


def test_a_get_is_repeated_after_a_failed_connection_or_an_incomplete_response() -> None:
    talk = Talk("http://127.0.0.1:1")
    with pytest.raises(Unreachable, match="list of task 3: could not reach the server: conn"):
        talk.client.list(talk.task)
    assert (len(talk.requests), [status for _, status, _ in talk.answers]) == (3, [None] * 3)
    half = b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{"
    with serving(lambda peer: peer.head() and peer.send(half)) as server:
        talk = Talk(server.url)
        with pytest.raises(Doubtful, match="broke off: the connection was closed"):
            talk.client.list(talk.task)
        assert server.connections == 3


@pytest.mark.parametrize("status", [400, 401, 402, 403, 429, 302])
def test_a_get_is_not_repeated_after_a_final_status(status: int) -> None:
    with answering(reply(status)) as server:
        talk = Talk(server.url)
        with pytest.raises(SyncdError):
            talk.client.list(talk.task)
    assert len(server.heads) == 1


def test_a_post_put_or_delete_is_not_repeated(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"x")
    with answering(reply(500)) as server:
        talk = Talk(server.url)
        for call in (
            lambda: talk.client.delete(talk.task, 5),
            lambda: talk.client.update(talk.task, 5, "a", 1),
            lambda: talk.client.create(talk.task, upload_of(tmp_path / "a")),
        ):
            with pytest.raises(Doubtful):
                call()
    assert talk.requests == ["delete", "update", "create"]
    assert len(server.heads) == 3
    assert talk.slept == []


def test_a_file_that_cannot_be_sent_costs_no_request(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"x")
    upload = upload_of(tmp_path / "a")
    (tmp_path / "a").unlink()
    talk = Talk("http://127.0.0.1:1")
    with pytest.raises(FileProblem):
        talk.client.create(talk.task, upload)
    assert talk.requests == []


def test_a_201_before_the_end_of_the_body_is_invalid(tmp_path: Path) -> None:
    path = tmp_path / "big"
    with path.open("wb") as file:
        file.truncate(32 << 20)

    def early(peer: Any) -> None:
        peer.head()
        peer.send(reply(201))
        peer.surplus(2.0)

    with serving(early) as server:
        talk = Talk(server.url)
        with pytest.raises(InvalidResponse, match="answered before all of it was sent"):
            talk.client.create(talk.task, upload_of(path))


def test_request_line_size_is_the_size_sent(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"x")
    name = 'a "ü" 100%\n🎉'
    with answering(reply(201)) as server:
        talk = Talk(f"{server.url}/api")
        talk.client.create(talk.task, upload_of(tmp_path / "a", name, 7))
    query = create_parameters([name], [7], bulk=False)
    line = server.heads[0].split(b"\r\n")[0]
    assert request_line_size(f"/api{PATH}", query) == len(line)


def test_fits_limits_the_names_of_one_create() -> None:
    names = ["n" * 250] * 10
    assert fits_request_line(PATH, names)
    assert not fits_request_line(PATH, ["ü" * 120] * 10)
    most = next(n for n in range(9999) if not fits_request_line(PATH, ["a" * n, "b"])) - 1
    query = create_parameters(["a" * most, "b"], [2**31 - 1] * 2, bulk=True)
    assert request_line_size(f"{PATH}/bulk", query) == REQUEST_LINE
    talk = Talk("http://127.0.0.1:1/api")
    task = TaskKey("sandbox", 1, 2, 3)
    assert not talk.client.fits(task, ["ü" * 999] * 2)
    assert talk.client.fits(task, ["ü" * 9999])
    assert Talk("http://127.0.0.1:1", create_params="form").client.fits(task, ["ü" * 999] * 9)
    assert not Talk("http://127.0.0.1:1", create_params="query").client.fits(task, ["ü" * 9999])


def test_a_name_too_long_for_the_query_goes_in_the_form_or_not_at_all(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"x")
    upload = upload_of(tmp_path / "a", "ü" * 2000, 7)
    with answering(reply(201)) as server:
        talk = Talk(server.url)
        talk.client.create(talk.task, upload)
        fields, _ = parsed(server.heads[0], server.bodies[0])
        assert fields["name"] == "ü" * 2000
        line = server.heads[0].split(b"\r\n")[0]
        assert line == f"POST {PATH}?display_order=7 HTTP/1.1".encode()
        query = Talk(server.url, create_params="query")
        with pytest.raises(FileProblem, match="too long"):
            query.client.create(query.task, upload)
    assert len(server.heads) == 1


def test_a_bulk_takes_two_to_ten_files(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"x")
    talk = Talk("http://127.0.0.1:1")
    assert isinstance(talk.client, FocusClient)
    for count in (0, 1, 11):
        with pytest.raises(ValueError, match="2 to 10"):
            talk.client.create_bulk(talk.task, [upload_of(tmp_path / "a")] * count)
