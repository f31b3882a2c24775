"""What is held back, what releases it, and what is left in peace."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from syncd.engine.report import FolderReport
from tests.fault.conftest import NewWorld
from tests.support.faults import Fault
from tests.support.witness import Witness
from tests.support.world import World

LIST = ["GET list"]


def synced(new_world: NewWorld, count: int, **options: object) -> World:
    world = new_world(**options)
    for number in range(count):
        world.write(f"{number:02}", f"content {number}")
    assert world.run().in_sync
    return world


def remove(world: World, *numbers: int) -> None:
    for number in numbers:
        (world.root / f"{number:02}").unlink()


def held(report: FolderReport) -> frozenset[int]:
    return frozenset(h.id for h in report.held)


class TestCounts:
    @pytest.mark.parametrize(
        ("ours", "gone", "is_held"),
        [
            (30, 10, False),
            (30, 11, True),  # more than max_delete
            (4, 2, False),
            (4, 3, True),  # more than half
            (3, 2, False),  # fewer than four are ours
            (6, 3, False),
            (7, 4, True),
            (1, 1, False),
            (2, 2, True),  # no synced file is left
            (3, 3, True),
        ],
    )
    def test_when_deletes_are_held(
        self, new_world: NewWorld, ours: int, gone: int, is_held: bool
    ) -> None:
        world = synced(new_world, ours)
        remove(world, *range(gone))
        report = world.run()
        assert len(report.held) == (gone if is_held else 0)
        assert len(report.deleted) == (0 if is_held else gone)
        assert len(world.rows()) == (ours if is_held else ours - gone)
        assert report.exit_code == (1 if is_held else 0)
        again = world.run()
        assert world.calls() == LIST
        assert held(again) == held(report)

    def test_all_else_goes_on(self, new_world: NewWorld) -> None:
        world = synced(new_world, 6)
        remove(world, 0, 1, 2, 3)
        world.write("04", "changed")
        (world.root / "05").rename(world.root / "5b")
        world.write("new", "new")
        report = world.run()
        assert (report.created, report.replaced) == (["new"], ["04"])
        assert (report.renamed, len(report.held)) == ([("05", "5b")], 4)

    def test_a_hold_does_not_lapse_by_itself(self, new_world: NewWorld) -> None:
        world = synced(new_world, 6)
        remove(world, 0, 1, 2, 3)
        for number in range(10, 16):
            world.write(f"{number}", f"new {number}")
        assert len(world.run().held) == 4
        assert len(world.run().held) == 4

    def test_allow_delete_releases_the_counts(self, new_world: NewWorld) -> None:
        world = synced(new_world, 30)
        remove(world, *range(20))
        assert len(world.run(allow_delete=True).deleted) == 20

    def test_allow_delete_does_not_release_an_emptied_folder(self, new_world: NewWorld) -> None:
        world = synced(new_world, 3)
        remove(world, 0, 1, 2)
        world.write("ignored.tmp", "litter")
        report = world.run(allow_delete=True)
        assert (len(report.held), len(world.rows())) == (3, 3)
        assert len(world.run(approved=held(report)).deleted) == 3

    def test_replaced_files_do_not_count(self, new_world: NewWorld) -> None:
        world = synced(new_world, 20)
        for number in range(20):
            world.write(f"{number:02}", f"changed {number}")
        report = world.run()
        assert (len(report.replaced), report.held) == (20, [])


class TestApproval:
    def test_exactly_that_set_is_deleted(self, new_world: NewWorld) -> None:
        world = synced(new_world, 6)
        remove(world, 0, 1, 2, 3)
        report = world.run()
        approved = world.run(approved=held(report))
        assert (len(approved.deleted), approved.held, approved.exit_code) == (4, [], 0)

    def test_a_set_that_has_grown_is_held_again(self, new_world: NewWorld) -> None:
        world = synced(new_world, 7)
        remove(world, 0, 1, 2, 3)
        report = world.run()
        remove(world, 4)
        again = world.run(approved=held(report))
        assert (again.deleted, len(again.held)) == ([], 5)

    def test_a_set_that_has_shrunk_is_held_again(self, new_world: NewWorld) -> None:
        world = synced(new_world, 7)
        remove(world, 0, 1, 2, 3, 4)
        report = world.run()
        world.write("00", "content 0")
        again = world.run(approved=held(report))
        assert (again.deleted, len(again.held)) == ([], 4)

    def test_ids_of_others_are_of_no_use(self, new_world: NewWorld) -> None:
        world = synced(new_world, 6)
        remove(world, 0, 1, 2, 3)
        world.run()
        assert world.run(approved=frozenset({98, 99})).deleted == []

    def test_an_approved_delete_that_is_interrupted_goes_on(self, new_world: NewWorld) -> None:
        world = synced(new_world, 6)
        remove(world, 0, 1, 2, 3)
        approved = held(world.run())
        world.server.faults.append(Fault("reset_before", method="DELETE", skip=1))
        assert len(world.run(approved=approved).deleted) == 4

    def test_one_of_them_that_the_server_refuses_keeps_back_no_other(
        self, new_world: NewWorld
    ) -> None:
        world = synced(new_world, 7)
        remove(world, 0, 1, 2, 3, 4, 5)
        approved = held(world.run())
        world.server.faults.append(Fault("status_before", method="DELETE", status=400))
        report = world.run(approved=approved)
        assert (len(report.deleted), len(report.failed), report.held) == (5, 1, [])


class TestAnotherFolder:
    """The folder is not the one it was: another inode."""

    def moved(self, world: World) -> None:
        """A copy in place of the folder, with new inodes everywhere."""
        kept = world.base / "kept"
        world.root.rename(kept)
        shutil.copytree(kept, world.root)

    def test_the_same_files_are_recorded_silently(self, new_world: NewWorld) -> None:
        world = synced(new_world, 5)
        self.moved(world)
        report = world.run()
        assert (report.exit_code, world.calls()) == (0, LIST)
        remove(world, 0)
        assert world.run().deleted == ["00"]

    def test_deletes_and_replacements_are_held(self, new_world: NewWorld) -> None:
        world = synced(new_world, 5)
        self.moved(world)
        remove(world, 0)
        world.write("01", "changed")
        world.write("new", "new")
        before = {row.id: row for row in world.rows()}
        report = world.run(allow_delete=True)
        assert sorted(h.action for h in report.held) == ["delete", "replace"]
        assert report.created == ["new"]
        assert before.items() <= {row.id: row for row in world.rows()}.items()
        approved = world.run(approved=held(report))
        assert (approved.deleted, approved.replaced) == (["00"], ["01"])
        assert approved.exit_code == 0
        remove(world, 2)
        assert world.run().deleted == ["02"]

    def test_an_empty_one_holds_everything(self, new_world: NewWorld) -> None:
        world = synced(new_world, 1)
        world.root.rename(world.base / "kept")
        world.root.mkdir()
        report = world.run(allow_delete=True)
        assert (len(report.held), len(world.rows())) == (1, 1)

    def test_the_old_one_back_again_is_fine(self, new_world: NewWorld) -> None:
        world = synced(new_world, 5)
        world.root.rename(world.base / "kept")
        world.root.mkdir()
        world.run()
        world.root.rmdir()
        (world.base / "kept").rename(world.root)
        report = world.run()
        assert (report.exit_code, world.calls()) == (0, LIST)

    def test_a_file_moved_over_another_there_deletes_nothing(self, new_world: NewWorld) -> None:
        """It would be a replacement: of the other one's attachment by the renamed one."""
        world = synced(new_world, 5)
        self.moved(world)
        (world.root / "00").rename(world.root / "01")
        world.run()
        world.run()
        assert len(world.rows()) == 5

    def test_a_missing_folder_touches_nothing(self, new_world: NewWorld) -> None:
        world = synced(new_world, 3)
        world.root.rename(world.base / "kept")
        report = world.run()
        assert (report.exit_code, world.calls()) == (1, [])
        assert report.error
        assert len(world.rows()) == 3


class TestMirror:
    def test_the_first_time_is_held_and_then_never_again(self, new_world: NewWorld) -> None:
        world = new_world(rules={"delete": "mirror"})
        witness = Witness(world)
        witness.seed("theirs")
        for name in "abcde":
            world.write(name, name)
        report = world.run()
        assert [h.name for h in report.held] == ["theirs"]
        assert (report.exit_code, len(world.rows())) == (1, 6)
        witness.foreign.clear()
        assert world.run(approved=held(report)).deleted == ["theirs"]
        witness.seed("theirs again")
        witness.foreign.clear()
        assert world.run().deleted == ["theirs again"]

    def test_detached_ones_stay(self, new_world: NewWorld) -> None:
        world = synced(new_world, 4, rules={"delete": "mirror"})
        world.set_rules(ignore=("00",))
        report = world.run()
        assert (report.detached, report.deleted, len(world.rows())) == (["00"], [], 4)

    def test_nothing_foreign_goes_while_an_upload_is_refused(self, new_world: NewWorld) -> None:
        world = synced(new_world, 3, rules={"delete": "mirror"})
        world.server.seed((1, 2, 3), "bad", b"an older version", 9)
        report = world.run()
        world.server.quirks.poison = lambda name: name == "bad"
        world.write("bad", "the new version of it")
        again = world.run(approved=held(report))
        assert (again.deleted, [p.path for p in again.failed]) == ([], ["bad"])


class TestNever:
    def test_nothing_is_deleted(self, new_world: NewWorld) -> None:
        world = synced(new_world, 5, rules={"delete": "never"})
        remove(world, 0)
        world.write("01", "changed")
        report = world.run()
        assert (report.replaced, report.deleted, report.detached) == (["01"], [], ["00"])
        assert report.foreign == ["01"]
        assert len(world.rows()) == 6
        assert report.exit_code == 0
        again = world.run()
        assert (world.calls(), again.foreign, again.detached) == (LIST, ["01"], ["00"])

    def test_a_file_that_comes_back_is_taken_up_again(self, new_world: NewWorld) -> None:
        world = synced(new_world, 5, rules={"delete": "never"})
        remove(world, 0)
        world.run()
        world.write("00", "content 0")
        assert world.run().exit_code == 0
        assert (world.calls(), len(world.rows())) == (LIST, 5)

    def test_an_old_version_is_not_ours_any_more_under_another_policy(
        self, new_world: NewWorld
    ) -> None:
        world = synced(new_world, 5, rules={"delete": "never"})
        world.write("01", "changed")
        world.run()
        world.set_rules(delete="owned")
        report = world.run()
        assert (world.calls(), report.foreign, len(world.rows())) == (LIST, ["01"], 6)


def to_directory(world: World) -> None:
    (world.root / "d" / "x").unlink()
    (world.root / "d").rename(world.base / "aside")
    (world.root / "d").symlink_to(world.base / "aside")


DETACHING = {
    "ignored": lambda world: world.set_rules(ignore=("d/*",)),
    "not included": lambda world: world.set_rules(include=("0*",)),
    "recursive off": lambda world: world.set_rules(recursive=False),
    "too large": lambda world: world.set_rules(max_file_size=10),
    "its folder became a link": to_directory,
    "a link in its place": lambda world: (
        (world.root / "d/x").rename(world.base / "x"),
        (world.root / "d/x").symlink_to(world.base / "x"),
    ),
    "a folder in its place": lambda world: (
        (world.root / "d/x").unlink(),
        (world.root / "d/x").mkdir(),
    ),
}


@pytest.mark.parametrize("how", DETACHING)
@pytest.mark.parametrize("policy", ["owned", "mirror"])
def test_an_attachment_without_a_file_to_sync_that_is_not_gone_is_detached(
    new_world: NewWorld, how: str, policy: str
) -> None:
    world = new_world(rules={"recursive": True, "delete": policy})
    world.write("d/x", "a content of some length")
    for number in range(4):
        world.write(f"{number:02}", f"{number}")
    world.run()
    before = world.rows()
    rules = world.rules
    DETACHING[how](world)
    report = world.run()
    if how == "a folder in its place":
        # Scanned without error, and the file is not there: that is gone.
        assert report.deleted == ["d/x"] or report.detached == ["d/x"]
        return
    assert (report.detached, report.deleted, report.exit_code) == (["d/x"], [], 0)
    assert world.rows() == before
    world.rules = rules
    for place in (world.root / "d", world.root / "d/x"):
        if place.is_symlink():
            place.unlink()
    world.write("d/x", "a content of some length")
    report = world.run()
    assert (report.detached, world.calls(), world.rows()) == ([], LIST, before)


def test_detached_and_changed_meanwhile_is_replaced_when_it_comes_back(
    new_world: NewWorld,
) -> None:
    world = synced(new_world, 3)
    world.set_rules(ignore=("00",))
    world.run()
    world.write("00", "changed")
    world.set_rules(ignore=())
    assert world.run().replaced == ["00"]
    assert len(world.rows()) == 3


def test_a_detached_file_that_goes_is_left_in_peace_until_the_rules_cover_it(
    new_world: NewWorld,
) -> None:
    world = synced(new_world, 3)
    world.set_rules(ignore=("00",))
    world.run()
    remove(world, 0)
    assert world.run().detached == ["00"]
    world.set_rules(ignore=())
    assert world.run().deleted == ["00"]


def test_a_file_renamed_into_an_ignored_name_is_gone(new_world: NewWorld) -> None:
    world = synced(new_world, 3)
    (world.root / "00").rename(world.root / "00.tmp")
    assert world.run().deleted == ["00"]
    assert Path(world.root / "00.tmp").exists()


def test_a_mirrors_hold_outlives_cycles_on_a_remembered_list_and_its_approval_asks_for_one(
    new_world: NewWorld,
) -> None:
    world = new_world(rules={"delete": "mirror"})
    theirs = Witness(world).seed("theirs")
    world.write("a", "content")
    assert [h.name for h in world.run().held] == ["theirs"]
    again = world.run(once=False, list_first=False)
    assert ([h.name for h in again.held], world.calls()) == (["theirs"], [])
    freed = world.run(once=False, list_first=False, approved=frozenset({theirs.id}))
    assert (freed.deleted, world.calls()) == (["theirs"], ["GET list", "DELETE one"])
