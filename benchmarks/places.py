"""Folders of files, and configs for them, below one directory that is removed at the end."""

from __future__ import annotations

import json
import os
import time
from dataclasses import dataclass, field

from benchmarks.contents import NAME, text
from benchmarks.measuring import syncd
from benchmarks.server import Server

RACY = 2.1
"""Seconds after which a change is old enough for its fingerprint to be trusted."""


@dataclass
class Bench:
    """What all scenarios share."""

    base: str
    quick: bool
    rounds: int
    server: Server
    slow_server: Server
    """The same with 10 ms before each answer."""
    notes: list[str] = field(default_factory=list)
    _tasks: int = 0
    _made: dict[tuple[int, int], str] = field(default_factory=dict)

    def size(self, full: int, quick: int) -> int:
        return quick if self.quick else full

    def task(self) -> int:
        """The number of a task that nothing was sent to."""
        self._tasks += 1
        return self._tasks

    def path(self, kind: str) -> str:
        """A new directory."""
        path = os.path.join(self.base, f"{kind}-{self.task()}")
        os.mkdir(path)
        return path

    def folder(self, files: int, size: int = 0) -> str:
        """A folder of so many different files, `size` bytes each (0 = a short line); the same one
        for the same numbers. Its files are old enough to be trusted."""
        if (files, size) not in self._made:
            path = self.path("folder")
            fill(path, files, size)
            time.sleep(RACY)
            self._made[files, size] = path
        return self._made[files, size]


def fill(path: str, files: int, size: int = 0) -> None:
    for number in range(1, files + 1):
        with open(os.path.join(path, NAME.format(number)), "wb") as file:
            file.write(os.urandom(size) if size else text(number).encode())


@dataclass
class Setup:
    """A config with a state of its own; `task` counts where there is one folder."""

    config: str
    task: int
    state: str

    def command(self, *arguments: str) -> list[str]:
        return syncd("-c", self.config, "-q", *arguments)

    def once(self) -> list[str]:
        return self.command("--once")


def setup(
    bench: Bench,
    server: Server,
    paths: list[str] | None = None,
    each: str | None = None,
    **sync: object,
) -> Setup:
    """A config for folders with tasks of their own, or for one `each:`."""
    base = bench.path("setup")
    token = os.path.join(base, "token")
    with open(os.open(token, os.O_WRONLY | os.O_CREAT, 0o600), "w") as file:
        file.write("toggl_sk_" + "0" * 32)
    folders: list[dict[str, object]] = [{"path": p, "task_id": bench.task()} for p in paths or ()]
    if each:
        folders.append({"each": each})
    values = {
        "api": {
            "url": f"{server.url}/api",
            "organization_id": 1,
            "workspace_id": 2,
            "token_file": token,
        },
        "sync": {"max_files": 0, **sync},
        "state_dir": os.path.join(base, "state"),
        "folders": folders,
    }
    config = os.path.join(base, "config.yaml")
    with open(config, "w") as file:
        json.dump(values, file)
    task = folders[0].get("task_id", 0)
    assert isinstance(task, int)
    return Setup(config, task, os.path.join(base, "state"))
