"""Servers that record and send raw bytes, for the tests of `syncd.focus`."""

from __future__ import annotations

import os
import socket
import struct
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from python_multipart.multipart import FormParser, parse_options_header

from syncd.focus.client import FocusClient
from syncd.focus.transport import HttpTransport
from syncd.focus.uploads import Upload
from syncd.model import Fingerprint, QuotaReading, TaskKey

KEY = "toggl_sk_0123456789abcdef0123456789abcdef"


class Peer:
    """The server's end of one connection."""

    def __init__(self, sock: socket.socket) -> None:
        self.sock = sock
        self.rest = b""

    def head(self) -> bytes:
        """The request line and headers; empty = the client closed."""
        while b"\r\n\r\n" not in self.rest:
            data = self.sock.recv(65536)
            if not data:
                return b""
            self.rest += data
        head, _, self.rest = self.rest.partition(b"\r\n\r\n")
        return head

    def body(self, head: bytes) -> bytes:
        """The declared body, or the part of it that the client sends."""
        return self.take(length_of(head))

    def take(self, count: int) -> bytes:
        while len(self.rest) < count:
            data = self.sock.recv(min(1 << 20, count - len(self.rest)))
            if not data:
                break
            self.rest += data
        taken, self.rest = self.rest[:count], self.rest[count:]
        return taken

    def send(self, data: bytes) -> None:
        self.sock.sendall(data)

    def surplus(self, seconds: float = 0.1) -> bytes:
        """Bytes after the end of the request."""
        self.sock.settimeout(seconds)
        try:
            return self.rest + self.sock.recv(65536)
        except TimeoutError:
            return self.rest

    def reset(self) -> None:
        """Close so that the client gets ECONNRESET."""
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.sock.close()


class Server:
    """Runs `handler` for each connection, in its own thread."""

    def __init__(self, handler: Callable[[Peer], None], wrap: Any = None) -> None:
        self.handler = handler
        self.wrap = wrap
        self.heads: list[bytes] = []
        self.bodies: list[bytes] = []
        self.connections = 0
        self.sock = socket.create_server(("127.0.0.1", 0))
        self.port: int = self.sock.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self.peers: list[Peer] = []
        self._acceptor = threading.Thread(target=self._accept, daemon=True)
        self._acceptor.start()

    def _accept(self) -> None:
        while True:
            try:
                sock, _ = self.sock.accept()
            except OSError:
                return
            self.connections += 1
            threading.Thread(target=self._serve, args=(sock,), daemon=True).start()

    def _serve(self, sock: socket.socket) -> None:
        try:
            peer = Peer(self.wrap(sock) if self.wrap else sock)
            self.peers.append(peer)
            with peer.sock:
                self.handler(peer)
        except OSError:
            pass

    def close(self) -> None:
        """Wake all threads; each closes its own socket, since the number of a descriptor that
        another thread closes may be reused before it is read."""
        for sock in (self.sock, *(peer.sock for peer in self.peers)):
            with suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)
        self._acceptor.join()
        self.sock.close()


@contextmanager
def serving(handler: Callable[[Peer], None], wrap: Any = None) -> Iterator[Server]:
    server = Server(handler, wrap)
    try:
        yield server
    finally:
        server.close()


@contextmanager
def answering(*replies: bytes) -> Iterator[Server]:
    """Answer one request with each of `replies`, and all later ones with the last."""
    left = list(replies)

    def handler(peer: Peer) -> None:
        while head := peer.head():
            server.heads.append(head)
            server.bodies.append(peer.body(head))
            peer.send(left.pop(0) if len(left) > 1 else left[0])

    with serving(handler) as server:
        yield server


def reply(status: int, body: bytes = b"", *headers: str) -> bytes:
    lines = [f"HTTP/1.1 {status} X", *headers]
    if status not in (204, 304):
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join([*lines, "", ""]).encode() + body


def length_of(head: bytes) -> int:
    for line in head.split(b"\r\n")[1:]:
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length":
            return int(value)
    return 0


def headers_of(head: bytes) -> dict[str, str]:
    pairs = (line.split(": ", 1) for line in head.decode().split("\r\n")[1:])
    return {name.lower(): value for name, value in pairs}


def transport_to(url: str, timeout: float = 5.0, key: str = KEY) -> HttpTransport:
    return HttpTransport(url, key, timeout=timeout, connections=2)


class Talk:
    """A client of a server, and the calls of its callbacks."""

    def __init__(self, url: str, **options: Any) -> None:
        self.task = TaskKey(url, 1, 2, 3)
        self.requests: list[str] = []
        self.answers: list[tuple[int, int | None, QuotaReading]] = []
        self.slept: list[float] = []
        self.transport = transport_to(url, options.pop("timeout", 5.0))
        self.client = FocusClient(
            self.transport,
            on_request=lambda task, call: self.requests.append(call),
            on_answer=lambda *told: self.answers.append(told),
            sleep=self.slept.append,
            **options,
        )


def upload_of(path: Path, name: str | None = None, order: int = 1000) -> Upload:
    status = os.stat(path)
    print_ = Fingerprint(status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_ino)
    return Upload(str(path), path.name if name is None else name, order, print_)


def parsed(head: bytes, body: bytes) -> tuple[dict[str, str], list[tuple[str, str, bytes]]]:
    """Form fields and files (field, file name, content), as python-multipart reads them."""
    fields: dict[str, str] = {}
    files: list[tuple[str, str, bytes]] = []

    def on_file(file: Any) -> None:
        file.file_object.seek(0)
        content = file.file_object.read()
        files.append((file.field_name.decode(), file.file_name.decode(), content))

    kind, options = parse_options_header(headers_of(head)["content-type"])
    parser = FormParser(
        kind.decode(),
        lambda field: fields.__setitem__(field.field_name.decode(), field.value.decode()),
        on_file,
        boundary=options[b"boundary"],
    )
    parser.write(body)
    parser.finalize()
    return fields, files


def sizes(uploads: Sequence[Upload]) -> list[int]:
    return [upload.fingerprint.size for upload in uploads]


def test_a_peer_sees_head_body_and_surplus_apart() -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        ours.sendall(b"PUT / HTTP/1.1\r\nContent-Length: 3\r\n\r\nabcX")
        peer = Peer(theirs)
        assert peer.body(peer.head()) == b"abc"
        assert peer.surplus() == b"X"
