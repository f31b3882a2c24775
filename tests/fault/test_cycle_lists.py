"""Lists that lie: late, empty, malformed, or of a task that is gone."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from tests.fault.conftest import NewWorld
from tests.support.witness import Witness
from tests.support.world import World

TASK = (1, 2, 3)


def synced(new_world: NewWorld, **quirks: object) -> tuple[World, Witness]:
    world = new_world(**quirks)
    witness = Witness(world)
    for name in "abcdef":
        world.write(name, f"content {name}")
    witness.note()
    report = world.run()
    for _ in range(20):
        if report.in_sync:
            break
        world.ahead += 31
        report = world.run()
    assert report.in_sync
    return world, witness


def change(world: World, witness: Witness) -> None:
    world.write("a", "changed")
    (world.root / "b").rename(world.root / "bb")
    (world.root / "c").unlink()
    world.write("n", "new")
    witness.note()


MALFORMED = {
    "nothing": b"",
    "null": b"null",
    "an object": b"{}",
    "a bare array": b"[]",
    "items null": b'{"items": null}',
    "items no list": b'{"items": {}}',
    "half": b'{"items": [',
    "HTML": b"<html>log in</html>",
    "an item without id": b'{"items": [{"name": "a"}]}',
    "NaN": b'{"items": NaN}',
}


@pytest.mark.parametrize("body", MALFORMED)
def test_a_malformed_list_is_an_error_never_an_empty_task(new_world: NewWorld, body: str) -> None:
    world, witness = synced(new_world)
    change(world, witness)
    before = world.rows()
    world.server.quirks.list_body = lambda: MALFORMED[body]
    report = world.run()
    assert (report.exit_code, report.in_sync) == (75, False)
    assert set(world.calls()) == {"GET list"}
    assert world.rows() == before


def test_an_empty_list_is_not_believed_while_view_shows_ours(new_world: NewWorld) -> None:
    world, witness = synced(new_world)
    change(world, witness)
    before = world.rows()
    world.server.quirks.list_body = lambda: b'{"items": []}'
    report = world.run()
    assert (report.exit_code, world.rows()) == (75, before)
    assert world.calls() == ["GET list", "GET view"]
    assert report.error
    assert "not believed" in report.error
    world.server.quirks.list_body = None
    assert world.run().in_sync
    witness.assert_settled()


@pytest.mark.parametrize("soft", [True, False], ids=["soft deletes shown", "404"])
@pytest.mark.parametrize("count", [1, 2, 6])
def test_attachments_that_others_deleted_are_made_again(
    new_world: NewWorld, soft: bool, count: int
) -> None:
    world, witness = synced(new_world, view_soft_deleted=soft)
    for row in world.rows()[:count]:
        world.server.put(replace(row, deleted_at=world.clock()))
    report = world.run()
    assert (report.exit_code, len(report.created)) == (0, count)
    assert world.calls().count("GET view") == min(count, 3)
    witness.assert_settled()


def test_a_list_that_carries_deleted_rows(new_world: NewWorld) -> None:
    world, witness = synced(new_world, list_deleted=True)
    change(world, witness)
    assert world.run().exit_code == 0
    witness.assert_settled()
    world.run()
    assert world.calls() == ["GET list"]


def test_a_view_that_fails_is_no_answer(new_world: NewWorld) -> None:
    from tests.support.faults import Fault

    world, _ = synced(new_world)
    world.server.quirks.list_body = lambda: b'{"items": []}'
    world.server.faults.append(Fault("status_before", suffix="/view", times=None))
    assert world.run().exit_code == 75
    assert len(world.rows()) == 6


@pytest.mark.parametrize("gone", [400, 403, 404])
def test_a_task_that_is_gone_is_the_folders_error(new_world: NewWorld, gone: int) -> None:
    world, witness = synced(new_world)
    change(world, witness)
    world.server.quirks.task_gone = gone  # type: ignore[assignment]
    report = world.run()
    assert (report.exit_code, world.calls()) == (1, ["GET list"])
    assert report.error
    assert "task 3" in report.error
    number = "is organization_id 1 wrong? (it is the number before /workspaces/ in the task's"
    assert (number in report.error) == ("plan or role" in report.error) == (gone == 403)
    world.server.quirks.task_gone = None
    assert world.run().exit_code == 0
    witness.assert_settled()


def test_a_task_that_is_gone_and_lists_as_empty_is_the_folders_error(new_world: NewWorld) -> None:
    world, _ = synced(new_world)
    world.server.quirks.task_gone = "empty"
    report = world.run()
    assert report.exit_code == 1
    assert not any(call.startswith(("PUT", "DELETE")) for call in world.calls())
    assert len(world.rows()) == 6


def test_a_task_that_comes_back_is_not_doubled(new_world: NewWorld) -> None:
    """Listed as empty with `view` saying 404: gone, by all that could be known."""
    world, witness = synced(new_world)
    world.server.quirks.task_gone = "empty"
    world.run()
    world.server.quirks.task_gone = None
    for _ in range(2):
        world.run()
    witness.assert_settled()


@pytest.mark.parametrize("lag", [3.0, 8.0, 60.0, 400.0])
@pytest.mark.parametrize("ids", ["none", "array"])
def test_a_list_that_lags_doubles_nothing_and_loses_nothing(
    new_world: NewWorld, lag: float, ids: str
) -> None:
    world, witness = synced(new_world, list_lag=lag, ids_in_201=ids)
    assert len(world.rows()) == 6
    change(world, witness)
    for _ in range(14):
        report = world.run()
        assert not witness.wrongs
        assert report.exit_code in (0, 75)
        world.ahead += max(lag / 4, 5.0)
    witness.assert_settled()
    report = world.run()
    assert (report.in_sync, world.calls()) == (True, ["GET list"])
    deleted = [r for r in world.server.rows(TASK, deleted=True) if r.deleted_at is not None]
    assert len(deleted) == 2, "nothing was uploaded twice"


def test_a_short_lag_is_waited_for_within_the_run(new_world: NewWorld) -> None:
    world = new_world(list_lag=3.0)
    world.write("a", "a")
    report = world.run()
    assert (report.exit_code, report.in_sync) == (0, True)
    assert len(world.calls()) <= 4


def test_a_long_lag_is_left_to_a_later_run_with_few_requests(new_world: NewWorld) -> None:
    world = new_world(list_lag=300.0)
    world.write("a", "a")
    report = world.run()
    assert (report.exit_code, report.created) == (75, ["a"])
    assert len(world.calls()) <= 5
    assert len(world.rows()) == 1


def test_a_201_that_made_nothing_is_believed_for_ten_minutes_then_sent_again(
    new_world: NewWorld,
) -> None:
    world = new_world()
    world.write("a", "a")
    world.server.quirks.list_body = lambda: b'{"items": []}'
    world.run()
    for row in world.rows():
        world.server.put(replace(row, deleted_at=world.clock()))
    for _ in range(3):
        assert world.run().exit_code == 75
        assert "POST single" not in world.calls()
        world.ahead += 120
    world.server.quirks.list_body = None
    world.ahead += 600
    assert world.run().exit_code == 0
    assert world.names() == ["a"]


@pytest.mark.parametrize("body", ["none", "object", "array", "items"])
def test_ids_in_a_201_of_every_shape(new_world: NewWorld, body: str) -> None:
    world, witness = synced(new_world, ids_in_201=body)
    change(world, witness)
    assert world.run().in_sync
    witness.assert_settled()
    world.run()
    assert world.calls() == ["GET list"]


@pytest.mark.parametrize(
    "items",
    [
        pytest.param([], id="too few"),
        pytest.param([{"id": 1}], id="nothing but an id"),
        pytest.param([{"id": 10**6, "task_id": 99, "name": "a"}], id="of another task"),
        pytest.param("created", id="a text"),
    ],
)
def test_a_201_that_carries_nonsense_is_a_201_without_ids(
    new_world: NewWorld, items: object
) -> None:
    from syncd.sandbox.messages import json_response
    from tests.support.quirks import QuirkyAttachments

    world = new_world()
    witness = Witness(world)
    honest = QuirkyAttachments.created
    try:
        QuirkyAttachments.created = lambda self, rows, *, single: json_response(201, items)  # type: ignore
        world.write("a", "a")
        report = world.run()
    finally:
        QuirkyAttachments.created = honest  # type: ignore[method-assign]
    assert (report.exit_code, world.calls()) == (0, ["GET list", "POST single", "GET list"])
    witness.assert_settled()
    json.dumps(report.as_json())


@pytest.mark.parametrize("ids", ["object", "items"])
class TestWhatNoListHasShownYet:
    """The 201 has told its id, which saved a list."""

    def test_is_asked_about_and_made_again_if_it_is_gone(
        self, new_world: NewWorld, ids: str
    ) -> None:
        world = new_world(ids_in_201=ids)
        for name in "abcde":
            world.write(name, f"content {name}")
        assert world.run().in_sync
        for row in world.rows():
            world.server.attachments.delete(TASK, row.id, world.clock())
        report = world.run()
        assert report.created == [*"abcde"]
        assert world.calls()[:4] == ["GET list", "GET view", "GET view", "GET view"]
        assert world.names() == [*"abcde"]

    def test_is_believed_if_it_is_there_and_the_list_only_lags(
        self, new_world: NewWorld, ids: str
    ) -> None:
        world = new_world(ids_in_201=ids, list_lag=60.0)
        for name in "abcde":
            world.write(name, f"content {name}")
        assert world.run().in_sync
        report = world.run()
        assert (report.exit_code, report.in_sync) == (0, True)
        assert world.calls() == ["GET list", "GET view", "GET view", "GET view"]
        assert world.names() == [*"abcde"]
