"""Lists that no Focus server gives, and tasks that are gone: nothing is written, no key shown."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from tests.fault.conftest import NewScene
from tests.support.faults import Fault
from tests.support.quirks import Quirks
from tests.support.scene import IDS, Scene
from tests.support.witness import Witness

ITEM: dict[str, Any] = {
    "id": 1,
    "task_id": 789,
    "name": "a",
    "display_order": 1,
    "size": 1,
    "created_at": "2026-01-01T00:00:00Z",
    "deleted_at": None,
}


def items(*changes: dict[str, Any]) -> bytes:
    rows = [{**ITEM, "id": number, **change} for number, change in enumerate(changes, 1)]
    return json.dumps({"items": rows}).encode()


BODIES = {
    "HTML": b"<!DOCTYPE html><title>Log in</title>",
    "an object": b"{}",
    "a bare array": b"[]",
    "null": b"null",
    "nothing": b"",
    "a number": b"3",
    "items null": b'{"items": null}',
    "items an object": b'{"items": {"0": {}}}',
    "items of null": b'{"items": [null]}',
    "items of arrays": b'{"items": [[]]}',
    "cut off": items({}, {})[:-20],
    "two documents": items({}) + items({}),
    "NaN": b'{"items": [], "total": NaN}',
    "not UTF-8": b'{"items": [{"name": "\xff\xfe"}]}',
    "huge": b'{"items": [' + b" " * (20 << 20) + b"]}",
    "deeply nested": b'{"items": ' + b"[" * 200_000 + b"]" * 200_000 + b"}",
    "a huge number": b'{"items": [], "n": ' + b"9" * 10_000 + b"}",
    "no id": items({"id": None}),
    "an id as text": items({"id": "17"}),
    "an id that is true": items({"id": True}),
    "a negative id": items({"id": -1}),
    "an id beyond all bounds": items({"id": 10**30}),
    "one id twice": items({"id": 7}, {"id": 7}),
    "another task's": items({"task_id": 790}),
    "no name": items({"name": None}),
    "a name that is a list": items({"name": ["a"]}),
    "a size below zero": items({"size": -1}),
    "a size as text": items({"size": "1"}),
    "an order between": items({"display_order": 1.5}),
    "deleted, perhaps": items({"deleted_at": ""}),
    "deleted: yes": items({"deleted_at": True}),
    "the last one wrong": items({}, {}, {"size": None}),
}


def changed(new_scene: NewScene, quirks: Quirks | None = None) -> tuple[Scene, Witness]:
    """In sync, then changed: there would be something of everything to do."""
    scene = new_scene(quirks)
    witness = Witness(scene)  # type: ignore[arg-type]
    for name in "abcdef":
        scene.write(name, f"first {name}")
    witness.note()
    assert scene.once().code == 0
    witness.seed("theirs")
    scene.write("a", "second")
    (scene.root / "b").unlink()
    (scene.root / "c").rename(scene.root / "cc")
    scene.write("n", "new")
    witness.note()
    return scene, witness


def test_a_list_that_is_none_is_75_and_nothing_is_written(new_scene: NewScene) -> None:
    scene, witness = changed(new_scene)
    before = scene.rows()
    for name, body in BODIES.items():
        scene.server.quirks.list_body = lambda body=body: body
        said = scene.once("--json")
        assert said.code == 75, name
        (folder,) = said.json["folders"]
        assert (folder["in_sync"], folder["error"] is not None) == (False, True), name
        assert set(scene.calls()) == {"GET"}, name
        assert len(folder["error"]) < 1000, name
        assert "Traceback" not in said.err, name
        assert scene.rows() == before, name
    scene.server.quirks.list_body = None
    assert scene.once().code == 0
    witness.assert_settled()


def test_a_malformed_list_is_no_empty_task_on_the_first_run_either(new_scene: NewScene) -> None:
    """Where nothing is ours yet, no `view` could contradict: the form alone decides."""
    scene = new_scene()
    scene.write("a", "content")
    Witness(scene).seed("theirs")  # type: ignore[arg-type]
    for name in ("an object", "a bare array", "null", "items null", "items an object", "HTML"):
        scene.server.quirks.list_body = lambda body=BODIES[name]: body
        assert (scene.once().code, scene.calls(), scene.names()) == (75, ["GET"], ["theirs"]), name
    scene.server.quirks.list_body = None
    assert scene.once().code == 0
    assert sorted(scene.names()) == ["a", "theirs"]


def test_a_list_that_breaks_off_is_no_empty_task(new_scene: NewScene) -> None:
    scene = new_scene()
    scene.write("a", "content")
    Witness(scene).seed("theirs")  # type: ignore[arg-type]
    scene.server.faults.append(Fault("cut", method="GET", times=None))
    said = scene.once()
    assert (said.code, set(scene.calls()), scene.names()) == (75, {"GET"}, ["theirs"])
    assert "broke off" in said.out


def test_the_commands_that_read_report_a_malformed_list_too(new_scene: NewScene) -> None:
    scene, _ = changed(new_scene)
    for name in ("HTML", "cut off", "deeply nested", "huge"):
        scene.server.quirks.list_body = lambda body=BODIES[name]: body
        for argv in (("list",), ("check",), ("--once", "--dry-run")):
            said = scene.syncd(*argv)
            assert said.code == 75, (name, argv, said)
            assert "not what the API documents" in said.out + said.err or "longer than" in (
                said.out + said.err
            )


def test_an_answer_that_breaks_off_is_75_and_nothing_is_written(new_scene: NewScene) -> None:
    scene, witness = changed(new_scene)
    before = scene.rows()
    scene.server.faults.append(Fault("cut", method="GET", times=None))
    assert scene.once().code == 75
    assert (set(scene.calls()), scene.rows()) == ({"GET"}, before)
    scene.server.faults.clear()
    assert scene.once().code == 0
    witness.assert_settled()


@pytest.mark.parametrize("soft", [True, False], ids=["soft deletes shown", "soft deletes hidden"])
def test_an_empty_list_is_believed_only_if_view_says_so(new_scene: NewScene, soft: bool) -> None:
    scene, witness = changed(new_scene, Quirks(quota=None, view_soft_deleted=soft))
    before = scene.rows()
    scene.server.quirks.list_body = lambda: b'{"items": []}'
    said = scene.once()
    assert (said.code, scene.rows()) == (75, before)
    assert scene.calls() == ["GET", "GET"]
    assert "not believed" in said.out
    scene.server.quirks.list_body = None
    for row in before:
        if row.id not in witness.foreign:
            scene.server.put(replace(row, deleted_at=scene.server.clock()))
    assert scene.once().code == 0
    assert scene.calls().count("GET") == 5  # list, three views, list
    witness.assert_settled()


@pytest.mark.parametrize("gone", [400, 403, 404, "empty"])
def test_a_task_that_is_gone_and_comes_back_is_what_it_was(new_scene: NewScene, gone: Any) -> None:
    scene, witness = changed(new_scene)
    before = scene.rows()
    scene.server.quirks.task_gone = gone
    for _ in range(2):
        said = scene.once("--json")
        assert said.code == 1
        assert "789" in said.json["folders"][0]["error"]
    assert scene.rows() == before
    scene.server.quirks.task_gone = None
    scene.once()
    assert scene.once().code == 0
    witness.assert_settled()
    everything = scene.server.rows(IDS, deleted=True)
    assert len(everything) == 7 + 2, "only the new and the changed file were sent"
    assert (scene.once().code, scene.calls()) == (0, ["GET"])
