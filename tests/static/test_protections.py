"""The table of protections speaks of the code as it is."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.fault.removals import GROUPS, Removal

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


def test_the_readme_counts_them() -> None:
    words = (ROOT / "README.md").read_text(encoding="utf-8").split()
    assert f"takes {len(REMOVALS)} protections out" in " ".join(words)
