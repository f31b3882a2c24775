"""The table of protections speaks of the code as it is."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.fault.removals import GROUPS, Removal
from tests.property import test_simulation as simulation

ROOT = Path(__file__).parents[2]
REMOVALS = [removal for group in GROUPS.values() for removal in group]


@pytest.mark.parametrize("removal", REMOVALS, ids=lambda r: r.what)
def test_what_is_taken_out_is_there(removal: Removal) -> None:
    for edit in removal.edits:
        assert (ROOT / "syncd" / edit.file).read_text().count(edit.old) == 1, edit
    for test in removal.tests.split():
        file, *names = test.split("::")
        text = (ROOT / file).read_text()
        assert all(name in text for name in names), test


README = " ".join((ROOT / "README.md").read_text(encoding="utf-8").split())


def test_the_readme_counts_them() -> None:
    assert f"takes {len(REMOVALS)} protections out" in README


@pytest.mark.skipif(bool(simulation.BUDGET), reason="another budget was asked for")
def test_the_readme_counts_what_the_simulation_tries() -> None:
    cases = [case.settings for name, case in vars(simulation).items() if name.startswith("Test")]
    examples, (steps,) = sum(c.max_examples for c in cases), {c.stateful_step_count for c in cases}
    assert f"{examples} examples of up to {steps} steps" in README
