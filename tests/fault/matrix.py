"""Every kind of trouble at every point of a cycle that does everything, on real processes.

    python -m tests.fault.matrix --full        all combinations; without it, what CI tries
    python -m tests.fault.matrix --pairs       two troubles in a row only

A point is one trouble at one place. First a calm cycle tells how many requests and how many
writes of the ledger there are; then each point has a folder, a server and a ledger of its own.
Whatever happens: afterwards the task equals the folder, and the run after costs one list.
"""

from __future__ import annotations

import itertools
import random
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.support.commands import Said
from tests.support.faults import Fault
from tests.support.processes import ended, launcher, python_m_syncd
from tests.support.quirks import Quirks
from tests.support.scene import Scene
from tests.support.witness import Witness

AT_ONCE = 6
CALM_RUNS = 3
"""Runs in which all must be well again."""
FAULTS: dict[str, dict[str, Any]] = {
    "500, not done": {"kind": "status_before", "status": 500},
    "500, but done": {"kind": "status_after", "status": 500},
    "reset, not done": {"kind": "reset_before"},
    "reset, but done": {"kind": "reset_after"},
    "silence, and done 2 s later": {"kind": "late_commit", "seconds": 2.0, "drop": "hang"},
    "429": {"kind": "429", "retry_after": "1"},
    "402": {"kind": "status_before", "status": 402},
    "404 to everything from then on": {"kind": "status_before", "status": 404, "times": None},
}
KILLS = ("killed before the request is done", "killed after the request is done")
FALLS = {
    "killed before the ledger is written": "enter",
    "killed before the ledger's COMMIT": "inside",
    "killed after the ledger is written": "exit",
}
KINDS = (*KILLS, *FALLS, *FAULTS)
CI_KINDS = (
    *KILLS,
    *("killed before the ledger's COMMIT", "killed after the ledger is written"),
    *("silence, and done 2 s later", "404 to everything from then on"),
)
"""Those that take a process to try: all other answers are tried at each kind of request in
test_cycle_faults.py. A kill before the ledger is written differs from one after the write before by
a request at most, and those are there."""
SERVERS: dict[str, dict[str, Any]] = {
    "201 without ids": {},
    "201 with objects": {"ids_in_201": "items"},
    "a lagging list": {"list_lag": 0.5},
    "soft deletes shown": {"list_deleted": True, "view_soft_deleted": False},
}


@dataclass(frozen=True)
class Point:
    """One trouble: its kind, and the number of the request or of the ledger's write."""

    kind: str
    number: int
    server: str = "201 without ids"
    then: Point | None = None
    """What befalls the run that comes after."""

    def __str__(self) -> str:
        text = f"{self.kind} at {self.number} ({self.server})"
        return f"{text}, then {self.then}" if self.then else text


@dataclass
class Tried:
    """What came of some points."""

    points: int = 0
    missed: int = 0
    """Points that the run did not come to."""
    wrongs: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        return f"{self.points} points tried, {self.missed} not reached, {len(self.wrongs)} wrong"


class Stage(Scene):
    """A task in sync, then a folder changed in every way that there is."""

    def __init__(self, base: Path, point: Point) -> None:
        quirks = Quirks(quota=None, **SERVERS[point.server])
        if "402" in str(point):  # by its headers a run knows when to come again
            quirks.quota, quirks.quota_window = 10_000, 2.0
        hangs = "silence" in str(point)
        super().__init__(base, quirks, timeout="700ms" if hangs else "20s", order="manifest")
        self.witness = Witness(self)  # type: ignore[arg-type]
        for name, size in (("brief.docx", 5), ("k", 3), ("same size", len("new l"))):
            self.witness.seed(name, b"." * size, order=size)
        for name in "abcdefgh":
            self.write(name, f"first {name}")
        self._order("abcdefgh")
        self.witness.note()
        said = launcher().start("--once", "-c", str(self.config)).wait()
        assert said.code == 0, said
        self._change()
        self.witness.note()

    def _change(self) -> None:
        self.write("a", "second a, longer")
        self.write("b", "other b")
        aside = self.root / ".#aside"
        for old, new in (
            (self.root / "c", aside),
            (self.root / "d", self.root / "c"),
            (aside, self.root / "d"),
            (self.root / "e", self.root / "z"),
        ):
            old.rename(new)
        (self.root / "f").unlink()
        for name in "klmnopqrstu":
            self.write(name, f"new {name}")
        self._order("habcdzklmnopqrstug")

    def _order(self, names: str) -> None:
        self.write(".syncd-order", "\n".join(names))

    def suffer(self, point: Point, *, as_module: bool) -> bool:
        """One run with this trouble; whether it came to it."""
        before = len(self.server.log)
        self.server.faults.clear()
        if point.kind in FALLS:
            hook = ("die_in_transaction", point.number, FALLS[point.kind])
            return self.once(hook=hook).code == -signal.SIGKILL
        if point.kind in KILLS:
            return self._killed(point, as_module)
        skip = {"skip": point.number - 1}
        self.server.faults.append(Fault(**FAULTS[point.kind], **skip))
        said = self.once()
        self.server.faults.clear()
        assert said.code in (0, 1, 75), f"{said}"
        assert "unexpected" not in said.err, f"{said}"
        return len(self.server.log) - before >= point.number

    def _killed(self, point: Point, as_module: bool) -> bool:
        when = "before" if point.kind == KILLS[0] else "after"
        if not as_module:
            run = launcher().start("--once", "-c", str(self.config))
            self.server.strike_at(point.number, when, run.kill)  # type: ignore[arg-type]
            code = run.wait().code
        else:
            process = python_m_syncd("--once", "-c", str(self.config))
            self.server.strike_at(point.number, when, process.kill)  # type: ignore[arg-type]
            code = ended(process).code
        self.server.spare()
        assert code in (0, 1, 75, -signal.SIGKILL), code
        return code == -signal.SIGKILL

    def heal(self) -> str | None:
        """Calm runs: what is wrong after them, or None."""
        said = Said(-1, "", "")
        for _ in range(CALM_RUNS):
            said = self.once("--wait")
            if said.code == 0:
                break
            if said.code not in (1, 75):
                return f"{said}"
        else:
            return f"not in sync after {CALM_RUNS} calm runs: {said}"
        try:
            self.witness.assert_settled()
        except AssertionError as error:
            return f"{error}: {self.names()}"
        said = self.once()
        if (said.code, self.calls()) != (0, ["GET"]):
            return f"the run after sent {self.sent()}: {said}"
        return None


def attempt(point: Point, *, as_module: bool = False) -> tuple[bool, str | None]:
    """Whether the point was reached, and what was wrong afterwards."""
    with (
        tempfile.TemporaryDirectory(prefix="syncd-matrix-") as base,
        Stage(Path(base) / "stage", point) as stage,
    ):
        try:
            reached = stage.suffer(point, as_module=as_module)
            if point.then is not None and reached:
                stage.suffer(point.then, as_module=as_module)
            wrong = stage.heal()
        except AssertionError as error:
            return True, f"{point}: {error}"
    return reached, f"{point}: {wrong}" if wrong else None


def measure(server: str = "201 without ids") -> tuple[int, int]:
    """Requests and writes of the ledger that the calm cycle takes."""
    calm = Point("calm", 0, server)
    with (
        tempfile.TemporaryDirectory(prefix="syncd-matrix-") as base,
        Stage(Path(base) / "stage", calm) as stage,
    ):
        counted = Path(base) / "count"
        said = stage.once(hook=("count_transactions", str(counted)))
        assert said.code == 0, said
        return len(stage.sent()), int(counted.read_text())


def points(kind: str, server: str = "201 without ids") -> list[Point]:
    """One kind of trouble at each place."""
    requests, writes = measure(server)
    count = writes if kind in FALLS else requests
    return [Point(kind, number, server) for number in range(1, count + 1)]


def pairs(seed: int = 1, at_most: int = 600) -> list[Point]:
    """One trouble, and another one in the run that is to mend it."""
    firsts = [p for kind in KINDS for p in points(kind)]
    seconds = [Point(kind, number) for kind in KINDS for number in range(1, 6)]
    both = [Point(a.kind, a.number, then=b) for a, b in itertools.product(firsts, seconds)]
    return random.Random(seed).sample(both, min(at_most, len(both)))


def try_all(
    wanted: Sequence[Point],
    *,
    as_module: bool = False,
    tell: Callable[[str], None] = lambda _: None,
) -> Tried:
    """Several points at a time: most of it is waiting out a doubt."""
    tried = Tried()
    with ThreadPoolExecutor(AT_ONCE) as pool:
        for reached, wrong in pool.map(lambda p: attempt(p, as_module=as_module), wanted):
            tried.points += reached
            tried.missed += not reached
            if wrong:
                tried.wrongs.append(wrong)
                tell(wrong)
    return tried


def everything(full: bool) -> Iterator[tuple[str, list[Point]]]:
    """What is tried, in groups."""
    for server in SERVERS if full else ("201 without ids",):
        for kind in KINDS if full else CI_KINDS:
            yield f"{kind} ({server})", points(kind, server)
    if full:
        yield "two troubles in a row", pairs()


def main(arguments: Sequence[str]) -> int:
    """Try it all; 1 if anything is wrong."""
    started, total = time.monotonic(), Tried()
    groups = everything("--full" in arguments)
    if "--pairs" in arguments:
        groups = iter([("two troubles in a row", pairs())])
    for name, wanted in groups:
        tried = try_all(wanted, tell=lambda wrong: print(f"WRONG {wrong}", flush=True))
        print(f"{name}: {tried}", flush=True)
        total.points += tried.points
        total.missed += tried.missed
        total.wrongs += tried.wrongs
    print(f"{total}, in {time.monotonic() - started:.0f} s")
    return bool(total.wrongs)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
