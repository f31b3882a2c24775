"""What a run did is kept in the ledger, for people to read later."""

from __future__ import annotations

from tests.fault.conftest import NewWorld


def test_every_confirmed_action_is_kept_with_its_reason(new_world: NewWorld) -> None:
    world = new_world()
    world.write("a.txt", "a")
    world.write("b.txt", "b")
    world.run()
    world.write("a.txt", "other")
    world.run()
    (world.root / "b.txt").rename(world.root / "c.txt")
    world.run()
    (world.root / "c.txt").unlink()
    world.run()
    assert [
        (a.action, a.name, a.reason.partition(", and moved")[0]) for _, a in world.history()
    ] == [
        ("created", "a.txt", "new file"),
        ("created", "b.txt", "new file"),
        ("replaced", "a.txt", "new content"),
        ("deleted", "a.txt", "an old version"),
        ("renamed", "c.txt", "was 'b.txt', its file was renamed"),
        ("deleted", "c.txt", "its file is gone"),
    ]


def test_what_was_not_carried_out_is_not_told(new_world: NewWorld) -> None:
    world = new_world(poison=lambda name: name == "a.txt")
    world.write("a.txt", "a")
    world.run(dry_run=True)
    assert world.run().failed
    assert world.history() == []


def test_a_run_is_kept_with_what_it_cost(new_world: NewWorld) -> None:
    world = new_world()
    world.write("a.txt", "a")
    report = world.run()
    ((_, run),) = world.cycles()
    assert (run.code, run.actions, run.requests) == (0, 1, report.requests)
