"""The list of guards describes the code as it is."""

from __future__ import annotations

import pytest

from tests.fault.guards import GUARDS, ROOT, Guard


@pytest.mark.parametrize("guard", GUARDS, ids=lambda guard: guard.name)
def test_a_guard_stands_where_the_list_says(guard: Guard) -> None:
    assert (ROOT / "syncd" / guard.file).read_text().count(guard.old) == 1
    assert all((ROOT / test).exists() for test in guard.tests.split())
