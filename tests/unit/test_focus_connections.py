"""Sending bodies: early responses, slow lines, lost connections."""

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
from syncd.focus.connections import Connection
from syncd.focus.multipart import MultipartBody


def big_body(tmp_path: Path, size: int = 8 << 20) -> MultipartBody:
    path = tmp_path / "big"
    with path.open("wb") as file:
        file.truncate(size)
    return MultipartBody([], [("file", upload_of(path))])


@pytest.mark.parametrize("ending", ["close", "reset", "stay"])
def test_an_early_response_ends_the_upload(tmp_path: Path, ending: str) -> None:
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


def test_a_connection_is_closed_after_an_incomplete_body(tmp_path: Path) -> None:
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
def test_an_interim_response_does_not_end_an_upload(tmp_path: Path, status: int) -> None:
    def interim(peer: Peer) -> None:
        head = peer.head()
        peer.send(f"HTTP/1.1 {status} Go on\r\n\r\n".encode())
        peer.body(head)
        peer.send(reply(201))

    with serving(interim) as server, big_body(tmp_path) as body:
        assert transport_to(server.url).request("POST", "/", body=body).status == 201
        assert body.complete


def test_a_slow_upload_does_not_time_out_while_bytes_go_out() -> None:
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
        connection = Connection("nowhere")
        connection.sock = ours
        connection._in_body = True
        start = time.monotonic()
        connection.send(b"x" * (512 << 10))
        assert time.monotonic() - start > 0.4
        ours.shutdown(socket.SHUT_WR)
        reader.join()
    assert sum(got) == 512 << 10


def test_timeout_extra_extends_the_wait_for_the_response(tmp_path: Path) -> None:
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


def test_an_upload_that_is_reset_is_doubtful(tmp_path: Path) -> None:
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
