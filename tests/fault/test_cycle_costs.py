"""What a one-shot run costs, counted in the server's log (contract.md, Requests a cycle costs)."""

from __future__ import annotations

import os

import pytest

from tests.fault.conftest import NewWorld
from tests.support.faults import Fault
from tests.support.witness import Witness
from tests.support.world import World

LIST, SINGLE, BULK = "GET list", "POST single", "POST bulk"
DELETE, PUT = "DELETE one", "PUT one"


def synced(new_world: NewWorld, *names: str, **options: object) -> tuple[World, Witness]:
    world = new_world(**options)
    witness = Witness(world)
    for name in names or "abcde":
        world.write(name, f"content of {name}")
    witness.note()
    assert world.run().in_sync
    return world, witness


def costs(world: World, witness: Witness, *calls: str) -> None:
    """The next run sends exactly this, as foreseen, and then all is well."""
    witness.note()
    foreseen = world.run(dry_run=True)
    assert world.calls() == [LIST]
    assert not foreseen.in_sync or calls == (LIST,)
    report = world.run()
    assert sorted(world.calls()) == sorted(calls)
    assert (report.exit_code, report.in_sync) == (0, True)
    assert report.requests == foreseen.planned_requests == len(calls)
    told = ("created", "replaced", "renamed", "reordered", "deleted", "adopted")
    for kind in told:
        assert sorted(getattr(report, kind)) == sorted(getattr(foreseen, kind)), kind
    witness.assert_settled()
    world.run()
    assert world.calls() == [LIST]


def test_nothing_to_do_costs_one_list(new_world: NewWorld) -> None:
    world, witness = synced(new_world)
    costs(world, witness, LIST)


@pytest.mark.parametrize(
    ("count", "calls"),
    [
        (0, [LIST]),
        (1, [LIST, SINGLE, LIST]),
        (2, [LIST, BULK, LIST]),
        (10, [LIST, BULK, LIST]),
        (11, [LIST, BULK, SINGLE, LIST]),
        (20, [LIST, BULK, BULK, LIST]),
        (25, [LIST, BULK, BULK, BULK, LIST]),
    ],
)
def test_new_files_in_an_empty_task(new_world: NewWorld, count: int, calls: list[str]) -> None:
    world = new_world()
    for number in range(count):
        world.write(f"{number}.txt", f"{number}")
    costs(world, Witness(world), *calls)


@pytest.mark.parametrize("ids", ["object", "array", "items"])
def test_the_list_after_creates_is_saved_where_the_201_carries_the_objects(
    new_world: NewWorld, ids: str
) -> None:
    world, witness = synced(new_world, ids_in_201=ids)
    assert world.calls() == [LIST, BULK]
    world.write("a", "changed")
    world.run()
    # An array of one is as clear an answer as an object.
    assert world.calls() == [LIST, SINGLE, DELETE]
    witness.note()
    costs(world, witness, LIST)


def test_one_file_changed(new_world: NewWorld) -> None:
    world, witness = synced(new_world)
    world.write("c", "changed")
    costs(world, witness, LIST, SINGLE, LIST, DELETE)


def test_three_files_changed(new_world: NewWorld) -> None:
    world, witness = synced(new_world)
    for name in "bcd":
        world.write(name, f"changed {name}")
    costs(world, witness, LIST, BULK, LIST, DELETE, DELETE, DELETE)


def test_one_file_renamed(new_world: NewWorld) -> None:
    world, witness = synced(new_world)
    (world.root / "c").rename(world.root / "c2")
    costs(world, witness, LIST, PUT)


def test_a_rename_that_also_moves(new_world: NewWorld) -> None:
    world, witness = synced(new_world)
    (world.root / "a").rename(world.root / "z")
    costs(world, witness, LIST, PUT)


@pytest.mark.parametrize("names", ["ab", "bcd", "abcde"], ids=["swap", "chain of 3", "all of 5"])
def test_names_going_round(new_world: NewWorld, names: str) -> None:
    world, witness = synced(new_world)
    for name in names:
        (world.root / name).rename(world.root / f".#{name}")
    for name, target in zip(names, names[1:] + names[0], strict=True):
        (world.root / f".#{name}").rename(world.root / target)
    costs(world, witness, LIST, *[PUT] * len(names))


def test_a_backup_on_save_is_a_rename_and_a_new_file(new_world: NewWorld) -> None:
    world, witness = synced(new_world)
    (world.root / "c").rename(world.root / "c.bak")
    world.write("c", "saved anew")
    costs(world, witness, LIST, SINGLE, PUT, LIST)


def test_a_file_moved_over_another_takes_its_name(new_world: NewWorld) -> None:
    world, witness = synced(new_world)
    (world.root / "a").rename(world.root / "b")
    witness.note()
    report = world.run()
    assert sorted(world.calls()) == sorted([LIST, DELETE, PUT])
    assert (report.renamed, report.deleted) == ([("a", "b")], [])
    witness.assert_settled()


def test_one_file_deleted(new_world: NewWorld) -> None:
    world, witness = synced(new_world)
    (world.root / "c").unlink()
    costs(world, witness, LIST, DELETE)


def test_one_file_moved_in_the_order(new_world: NewWorld) -> None:
    world = new_world(rules={"order": "manifest"})
    witness = Witness(world)
    for name in "abcde":
        world.write(name, name)
    world.run()
    world.write(".syncd-order", "d\na\nb\nc\ne")
    costs(world, witness, LIST, PUT)


def test_a_reversed_order_moves_all_but_one(new_world: NewWorld) -> None:
    world, witness = synced(new_world)
    world.set_rules(reverse=True)
    costs(world, witness, LIST, *[PUT] * 4)


@pytest.mark.parametrize("place", ["00", "c1", "zz"], ids=["first", "between", "last"])
def test_files_inserted_anywhere_move_nothing(new_world: NewWorld, place: str) -> None:
    world, witness = synced(new_world)
    for number in range(20):
        world.write(f"{place}{number:02}", f"{number}")
    costs(world, witness, LIST, BULK, BULK, LIST)


def test_when_no_gap_is_left_a_few_make_room(new_world: NewWorld) -> None:
    world, witness = synced(new_world, rules={"display_order_step": 1})
    world.write("c1", "new")
    witness.note()
    report = world.run()
    assert report.in_sync
    assert world.calls().count(PUT) == 2
    witness.assert_settled()


class TestNothing:
    """What is no change costs one list."""

    def test_touched(self, new_world: NewWorld) -> None:
        world, witness = synced(new_world)
        for name in "abc":
            os.utime(world.root / name)
        costs(world, witness, LIST)

    def test_saved_with_the_same_bytes_in_place(self, new_world: NewWorld) -> None:
        world, witness = synced(new_world)
        world.write("a", "content of a", age=0)
        costs(world, witness, LIST)

    def test_saved_with_the_same_bytes_under_a_new_inode(self, new_world: NewWorld) -> None:
        world, witness = synced(new_world)
        world.write(".#new", "content of a")
        (world.root / ".#new").rename(world.root / "a")
        costs(world, witness, LIST)

    def test_litter_and_what_is_not_a_file(self, new_world: NewWorld) -> None:
        world, witness = synced(new_world)
        world.write("x.tmp", "litter")
        world.write("~$a.docx", "litter")
        (world.root / "link").symlink_to("a")
        os.mkfifo(world.root / "pipe")
        costs(world, witness, LIST)

    def test_changed_with_size_and_mtime_kept_is_a_change(self, new_world: NewWorld) -> None:
        world, witness = synced(new_world)
        before = os.stat(world.root / "a")
        world.write("a", "CONTENT OF A")
        os.utime(world.root / "a", ns=(before.st_atime_ns, before.st_mtime_ns))
        costs(world, witness, LIST, SINGLE, LIST, DELETE)

    def test_touched_under_order_modified_is_a_move(self, new_world: NewWorld) -> None:
        world = new_world(rules={"order": "modified"})
        witness = Witness(world)
        for number, name in enumerate("abcde"):
            world.write(name, name, age=600 - number)
        world.run()
        os.utime(world.root / "a")
        costs(world, witness, LIST, PUT)


def test_empty_files_are_never_taken_for_renamed_ones(new_world: NewWorld) -> None:
    world = new_world()
    witness = Witness(world)
    world.write("a", b"")
    world.run()
    (world.root / "a").unlink()
    world.write("b", b"")
    costs(world, witness, LIST, SINGLE, LIST, DELETE)


def test_a_copy_is_a_new_file(new_world: NewWorld) -> None:
    world, witness = synced(new_world)
    world.write("copy", "content of a")
    costs(world, witness, LIST, SINGLE, LIST)


def test_a_copy_renamed_while_the_original_goes(new_world: NewWorld) -> None:
    world, witness = synced(new_world, "a", "b")
    world.write("b", "content of a")
    (world.root / "a").rename(world.root / "c")
    witness.note()
    report = world.run()
    assert report.in_sync
    witness.assert_settled()


def stuck_at_the_delete(new_world: NewWorld) -> tuple[World, Witness]:
    """`a` was replaced, and its old version is still in the task."""
    world, witness = synced(new_world, "a", "b")
    world.write("a", "something new")
    witness.note()
    world.server.faults.append(Fault("status_before", method="DELETE", times=None))
    assert world.run().exit_code == 75
    world.server.faults.clear()
    world.ahead += 600
    return world, witness


def test_an_old_version_whose_content_turns_up_elsewhere_is_renamed(new_world: NewWorld) -> None:
    """It would be deleted else, and sent again: for a moment the task had none of it."""
    world, witness = stuck_at_the_delete(new_world)
    world.write("c", "content of a")
    costs(world, witness, LIST, PUT)


def test_an_old_version_that_is_restored_stays_and_the_newer_one_goes(new_world: NewWorld) -> None:
    world, witness = stuck_at_the_delete(new_world)
    world.write("a", "content of a")
    costs(world, witness, LIST, DELETE)


def test_the_bytes_go_into_as_few_requests_as_the_limit_allows(new_world: NewWorld) -> None:
    world = new_world()
    witness = Witness(world)
    world.max_batch_bytes = 1000
    for number in range(10):
        world.write(f"{number}", bytes([number]) * 300)
    costs(world, witness, LIST, BULK, BULK, BULK, SINGLE, LIST)


def test_a_file_above_the_limit_of_a_batch_goes_alone(new_world: NewWorld) -> None:
    world = new_world()
    witness = Witness(world)
    world.max_batch_bytes = 1000
    world.write("big", bytes(5000))
    world.write("small", bytes(50))
    costs(world, witness, LIST, SINGLE, SINGLE, LIST)


@pytest.mark.parametrize("params", ["both", "query", "form"])
def test_long_names_are_spread_over_more_requests(new_world: NewWorld, params: str) -> None:
    world = new_world(create_params=params, params="form" if params == "form" else "query")
    witness = Witness(world)
    for number in range(10):
        world.write(f"{number}" + "ä" * 120, f"{number}")
    witness.note()
    assert world.run().in_sync
    assert all(len(str(request.query)) < 8192 for request in world.server.log)
    witness.assert_settled()


def test_a_dry_run_writes_nothing_anywhere(new_world: NewWorld) -> None:
    world, _ = synced(new_world)
    world.write("a", "changed")
    (world.root / "b").unlink()
    before = (world.state / "ledger.db").read_bytes(), os.listdir(world.state), world.rows()
    report = world.run(dry_run=True)
    assert (report.replaced, report.deleted) == (["a"], ["b"])
    assert not report.in_sync
    after = (world.state / "ledger.db").read_bytes(), os.listdir(world.state), world.rows()
    assert after == before


def test_where_nothing_is_deleted_a_replacement_is_cheaper(new_world: NewWorld) -> None:
    world, _ = synced(new_world, rules={"delete": "never"})
    world.write("a", "changed")
    foreseen = world.run(dry_run=True)
    report = world.run()
    assert world.calls() == [LIST, SINGLE, LIST]
    assert report.planned_requests == foreseen.planned_requests == 3
    assert foreseen.foreign == report.foreign == ["a"]


def test_a_mirrors_deletes_are_foreseen_though_they_wait_for_the_uploads(
    new_world: NewWorld,
) -> None:
    world, witness = synced(new_world, rules={"delete": "mirror"})
    first = witness.seed("theirs")
    held = world.run()
    assert [h.name for h in held.held] == ["theirs"]
    assert world.run(approved=frozenset({first.id})).deleted == ["theirs"]
    witness.seed("theirs again")
    world.write("new", "content")
    foreseen = world.run(dry_run=True)
    assert (foreseen.deleted, foreseen.foreign) == (["theirs again"], [])
    report = world.run()
    assert world.calls() == [LIST, SINGLE, LIST, DELETE]
    assert (report.deleted, report.created) == (["theirs again"], ["new"])
    assert report.planned_requests == foreseen.planned_requests == 4


def test_the_first_mirror_is_held_in_a_dry_run_too(new_world: NewWorld) -> None:
    world = new_world(rules={"delete": "mirror"})
    Witness(world).seed("theirs")
    world.write("a", "content")
    foreseen = world.run(dry_run=True)
    assert ([h.name for h in foreseen.held], foreseen.foreign) == (["theirs"], ["theirs"])
    assert [h.name for h in world.run().held] == ["theirs"]
