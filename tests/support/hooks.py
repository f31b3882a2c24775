"""What a launched process does to itself, or to the folder, at a chosen moment."""

from __future__ import annotations

import os
import signal
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Literal, NoReturn

Moment = Literal["enter", "inside", "exit"]


def die() -> NoReturn:
    os.kill(os.getpid(), signal.SIGKILL)
    raise AssertionError("unreachable")


def die_in_transaction(number: int, moment: Moment) -> None:
    """SIGKILL at the n-th write of the ledger: before it, before its COMMIT, or after it."""
    from syncd.state.database import Database

    honest = Database.transaction
    count = [0]

    @contextmanager
    def transaction(database: Database) -> Iterator[None]:
        count[0] += 1
        here = count[0] == number
        if here and moment == "enter":
            die()
        with honest(database):
            yield
            if here and moment == "inside":
                die()
        if here and moment == "exit":
            die()

    Database.transaction = transaction  # type: ignore[method-assign,assignment]


def count_transactions(file: str) -> None:
    """Leave word of how many writes of the ledger there have been."""
    from syncd.state.database import Database

    honest = Database.transaction
    count = [0]

    @contextmanager
    def transaction(database: Database) -> Iterator[None]:
        count[0] += 1
        with open(file, "w") as out:
            out.write(str(count[0]))
        with honest(database):
            yield

    Database.transaction = transaction  # type: ignore[method-assign,assignment]


def full_after(posts: int) -> None:
    """The ledger cannot be written any more once so many uploads were recorded."""
    from syncd.errors import StateError
    from syncd.state.task_ledger import TaskLedger

    honest, count = TaskLedger.write, [0]

    def write(task: TaskLedger) -> None:
        changes = [i for change in task._not_written for i in change.intents.values()]
        if task._not_written and count[0] == posts:
            raise StateError("the disk is full")
        count[0] += any(i.state == "answered" for i in changes)
        honest(task)

    TaskLedger.write = write  # type: ignore[method-assign]


def before_open(path: str, what: str) -> None:
    """Just before a file is opened to be sent, something else stands in its place; once."""
    from syncd.focus import uploads

    honest = uploads._open
    left = [1]

    def opened(planned: Any) -> int:
        if planned.file == path and left[0]:
            left[0] -= 1
            change(path, what)
        return honest(planned)

    uploads._open = opened


def while_sent(path: str, what: str, times: int = 1) -> None:
    """After the first piece of a file was read to be sent, the file changes."""
    from syncd.focus import uploads

    honest = uploads.OpenFile.read
    left = [times]
    begun: set[int] = set()

    def read(file: Any, limit: int) -> bytes | memoryview:
        piece = honest(file, min(limit, 1 << 16))
        if file.path == path and piece and left[0] and id(file) not in begun:
            begun.add(id(file))
            left[0] -= 1
            change(path, what)
        return piece

    uploads.OpenFile.read = read  # type: ignore[method-assign]


def change(path: str, what: str) -> None:
    """Let a file become something else."""
    if what == "grow":
        with open(path, "ab") as file:
            file.write(b"x" * 4096)
        return
    if what == "shrink":
        os.truncate(path, 1 << 15)
        return
    if what == "rewrite":
        with open(path, "r+b") as file:
            file.write(os.urandom(16))
        return
    os.unlink(path)
    if what == "link":
        os.symlink("/etc/passwd", path)
    elif what == "pipe":
        os.mkfifo(path)
    elif what == "folder":
        os.mkdir(path)
    elif what == "socket":
        socket.socket(socket.AF_UNIX).bind(path)


def umask(mask: int) -> None:
    os.umask(mask)


def explode_with_the_key() -> None:
    """An error that nobody foresaw quotes what it was given."""
    from syncd.focus.transport import HttpTransport

    def request(transport: HttpTransport, *_: object, **__: object) -> NoReturn:
        raise RuntimeError(f"Bearer {transport._key}")

    HttpTransport.request = request  # type: ignore[method-assign]


def print_the_key(key: str) -> None:
    os.write(2, key.encode())


def without_home(home: str | None, here: str, xdg_state_home: str = "") -> None:
    """Start in another directory, with a HOME that is none."""
    os.chdir(here)
    os.environ.pop("HOME", None)
    if home is not None:
        os.environ["HOME"] = home
    os.environ["XDG_STATE_HOME"] = xdg_state_home
