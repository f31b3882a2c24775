"""The sandbox over real HTTP, its storage and its command."""

from __future__ import annotations

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from hashlib import sha256
from pathlib import Path

import pytest
import requests

from tests.support.faults import Fault
from tests.support.faulty_api import FaultyApi
from tests.support.faulty_server import Sandbox
from tests.support.quirks import Quirks
from tests.support.sandbox import HEADERS, TASK, path, session

FILE = {"file": ("a.bin", b"abc", "image/png")}


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(Quirks(quota=None)) as running:
        yield running


@pytest.fixture
def client(sandbox: Sandbox) -> Iterator[requests.Session]:
    with session() as made:
        yield made


def attachments(sandbox: Sandbox) -> str:
    return sandbox.url + path()


def create(client: requests.Session, sandbox: Sandbox) -> requests.Response:
    query = {"display_order": "1"}
    return client.post(attachments(sandbox), params=query, files=FILE, timeout=5)


def wait_for(condition: Callable[[], object]) -> None:
    end = time.monotonic() + 5
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.005)


def raw(sandbox: Sandbox) -> socket.socket:
    return socket.create_connection(("127.0.0.1", sandbox.port), timeout=5)


def head(sandbox: Sandbox, length: int, *extra: str) -> bytes:
    lines = [
        f"POST /api{path()}?display_order=1 HTTP/1.1",
        "Host: x",
        f"Authorization: {HEADERS['Authorization']}",
        "Content-Type: multipart/form-data; boundary=b",
        f"Content-Length: {length}",
        *extra,
    ]
    return "\r\n".join([*lines, "", ""]).encode()


BODY = b'--b\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\nabc\r\n--b--\r\n'


def test_a_connection_serves_create_list_put_and_delete(
    sandbox: Sandbox, client: requests.Session
) -> None:
    assert create(client, sandbox).status_code == 201
    answer = client.get(attachments(sandbox), timeout=5)
    (row,) = answer.json()["items"]
    assert (row["name"], row["mime_type"], row["size"]) == ("a.bin", "image/png", 3)
    assert answer.headers["Date"]
    url = f"{attachments(sandbox)}/{row['id']}"
    assert client.put(url, json={"name": "b", "display_order": 2}, timeout=5).status_code == 204
    assert client.delete(url, timeout=5).status_code == 204
    assert client.delete(url, timeout=5).status_code == 404
    pools = client.get_adapter(sandbox.url).poolmanager.pools  # type: ignore[attr-defined]
    assert [pools[key].num_connections for key in pools.keys()] == [1]  # noqa: SIM118


def test_a_large_body_is_streamed_and_hashed(sandbox: Sandbox, client: requests.Session) -> None:
    content = os.urandom(1 << 20) * 16
    answer = client.post(
        attachments(sandbox),
        params={"display_order": "1"},
        files={"file": ("big", content)},
        timeout=10,
    )
    assert answer.status_code == 201
    (row,) = sandbox.api.rows(TASK)
    assert (row.size, row.sha256) == (len(content), sha256(content).hexdigest())


def test_an_incomplete_body_creates_nothing(sandbox: Sandbox) -> None:
    with raw(sandbox) as connection:
        connection.sendall(head(sandbox, len(BODY) + 1) + BODY)
        connection.shutdown(socket.SHUT_WR)
        assert connection.recv(1000) == b""
    wait_for(lambda: len(sandbox.api.log) == 1)
    assert sandbox.api.rows(TASK) == []
    assert sandbox.api.log[0].status == 0


def test_expect_100_continue_gets_an_interim_response(sandbox: Sandbox) -> None:
    with raw(sandbox) as connection:
        connection.sendall(head(sandbox, len(BODY), "Expect: 100-continue"))
        assert connection.recv(1000) == b"HTTP/1.1 100 Continue\r\n\r\n"
        connection.sendall(BODY)
        assert connection.recv(1000).startswith(b"HTTP/1.1 201 ")


def test_a_refused_large_upload_gets_its_response_and_keeps_the_connection(
    sandbox: Sandbox, client: requests.Session
) -> None:
    sandbox.api.quirks.max_request_size = 1000
    big = {"file": ("big", b"x" * (8 << 20))}
    answer = client.post(attachments(sandbox), files=big, timeout=5)
    assert answer.status_code == 413
    assert client.get(attachments(sandbox), timeout=5).status_code == 200
    sandbox.api.quirks.key = "another"
    assert client.post(attachments(sandbox), files=big, timeout=5).status_code == 401


def test_a_request_line_over_8_kib_is_a_414(sandbox: Sandbox, client: requests.Session) -> None:
    url = attachments(sandbox)
    room = 8192 - len(f"GET {path()}?x= HTTP/1.1\r\n") - len("/api")
    assert client.get(f"{url}?x={'y' * room}", timeout=5).status_code == 200
    assert client.get(f"{url}?x={'y' * (room + 1)}", timeout=5).status_code == 414


def test_other_paths_and_bodies_without_a_length_are_refused(
    sandbox: Sandbox, client: requests.Session
) -> None:
    assert client.get(sandbox.url.removesuffix("/api") + path(), timeout=5).status_code == 404
    answer = client.post(attachments(sandbox), data=iter([b"x"]), timeout=5)
    assert answer.status_code == 411
    assert client.put(attachments(sandbox) + "/1", timeout=5).status_code == 400


@pytest.mark.parametrize("kind", ["reset_before", "reset_after", "cut"])
def test_a_fault_ends_the_connection(sandbox: Sandbox, client: requests.Session, kind: str) -> None:
    sandbox.api.faults.append(Fault(kind))  # type: ignore[arg-type]
    with pytest.raises(requests.ConnectionError):
        create(client, sandbox)
    assert len(sandbox.api.rows(TASK)) == (kind != "reset_before")


def test_a_reset_is_an_rst(sandbox: Sandbox) -> None:
    sandbox.api.faults.append(Fault("reset_after"))
    with raw(sandbox) as connection:
        connection.sendall(head(sandbox, len(BODY)) + BODY)
        with pytest.raises(ConnectionResetError):
            connection.recv(1000)


def test_a_list_may_be_cut_in_the_middle(sandbox: Sandbox, client: requests.Session) -> None:
    sandbox.api.seed(TASK, "x" * 200)
    sandbox.api.faults.append(Fault("cut"))
    with pytest.raises((requests.ConnectionError, requests.exceptions.ChunkedEncodingError)):
        client.get(attachments(sandbox), timeout=5)


def test_a_hang_lasts_until_the_client_leaves_or_its_time_is_up(sandbox: Sandbox) -> None:
    sandbox.api.faults.append(Fault("hang_after"))
    with session() as client, pytest.raises(requests.ReadTimeout):
        client.get(attachments(sandbox), timeout=0.05)
    sandbox.api.faults.append(Fault("hang", seconds=0.05))
    with session() as client, pytest.raises(requests.ConnectionError):
        create(client, sandbox)


def test_a_delay_delays(sandbox: Sandbox, client: requests.Session) -> None:
    sandbox.api.faults.append(Fault("delay", seconds=0.05))
    start = time.monotonic()
    assert client.get(attachments(sandbox), timeout=5).status_code == 200
    assert time.monotonic() - start >= 0.05


def test_the_server_can_stop_and_restart_on_its_port(client: requests.Session) -> None:
    sandbox = Sandbox()
    with sandbox:
        port = sandbox.port
        sandbox.api.faults.append(Fault("hang", method="DELETE"))
        held = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
        held.request("DELETE", "/api" + path() + "/1", headers=HEADERS)
        wait_for(lambda: sandbox.api.faulty)
        create(client, sandbox)
    with pytest.raises(OSError):
        held.getresponse()
    with pytest.raises(requests.ConnectionError):
        client.get(attachments(sandbox), timeout=5)
    with sandbox:
        assert sandbox.port == port
        assert len(client.get(attachments(sandbox), timeout=5).json()["items"]) == 1


def test_data_and_quota_survive_in_the_data_dir(tmp_path: Path) -> None:
    home = tmp_path / "state" / "sandbox"
    api = FaultyApi(data_dir=str(home))
    row = api.seed(TASK, "\ud800", b"1")
    api.spend(TASK[0], 7)
    assert home.stat().st_mode & 0o777 == 0o700
    assert (home / "sandbox.json").stat().st_mode & 0o777 == 0o600
    again = FaultyApi(data_dir=str(home))
    assert again.rows(TASK) == [row]
    assert again.store.windows[TASK[0]].used == 7
    assert again.seed(TASK, "next").id == row.id + 1
    assert len(api.rows(TASK)) == 2, "two processes may share the directory"


@pytest.mark.parametrize("text", ["", "{", "[]", '{"version": 1}', '{"version": 9}'])
def test_a_damaged_file_is_set_aside_and_logged(
    tmp_path: Path, text: str, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "sandbox.json").write_text(text)
    api = FaultyApi(data_dir=str(tmp_path))
    assert f"set aside as {tmp_path}/sandbox.json.damaged" in caplog.text
    assert api.rows(TASK) == []
    assert (tmp_path / "sandbox.json.damaged").read_text() == text
    assert json.loads((tmp_path / "sandbox.json").read_text())["attachments"] == []


def test_an_unwritable_data_dir_is_a_500(tmp_path: Path) -> None:
    api = FaultyApi(data_dir=str(tmp_path))
    (tmp_path / "sandbox.json.tmp").mkdir()
    answer = session(api).get("http://127.0.0.1:1/api" + path())
    assert answer.status_code == 500
    assert answer.json()["error"] == "storage"


def test_serve_prints_its_url_then_a_line_per_request_until_a_signal(tmp_path: Path) -> None:
    code = (
        "from syncd.sandbox.server import serve\n"
        f"serve(0, 2, lambda line: print(line, flush=True), {str(tmp_path)!r})\n"
        "print('bye', flush=True)"
    )
    process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    with process:
        assert process.stdout is not None
        url = process.stdout.readline().strip()
        with session() as client:
            answers = [client.get(url + path(), timeout=5).status_code for _ in range(3)]
        assert answers == [200, 200, 402]
        process.send_signal(signal.SIGTERM)
        rest = process.stdout.read().splitlines()
    assert rest == [f"GET {path()} {status}" for status in answers] + ["bye"]
    assert process.returncode == 0
