"""Files that change, shrink, grow or vanish between scan, open and last byte."""

from __future__ import annotations

import os
from collections.abc import Callable
from itertools import count
from pathlib import Path

import pytest

import syncd.engine.uploads as engine
from syncd.engine.context import Progress
from tests.fault.conftest import NewWorld
from tests.support.witness import Witness
from tests.support.world import World

BIG = 5 << 20  # large enough to be hashed in a thread of its own


class OnBytes(Progress):
    """Does something to a file once so many bytes of an upload went out; hears every upload."""

    def __init__(self, world: World, deed: Callable[[], object], times: int = 1) -> None:
        self.deed = deed
        self.times = times
        world.progress = self

    def sent(self, count: int) -> None:
        if self.times:
            self.times -= 1
            self.deed()


def big(world: World, name: str = "a") -> Path:
    return world.write(name, os.urandom(BIG))


def shrink(path: Path) -> None:
    os.truncate(path, BIG // 2)


def grow(path: Path) -> None:
    with open(path, "ab") as file:
        file.write(b"more")


def change(path: Path) -> None:
    with open(path, "r+b") as file:
        file.seek(BIG - 5)
        file.write(b"other")


def vanish(path: Path) -> None:
    path.unlink()


def replaced(path: Path) -> None:
    """An editor's save: another file under the same name."""
    aside = path.with_name(".#new")
    aside.write_bytes(b"saved anew")
    aside.rename(path)


DEEDS = {f.__name__: f for f in (shrink, grow, change, vanish, replaced)}


@pytest.mark.parametrize("alone", [True, False], ids=["alone", "in bulk"])
@pytest.mark.parametrize("deed", DEEDS)
def test_while_it_is_sent(new_world: NewWorld, deed: str, alone: bool) -> None:
    world = new_world(ids_in_201="none")
    witness = Witness(world)
    path = big(world)
    if not alone:
        world.write("b", "another")
    witness.note()
    OnBytes(world, lambda: DEEDS[deed](path))
    report = world.run()
    assert report.exit_code in (0, 75)
    world.progress = None
    world.ahead += 10
    world.run()
    witness.assert_settled()
    world.run()
    assert world.calls() == ["GET list"]


@pytest.mark.parametrize("deed", DEEDS)
def test_a_new_version_while_it_is_sent_leaves_the_old_one(new_world: NewWorld, deed: str) -> None:
    world = new_world()
    witness = Witness(world)
    path = world.write("a", "old")
    world.write("b", "b")
    witness.note()
    world.run()
    big(world)
    witness.note()
    OnBytes(world, lambda: DEEDS[deed](path))
    world.run()
    world.ahead += 10
    world.run()
    witness.assert_settled()


@pytest.mark.parametrize("deed", DEEDS)
def test_between_scan_and_send(
    new_world: NewWorld, monkeypatch: pytest.MonkeyPatch, deed: str
) -> None:
    world = new_world()
    witness = Witness(world)
    path = big(world)
    for name in "bcd":
        world.write(name, name)
    done: list[int] = []
    honest = engine.Uploads._send

    def send(self, batch):  # type: ignore[no-untyped-def]
        if not done:
            done.append(1)
            DEEDS[deed](path)
        return honest(self, batch)

    monkeypatch.setattr(engine.Uploads, "_send", send)
    report = world.run()
    assert report.exit_code == 0
    witness.assert_settled()
    assert world.calls().count("POST bulk") == 1, "what was not sent cost nothing"


def test_never_a_byte_more_or_less_than_declared(new_world: NewWorld) -> None:
    world = new_world()
    path = big(world)
    OnBytes(world, lambda: grow(path))
    world.run()
    assert all(entry.status != 414 for entry in world.server.log)
    assert {row.size for row in world.rows()} <= {BIG, BIG + 4}


def test_a_file_that_keeps_changing_ends_the_run_with_75(new_world: NewWorld) -> None:
    world = new_world()
    path = world.write("log", "line\n")
    world.write("calm", "calm")
    lines = [0]

    def append(entry: object) -> None:
        lines[0] += 1
        if lines[0] < 100:
            with open(path, "a") as file:
                file.write(f"line {lines[0]}\n")

    world.server.on_request = append
    report = world.run()
    assert report.exit_code == 75
    assert len(world.calls()) < 20
    assert "calm" in world.names()
    assert report.error
    assert "log" in report.error
    world.server.on_request = None
    witness = Witness(world)
    world.run()
    witness.assert_settled()


def test_one_that_changes_at_every_send_stops_no_other(new_world: NewWorld) -> None:
    world = new_world()
    path = big(world, "busy")
    for name in "bcd":
        world.write(name, name)
    lines = count()
    OnBytes(world, lambda: path.write_bytes(f"{next(lines)}".encode() * (BIG // 8)), 999)
    report = world.run()
    assert report.exit_code == 75
    assert {"b", "c", "d"} <= set(world.names())
    assert len(world.calls()) < 20


def test_a_file_that_cannot_be_read_fails_alone(
    new_world: NewWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    from syncd.errors import FileProblem

    world = new_world()
    for name in "abc":
        world.write(name, name)
    honest = engine.Uploads._send

    def send(self, batch):  # type: ignore[no-untyped-def]
        if any(c.file.path == "b" for c in batch):
            raise FileProblem(str(world.root / "b"), "permission denied")
        return honest(self, batch)

    monkeypatch.setattr(engine.Uploads, "_send", send)
    report = world.run()
    assert [(p.path, p.reason) for p in report.failed] == [("b", "permission denied")]
    assert sorted(world.names()) == ["a", "c"]


def test_a_file_that_cannot_be_read_keeps_its_attachment(
    new_world: NewWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    import syncd.engine.contents as looking
    from syncd.errors import FileProblem

    world = new_world()
    for name in "abc":
        world.write(name, name)
    world.run()
    os.utime(world.root / "b")
    honest = looking.digest

    def digest(root, path, *rest):  # type: ignore[no-untyped-def]
        if path == "b":
            raise FileProblem(path, "input/output error")
        return honest(root, path, *rest)

    monkeypatch.setattr(looking, "digest", digest)
    report = world.run()
    assert (report.exit_code, report.deleted) == (1, [])
    assert [p.path for p in report.failed] == ["b"]
    assert len(world.rows()) == 3


@pytest.mark.parametrize("end", [".part", ".crdownload"])
def test_an_empty_file_waits_for_the_download_beside_it(new_world: NewWorld, end: str) -> None:
    world = new_world()
    world.write("other", "x")
    world.write("old", "a version that is attached")
    world.run()
    for name in ("new", "old"):
        world.write(name, b"")
        world.write(name + end, "half")
    world.write("empty", b"")
    report = world.run()
    assert (report.exit_code, report.pending) == (75, 2)
    assert "old: empty until the download beside it" in str(report.error)
    assert world.names() == ["empty", "old", "other"]
    assert {row.name: row.size for row in world.rows()}["old"] == 26
    for name in ("new", "old"):
        os.replace(world.root / (name + end), world.root / name)
    assert world.run().exit_code == 0
    sizes = {row.name: row.size for row in world.rows()}
    assert sizes == {"empty": 0, "new": 4, "old": 4, "other": 1}


def test_an_empty_file_whose_download_was_given_up_goes_out(new_world: NewWorld) -> None:
    world = new_world()
    world.write("a", b"")
    part = world.write("a.part", "half")
    assert world.run().exit_code == 75
    part.unlink()
    assert world.run().exit_code == 0
    assert world.names() == ["a"]


def test_a_folder_with_more_files_than_max_files_sends_nothing(new_world: NewWorld) -> None:
    world = new_world(rules={"max_files": 3})
    for name in "abc":
        world.write(name, name)
    assert world.run().exit_code == 0
    before = world.rows()
    world.write("a", "changed")
    (world.root / "b").rename(world.root / "d")
    world.write("e", "one too many")
    for options in ({}, {"dry_run": True}, {"retry": True}):
        report = world.run(**options)
        assert (report.exit_code, world.calls()) == (1, [])
        assert "more than 3 files to sync, and max_files is 3" in str(report.error)
        assert (world.rows(), report.planned_requests) == (before, 0)
    world.set_rules(max_files=0)
    assert world.run().exit_code == 0
    assert world.names() == ["a", "c", "d", "e"]
