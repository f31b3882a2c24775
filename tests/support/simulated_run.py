"""One installation of the simulation: runs of the real engine, which may be made to die."""

from __future__ import annotations

import shutil
import sqlite3
import sys
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from unittest.mock import patch
from urllib.parse import urlsplit

import requests

import syncd.engine.context
import syncd.engine.uploads
from syncd.engine.context import Options
from syncd.engine.folder_run import FolderRun
from syncd.engine.report import FolderReport
from syncd.errors import StateError
from syncd.focus.transport import HttpTransport
from syncd.model import Fingerprint, Folder, Rules
from syncd.state.database import Database
from syncd.state.ledger import Ledger
from tests.support.assembled import context_of
from tests.support.commands import KEY
from tests.support.faults import Fault
from tests.support.oracle import Oracle
from tests.support.sandbox import URL, InProcess
from tests.support.simulated_disk import Disk

if TYPE_CHECKING:
    from tests.support.simulation import Simulation

MOST = 300
"""Requests of one run; a dozen files take a fraction of them."""


class Killed(BaseException):
    """As if the process had died here: nothing of ours catches it."""


@dataclass
class Crash:
    """Where the process dies: at the n-th moment from the start of a run."""

    at: int
    kind: str = "before"
    """A request on which it dies is lost (`before`), carried out (`after`), or carried out
    `seconds` later (`way`). `full`: it does not die, but the ledger can no longer be written."""
    seconds: float = 2.0


class Syncd:
    """One folder, one ledger, one key; others may work on the same task."""

    def __init__(self, sim: Simulation, name: str, rules: Rules) -> None:
        self.sim = sim
        self.name = name
        self.rules = rules
        self.options = {k: v for k, v in sim.options.items() if k != "backwards"}
        base = sim.base / name
        base.mkdir(parents=True)
        self.state = base / "state"
        self.state.mkdir()
        self.disk = Disk(base / "folder", sim.clock, sim.tick)
        self.oracle = Oracle(sim, self)
        self.disk_full = False
        """The ledger cannot be written."""
        self._approved: frozenset[int] = frozenset()
        self._moments = 0
        self._crash: Crash | None = None

    def run(
        self,
        *faults: Fault,
        crash: Crash | None = None,
        approve: bool = False,
        **options: bool,
    ) -> FolderReport | None:
        """One `--once`; None = it died, or could not write its ledger."""
        sim = self.sim
        sim.server.faults[:] = faults
        sim.log.clear()
        self._moments, self._crash, self.disk_full = 0, crash, False
        self.oracle.begin_run()
        approved = self._approved if approve else frozenset()
        try:
            with self._patched():
                report = self._run(approved, options)
        except (Killed, StateError):
            report = None
        finally:
            sim.server.faults.clear()
        sim.look()
        self.oracle.end_run()
        if report is not None:
            self._approved = frozenset(h.id for h in report.held)
            self.oracle.judge_run(report, released=bool(approved or options.get("allow_delete")))
        sim.judge()
        return report

    def _run(self, approved: frozenset[int], options: dict[str, bool]) -> FolderReport:
        sim, clock = self.sim, self.sim.clock
        transport = HttpTransport(URL, KEY, timeout=30, connections=2, adapter=Wire(self))
        folder = Folder(self.name, str(self.disk.root), sim.task, self.rules)
        with closing(Ledger.open(str(self.state), clock)) as ledger:
            context = context_of(URL, transport, ledger, clock, clock.sleep, **self.options)
            task = ledger.task(sim.task)
            return FolderRun(context, Options(**options), folder, task, approved).run()

    @contextmanager
    def _patched(self) -> Iterator[None]:
        honest = Database.transaction
        syncd_ = self

        @contextmanager
        def transaction(database: Database) -> Iterator[None]:
            syncd_.moment("ledger")
            if syncd_.disk_full:
                raise StateError("disk full")
            with honest(database):
                yield
            syncd_.moment("committed")

        uploads = syncd.engine.uploads
        with ExitStack() as stack:
            for owner, name, stand_in in (
                (Database, "transaction", transaction),
                (Fingerprint, "of", self.disk.fingerprint),
                (syncd.engine.context, "ThreadPoolExecutor", OneByOne),
                (uploads, "wait", _wait),
                (OneByOne, "backwards", self.sim.options.get("backwards", False)),
            ):
                stack.enter_context(patch.object(owner, name, stand_in))
            yield

    def moment(self, where: str) -> bool:
        """Count a place to die at; True = a request is to be carried out, and then it dies."""
        self._moments += 1
        crash = self._crash
        if crash is None or self._moments <= crash.at or self.disk_full:
            return False
        if crash.kind == "full":
            self.disk_full = where == "ledger"
            return False
        if where == "request" and crash.kind != "before":
            if crash.kind == "way":
                number = len(self.sim.server.log) + 1
                late = Fault("late_commit", at_request=number, seconds=crash.seconds)
                self.sim.server.faults.insert(0, late)
            return True
        raise Killed

    # -- the ledger's file -------------------------------------------------------------------

    def ledger_rows(self, query: str) -> list[tuple[Any, ...]]:
        """What the ledger says; nothing before its first run is through with creating it."""
        path = self.state / "ledger.db"
        if not path.exists():
            return []
        with closing(sqlite3.connect(path)) as db:
            ready = db.execute("SELECT * FROM sqlite_master WHERE name = 'attachments'").fetchall()
            return db.execute(query).fetchall() if ready else []

    def lose_ledger(self) -> None:
        (self.state / "ledger.db").unlink(missing_ok=True)
        self._approved = frozenset()
        self.oracle.forget()

    def keep_ledger(self) -> None:
        if (self.state / "ledger.db").exists():
            shutil.copy(self.state / "ledger.db", self.state / "ledger.copy")

    def restore_ledger(self) -> None:
        if (self.state / "ledger.copy").exists():
            shutil.copy(self.state / "ledger.copy", self.state / "ledger.db")
            self._approved = frozenset()
            self.oracle.forget()


class Wire(InProcess):
    """The way from one installation to the server: the oracle sees it, and it may be cut."""

    def __init__(self, syncd_: Syncd) -> None:
        super().__init__(syncd_.sim.server)
        self.syncd = syncd_

    def send(self, request: requests.PreparedRequest, *_: Any, **__: Any) -> requests.Response:
        one, sim = self.syncd, self.syncd.sim
        sim.clock.now += sim.latency
        method = request.method or ""
        tail = urlsplit(request.url or "").path.rsplit("/attachments", 1)[1].strip("/")
        sim.log.append(f"{method} {tail}".strip())
        if len(sim.log) > MOST:
            sim.wrong(f"{one.name}: a run without an end")
            raise Killed
        sim.look()
        dies = one.moment("request")
        sending = one.oracle.before(method, tail, request)
        sim.sending = (one, sending)
        status: int | None = None
        try:
            response = super().send(request)
            status = response.status_code
        except requests.ReadTimeout:
            sim.clock.now += 30
            raise
        except requests.ConnectionError:
            if sim.server.log[-1].size == 0 and method == "POST":
                status = 499  # nothing of the body was read: surely not done
            raise
        finally:
            one.oracle.after(sending, method, tail, None if dies else status)
            sim.look()
            sim.sending = None
        if dies:
            raise Killed
        one.moment("answer")
        return response


class OneByOne:
    """An executor that runs what was submitted when somebody waits, in a known order."""

    backwards = False
    waiting: deque[tuple[Any, Callable[[], Any]]]

    def __init__(self, max_workers: int) -> None:
        self.waiting = deque()
        OneByOne.current = self  # type: ignore[attr-defined]

    def submit(self, call: Callable[..., Any], *args: Any) -> Any:
        future = _Done()
        self.waiting.append((future, lambda: call(*args)))
        return future

    def run(self) -> list[Any]:
        done = []
        while self.waiting:
            future, call = self.waiting.pop() if self.backwards else self.waiting.popleft()
            try:
                future.value = call()
            except Exception as error:
                future.error = error
            except Killed:
                self.waiting.clear()
                raise
            done.append(future)
        return done


class _Done:
    value: Any = None
    error: Exception | None = None

    def result(self) -> Any:
        if self.error is not None:
            raise self.error
        return self.value


@dataclass
class _Waited:
    done: list[Any]


def _wait(running: Any, **_: Any) -> _Waited:
    if isinstance(sys.exc_info()[1], Killed):
        return _Waited([])
    return _Waited(OneByOne.current.run())  # type: ignore[attr-defined]
