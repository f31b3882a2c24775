"""Start the sink as a process of its own, ask it what came, and measure it by itself."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import time
from typing import Any
from urllib.request import Request, urlopen

FILE_HEAD = (
    b'--x\r\nContent-Disposition: form-data; name="name"\r\n\r\na\r\n'
    b'--x\r\nContent-Disposition: form-data; name="display_order"\r\n\r\n1\r\n'
    b'--x\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\n'
)
FILE_END = b"\r\n--x--\r\n"


class Server:
    def __init__(self, latency: float = 0.0) -> None:
        """`latency`: seconds before each answer."""
        self.latency = latency
        self._process = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.sink", "--latency", str(latency)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        assert self._process.stdout is not None
        self.port = int(self._process.stdout.readline())
        self.url = f"http://127.0.0.1:{self.port}"

    def __enter__(self) -> Server:
        return self

    def __exit__(self, *_: object) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait()

    def attachments(self, task: int) -> str:
        """The URL of a task's attachments."""
        return f"{self.url}{_base(task)}/attachments"

    def requests(self) -> int:
        return int(self._ask("/_/tally")["requests"])

    def upload_began(self) -> float:
        """`time.monotonic()` of the first byte of the last upload; 0 = there was none."""
        return float(self._ask("/_/tally")["upload_began"])

    def seed(self, task: int, files: int) -> None:
        """Let a task hold so many files already, as `places.fill` makes them."""
        self._ask("/_/seed", {"base": _base(task), "files": files})

    def _ask(self, path: str, value: Any = None) -> dict[str, Any]:
        body = json.dumps(value).encode() if value else None
        with urlopen(Request(self.url + path, body)) as answer:  # noqa: S310
            found: dict[str, Any] = json.loads(answer.read())
            return found

    def own_cost(self) -> str:
        """What a client that does nothing else gets out of it."""
        lists = b"GET %s/attachments HTTP/1.1\r\n\r\n" % _base(0).encode()
        count, mib = 5000, 512
        with socket.create_connection(("127.0.0.1", self.port)) as sock:
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            began = time.perf_counter()
            for _ in range(count):
                sock.sendall(lists)
                sock.recv(1 << 16)
            seconds = time.perf_counter() - began
            small = count // 5
            began = time.perf_counter()
            for _ in range(small):
                _post(sock, 10 << 10)
            posts = time.perf_counter() - began
            began = time.perf_counter()
            _post(sock, mib << 20)
            large = time.perf_counter() - began
        return (
            f"{count / seconds:,.0f} lists of an empty task a second, {small / posts:,.0f} uploads "
            f"of 10 KiB a second, {mib / large:,.0f} MiB/s of one large upload"
        )


def _base(task: int) -> str:
    return f"/api/organizations/1/workspaces/2/tasks/{task}"


def _post(sock: socket.socket, size: int) -> None:
    length = len(FILE_HEAD) + size + len(FILE_END)
    sock.sendall(
        b"POST %s/attachments HTTP/1.1\r\nContent-Type: multipart/form-data; boundary=x\r\n"
        b"Content-Length: %d\r\n\r\n" % (_base(0).encode(), length)
    )
    sock.sendall(FILE_HEAD)
    block = bytes(min(size, 1 << 20))
    for _ in range(size // len(block)):
        sock.sendall(block)
    sock.sendall(FILE_END)
    if not sock.recv(1 << 16).startswith(b"HTTP/1.1 201"):
        raise RuntimeError("the sink refused an upload")
