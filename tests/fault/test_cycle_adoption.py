"""Attachments that were there before us: adopted by name and size if not older, never doubled."""

from __future__ import annotations

import os
from dataclasses import replace

import pytest

from syncd.sandbox.storage import Row
from tests.fault.conftest import NewWorld
from tests.support.world import World

TASK = (1, 2, 3)


def attached(world: World, name: str, content: bytes, *, after: float) -> Row:
    """A foreign attachment made so many seconds after the file was last written."""
    written = os.stat(world.root / name).st_mtime
    row = replace(world.server.seed(TASK, name, content, 7), created_at=written + after)
    world.server.put(row)
    return row


def whole_second_file(world: World, content: bytes) -> None:
    """A file whose mtime is a whole second and a half."""
    path = world.write("a", content)
    moment = int(world.clock()) - 600
    os.utime(path, (moment + 0.5, moment + 0.5))


@pytest.mark.parametrize(
    ("after", "fraction", "adopted"),
    [
        (100.0, False, True),
        (100.0, True, True),
        (0.0, True, True),
        (-0.2, True, False),
        (-0.4, False, True),  # the server cut the fraction off: it may be up to 1 s later
        (-1.0, False, False),
        (-2.0, False, False),
        (-3600.0, True, False),
    ],
)
def test_adopted_if_it_is_not_older_than_the_file(
    new_world: NewWorld, after: float, fraction: bool, adopted: bool
) -> None:
    world = new_world(created_fraction=fraction)
    whole_second_file(world, b"content")
    attached(world, "a", b"content", after=after)
    report = world.run()
    assert report.exit_code == 0
    assert (report.adopted, report.created) == ((["a"], []) if adopted else ([], ["a"]))
    assert world.names() == (["a"] if adopted else ["a", "a"])
    assert any("--adopt" in hint for hint in report.hints) == (not adopted)
    world.run()
    assert world.calls() == ["GET list"]


@pytest.mark.parametrize(
    ("skew", "after", "adopted"),
    [
        (-7200.0, -7100.0, True),  # the server's clock is two hours behind
        (-7200.0, -7300.0, False),
        (7200.0, 7300.0, True),
        (7200.0, 100.0, False),  # looks newer, but that is the clock
    ],
)
def test_ages_are_corrected_by_the_servers_date(
    new_world: NewWorld, skew: float, after: float, adopted: bool
) -> None:
    world = new_world()
    world.write("a", b"content", age=600)
    attached(world, "a", b"content", after=after)
    world.server.clock = lambda: world.clock() + skew
    report = world.run()
    assert report.adopted == (["a"] if adopted else [])


def test_adopt_claims_whatever_its_age(new_world: NewWorld) -> None:
    world = new_world()
    world.write("a", b"content", age=0)
    row = attached(world, "a", b"content", after=-86_400)
    foreseen = world.run(dry_run=True, adopt_any_age=True)
    report = world.run(adopt_any_age=True)
    assert foreseen.adopted == report.adopted == ["a"]
    assert world.calls() == ["GET list"]
    assert world.rows() == [row]


@pytest.mark.parametrize(
    ("name", "content"), [("b", b"content"), ("a", b"longer content"), ("A", b"content")]
)
def test_another_name_or_size_is_another_thing(
    new_world: NewWorld, name: str, content: bytes
) -> None:
    world = new_world()
    world.write("a", b"content")
    world.server.seed(TASK, name, content, 7)
    report = world.run(adopt_any_age=True)
    assert (report.adopted, report.created, report.foreign) == ([], ["a"], [name])


def test_the_lower_id_of_two_matches_is_adopted_and_the_other_stays_foreign(
    new_world: NewWorld,
) -> None:
    world = new_world()
    world.write("a", b"content")
    first = attached(world, "a", b"content", after=10)
    second = attached(world, "a", b"content", after=20)
    report = world.run()
    assert (report.adopted, report.foreign) == (["a"], ["a"])
    (world.root / "a").unlink()
    world.run()
    assert world.rows() == [second]
    assert first.id < second.id


def test_an_adopted_attachment_is_ours_from_then_on(new_world: NewWorld) -> None:
    world = new_world()
    for name in "abc":
        world.write(name, name.encode() * 5)
        attached(world, name, name.encode() * 5, after=10)
    world.run()
    world.write("a", b"changed")
    (world.root / "b").rename(world.root / "bb")
    (world.root / "c").unlink()
    report = world.run()
    assert (report.replaced, report.renamed, report.deleted) == (["a"], [("b", "bb")], ["c"])
    assert sorted(world.names()) == ["a", "bb"]


def test_adopted_ones_are_put_in_order(new_world: NewWorld) -> None:
    world = new_world()
    for number, name in enumerate("abc"):
        world.write(name, name.encode())
        row = attached(world, name, name.encode(), after=10)
        world.server.put(replace(row, created_at=world.clock(), display_order=50 - number))
    report = world.run()
    assert (report.adopted, len(report.reordered)) == (["a", "b", "c"], 2)
    assert world.names() == ["a", "b", "c"]


def test_empty_files_are_adopted_by_name(new_world: NewWorld) -> None:
    world = new_world()
    world.write("a", b"")
    attached(world, "a", b"", after=10)
    assert world.run().adopted == ["a"]


def test_a_foreign_attachment_is_never_written_to(new_world: NewWorld) -> None:
    world = new_world()
    rows = [world.server.seed(TASK, name, b"theirs", 100_000) for name in ("a", "x", "y")]
    for name in "abcdef":
        world.write(name, name)
    for _ in range(2):
        report = world.run()
        assert sorted(report.foreign) == ["a", "x", "y"]
        for name in "ab":
            (world.root / name).unlink(missing_ok=True)
    there = {row.id: row for row in world.rows()}
    assert [there[row.id] for row in rows] == rows
