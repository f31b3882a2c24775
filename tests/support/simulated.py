"""A worker whose day takes a second: clocks in step, a transport without a network."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from requests import PreparedRequest, Response

from syncd.errors import Unreachable
from syncd.focus.transport import HttpTransport
from syncd.model import Folder, Rules, TaskKey
from syncd.overview.folders import Target
from syncd.sandbox.storage import Row
from syncd.service.worker import Worker
from syncd.state.ledger import Ledger
from tests.support.assembled import context_of
from tests.support.commands import KEY
from tests.support.faulty_api import FaultyApi
from tests.support.quirks import Quirks
from tests.support.sandbox import URL, InProcess

RESCAN = 300.0


class Network(InProcess):
    """The way to the server, which may be down."""

    down = False

    def send(self, request: PreparedRequest, *args: Any, **settings: Any) -> Response:
        if self.down:
            raise Unreachable("could not reach the server: no network")
        return super().send(request, *args, **settings)


class Simulation:
    """`sim.folders(20)`, `sim.pass_by(3600)`, `sim.requests()`; seconds throughout.

    Wall clock and monotonic clock advance together; `sim.wall` alone is set by `sim.jump`. A
    file's ctime cannot be simulated: files seem written long ago, so that none is unsettled.
    """

    def __init__(self, base: Path, **quirks: Any) -> None:
        self.base = base
        self.ran = 0.0
        self.wall = 2_000_000_000.0
        self.server_time = self.wall
        self.server = FaultyApi(Quirks(**quirks), clock=lambda: self.server_time)
        self.state = base / "state"
        self.state.mkdir()
        self.targets: list[Target] = []
        self.refused_keys = 0
        self.start()

    def start(self) -> None:
        """Start, or start anew: what only the worker remembers is lost."""
        self.ledger = Ledger.open(str(self.state), lambda: self.wall)
        self.network = Network(self.server)
        transport = HttpTransport(URL, KEY, timeout=30.0, connections=2, adapter=self.network)
        context = context_of(
            *(URL, transport, self.ledger, lambda: self.wall, self.advance),
            max_batch_bytes=32 << 20,
        )

        def refused() -> None:
            self.refused_keys += 1

        self.worker = Worker(
            context=context,
            clock=lambda: self.ran,
            approvals=dict,
            drop_approvals=lambda tasks: None,
            on_key_refused=refused,
        )
        self.worker.set_targets(self.targets)

    def restart(self) -> None:
        self.ledger.close()
        self.start()

    def folders(self, count: int) -> None:
        """So many folders, each with its task, on the contract's times, but for RESCAN."""
        for number in range(len(self.targets) + 1, len(self.targets) + count + 1):
            path = self.base / f"folder{number}"
            path.mkdir()
            task = TaskKey(URL, 1, 2, number)
            folder = Folder(path.name, str(path), task, Rules())
            self.targets.append(Target(folder, settle=2.0, rescan=RESCAN, refresh=3600.0))
        self.worker.set_targets(self.targets)

    def write(self, name: str, content: str, folder: int = 1) -> None:
        (self.base / f"folder{folder}" / name).write_text(content)
        self.worker.changed(self.targets[folder - 1].folder.task)

    def remove(self, name: str, folder: int = 1) -> None:
        os.unlink(self.base / f"folder{folder}" / name)
        self.worker.changed(self.targets[folder - 1].folder.task)

    def advance(self, seconds: float) -> None:
        self.ran += seconds
        self.wall += seconds
        self.server_time += seconds

    def jump(self, seconds: float) -> None:
        """Somebody sets the clock."""
        self.wall += seconds

    def pass_by(
        self, seconds: float, every: float = 60.0, then: Callable[[], object] = lambda: None
    ) -> None:
        """Let time pass as the daemon does: what is due, and rescans."""
        end, rescan, event = self.ran + seconds, self.ran + RESCAN, self.ran + every
        while True:
            self.worker.run_due()
            due = max(self.worker.next_due(), self.ran + 0.01)
            if min(due, rescan, event) > end:
                self.advance(max(end - self.ran, 0.0))
                return
            self.advance(max(min(due, rescan, event) - self.ran, 0.0))
            if self.ran >= event:
                event += every
                then()
            if self.ran >= rescan:
                rescan += RESCAN
                self.worker.rescan()

    def go_offline(self) -> None:
        self.network.down = True

    def go_online(self) -> None:
        self.network.down = False

    def requests(self) -> int:
        return len(self.server.log)

    def rows(self, task: int = 1) -> list[Row]:
        return self.server.rows((1, 2, task))

    def cycle_ends(self) -> list[float | None]:
        return [w.last_cycle for w in self.worker.folders.values()]
