"""People in the task: put back twice a day, then contested; deleted things made again twice."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.fault.conftest import NewWorld
from tests.support.witness import Witness
from tests.support.world import World

DAY = 86_400.0


def synced(new_world: NewWorld, **quirks: object) -> tuple[World, Witness]:
    world = new_world(**quirks)
    witness = Witness(world)
    for name in "abcde":
        world.write(name, f"content {name}")
    witness.note()
    world.run()
    world.run()
    return world, witness


def meddle(world: World, name: str, /, **changes: object) -> None:
    row = next(row for row in world.rows() if row.name == name)
    world.server.put(replace(row, **changes))  # type: ignore[arg-type]


def test_a_renamed_attachment_is_put_back(new_world: NewWorld) -> None:
    world, witness = synced(new_world)
    meddle(world, "b", name="theirs")
    report = world.run()
    assert (report.renamed, world.calls()) == ([("theirs", "b")], ["GET list", "PUT one"])
    witness.assert_settled()


def test_a_moved_attachment_is_put_back(new_world: NewWorld) -> None:
    world, witness = synced(new_world)
    meddle(world, "b", display_order=10**6)
    report = world.run()
    assert (report.reordered, world.calls()) == (["b"], ["GET list", "PUT one"])
    witness.assert_settled()


def test_numbers_alone_are_nobodys_business(new_world: NewWorld) -> None:
    world, _ = synced(new_world)
    for number, row in enumerate(world.rows()):
        world.server.put(replace(row, display_order=7 + number))
    report = world.run()
    assert (world.calls(), report.in_sync) == (["GET list"], True)


@pytest.mark.parametrize("what", ["name", "place"])
def test_after_two_times_a_day_it_is_contested(new_world: NewWorld, what: str) -> None:
    world, witness = synced(new_world)
    for time in range(4):
        name = "b" if "b" in world.names() else f"theirs{time - 1}"
        change = {"name": f"theirs{time}"} if what == "name" else {"display_order": 10**6 + time}
        meddle(world, name, **change)
        report = world.run()
        if time < 2:
            assert (report.exit_code, report.contested) == (0, [])
            assert world.calls() == ["GET list", "PUT one"]
        else:
            assert (report.exit_code, report.contested) == (1, ["b"])
            assert world.calls() == ["GET list"]
        world.ahead += 600
    world.ahead += DAY
    assert world.run().exit_code == 0
    witness.assert_settled()


def test_retry_forgets_a_contest(new_world: NewWorld) -> None:
    world, witness = synced(new_world)
    for time in range(3):
        name = "b" if "b" in world.names() else "theirs"
        meddle(world, name, name=f"theirs{time}")
        report = world.run()
    assert report.contested == ["b"]
    assert world.run(retry=True).exit_code == 0
    witness.assert_settled()


def test_a_contested_name_stops_no_other_change(new_world: NewWorld) -> None:
    world, _ = synced(new_world)
    for time in range(3):
        name = "b" if "b" in world.names() else "theirs"
        meddle(world, name, name=f"theirs{time}")
        world.run()
    world.write("n", "new")
    (world.root / "a").unlink()
    report = world.run()
    assert (report.created, report.deleted, report.contested) == (["n"], ["a"], ["b"])


def test_a_rename_here_of_what_was_renamed_there_is_one_put(new_world: NewWorld) -> None:
    world, witness = synced(new_world)
    meddle(world, "b", name="theirs")
    (world.root / "b").rename(world.root / "bb")
    report = world.run()
    assert (report.renamed, world.calls()) == ([("theirs", "bb")], ["GET list", "PUT one"])
    witness.assert_settled()


def test_unchanged_bytes_are_created_at_most_twice_a_day(new_world: NewWorld) -> None:
    world, witness = synced(new_world)
    creates = 1
    for _ in range(3):
        if "b" in world.names():
            meddle(world, "b", deleted_at=world.clock())
        report = world.run()
        creates += sum(call.startswith("POST") for call in world.calls())
        world.ahead += 60
    assert creates == 2
    assert (report.exit_code, report.contested) == (1, ["b"])
    world.ahead += DAY
    assert world.run().created == ["b"]
    witness.assert_settled()


def test_changed_bytes_are_another_matter(new_world: NewWorld) -> None:
    world, _ = synced(new_world)
    for time in range(5):
        world.write("b", f"content number {time}")
        assert world.run().replaced == ["b"]


def test_a_file_that_its_user_deletes_and_brings_back_is_no_contest(new_world: NewWorld) -> None:
    world, witness = synced(new_world)
    for _ in range(4):
        (world.root / "b").unlink()
        assert world.run().deleted == ["b"]
        world.write("b", "content b")
        assert world.run().created == ["b"]
    witness.assert_settled()


@pytest.mark.parametrize("how", ["deleted", "renamed", "untouched"])
def test_an_attachment_may_be_deleted_in_the_task_before_any_list_showed_it(
    new_world: NewWorld, how: str
) -> None:
    """A 404 ends the belief in its 201 at once; where none is met, ten minutes end it."""
    world = new_world(ids_in_201="object")
    witness = Witness(world)
    for name in "ab":
        world.write(name, f"content {name}")
    witness.note()
    world.run()
    meddle(world, "a", deleted_at=world.server.clock())
    if how == "deleted":
        (world.root / "a").unlink()
    elif how == "renamed":
        (world.root / "a").rename(world.root / "aa")
    if how != "deleted":
        world.ahead += 700
    world.write("n", "new")
    witness.note()
    report = world.run()
    assert (report.exit_code, report.in_sync) == (0, True)
    assert len(world.calls()) <= 8
    witness.assert_settled()
