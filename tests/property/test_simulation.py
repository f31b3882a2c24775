"""Whole cycles against a server that lies, by a state machine: files, people, faults, crashes.

What holds at every request and what holds once it is calm stands in `tests.support.oracle`; here
stands what may happen. `SYNCD_SIMULATION=long pytest tests/property/test_simulation.py`
looks for new trouble (other examples each time, for as long as it takes, some hours at most);
`SYNCD_SIMULATION=500` runs so many examples of each machine. Without it, a fixed set of them.
What was found is kept in test_simulation_found.py.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from syncd.model import Rules
from tests.support.quirks import Quirks
from tests.support.simulated_run import Crash, Syncd
from tests.support.simulation import Simulation
from tests.support.troubles import FAULTS, QUIRKS, Spec, crashes, faults, fresh

PATHS = ("a", "b", "c", "d", "B 1", "f10", "f9.log", "sub/x", "sub/y", "e", "g", "h")
OTHERS = ("z1", "z2", "z3")
SIZES = (0, 5, 5, 5, 7)
OTHERS_SIZES = (3, 6)
"""A size and a display order tell whose a create is: the others' sizes are not ours."""
DAY = 86_400.0

BUDGET = os.environ.get("SYNCD_SIMULATION", "")

pytestmark = [pytest.mark.timeout(0)] if BUDGET else []


def budget(examples: int, steps: int) -> settings:
    long = bool(BUDGET)
    count = int(BUDGET) if BUDGET.isdigit() else 20_000
    return settings(
        max_examples=count if long else examples,
        stateful_step_count=steps * 2 if long else steps,
        derandomize=not long,
        deadline=None,
        database=None,
        print_blob=True,
        phases=list(Phase) if long else [Phase.explicit, Phase.generate],
        suppress_health_check=list(HealthCheck),
    )


class Trouble(RuleBasedStateMachine):
    """`delete: owned`, and everything else at once."""

    policy: Any = "owned"

    def __init__(self) -> None:
        super().__init__()
        memory = "/dev/shm" if os.path.isdir("/dev/shm") else None
        self.base = Path(tempfile.mkdtemp(prefix="syncd-simulation-", dir=memory))
        self.serial = 0
        self.given: set[tuple[int, str]] = set()
        """Names that people gave to attachments."""
        self.sim: Simulation = None  # type: ignore[assignment]

    @initialize(
        tick=st.sampled_from((0.004, 1.0, 2.0)),
        latency=st.sampled_from((0.0, 0.3)),
        connections=st.sampled_from((1, 2)),
        backwards=st.booleans(),
        batch=st.sampled_from((1 << 20, 12, 1)),
        step=st.sampled_from((100, 1)),
        quirk=st.sampled_from(QUIRKS),
    )
    def begin(self, tick, latency, connections, backwards, batch, step, quirk) -> None:
        self.sim = Simulation(
            self.base / "world",
            Rules(delete=self.policy, max_delete=5, display_order_step=step),
            Quirks(**{"quota": None, **quirk}),
            tick,
            latency,
            {"connections": connections, "backwards": backwards, "max_batch_bytes": batch},
        )

    def teardown(self) -> None:
        try:
            if self.sim is not None:
                self.sim.settle()
        finally:
            shutil.rmtree(self.base)

    # -- helpers -----------------------------------------------------------------------------

    @property
    def a(self) -> Syncd:
        return self.sim.a

    def content(self, size: int) -> bytes:
        self.serial += 1
        return f"{self.serial:0{size}d}".encode() if size else b""

    def pick(self, nth: int) -> str | None:
        """Some file of the folder."""
        there = sorted(self.a.disk.files)
        return there[nth % len(there)] if there else None

    def pick_ours(self, nth: int) -> int | None:
        """Some attachment of ours that a calm look would show as that."""
        known = self.a.oracle.entries()
        live = sorted(i for i in self.a.oracle.live() if known.get(i, ("",))[0] == "current")
        return live[nth % len(live)] if live else None

    # -- the user ----------------------------------------------------------------------------

    @rule(path=st.sampled_from(PATHS), size=st.sampled_from(SIZES), anew=st.booleans())
    def write(self, path: str, size: int, anew: bool) -> None:
        self.a.disk.write(path, self.content(size), anew=anew)

    @rule(paths=st.lists(st.sampled_from(PATHS), min_size=3, max_size=12, unique=True))
    def write_many(self, paths: list[str]) -> None:
        for path in paths:
            self.a.disk.write(path, self.content(5))

    @rule(nth=st.integers(0, 20), anew=st.booleans())
    def edit_hidden(self, nth: int, anew: bool) -> None:
        """Another content of the same size, under the old mtime."""
        if path := self.pick(nth):
            disk = self.a.disk
            old = disk.files[path]
            disk.write(path, self.content(len(old)), anew=anew, mtime=disk.mtime(path))

    @rule(nth=st.integers(0, 20), anew=st.booleans())
    def save_same(self, nth: int, anew: bool) -> None:
        if path := self.pick(nth):
            self.a.disk.write(path, self.a.disk.files[path], anew=anew)

    @rule(nth=st.integers(0, 20), back=st.sampled_from((0, 100_000)))
    def touch(self, nth: int, back: int) -> None:
        if path := self.pick(nth):
            self.a.disk.touch(path, int((self.sim.clock() - back) * 1000) * 10**6)

    @rule(nth=st.integers(0, 20), to=st.sampled_from(PATHS))
    def twin(self, nth: int, to: str) -> None:
        if path := self.pick(nth):
            self.a.disk.write(to, self.a.disk.files[path], anew=True)

    @rule(nth=st.integers(0, 20), to=st.sampled_from(PATHS))
    def rename(self, nth: int, to: str) -> None:
        if path := self.pick(nth):
            self.a.disk.rename(path, to)

    @rule(nths=st.lists(st.integers(0, 20), min_size=2, max_size=3))
    def rotate(self, nths: list[int]) -> None:
        """A swap of two, or a chain of three."""
        paths = list(dict.fromkeys(p for n in nths if (p := self.pick(n))))
        if len(paths) < 2:
            return
        disk = self.a.disk
        disk.rename(paths[0], ".#aside")
        for old, new in zip(paths[1:], paths, strict=False):
            disk.rename(old, new)
        disk.rename(".#aside", paths[-1])

    @rule(nth=st.integers(0, 20), size=st.sampled_from(SIZES))
    def back_up_on_save(self, nth: int, size: int) -> None:
        if path := self.pick(nth):
            self.a.disk.rename(path, "a.bak")
            self.a.disk.write(path, self.content(size))

    @rule(nth=st.integers(0, 20))
    def delete(self, nth: int) -> None:
        if path := self.pick(nth):
            self.a.disk.delete(path)

    @rule()
    def delete_all(self) -> None:
        for path in list(self.a.disk.files):
            self.a.disk.delete(path)

    @rule(
        order=st.sampled_from(("natural", "name", "modified", "size", "manifest")),
        reverse=st.booleans(),
        manifest=st.permutations(PATHS[:6]),
    )
    def change_order(self, order: Any, reverse: bool, manifest: list[str]) -> None:
        self.a.disk.order(manifest)
        self.a.rules = self.a.rules._replace(order=order, reverse=reverse)

    @rule(
        ignore=st.lists(st.sampled_from(("*.log", "b", "sub/", "[a-c]")), max_size=2, unique=True),
        recursive=st.booleans(),
        largest=st.sampled_from((0, 0, 6)),
    )
    def change_rules(self, ignore: list[str], recursive: bool, largest: int) -> None:
        self.a.rules = self.a.rules._replace(
            ignore=tuple(ignore), recursive=recursive, max_file_size=largest
        )

    # -- people in the task ------------------------------------------------------------------

    @rule(nth=st.integers(0, 20), name=st.sampled_from(("theirs", "a", "sub/x")))
    def people_rename(self, nth: int, name: str) -> None:
        """Where the server rewrites names, nothing tells somebody who gives one of them again
        and again from a server that makes it of ours."""
        if id_ := self.pick_ours(nth):
            if self.sim.quirks.unique_names:
                return
            if self.sim.quirks.rewrite_name and (id_, name) in self.given:
                return
            self.given.add((id_, name))
            self.sim.meddle(id_, name=name)

    @rule(nth=st.integers(0, 20), order=st.sampled_from((0, 3, 100_100, 100_200, 2**31 - 1)))
    def people_move(self, nth: int, order: int) -> None:
        if order > 10**9 and self.sim.quirks.orders != "kept":
            return  # the sandbox would count on from there
        if id_ := self.pick_ours(nth):
            self.sim.meddle(id_, display_order=order)

    @rule(nth=st.integers(0, 20))
    def people_delete(self, nth: int) -> None:
        if id_ := self.pick_ours(nth):
            self.sim.meddle(id_, deleted_at=self.sim.clock())

    @rule(
        name=st.sampled_from(("brief", "a", "b", "c")),
        size=st.sampled_from((4, 9)),
        order=st.sampled_from((5, 100_000, 100_100)),
    )
    def people_add(self, name: str, size: int, order: int) -> None:
        if not self.sim.quirks.unique_names:
            self.sim.seed(name, b"t" * size, order)

    @rule(nth=st.integers(0, 20), order=st.sampled_from((5, 77_777)))
    def people_add_twin(self, nth: int, order: int) -> None:
        """Of the name and size of a file of ours, and another content.

        Where the server numbers by itself, nothing tells it from one that is on its way; nor does
        anything if somebody moves that one at once, or if no list shows it before a send of ours.
        """
        quirks = self.sim.quirks
        calm = quirks.orders == "kept" and not self.a.ledger_rows("SELECT * FROM intents")
        calm = calm and not quirks.unique_names
        if calm and (path := self.pick(nth)):
            self.sim.seed(path, b"t" * len(self.a.disk.files[path]), order)
            self.wait(self.sim.quirks.list_lag)

    # -- a second installation ---------------------------------------------------------------

    @rule(path=st.sampled_from(OTHERS), size=st.sampled_from(OTHERS_SIZES))
    def other_writes(self, path: str, size: int) -> None:
        self.sim.other().disk.write(path, self.content(size))

    @rule(path=st.sampled_from(OTHERS))
    def other_deletes(self, path: str) -> None:
        for other in self.sim.everybody[1:]:
            if path in other.disk.files:
                other.disk.delete(path)

    @precondition(lambda self: self.sim.everybody[1:])
    @rule(troubles=st.lists(faults, max_size=2), crash=st.none() | crashes)
    def other_runs(self, troubles: list[Spec], crash: Crash | None) -> None:
        self.sim.other().run(*fresh(troubles), crash=crash)

    # -- time and trouble --------------------------------------------------------------------

    @rule(seconds=st.sampled_from((0.001, 0.5, 1.9, 3.0, 61.0, 700.0, 3700.0)))
    def wait(self, seconds: float) -> None:
        self.sim.clock.now += seconds

    @rule(retry=st.booleans(), approve=st.booleans())
    def run(self, retry: bool, approve: bool) -> None:
        self.a.run(retry=retry, approve=approve)

    @rule(seed=st.integers(0, 2**20), troubles=st.lists(faults, min_size=1, max_size=3))
    def run_in_trouble(self, seed: int, troubles: list[Spec]) -> None:
        self.work(seed)
        self.a.run(*fresh(troubles))

    @rule(seed=st.integers(0, 2**20), nth=st.integers(1, 9), fault=st.sampled_from(FAULTS))
    def run_with_a_fault_at(self, seed: int, nth: int, fault: Any) -> None:
        """At one request, whatever it is."""
        self.work(seed)
        self.a.run(*fresh([(fault, None, nth - 1, 1)]))

    @rule(seed=st.integers(0, 2**20), troubles=st.lists(faults, max_size=1), crash=crashes)
    def run_and_die(self, seed: int, troubles: list[Spec], crash: Crash) -> None:
        self.work(seed)
        self.a.run(*fresh(troubles), crash=crash)

    @rule(
        seed=st.integers(0, 2**20),
        nth=st.integers(2, 9),
        fault=st.sampled_from(FAULTS),
        crash=crashes,
    )
    def run_in_trouble_and_die(self, seed: int, nth: int, fault: Any, crash: Crash) -> None:
        """Two runs, one after the other; the second one is to mend the first."""
        self.work(seed)
        self.a.run(*fresh([(fault, None, nth - 1, 1)]))
        self.a.run(crash=crash)

    def work(self, seed: int) -> None:
        """What a user may do between two runs: so that every run has something to do."""
        dice = Random(seed)
        deeds: tuple[Callable[[], None], ...] = (
            lambda: self.write(dice.choice(PATHS), dice.choice(SIZES), dice.random() < 0.5),
            lambda: self.write(dice.choice(PATHS), dice.choice(SIZES), True),
            lambda: self.write_many(dice.sample(PATHS, 4)),
            lambda: self.edit_hidden(dice.randrange(20), dice.random() < 0.5),
            lambda: self.twin(dice.randrange(20), dice.choice(PATHS)),
            lambda: self.rename(dice.randrange(20), dice.choice(PATHS)),
            lambda: self.rotate(dice.sample(range(20), 3)),
            lambda: self.back_up_on_save(dice.randrange(20), dice.choice(SIZES)),
            lambda: self.delete(dice.randrange(20)),
            lambda: self.wait(dice.choice((0.5, 3.0, 61.0))),
        )
        for _ in range(seed % 6):
            dice.choice(deeds)()

    @rule()
    def settle(self) -> None:
        self.sim.settle()


class Mirror(Trouble):
    """What others attached goes, too, once that is approved."""

    policy = "mirror"

    def other_writes(self, path: str, size: int) -> None:
        """Two of them would never come to rest: what one makes is foreign to the other."""


class Never(Trouble):
    """Nothing is ever deleted."""

    policy = "never"


class Forgetful(Trouble):
    """The ledger is lost, or an old copy of it comes back.

    Not while lists lag: without it nothing tells what is there from what was deleted before. Nor
    where a taken name is refused: what is forgotten would keep its name from its file for good.
    """

    @property
    def refuses_names(self) -> bool:
        return self.sim.quirks.unique_names == "refuse"

    @precondition(lambda self: not self.refuses_names)
    @rule()
    def lose_ledger(self) -> None:
        self.wait(self.sim.quirks.list_lag)
        self.a.lose_ledger()

    @rule()
    def keep_ledger(self) -> None:
        self.a.keep_ledger()

    @precondition(lambda self: not self.refuses_names)
    @rule()
    def restore_ledger(self) -> None:
        self.wait(self.sim.quirks.list_lag)
        self.a.restore_ledger()


class TestTrouble(Trouble.TestCase):
    settings = budget(60, 25)


class TestMirror(Mirror.TestCase):
    settings = budget(30, 25)


class TestNever(Never.TestCase):
    settings = budget(30, 25)


class TestForgetful(Forgetful.TestCase):
    settings = budget(30, 25)
