"""Nothing lost, nothing doubled: a kind of trouble at every point of a cycle, real processes."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.fault.matrix import CI_KINDS, KILLS, KINDS, SERVERS, pairs, points, try_all

Record = Callable[[str, object], None]


@pytest.mark.parametrize("kind", CI_KINDS)
def test_whatever_happens_at_any_point_is_made_good(kind: str, record_property: Record) -> None:
    tried = try_all(points(kind), as_module=kind in KILLS)
    record_property("points", tried.points)
    assert tried.wrongs == []
    assert tried.points >= 10
    assert tried.missed <= 2, "the run takes a few more or fewer writes than the calm one"


@pytest.mark.full
@pytest.mark.timeout(1200)
@pytest.mark.parametrize("server", SERVERS)
@pytest.mark.parametrize("kind", KINDS)
def test_on_every_kind_of_server(kind: str, server: str, record_property: Record) -> None:
    tried = try_all(points(kind, server))
    record_property("points", tried.points)
    assert tried.wrongs == []


@pytest.mark.full
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("seed", range(4))
def test_two_troubles_in_a_row(seed: int, record_property: Record) -> None:
    tried = try_all(pairs(seed, 150))
    record_property("points", tried.points)
    assert tried.wrongs == []
