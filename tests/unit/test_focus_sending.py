"""Bodies on the wire: early answers, slow lines, lost connections."""

from __future__ import annotations

import socket
import threading
import time
from pathlib import Path

import pytest
from test_focus_server import (
    Peer,
    reply,
    serving,
    transport_to,
    upload_of,
)

from syncd.errors import Doubtful
from syncd.focus import wire
from syncd.focus.upload import MultipartBody


def big_body(tmp_path: Path, size: int = 8 << 20) -> MultipartBody:
    path = tmp_path / "big"
    with path.open("wb") as file:
        file.truncate(size)
    return MultipartBody([], [("file", upload_of(path))])


@pytest.mark.parametrize("ending", ["close", "reset", "stay"])
def test_an_early_answer_is_read_while_we_are_still_sending(tmp_path: Path, ending: str) -> None:
    done: list[float] = []

    def early(peer: Peer) -> None:
        peer.head()
        peer.take(100_000)
        peer.send(reply(413, b"{}"))
        time.sleep(0.1 if ending == "reset" else 0)
        if ending == "reset":
            peer.reset()
        elif ending == "stay":
            while not done:
                time.sleep(0.01)

    with serving(early) as server, big_body(tmp_path) as body:
        transport = transport_to(server.url)
        start = time.monotonic()
        answer = transport.request("POST", "/", body=body)
        done.append(time.monotonic() - start)
        assert answer.status == 413
        assert not body.complete
        assert done[0] < 2


def test_a_connection_with_half_a_body_on_it_is_not_used_again(tmp_path: Path) -> None:
    def early(peer: Peer) -> None:
        while peer.head():
            peer.send(reply(413, b"{}"))
            time.sleep(0.3)

    with serving(early) as server, big_body(tmp_path) as body:
        transport = transport_to(server.url)
        assert transport.request("POST", "/", body=body).status == 413
        assert transport.request("GET", "/").status == 413
        assert server.connections == 2


@pytest.mark.parametrize("status", [100, 102, 103, 199])
def test_an_interim_answer_does_not_stop_an_upload(tmp_path: Path, status: int) -> None:
    def interim(peer: Peer) -> None:
        head = peer.head()
        peer.send(f"HTTP/1.1 {status} Go on\r\n\r\n".encode())
        peer.body(head)
        peer.send(reply(201))

    with serving(interim) as server, big_body(tmp_path) as body:
        assert transport_to(server.url).request("POST", "/", body=body).status == 201
        assert body.complete


def test_a_slow_line_that_moves_is_no_time_out() -> None:
    ours, theirs = socket.socketpair()
    got: list[int] = []

    def slow() -> None:
        while data := theirs.recv(8 << 10):
            got.append(len(data))
            time.sleep(0.01)

    with ours, theirs:
        ours.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 8 << 10)
        ours.settimeout(0.2)
        reader = threading.Thread(target=slow, daemon=True)
        reader.start()
        connection = wire.Listening("nowhere")
        connection.sock = ours
        connection._in_body = True
        start = time.monotonic()
        connection.send(b"x" * (512 << 10))
        assert time.monotonic() - start > 0.4
        ours.shutdown(socket.SHUT_WR)
        reader.join()
    assert sum(got) == 512 << 10


def test_the_answer_to_an_upload_may_take_longer(tmp_path: Path) -> None:
    def late(peer: Peer) -> None:
        peer.body(peer.head())
        time.sleep(0.5)
        peer.send(reply(201))

    with serving(late) as server:
        transport = transport_to(server.url, timeout=0.2)
        with big_body(tmp_path, 100) as body, pytest.raises(Doubtful):
            transport.request("POST", "/", body=body)
        with big_body(tmp_path, 100) as body:
            assert transport.request("POST", "/", body=body, timeout_extra=2).status == 201


def test_an_upload_that_is_reset_leaves_doubt(tmp_path: Path) -> None:
    def resetting(peer: Peer) -> None:
        peer.head()
        peer.take(1000)
        peer.reset()

    with (
        serving(resetting) as server,
        big_body(tmp_path) as body,
        pytest.raises(Doubtful, match="no answer"),
    ):
        transport_to(server.url).request("POST", "/", body=body)
