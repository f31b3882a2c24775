"""Whole runs without a network and without waiting, watched by somebody who knows the truth.

`Simulation` is a server, a clock and one or more `Syncd`s: real files, a real ledger, the real
engine. The server is the sandbox's rules, in-process. Time is simulated, that of the files too.
The `Oracle` of each sees every request before it goes out, and every row that changes.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from syncd.model import Rules, TaskKey
from syncd.sandbox.storage import Row
from tests.support.faulty_api import FaultyApi
from tests.support.oracle import BELIEF, Sent
from tests.support.quirks import Quirks
from tests.support.sandbox import TASK, URL
from tests.support.simulated_disk import Clock
from tests.support.simulated_run import Syncd

WINDOW = 3700.0
"""After so many seconds whatever was spent of a quota is there again."""
SUFFIX = re.compile(r"( \(\d+\))+\Z")
"""What a server appends to names that are taken."""


@dataclass
class Simulation:
    """`sim.a.disk.write(…)`, `sim.a.run(fault, crash=…)`, `sim.settle()`."""

    base: Path
    rules: Rules = field(default_factory=lambda: Rules(max_delete=5))
    quirks: Quirks = field(default_factory=lambda: Quirks(quota=None))
    tick: float = 0.004
    """How coarse the file system's times are, in seconds."""
    latency: float = 0.0
    options: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.clock = Clock()
        self.task = TaskKey(URL, *TASK)
        self.server = FaultyApi(self.quirks, clock=self.clock, sleep=self.clock.sleep)
        self.rows: dict[int, Row] = {}
        """All that ever was in the task."""
        self.log: list[str] = []
        """What the last run sent."""
        self.wrongs: list[str] = []
        self.sending: tuple[Syncd, list[Sent]] | None = None
        self.made_by: dict[int, tuple[str, str]] = {}
        """id -> the installation and the path of the POST that made it."""
        self.removed: set[int] = set()
        """What people deleted."""
        self.keeps_numbers = self.quirks.orders == "kept"
        """Every create can be recognised by its display order."""
        self.a = Syncd(self, "a", self.rules)
        self.everybody = [self.a]

    def other(self) -> Syncd:
        """A second installation, with another folder for the same task."""
        if len(self.everybody) == 1:
            self.everybody.append(Syncd(self, "other", self.rules))
        return self.everybody[1]

    # -- somebody in the task ----------------------------------------------------------------

    def live(self) -> list[Row]:
        return [r for r in self.rows.values() if r.deleted_at is None]

    def seed(self, name: str, content: bytes, order: int = 5) -> Row:
        self.look()
        row = self.server.seed(TASK, self._form(name), content, order)
        self.rows[row.id] = row
        return row

    def meddle(self, id_: int, **changes: Any) -> None:
        self.look()
        row = replace(self.rows[id_], **changes)
        self.server.put(row)
        self.rows[id_] = row
        if row.deleted_at is not None:
            self.removed.add(id_)

    # -- watching ----------------------------------------------------------------------------

    def wrong(self, text: str) -> None:
        self.wrongs.append(text)

    def judge(self) -> None:
        wrongs, self.wrongs = self.wrongs, []
        assert not wrongs, "\n".join([*wrongs, f"log: {self.log}"])

    def look(self) -> None:
        """Take in every row that has changed, and see whose it is."""
        for row in self.server.rows(TASK, deleted=True):
            before = self.rows.get(row.id)
            if before == row:
                continue
            self.rows[row.id] = row
            renumbered = replace(before or row, display_order=row.display_order) == row
            if before is None:
                self._made(row)
            elif not ((renumbered and self.quirks.orders == "renumbered") or self._is_ours(row.id)):
                self.wrong(f"{before.id} ({before.name!r}) is foreign, and was changed")

    def _is_ours(self, id_: int) -> bool:
        if id_ in self.made_by and (self.a.rules.delete == "never" or self.a.oracle.forgetful):
            return True  # released or forgotten, and what was sent before comes late
        return self.a.rules.delete == "mirror" or any(id_ in s.oracle.owned for s in self.everybody)

    def _made(self, row: Row) -> None:
        """A new row: of a POST under way, or of one from earlier."""
        now = [(self.sending[0], s) for s in self.sending[1]] if self.sending else []
        before = [(one, s) for one in self.everybody for s in one.oracle.sent]
        for one, s in (*now, *before):
            if s.sha == row.sha256 and self.is_form_of(row.name, s.path):
                one.oracle.made(row, s.path)
                self.made_by[row.id] = (one.name, s.path)
                return

    def is_form_of(self, name: str, path: str) -> bool:
        """Whether the server may have made this name of a path."""
        numbered = self.quirks.unique_names == "suffix" and SUFFIX.sub("", name) == path
        return numbered or name == self._form(path)

    def _form(self, name: str) -> str:
        return (self.quirks.rewrite_name or str)(name)

    # -- calm --------------------------------------------------------------------------------

    def settle(self, patience: int = 8) -> None:
        """No more trouble: after a few runs task and folder are the same, and rest costs one
        list. Held deletes are approved, as their user would."""
        lag, quota = self.quirks.list_lag, self.quirks.quota
        self.quirks.list_lag, self.quirks.quota = 0.0, None
        late = max((moment for moment, _ in self.server._late), default=0.0)
        self.clock.now = max(self.clock.now, late) + BELIEF + 1
        for nth in range(patience):
            restless = []
            for one in self.everybody:
                self.clock.now += WINDOW
                report = one.run(retry=nth < patience // 2, approve=True)
                assert report is not None
                if self.log != ["GET"] or not report.in_sync:
                    restless.append(f"{one.name} finds no rest: {self.log}, {report}")
            if not restless:
                break
        assert not restless, "\n".join(restless)
        for one in self.everybody:
            self.clock.now += WINDOW
            report = one.run()
            assert report is not None
            assert self.log == ["GET"], f"{one.name}: rest costs {self.log}"
            assert (report.exit_code, report.in_sync) == (0, True), report
            one.oracle.assert_settled(report)
        self.quirks.list_lag, self.quirks.quota = lag, quota
