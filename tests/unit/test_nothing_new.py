"""What it costs to find that nothing has changed, in calls, not in time."""

from __future__ import annotations

import sys
from collections import Counter
from types import FrameType

from syncd.core.guard import Permission, guard
from syncd.core.listing import apply_list
from syncd.core.plan import Plan
from syncd.core.reconcile import paths_to_read, reconcile
from syncd.core.snapshot import Snapshot
from syncd.model import Listing, Rules
from tests.support.values import NOW, attachment, entry, file, folder, state

CALLS = 20
"""Calls of Python functions for each attachment: a few passes over all, and no more."""
BUILT = ("__new__", "_make", "_replace")
"""Functions that build a named tuple."""


class Cycle:
    """A cycle from its list on, in which `count` files are in sync."""

    def __init__(self, count: int) -> None:
        names = [f"file {n}.txt" for n in range(1, count + 1)]
        ours = [entry(n, name, number=n * 100) for n, name in enumerate(names, 1)]
        self.listing = Listing(tuple(attachment(e.id, e.path, number=e.id * 100) for e in ours))
        self.folder = folder(*(file(name, read=False) for name in names))
        self.state = state(ours)
        sequence = self.decide().sequence
        self.state = self.state._replace(order_tried=sequence, order_kept=True)

    def decide(self) -> Plan:
        after = apply_list(self.state, self.listing, NOW, NOW)
        s = Snapshot(self.folder, after, Rules(), lambda _: True, now=NOW, scanned_at=NOW)
        assert not paths_to_read(s)
        return guard(reconcile(s), s, Permission())

    def calls(self) -> Counter[str]:
        """How often which Python function is called."""
        called: Counter[str] = Counter()

        def count(frame: FrameType, event: str, _: object) -> None:
            if event == "call":
                called[frame.f_code.co_name] += 1

        sys.setprofile(count)
        try:
            plan = self.decide()
        finally:
            sys.setprofile(None)
        assert not plan.busy
        assert not plan.records
        return called


def test_each_attachment_costs_a_few_calls() -> None:
    fewer, more = Cycle(100).calls().total(), Cycle(300).calls().total()
    assert more - fewer <= CALLS * 200


def test_no_value_is_built_for_an_attachment() -> None:
    fewer, more = Cycle(100).calls(), Cycle(300).calls()
    assert [more[name] - fewer[name] for name in BUILT] == [0, 0, 0]


def test_files_are_matched_once_and_not_sorted_again() -> None:
    called = Cycle(100).calls()
    assert (called["match"], called["natural_key"]) == (1, 0)
