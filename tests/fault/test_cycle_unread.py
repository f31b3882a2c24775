"""Files that cannot be read to their declared end: bad sectors, sizes that lie."""

from __future__ import annotations

import errno
import os
import threading
from pathlib import Path

import pytest

from syncd.engine.report import FolderReport
from tests.fault.conftest import NewWorld
from tests.support.disk import Disk
from tests.support.service import until
from tests.support.witness import Witness
from tests.support.world import World

BIG = 5 << 20  # large enough to be hashed in a thread of its own
SYSFS = Path("/sys/kernel/mm/ksm")
KINDS = {"an I/O error": errno.EIO, "an end before its size": None}


@pytest.fixture
def disk(monkeypatch: pytest.MonkeyPatch) -> Disk:
    return Disk(monkeypatch)


def quiet(new_world: NewWorld, **rules: object) -> World:
    """A world in which no file is so fresh that it is read before it is sent."""
    world = new_world(rules=rules)
    world.ahead += 60
    return world


def run(world: World, **options: bool) -> FolderReport:
    """A run whose requests the server has all noted: of one that is broken off, it may do so when
    the run is over."""
    report = world.run(**options)
    until(lambda: len(world.calls()) >= report.requests)
    return report


def failing(world: World) -> list[str]:
    return [problem.path for problem in run(world).failed]


def creates(world: World) -> int:
    return sum(call.startswith("POST") for call in world.calls())


@pytest.mark.parametrize("once", [True, False], ids=["--once", "service"])
@pytest.mark.parametrize("alone", [True, False], ids=["alone", "in a bulk"])
@pytest.mark.parametrize("size", [100, BIG])
@pytest.mark.parametrize("kind", KINDS)
def test_a_file_with_a_bad_sector_fails_by_itself_and_takes_one_request_at_most(
    new_world: NewWorld, disk: Disk, kind: str, size: int, alone: bool, once: bool
) -> None:
    world = quiet(new_world)
    world.write("bad", os.urandom(size))
    for name in "" if alone else "ac":
        world.write(name, f"content {name}")
    disk.breaks(world.root / "bad", size // 2, KINDS[kind])
    report = run(world, once=once)
    assert (report.exit_code, report.error) == (1, None)
    assert [p.path for p in report.failed] == ["bad"]
    assert creates(world) <= (1 if alone else 2)
    assert world.names() == ([] if alone else ["a", "c"])
    reads = disk.reads
    for _ in range(2):
        again = run(world, once=once)
        assert (again.exit_code, [p.path for p in again.failed]) == (1, ["bad"])
        assert world.calls() == ["GET list"]
    assert disk.reads == reads, "a bad sector is left alone for a while"


def test_a_file_with_a_bad_sector_is_read_again_after_a_growing_delay(
    new_world: NewWorld, disk: Disk
) -> None:
    world = quiet(new_world)
    witness = Witness(world)
    world.write("bad", "0123456789")
    world.write("good", "good")
    disk.breaks(world.root / "bad", 5)
    world.run()
    for delay in (60, 120, 240):
        world.ahead += delay - 20
        reads = disk.reads
        assert (failing(world), disk.reads) == (["bad"], reads)
        world.ahead += 21
        assert failing(world) == ["bad"]
        assert disk.reads > reads
        assert world.calls() == ["GET list"]
    disk.mend()
    world.ahead += 500
    assert world.run().created == ["bad"]
    witness.assert_settled()


def test_retry_and_a_change_are_reasons_to_try_at_once(new_world: NewWorld, disk: Disk) -> None:
    world = quiet(new_world)
    path = world.write("bad", "0123456789")
    disk.breaks(path, 5)
    assert failing(world) == ["bad"]
    disk.mend()
    assert world.run(retry=True).created == ["bad"]
    world.write("bad", "changed to something else")
    disk.breaks(path, 5)
    assert failing(world) == ["bad"]
    disk.mend()
    world.write("bad", "changed again")
    assert world.run().replaced == ["bad"]


@pytest.mark.parametrize("kind", KINDS)
def test_once_may_be_chance(new_world: NewWorld, disk: Disk, kind: str) -> None:
    world = quiet(new_world)
    witness = Witness(world)
    path = world.write("flaky", os.urandom(BIG))
    disk.breaks(path, BIG // 2, KINDS[kind])
    honest = disk._allowed

    def allowed(fd: int, count: int) -> int:
        if disk.reads:
            disk.mend()
        return honest(fd, count)

    disk._allowed = allowed  # type: ignore[method-assign]
    assert world.run().in_sync
    witness.assert_settled()


@pytest.mark.parametrize("kind", KINDS)
def test_one_that_ends_early_only_while_it_is_sent_is_sent_twice(
    new_world: NewWorld, disk: Disk, kind: str
) -> None:
    world = quiet(new_world)
    path = world.write("flaky", os.urandom(BIG))
    world.write("good", b"good")
    disk.breaks(path, BIG // 2, KINDS[kind])
    honest = disk._allowed

    def allowed(fd: int, count: int) -> int:
        is_read_here = threading.current_thread() is threading.main_thread()
        return count if is_read_here else honest(fd, count)

    disk._allowed = allowed  # type: ignore[method-assign]
    assert failing(world) == ["flaky"]
    assert creates(world) <= 3
    assert world.names() == ["good"]
    assert (failing(world), creates(world)) == (["flaky"], 0)


@pytest.mark.parametrize("kind", KINDS)
def test_an_attachment_stays_while_its_file_has_a_bad_sector(
    new_world: NewWorld, disk: Disk, kind: str
) -> None:
    world = quiet(new_world)
    for name in "abc":
        world.write(name, f"content {name}")
    world.run()
    rows = world.rows()
    os.utime(world.root / "b")
    world.write("c", "another")
    for name in "bc":
        disk.breaks(world.root / name, 3, KINDS[kind])
    for _ in range(2):
        assert failing(world) == ["b", "c"]
        assert creates(world) <= 1
        assert world.rows() == rows
    disk.mend()
    world.run(retry=True)
    assert len(world.rows()) == 3


def test_a_file_is_not_taken_for_another_whose_path_ends_alike(
    new_world: NewWorld, disk: Disk
) -> None:
    world = quiet(new_world, recursive=True)
    for name in ("x", "sub/x", "other/sub/x"):
        world.write(name, f"content of {name}")
    disk.shut(world.root / "sub/x")
    assert failing(world) == ["sub/x"]
    assert world.names() == ["other/sub/x", "x"]


@pytest.mark.skipif(not (SYSFS / "run").exists(), reason="no such files here")
@pytest.mark.parametrize("once", [True, False], ids=["--once", "service"])
def test_files_of_the_kernel_whose_size_is_made_up(new_world: NewWorld, once: bool) -> None:
    world = quiet(new_world, include=("run", "pages_to_scan"))
    world.root = SYSFS
    for expected in (3, 0, 0):
        report = run(world, once=once)
        assert [p.path for p in report.failed] == ["pages_to_scan", "run"]
        assert all("4096" in p.reason for p in report.failed)
        assert (report.exit_code, world.names()) == (1, [])
        assert creates(world) <= expected
