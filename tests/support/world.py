"""A folder, a task on a real sandbox over real HTTP, and a real ledger: one run per call.

Only clock and sleep are ours: a wait of an hour costs nothing here.
"""

from __future__ import annotations

import os
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

from syncd.engine.context import Options, Progress
from syncd.engine.folder_run import FolderRun
from syncd.engine.report import FolderReport
from syncd.focus.transport import HttpTransport
from syncd.model import Folder, LoggedAction, LoggedCycle, Rules, TaskKey
from syncd.sandbox.storage import Row
from syncd.state.ledger import Ledger
from tests.support.assembled import context_of
from tests.support.faulty_server import Sandbox
from tests.support.quirks import Quirks

KEY = "toggl_sk_0123456789abcdef0123456789abcdef"


@dataclass
class World:
    """`world.write(...)`, `world.run()`, `world.calls()`."""

    base: Path
    quirks: Quirks = field(default_factory=Quirks)
    rules: Rules = field(default_factory=Rules)
    timeout: float = 2.0
    quota: int | None = None
    reserve: int = 5
    create_params: str = "both"
    max_batch_bytes: int = 32 * 1024 * 1024

    def __post_init__(self) -> None:
        self.root = self.base / "folder"
        self.root.mkdir()
        self.state = self.base / "state"
        self.state.mkdir()
        self.ahead = 0.0
        self.slept: list[float] = []
        self.progress: Progress | None = None
        self.sandbox = Sandbox(self.quirks, clock=self.clock).start()
        self.server = self.sandbox.api
        self.task = TaskKey(self.sandbox.url, 1, 2, 3)
        self._seen = 0

    def __enter__(self) -> World:
        return self

    def __exit__(self, *_: object) -> None:
        self.sandbox.stop()

    def clock(self) -> float:
        import time

        return time.time() + self.ahead

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.ahead += seconds

    def write(self, name: str, content: bytes | str = b"", *, age: float = 60.0) -> Path:
        """A file last changed `age` seconds ago (its ctime is now, as on every disk)."""
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        if age:
            moment = self.clock() - age
            os.utime(path, (moment, moment))
        return path

    def run(self, *, approved: frozenset[int] = frozenset(), **options: bool) -> FolderReport:
        """One `--once` run of this folder; `calls()` tells what it sent."""
        self._seen = len(self.server.log)
        ledger = (
            Ledger.snapshot(str(self.state))
            if options.get("dry_run")
            else Ledger.open(str(self.state), self.clock)
        )
        try:
            transport = HttpTransport(self.task.url, KEY, timeout=self.timeout, connections=2)
            context = context_of(
                *(self.task.url, transport, ledger, self.clock, self.sleep),
                quota=self.quota,
                reserve=self.reserve,
                connections=2,
                max_batch_bytes=self.max_batch_bytes,
                progress=self.progress,
                create_params=self.create_params,
            )
            folder = Folder("folder", str(self.root), self.task, self.rules)
            task = ledger.task(self.task)
            report = FolderRun(context, Options(**options), folder, task, approved).run()
            transport.close()
            return report
        finally:
            ledger.close()

    def history(self) -> list[tuple[TaskKey, LoggedAction]]:
        """What the ledger tells of what was done."""
        with closing(Ledger.snapshot(str(self.state))) as ledger:
            return ledger.actions()

    def cycles(self) -> list[tuple[TaskKey, LoggedCycle]]:
        """What the ledger tells of the runs of the last day."""
        with closing(Ledger.snapshot(str(self.state))) as ledger:
            return ledger.cycles()

    def set_rules(self, **changes: object) -> None:
        self.rules = self.rules._replace(**changes)  # type: ignore[arg-type]

    def calls(self) -> list[str]:
        """What the last run sent, by the server's log: `POST bulk`, `GET list`, …"""
        names = []
        for request in self.server.log[self._seen :]:
            kind = request.path.rsplit("/attachments", 1)[-1].strip("/")
            kind = {"": "list" if request.method == "GET" else "single"}.get(kind, kind)
            kind = kind if kind in ("list", "single", "bulk") else kind.split("/")[-1]
            names.append(f"{request.method} {kind if not kind.isdigit() else 'one'}")
        return names

    def rows(self) -> list[Row]:
        """What the task truly holds, in display order."""
        task = (self.task.organization_id, self.task.workspace_id, self.task.task_id)
        return sorted(self.server.rows(task), key=lambda row: (row.display_order, row.id))

    def names(self) -> list[str]:
        return [row.name for row in self.rows()]
