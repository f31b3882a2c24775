"""The multipart body: exact length, digests, files that change while they are sent."""

from __future__ import annotations

import errno
import hashlib
import os
import subprocess
import sys
import threading
from contextlib import suppress
from pathlib import Path

import pytest
from test_focus_server import Peer, headers_of, length_of, parsed, reply, serving, transport_to
from test_focus_server import upload_of as planned

from syncd.errors import FileProblem, ShortRead
from syncd.focus import multipart, uploads
from syncd.focus.multipart import MultipartBody


def small_blocks(monkeypatch: pytest.MonkeyPatch, size: int) -> None:
    for module in (multipart, uploads):
        monkeypatch.setattr(module, "BLOCK", size)


def open_under(folder: Path) -> int:
    count = 0
    for number in os.listdir("/proc/self/fd"):
        with suppress(OSError):
            count += os.readlink(f"/proc/self/fd/{number}").startswith(f"{folder}/")
    return count


@pytest.mark.parametrize("size", [1, 7, 4096, 1 << 20])
def test_a_body_has_its_declared_length_whatever_the_block_size(
    tmp_path: Path, size: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    small_blocks(monkeypatch, size)
    contents = [os.urandom(5000), b"", b"x" * 70_000]
    paths = [tmp_path / str(i) for i in range(3)]
    for path, content in zip(paths, contents, strict=True):
        path.write_bytes(content)
    seen: list[int] = []
    with MultipartBody(
        [("names[0]", "é")], [("files[]", planned(path)) for path in paths], seen.append
    ) as body:
        data = b"".join(body)
        assert len(data) == len(body) == body.given
        assert body.complete
        assert [s.digest for s in body.sent()] == [hashlib.sha256(c).hexdigest() for c in contents]
        assert not any(s.changed for s in body.sent())
    assert sum(seen) == 75_000
    fields, files = parsed(
        f"P / H\r\nContent-Type: {body.content_type}".encode(),
        data,
    )
    assert fields == {"names[0]": "é"}
    assert files == [("files[]", str(i), content) for i, content in enumerate(contents)]


@pytest.mark.parametrize("size", [100_000, 9 << 20])
def test_a_file_is_read_once_and_its_digest_is_that_of_the_bytes_sent(
    tmp_path: Path, size: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A large file is hashed by another thread, from buffers that are used again."""
    path = tmp_path / "a"
    content = os.urandom(size)
    path.write_bytes(content)
    read: list[int] = []
    threads = threading.active_count()
    honest, honest_into = os.read, os.readv

    def reading(fd: int, count: int) -> bytes:
        read.append(len(data := honest(fd, count)))
        return data

    def reading_into(fd: int, buffers: list[memoryview]) -> int:
        read.append(count := honest_into(fd, buffers))
        return count

    monkeypatch.setattr(os, "read", reading)
    monkeypatch.setattr(os, "readv", reading_into)
    with MultipartBody([], [("file", planned(path))]) as body:
        sent = b"".join(bytes(block) for block in body)
        digest = body.sent()[0].digest
    assert content in sent
    assert digest == hashlib.sha256(content).hexdigest()
    assert sum(read) == size
    assert threading.active_count() == threads


def test_a_name_that_is_not_utf8_is_a_file_problem(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"x")
    with pytest.raises(FileProblem, match="not UTF-8"):
        MultipartBody([], [("file", planned(tmp_path / "a", "a\udc80"))])


def test_a_file_that_is_not_the_planned_one_is_not_sent(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_bytes(b"old")
    plan = planned(path)

    def problem() -> FileProblem:
        with pytest.raises(FileProblem) as caught:
            MultipartBody([], [("file", plan)])
        assert caught.value.path == str(path)
        return caught.value

    path.write_bytes(b"new!")
    assert (problem().changed, problem().reason) == (True, "changed since it was planned")
    path.unlink()
    assert (problem().changed, problem().reason) == (True, "no longer there")
    path.symlink_to("/etc/passwd")
    assert (problem().changed, problem().reason) == (True, "is a symbolic link now")
    path.unlink()
    os.mkfifo(path)
    assert (problem().changed, problem().reason) == (True, "is not a regular file now")
    path.unlink()
    path.mkdir()
    assert (problem().changed, problem().reason) == (True, "is not a regular file now")
    assert open_under(tmp_path) == 0


def test_an_unreadable_file_says_why(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a").write_bytes(b"x")
    plan = planned(tmp_path / "a")

    def refusing(*args: object) -> int:
        raise PermissionError(errno.EACCES, "no")

    monkeypatch.setattr(os, "open", refusing)
    with pytest.raises(FileProblem, match="permission denied") as caught:
        MultipartBody([], [("file", plan)])
    assert not caught.value.changed


def test_every_descriptor_is_closed(tmp_path: Path) -> None:
    for name in "abc":
        (tmp_path / name).write_bytes(b"x" * 10)
    plans = [("files[]", planned(tmp_path / name)) for name in "abc"]
    with MultipartBody([], plans):
        assert open_under(tmp_path) == 3
    b"".join(MultipartBody([], plans))
    (tmp_path / "c").unlink()
    with pytest.raises(FileProblem):
        MultipartBody([], plans)
    assert open_under(tmp_path) == 0


def test_a_file_that_grows_is_cut_at_its_planned_size(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_bytes(b"x" * 16_000_000)
    surplus: list[bytes] = []

    def handler(peer: Peer) -> None:
        head = peer.head()
        with path.open("ab") as file:
            file.write(b"y" * 100_000)
        server.heads.append(head)
        server.bodies.append(peer.body(head))
        surplus.append(peer.surplus())
        peer.send(reply(201))

    with serving(handler) as server, MultipartBody([], [("file", planned(path))]) as body:
        assert transport_to(server.url).request("POST", "/", body=body).status == 201
        (sent,) = body.sent()
    assert surplus == [b""]
    _, files = parsed(server.heads[0], server.bodies[0])
    assert files[0][2] == b"x" * 16_000_000
    assert sent.changed
    assert sent.digest == hashlib.sha256(b"x" * 16_000_000).hexdigest()


def test_a_file_that_shrinks_aborts_the_request(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_bytes(b"x" * 16_000_000)
    got: list[tuple[int, int]] = []

    def handler(peer: Peer) -> None:
        head = peer.head()
        taken = len(peer.take(100_000))
        os.truncate(path, 0)
        got.append((length_of(head), taken + len(peer.body(head))))

    with serving(handler) as server, MultipartBody([], [("file", planned(path))]) as body:
        with pytest.raises(ShortRead, match="shrank while it was sent") as caught:
            transport_to(server.url).request("POST", "/", body=body)
        while not got:
            pass
    assert caught.value.path == str(path)
    assert caught.value.doubtful
    assert got[0][0] > got[0][1]


def test_a_file_that_shrinks_before_the_first_byte_is_a_file_problem(
    tmp_path: Path,
) -> None:
    path = tmp_path / "a"
    path.write_bytes(b"x" * 1000)
    with MultipartBody([], [("file", planned(path))]) as body:
        os.truncate(path, 0)
        with pytest.raises(FileProblem, match="shrank") as caught:
            list(body)
    assert caught.value.changed


def test_a_file_replaced_or_rewritten_while_it_is_read_is_marked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    small_blocks(monkeypatch, 300)
    path, other = tmp_path / "a", tmp_path / "b"
    path.write_bytes(b"x" * 1000)
    other.write_bytes(b"y" * 1000)
    with MultipartBody([], [("file", planned(path))]) as body:
        blocks = iter(body)
        next(blocks)
        os.replace(other, path)
        list(blocks)
        assert body.sent()[0].changed
    with MultipartBody([], [("file", planned(path))]) as body:
        blocks = iter(body)
        next(blocks)
        with path.open("r+b") as file:
            file.write(b"z")
        os.utime(path, ns=(1, 1))
        list(blocks)
        assert body.sent()[0].changed


_SENDER = """
import resource, sys
sys.path.insert(0, sys.argv[2])
from pathlib import Path
from test_focus_server import upload_of, transport_to
from syncd.focus.multipart import MultipartBody
path = Path(sys.argv[3])
small = MultipartBody([], [("file", upload_of(Path(sys.argv[4])))])
transport = transport_to(sys.argv[1])
assert transport.request("POST", "/", body=small).status == 201
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
body = MultipartBody([], [("file", upload_of(path))])
assert transport.request("POST", "/", body=body).status == 201
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
"""


def test_memory_stays_flat(tmp_path: Path) -> None:
    big, small = tmp_path / "big", tmp_path / "small"
    small.write_bytes(b"x")
    with big.open("wb") as file:
        file.truncate(300 << 20)

    def sink(peer: Peer) -> None:
        buffer = bytearray(1 << 20)
        while head := peer.head():
            left = length_of(head) - len(peer.rest)
            peer.rest = b""
            while left:
                left -= peer.sock.recv_into(buffer, min(left, 1 << 20))
            peer.send(reply(201))

    here = str(Path(__file__).parent)
    with serving(sink) as server:
        done = subprocess.run(
            [sys.executable, "-c", _SENDER, server.url, here, str(big), str(small)],
            capture_output=True,
            text=True,
            check=False,
        )
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) < 16 * 1024


def test_the_request_declares_the_length_of_the_body(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"abc")

    def handler(peer: Peer) -> None:
        server.heads.append(peer.head())
        peer.body(server.heads[0])
        peer.send(reply(201))

    with (
        serving(handler) as server,
        MultipartBody([], [("file", planned(tmp_path / "a"))]) as body,
    ):
        transport_to(server.url).request("POST", "/", body=body)
    headers = headers_of(server.heads[0])
    assert headers["content-length"] == str(len(body))
    assert headers["content-type"] == body.content_type
    assert "transfer-encoding" not in headers
