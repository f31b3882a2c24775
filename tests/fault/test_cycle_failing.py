"""Files and attachments that the server always fails on: they never stop the others."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from syncd.sandbox.messages import Request, Response
from tests.fault.conftest import NewWorld
from tests.support.faults import Fault
from tests.support.faulty_api import Trouble
from tests.support.witness import Witness
from tests.support.world import World

KINDS: dict[str, Callable[[], Response]] = {
    "500": lambda: Response(500, body=b'{"error": "made to fail"}'),
    "502": lambda: Response(502, body=b"<html>Bad Gateway</html>"),
    "reset": lambda: Trouble(0, drop="reset"),
}


class Sick:
    """A server that fails on every upload with a file that it cannot stand."""

    def __init__(self, world: World, kind: str = "500") -> None:
        self.world = world
        self.bad = lambda name: name.startswith("bad")
        self.fail = KINDS[kind]
        self.posts: list[tuple[int, tuple[str, ...]]] = []
        """Number in the log, and the names, of each failed upload."""
        self._honest = world.server.handle
        world.server.handle = self.handle  # type: ignore[method-assign]

    def handle(self, request: Request) -> Response:
        names = tuple(v for k, v in request.query if k == "name" or k.startswith("names["))
        if request.method != "POST" or not any(map(self.bad, names)):
            return self._honest(request)
        fault = Fault("reset_before")
        self.world.server.faults.insert(0, fault)
        self._honest(request)
        self.posts.append((len(self.world.server.log), names))
        return self.fail()

    def most_after_the_first(self, begun: int) -> int:
        """Requests of a run that came after the first failed one."""
        first = next((number for number, _ in self.posts if number > begun), None)
        return 0 if first is None else len(self.world.server.log) - first


def files(world: World, total: int, *bad: int) -> None:
    world.ahead += 60
    for number in range(total):
        kind = "bad" if number in bad else "good"
        world.write(f"{number:02} {kind}", f"{number} {kind}")


def is_bad(name: str) -> bool:
    return name.endswith("bad")


def sick(new_world: NewWorld, total: int, *bad: int, kind: str = "500") -> tuple[World, Sick]:
    world = new_world()
    server = Sick(world, kind)
    server.bad = is_bad
    files(world, total, *bad)
    return world, server


def goods(world: World) -> int:
    return sum(name.endswith("good") for name in world.names())


def runs(world: World, server: Sick, most: int, **options: Any) -> Any:
    """Runs until there is nothing more to find; each keeps to its eight requests."""
    for _ in range(most):
        begun = len(world.server.log)
        report = world.run(**options)
        assert server.most_after_the_first(begun) <= 8, world.calls()
        if report.exit_code == 1:
            return report
        assert report.exit_code == 75
        assert report.pending
    return report


@pytest.mark.parametrize("once", [True, False], ids=["--once", "service"])
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("bad", range(10))
def test_one_file_in_a_bulk_is_found_and_the_others_arrive(
    new_world: NewWorld, bad: int, kind: str, once: bool
) -> None:
    world, server = sick(new_world, 10, bad, kind=kind)
    report = runs(world, server, 3, once=once)
    assert ([p.path for p in report.failed], goods(world)) == ([f"{bad:02} bad"], 9)
    assert f"{bad:02} bad" in report.failed[0].reason
    assert (report.exit_code, report.error) == (1, None)
    again = world.run(once=once)
    assert (again.exit_code, again.failed, world.calls()) == (1, report.failed, ["GET list"])


@pytest.mark.parametrize("bad", [(0, 9), (0, 1), (1, 4, 7), (0, 1, 2, 3), (0, 2, 4, 6, 8)])
def test_several_take_more_runs(new_world: NewWorld, bad: tuple[int, ...]) -> None:
    world, server = sick(new_world, 10, *bad)
    report = runs(world, server, 12)
    assert (len(report.failed), goods(world)) == (len(bad), 10 - len(bad))


def test_two_among_three_bulks_are_found_since_a_smaller_part_is_sent_after_a_failure(
    new_world: NewWorld,
) -> None:
    world, server = sick(new_world, 25, 0, 16)
    report = runs(world, server, 6)
    assert (len(report.failed), goods(world)) == (2, 23)


def test_one_among_many_bulks(new_world: NewWorld) -> None:
    world, _ = sick(new_world, 45, 27)
    for _ in range(4):
        report = world.run()
        assert len(world.calls()) <= 5 + 8 + 2
    assert (len(report.failed), goods(world), report.exit_code) == (1, 44, 1)


def test_a_failure_by_chance_costs_a_bulk_of_ten_three_requests_more(new_world: NewWorld) -> None:
    world, server = sick(new_world, 10, 3)
    server.bad = lambda name: is_bad(name) and not server.posts
    report = world.run()
    assert report.in_sync
    assert world.calls().count("POST bulk") == 3
    assert len(world.calls()) == 6


def test_a_file_that_the_server_fails_on_is_tried_again_after_delays_that_double(
    new_world: NewWorld,
) -> None:
    world, server = sick(new_world, 3, 1)
    runs(world, server, 3)
    for delay in (60, 120, 240, 480):
        world.ahead += delay - 40
        assert world.run().exit_code == 1
        assert world.calls() == ["GET list"]
        world.ahead += 41
        report = world.run()
        assert ([p.path for p in report.failed], report.error) == (["01 bad"], None)
        assert world.calls().count("POST single") == 1
    server.bad = lambda _: False
    assert world.run().exit_code == 1
    assert world.run(retry=True).in_sync


def test_a_change_of_the_file_is_a_reason_to_try_at_once(new_world: NewWorld) -> None:
    world, server = sick(new_world, 3, 1)
    runs(world, server, 3)
    server.bad = lambda _: False
    world.write("01 bad", "changed")
    assert world.run().created == ["01 bad"]


def test_files_that_come_later_are_not_put_into_one_request_with_it(new_world: NewWorld) -> None:
    world, server = sick(new_world, 3, 1)
    runs(world, server, 3)
    world.ahead += 90
    for name in ("10 good", "11 good"):
        world.write(name, name)
    report = world.run()
    assert report.created == ["10 good", "11 good"]
    assert server.posts[-1][1] == ("01 bad",)
    assert [p.path for p in report.failed] == ["01 bad"]


@pytest.mark.parametrize("once", [True, False], ids=["--once", "service"])
def test_deletes_renames_and_moves_do_not_wait_for_it(new_world: NewWorld, once: bool) -> None:
    world = new_world(rules={"order": "manifest"})
    witness = Witness(world)
    for name in "abcdef":
        world.write(name, f"content {name}")
    world.write(".syncd-order", "\n".join("abcdef"))
    world.run()
    server = Sick(world)
    server.bad = is_bad
    world.ahead += 60
    (world.root / "a").unlink()
    (world.root / "b").rename(world.root / "z")
    world.write(".syncd-order", "\n".join("zdcef"))
    world.write("01 bad", "bad")
    report = world.run(once=once)
    assert (report.deleted, report.renamed) == (["a"], [("b", "z")])
    assert report.reordered
    first = next(n for n, call in enumerate(world.calls()) if call.startswith("POST"))
    assert not any(call.startswith("POST") for call in world.calls()[first + 1 : first + 4])
    assert ([p.path for p in report.failed], report.exit_code) == (["01 bad"], 1)
    (world.root / "01 bad").unlink()
    world.run()
    witness.assert_settled()


def test_where_it_fails_on_all_alike_the_server_is_to_blame(new_world: NewWorld) -> None:
    world, server = sick(new_world, 10)
    server.bad = lambda _: True
    for _ in range(3):
        begun = len(world.server.log)
        report = world.run()
        assert server.most_after_the_first(begun) <= 8
        assert (report.exit_code, report.failed) == (75, [])
        assert "500" in (report.error or "")
        assert report.pending
    server.bad = lambda _: False
    for _ in range(2):
        report = world.run()
    assert report.in_sync


def test_one_file_with_nothing_else_to_do_is_the_servers_trouble_at_first(
    new_world: NewWorld,
) -> None:
    """Once it has failed in two runs it has a delay of its own, so that it costs no more."""
    world, server = sick(new_world, 1, 0)
    report = world.run()
    assert (report.exit_code, report.failed) == (75, [])
    assert "00 bad" in (report.error or "")
    report = world.run()
    assert ([p.path for p in report.failed], report.exit_code) == (["00 bad"], 1)
    assert world.run().exit_code == 1
    assert world.calls() == ["GET list"]
    server.bad = lambda _: False
    world.ahead += 90
    assert world.run().in_sync


def test_an_upload_that_is_taken_brings_it_back(new_world: NewWorld) -> None:
    world, server = sick(new_world, 1, 0)
    for _ in range(2):
        world.run()
    server.bad = lambda _: False
    world.write("10 good", "good")
    assert sorted(world.run().created) == ["00 bad", "10 good"]


def test_in_the_service_one_file_alone_holds_up_nothing(new_world: NewWorld) -> None:
    world, server = sick(new_world, 1, 0)
    world.write("x", "x")
    world.run(once=False)
    world.ahead += 5000
    (world.root / "x").rename(world.root / "y")
    report = world.run(once=False)
    assert report.renamed == [("x", "y")]
    world.ahead += 5
    (world.root / "y").rename(world.root / "z")
    report = world.run(once=False)
    assert (report.renamed, report.exit_code) == ([("y", "z")], 1)
    assert not any(call.startswith("POST") for call in world.calls())
    assert len(server.posts) < 8


@pytest.mark.parametrize("method", ["PUT", "DELETE"])
@pytest.mark.parametrize("once", [True, False], ids=["--once", "service"])
@pytest.mark.parametrize("kind", ["status_before", "reset_before"])
def test_an_attachment_whose_change_always_fails_stops_no_other(
    new_world: NewWorld, kind: str, once: bool, method: str
) -> None:
    world = new_world()
    witness = Witness(world)
    for name in "abcdefgh":
        world.write(name, f"content {name}")
    world.run()
    bad = next(row.id for row in world.rows() if row.name == "a")
    fault = Fault(kind, method=method, suffix=f"/{bad}", times=None)  # type: ignore[arg-type]
    world.server.faults.append(fault)
    for name in "abc":
        path = world.root / name
        path.unlink() if method == "DELETE" else path.rename(world.root / f"{name}2")
    world.write("new", "new")
    report = world.run(once=once)
    assert (len(report.deleted) + len(report.renamed), report.created) == (2, ["new"])
    assert (len(report.failed), report.exit_code, report.error) == (1, 1, None)
    world.run(once=once)
    assert world.calls() == ["GET list"]
    world.server.faults.clear()
    world.ahead += 61
    assert world.run().in_sync
    witness.assert_settled()


def test_an_old_version_that_cannot_be_deleted_is_told(new_world: NewWorld) -> None:
    world = new_world()
    for name in "ab":
        world.write(name, f"content {name}")
    world.run()
    old = next(row.id for row in world.rows() if row.name == "a")
    world.server.faults.append(
        Fault("status_before", method="DELETE", suffix=f"/{old}", times=None)
    )
    world.write("a", "changed")
    report = world.run()
    assert (report.exit_code, f"attachment {old}" in (report.error or "")) == (75, True)
    for _ in range(2):
        report = world.run()
        assert ([p.path for p in report.failed], report.exit_code) == (["a"], 1)
    assert world.calls() == ["GET list"]
    world.server.faults.clear()
    world.ahead += 61
    assert world.run().in_sync


def test_a_server_that_asks_for_patience_is_not_failing_on_a_file(new_world: NewWorld) -> None:
    world, _ = sick(new_world, 3)
    world.server.faults.append(
        Fault("status_before", method="POST", status=503, retry_after="600", times=None)
    )
    report = world.run()
    assert (report.exit_code, report.failed) == (75, [])
    assert world.calls().count("POST bulk") == 1
