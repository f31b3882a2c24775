"""Files that the server refuses: they never stop the others, and are not tried for ever."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from tests.fault.conftest import NewWorld
from tests.support.faults import Fault
from tests.support.witness import Witness
from tests.support.world import World

HOUR = 3600.0
IDS = (1, 2, 3)


def poisoned(new_world: NewWorld, total: int, *poison: int, **quirks: object) -> World:
    world = new_world(poison=lambda name: name.startswith("bad"), **quirks)
    for number in range(total):
        kind = "bad" if number in poison else "good"
        world.write(f"{kind}{number:02}", f"{kind} {number}")
    return world


def goods(world: World) -> list[str]:
    return sorted(name for name in world.names() if name.startswith("good"))


@pytest.mark.parametrize("poison", range(10))
def test_one_refused_file_in_a_bulk_is_found_with_at_most_eight_requests(
    new_world: NewWorld, poison: int
) -> None:
    world = poisoned(new_world, 10, poison)
    report = world.run()
    creates = [call for call in world.calls() if call.startswith("POST")]
    assert len(creates) <= 1 + 8
    assert [p.path for p in report.failed] == [f"bad{poison:02}"]
    assert "could not be processed" in report.failed[0].reason
    assert (report.exit_code, len(goods(world))) == (1, 9)


@pytest.mark.parametrize("poison", [(0, 9), (1, 4, 7), (0, 1, 2, 3), (0, 2, 4, 6, 8)])
def test_several_take_more_runs_and_never_more_than_eight_requests_each(
    new_world: NewWorld, poison: tuple[int, ...]
) -> None:
    world = poisoned(new_world, 10, *poison)
    for _ in range(6):
        report = world.run()
        creates = [call for call in world.calls() if call.startswith("POST")]
        assert len(creates) <= 1 + 8
        if report.exit_code == 1:
            break
        assert report.exit_code == 75
        assert report.pending
    assert len(goods(world)) == 10 - len(poison)
    assert len(report.failed) == len(poison)


def test_one_in_each_of_three_bulks(new_world: NewWorld) -> None:
    world = poisoned(new_world, 30, 5, 15, 25)
    for _ in range(4):
        report = world.run()
        assert len(world.calls()) <= 3 + 8 + 2
    assert (report.exit_code, len(goods(world))) == (1, 27)


@pytest.mark.parametrize("count", [2, 3, 10, 11, 20, 25, 45])
def test_where_all_are_refused_alike_the_folder_is_in_error_not_the_files(
    new_world: NewWorld, count: int
) -> None:
    world = poisoned(new_world, count, *range(count))
    report = world.run()
    assert len(world.calls()) <= 2 + 8 + 2
    assert (report.exit_code, report.failed) == (1, [])
    assert report.error
    assert "refused alike" in report.error
    again = world.run()
    assert world.calls() == ["GET list"]
    assert (again.exit_code, again.error, again.failed) == (1, report.error, [])
    world.ahead += 61
    world.run()
    assert len(world.calls()) > 1


def test_renames_and_deletes_go_on_while_all_uploads_are_refused(
    new_world: NewWorld,
) -> None:
    world = new_world()
    for name in "abcdef":
        world.write(name, name)
    world.run()
    world.server.quirks.poison = lambda name: True
    (world.root / "a").unlink()
    (world.root / "b").rename(world.root / "z")
    for name in "mnopq":
        world.write(name, name)
    report = world.run()
    assert (report.deleted, report.renamed) == (["a"], [("b", "z")])
    assert report.exit_code == 1


def test_an_error_that_was_all_files_is_forgotten_with_the_files(new_world: NewWorld) -> None:
    world = poisoned(new_world, 3, 0, 1, 2)
    assert world.run().error
    for path in list(world.root.iterdir()):
        path.unlink()
    world.write("good", "good")
    report = world.run()
    assert (report.exit_code, report.error, world.names()) == (0, None, ["good"])


def test_one_file_alone_that_is_refused_is_the_files_error(new_world: NewWorld) -> None:
    world = poisoned(new_world, 1, 0)
    report = world.run()
    assert (report.exit_code, report.error) == (1, None)
    assert [p.path for p in report.failed] == ["bad00"]


def test_a_refused_file_is_tried_again_after_delays_that_double_up_to_a_day(
    new_world: NewWorld,
) -> None:
    world = poisoned(new_world, 3, 1)
    world.run()
    for delay in [60, 120, 240, 480]:
        world.ahead += delay - 20
        report = world.run()
        assert (world.calls(), report.exit_code) == (["GET list"], 1)
        assert [p.path for p in report.failed] == ["bad01"]
        world.ahead += 21
        world.run()
        assert world.calls().count("POST single") == 1
    for _ in range(9):
        world.ahead += 86_401
        world.run()
    assert world.calls().count("POST single") == 1
    world.ahead += 86_380
    world.run()
    assert world.calls() == ["GET list"]


def test_retry_forgets_the_delay(new_world: NewWorld) -> None:
    world = poisoned(new_world, 3, 1)
    world.run()
    world.server.quirks.poison = None
    report = world.run(retry=True)
    assert (report.exit_code, report.created) == (0, ["bad01"])


def test_a_refused_file_that_changes_is_tried_at_once(new_world: NewWorld) -> None:
    world = poisoned(new_world, 3, 1)
    world.run()
    world.server.quirks.poison = None
    world.write("bad01", "other content")
    report = world.run()
    assert (report.exit_code, report.created) == (0, ["bad01"])


def test_a_refused_file_that_is_renamed_is_tried_at_once(new_world: NewWorld) -> None:
    world = poisoned(new_world, 3, 1)
    world.run()
    (world.root / "bad01").rename(world.root / "good01")
    report = world.run()
    assert (report.exit_code, report.created) == (0, ["good01"])


def test_a_refused_replacement_leaves_the_old_version(new_world: NewWorld) -> None:
    world = new_world()
    witness = Witness(world)
    for name in "abc":
        world.write(name, name)
    world.run()
    kept = world.rows()
    world.server.quirks.poison = lambda name: name == "b"
    world.write("b", "changed")
    report = world.run()
    assert [p.path for p in report.failed] == ["b"]
    assert world.rows() == kept
    world.server.quirks.poison = None
    world.run(retry=True)
    witness.assert_settled()


def test_too_large_a_batch_is_split_until_it_fits(new_world: NewWorld) -> None:
    world = new_world(max_request_size=10_000)
    witness = Witness(world)
    for number in range(8):
        world.write(f"{number}", bytes([number]) * 2_000)
    for _ in range(3):
        world.run()
    witness.assert_settled()


@pytest.mark.parametrize("status", [400, 409, 413, 415, 422])
def test_a_file_too_large_for_the_server_fails_alone_and_clearly(
    new_world: NewWorld, status: int
) -> None:
    world = new_world(max_file_size=1000)
    if status != 413:
        world.server.faults.append(
            Fault(
                "status_before",
                match=lambda method, path: method == "POST" and not path.endswith("bulk"),
                status=status,
                times=None,
            )
        )
    world.write("big", bytes(5000))
    report = world.run()
    assert str(status) in report.failed[0].reason
    assert (report.exit_code, report.error) == (1, None)


@pytest.mark.parametrize("method", ["PUT", "DELETE"])
def test_a_refused_change_to_one_attachment_stops_no_other(
    new_world: NewWorld, method: str
) -> None:
    world = new_world()
    witness = Witness(world)
    for name in "abcdef":
        world.write(name, name)
    world.run()
    for name in "ab":
        path = world.root / name
        path.unlink() if method == "DELETE" else path.rename(world.root / f"{name}2")
    world.server.faults.append(Fault("status_before", method=method, status=400, times=1))
    report = world.run()
    assert (report.exit_code, len(report.failed)) == (1, 1)
    assert len(report.deleted) + len(report.renamed) == 1
    world.run()
    assert world.calls() == ["GET list"]
    world.ahead += 61
    assert world.run().exit_code == 0
    witness.assert_settled()


def closed(new_world: NewWorld, status: int, **to: Any) -> World:
    """A task with a foreign attachment and three files to send, which it refuses."""
    world = new_world()
    world.server.seed(IDS, "theirs", b"their content", 5)
    for name in "abc":
        world.write(name, name)
    world.server.faults.append(Fault("status_before", status=status, times=None, **to))
    return world


@pytest.mark.parametrize("status", [403, 404])
def test_a_task_that_takes_no_more_uploads_is_the_folders_error(
    new_world: NewWorld, status: int
) -> None:
    world = closed(new_world, status, method="POST")
    report = world.run()
    assert (report.exit_code, report.failed) == (1, [])
    assert report.error
    assert "task 3" in report.error
    assert ("lack the right" in report.error) == (status == 403)
    assert world.calls()[:4] == ["GET list", "POST bulk", "GET list", "POST bulk"]
    assert len(world.calls()) <= 2 + 8
    world.run()
    assert world.calls() == ["GET list"]


@pytest.mark.parametrize(("status", "ours"), [(404, False), (404, True), (403, True)])
def test_a_task_that_shows_nothing_and_takes_nothing_is_gone_and_its_files_are_not_to_blame(
    new_world: NewWorld, status: int, ours: bool
) -> None:
    world = new_world(view_soft_deleted=False)
    if ours:
        world.write("a", "a")
        world.run()
        for row in world.rows():
            world.server.put(replace(row, deleted_at=world.clock()))
    for name in "abc":
        world.write(name, name)
    world.server.faults.append(Fault("status_before", method="POST", status=status, times=None))
    for _ in range(2):
        report = world.run()
        assert (report.exit_code, report.failed) == (1, [])
        assert report.error
        assert "task 3" in report.error
        assert world.calls()[-1] == "POST bulk"
        assert world.calls().count("POST bulk") == 1
    world.server.faults.clear()
    assert world.run().in_sync


@pytest.mark.parametrize("status", [403, 404])
def test_a_task_that_is_gone_or_closed_by_then_is_not_asked_again(
    new_world: NewWorld, status: int
) -> None:
    """The list tells: no file is to blame, and all of them are sent when the task is back."""
    world = closed(new_world, status, skip=1)
    report = world.run()
    assert (report.exit_code, report.failed) == (1, [])
    assert report.error
    assert "task 3" in report.error
    assert world.calls() == ["GET list", "POST bulk", "GET list"]
    world.server.faults.clear()
    assert world.run().created == ["a", "b", "c"]


@pytest.mark.parametrize("status", [403, 404])
@pytest.mark.parametrize("batch", [1, 1 << 20])
def test_a_file_that_is_refused_as_if_it_were_the_task_does_not_stop_the_others(
    new_world: NewWorld, status: int, batch: int
) -> None:
    """What stands between may refuse a content that it dislikes, and everybody says 403."""
    world = poisoned(new_world, 6, 2, poison_status=status)
    world.max_batch_bytes = batch
    world.server.seed(IDS, "theirs", b"their content", 5)
    report = world.run()
    assert (report.exit_code, [p.path for p in report.failed]) == (1, ["bad02"])
    assert len(goods(world)) == 5
    world.run()
    assert world.calls() == ["GET list"]


def test_finding_it_takes_no_more_requests_than_any_other_refusal(new_world: NewWorld) -> None:
    """The list that is asked whether it is the task counts, too."""
    world = poisoned(new_world, 10, 0, 2, 4, 6, 8, poison_status=403)
    world.server.seed(IDS, "theirs", b"their content", 5)
    world.run()
    assert len(world.calls()) <= 2 + 8


@pytest.mark.parametrize("status", [403, 404])
def test_an_upload_refused_once_as_if_for_the_task_is_sent_again(
    new_world: NewWorld, status: int
) -> None:
    world = new_world()
    world.server.seed(IDS, "theirs", b"their content", 5)
    world.write("a", "a")
    world.server.faults.append(Fault("status_before", method="POST", status=status))
    assert world.run().in_sync
    assert world.calls() == ["GET list", "POST single", "GET list", "POST single", "GET list"]


def test_a_touch_or_the_same_bytes_again_do_not_make_a_refused_file_another(
    new_world: NewWorld,
) -> None:
    world = new_world(poison=lambda name: name == "bad")
    world.write("bad", "refused")
    world.write("good", "taken")
    assert [p.path for p in world.run().failed] == ["bad"]
    for age in (50, 40, 30):
        world.write("bad", "refused", age=age)
        report = world.run()
        assert ([p.path for p in report.failed], world.calls()) == (["bad"], ["GET list"])
    world.write("bad", "changed")
    world.run()
    assert "POST single" in world.calls()


@pytest.mark.parametrize("count", [2, 10, 25])
def test_once_the_server_takes_them_again_a_minute_brings_them_all(
    new_world: NewWorld, count: int
) -> None:
    world = poisoned(new_world, count, *range(count))
    world.run()
    world.server.quirks.poison = None
    world.ahead += 61
    assert world.run().in_sync
    assert len(world.rows()) == count


def test_a_clock_that_is_set_back_makes_no_refusal_last_longer(new_world: NewWorld) -> None:
    world = poisoned(new_world, 3, 1)
    world.ahead += 86_400
    world.run()
    world.server.quirks.poison = None
    world.ahead -= 86_400
    assert world.run().created == ["bad01"]
