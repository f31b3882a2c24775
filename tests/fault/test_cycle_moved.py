"""A renamed file that cannot be read for a moment is still a renamed file."""

from __future__ import annotations

import errno
import os

import pytest

from tests.fault.conftest import NewWorld
from tests.support.disk import Disk
from tests.support.witness import Witness
from tests.support.world import World


@pytest.fixture
def disk(monkeypatch: pytest.MonkeyPatch) -> Disk:
    return Disk(monkeypatch)


def three(new_world: NewWorld, **rules: object) -> tuple[World, Witness]:
    world = new_world(rules=rules)
    witness = Witness(world)
    for name in "abc":
        world.write(name, f"content {name}")
    witness.note()
    assert world.run().in_sync
    return world, witness


def uploads_and_deletes(world: World) -> list[str]:
    return [call for call in world.calls() if call.startswith(("POST", "DELETE"))]


@pytest.mark.parametrize("number", [errno.EIO, errno.ENOENT, errno.EACCES, errno.ELOOP])
def test_an_attachment_waits_while_a_file_of_its_size_cannot_be_opened(
    new_world: NewWorld, disk: Disk, number: int
) -> None:
    world, witness = three(new_world)
    ids = {row.id for row in world.rows()}
    (world.root / "a").rename(world.root / "z")
    disk.shut(world.root / "z", number)
    for _ in range(2):
        report = world.run()
        assert report.exit_code in (1, 75)
        assert (report.deleted, report.detached, uploads_and_deletes(world)) == ([], ["a"], [])
    disk.mend()
    report = world.run()
    assert (report.renamed, uploads_and_deletes(world)) == ([("a", "z")], [])
    assert {row.id for row in world.rows()} == ids
    witness.assert_settled()


@pytest.mark.parametrize("policy", ["owned", "mirror"])
def test_an_attachment_goes_once_the_file_of_its_size_turns_out_to_be_another(
    new_world: NewWorld, disk: Disk, policy: str
) -> None:
    world, witness = three(new_world, delete=policy)
    (world.root / "a").unlink()
    world.write("z", "content z")
    witness.note()
    disk.shut(world.root / "z")
    assert world.run().deleted == []
    disk.mend()
    report = world.run()
    assert (report.exit_code, report.deleted, report.created) == (0, ["a"], ["z"])
    witness.assert_settled()


def test_a_file_of_another_size_that_cannot_be_opened_holds_no_attachment_up(
    new_world: NewWorld, disk: Disk
) -> None:
    world, _ = three(new_world)
    (world.root / "a").unlink()
    world.write("z", "not what a was")
    disk.shut(world.root / "z")
    report = world.run()
    assert (report.deleted, [p.path for p in report.failed]) == (["a"], ["z"])


def test_the_other_renames_are_found_meanwhile(new_world: NewWorld, disk: Disk) -> None:
    """Of two of the same size one can be read: it is told by its content."""
    world, witness = three(new_world)
    for name in "ab":
        (world.root / name).rename(world.root / f"{name}2")
    disk.shut(world.root / "a2", errno.ENOENT)
    assert world.run().renamed == [("b", "b2")]
    assert uploads_and_deletes(world) == []
    disk.mend()
    assert world.run().renamed == [("a", "a2")]
    witness.assert_settled()


@pytest.mark.parametrize("number", [errno.EIO, errno.ENOENT])
def test_a_backup_made_while_saving_keeps_its_attachment_while_it_cannot_be_opened(
    new_world: NewWorld, disk: Disk, number: int
) -> None:
    world, witness = three(new_world)
    first = next(row.id for row in world.rows() if row.name == "a")
    (world.root / "a").rename(world.root / "a.old")
    world.write("a", "a new text, and a longer one")
    witness.note()
    disk.shut(world.root / "a.old", number)
    world.run()
    disk.mend()
    world.run()
    assert next(row.id for row in world.rows() if row.name == "a.old") == first
    witness.assert_settled()


@pytest.mark.parametrize("busy", [False, True])
def test_an_attachment_waits_while_a_file_of_its_size_is_not_quiet_yet(
    new_world: NewWorld, busy: bool
) -> None:
    """The service looks at a file when it was quiet for a while, and not before."""
    world, witness = three(new_world)
    world.ahead += 60
    if busy:  # an attachment of its own that would have to be read as well
        os.utime(world.root / "b")
    (world.root / "a").rename(world.root / "z")
    now = os.stat(world.root / "z").st_ctime
    report = world.run(once=False, settle=world.clock() - now + 1)  # type: ignore[arg-type]
    assert (report.deleted, uploads_and_deletes(world)) == ([], [])
    report = world.run()
    assert (report.renamed, uploads_and_deletes(world)) == ([("a", "z")], [])
    witness.assert_settled()
