"""A fast server to send to: it throws bodies away and keeps only what a list must show.

    python -m benchmarks.sink [--latency SECONDS]

Prints its port, then serves until its standard input is closed. One thread, epoll, HTTP/1.1 with
keep-alive. Paths below `/api` are the attachments API, below `/_` the benchmark's own calls (not
counted), all others an S3-like store for rclone.
"""

from __future__ import annotations

import argparse
import heapq
import re
import select
import socket
import sys
import time
from dataclasses import dataclass, field

from benchmarks.attachments import Attachments
from benchmarks.messages import CONTINUE, Reply, Request, Tally, reply
from benchmarks.objects import Objects

KEPT = 64 << 20
"""Bytes of the longest body that is kept whole until it is answered."""
HEAD = 64 << 10
"""Bytes kept from the start of a longer one; the rest is dropped inside the kernel."""
_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
_WAITS = re.compile(rb"\r\nexpect: *100-continue", re.IGNORECASE)


@dataclass(slots=True)
class Connection:
    sock: socket.socket
    buffer: bytearray = field(default_factory=bytearray)
    head: bytes = b""
    """Request line and headers of the request that is being read; empty between two requests."""
    length: int = 0
    """Bytes of its body."""
    dropped: int = 0
    """Bytes of its body that were read and not kept."""
    began: float = 0.0
    """`time.monotonic()` of its first byte."""


class Sink:
    def __init__(self, latency: float) -> None:
        self._latency = latency
        self._tally = Tally()
        self._attachments = Attachments(self._tally)
        self._objects = Objects()
        self._poll = select.epoll()
        self._connections: dict[int, Connection] = {}
        self._due: list[tuple[float, int, int, Reply]] = []
        self._answers = 0
        self._scratch = bytearray(1 << 20)
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=128)
        self.port = self._listener.getsockname()[1]

    def serve(self, stop: int) -> None:
        """Answer until the descriptor `stop` becomes readable."""
        listener = self._listener.fileno()
        self._poll.register(listener, select.EPOLLIN)
        self._poll.register(stop, select.EPOLLIN | select.EPOLLHUP)
        while True:
            for number, _ in self._poll.poll(self._patience()):
                if number == listener:
                    self._accept()
                elif number == stop:
                    return
                elif number in self._connections:
                    self._hear(self._connections[number])
            self._send_due()

    def _accept(self) -> None:
        sock, _ = self._listener.accept()
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._connections[sock.fileno()] = Connection(sock)
        self._poll.register(sock.fileno(), select.EPOLLIN)

    def _hear(self, c: Connection) -> None:
        try:
            count = self._drop(c) if self._is_long(c) else self._keep(c)
        except OSError:
            count = 0
        if not count:
            self._connections.pop(c.sock.fileno(), None)
            c.sock.close()
            return
        while self._is_whole(c):
            pass

    def _is_long(self, c: Connection) -> bool:
        return c.length > KEPT and len(c.buffer) >= HEAD

    def _drop(self, c: Connection) -> int:
        left = c.length - len(c.buffer) - c.dropped
        count = c.sock.recv_into(self._scratch, min(left, 1 << 20), socket.MSG_TRUNC)
        c.dropped += count
        return count

    def _keep(self, c: Connection) -> int:
        limit = HEAD if c.length > KEPT else 1 << 18
        data = c.sock.recv(limit)
        if not c.buffer and not c.head:
            c.began = time.monotonic()
        c.buffer += data
        return len(data)

    def _is_whole(self, c: Connection) -> bool:
        """Answer the request in the buffer if all of it is there; tells whether it was."""
        if not c.head:
            end = c.buffer.find(b"\r\n\r\n")
            if end < 0:
                return False
            c.head = bytes(c.buffer[:end])
            del c.buffer[: end + 4]
            found = _LENGTH.search(c.head)
            c.length = int(found[1]) if found else 0
            if c.length and _WAITS.search(c.head):
                c.sock.sendall(CONTINUE)
        if len(c.buffer) + c.dropped < c.length:
            return False
        kept = min(len(c.buffer), c.length)
        request = Request(c.head, bytes(c.buffer[:kept]), c.length, c.began)
        del c.buffer[:kept]
        c.head, c.length, c.dropped, c.began = b"", 0, 0, time.monotonic()
        self._answer(c, request)
        return bool(c.buffer)

    def _answer(self, c: Connection, request: Request) -> None:
        if request.path.startswith("/_/"):
            _send(c.sock, self._attachments.benchmark(request))
            return
        self._tally.requests += 1
        rules = self._attachments if request.path.startswith("/api/") else self._objects
        try:
            found = rules.answer(request)
        except (KeyError, ValueError, IndexError) as error:
            found = reply(400, repr(error).encode())
        if not self._latency:
            _send(c.sock, found)
            return
        self._answers += 1
        due = time.monotonic() + self._latency
        heapq.heappush(self._due, (due, self._answers, c.sock.fileno(), found))

    def _patience(self) -> float:
        return max(0.0, self._due[0][0] - time.monotonic()) if self._due else -1

    def _send_due(self) -> None:
        while self._due and self._due[0][0] <= time.monotonic():
            number, found = heapq.heappop(self._due)[2:]
            if number in self._connections:
                _send(self._connections[number].sock, found)


def _send(sock: socket.socket, found: Reply) -> None:
    try:
        for piece in found:
            sock.sendall(piece)
    except OSError:
        pass  # The client left; the next poll closes the connection.


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--latency", type=float, default=0.0, help="seconds before each answer")
    sink = Sink(parser.parse_args().latency)
    print(sink.port, flush=True)
    sink.serve(sys.stdin.fileno())


if __name__ == "__main__":
    main()
