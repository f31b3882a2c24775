"""Every hold of the guard, tripped, approved and outlived from the command line."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable

import pytest

from tests.fault.conftest import NewScene
from tests.support.faults import Fault
from tests.support.scene import Scene
from tests.support.witness import Witness

NAMES = "abcdefghijkl"
Trip = Callable[[Scene], None]


def delete(count: int) -> Trip:
    return lambda scene: [(scene.root / name).unlink() for name in NAMES[:count]] and None


def copy_changed(scene: Scene) -> None:
    """The folder is another one, and not quite the same."""
    copy_same(scene)
    scene.write("a", "of another folder")
    (scene.root / "b").unlink()


def copy_same(scene: Scene) -> None:
    old = scene.base / "old"
    scene.root.rename(old)
    shutil.copytree(old, scene.root)


def mirror(scene: Scene) -> None:
    scene.configure(delete="mirror")


HOLDS: dict[str, tuple[Trip, dict[str, object], str, set[str], bool]] = {
    "more than max_delete": (delete(4), {"max_delete": 3}, "max_delete (3)", set("abcd"), True),
    "more than half": (delete(7), {"max_delete": 10}, "more than half", set(NAMES[:7]), True),
    "none left": (delete(12), {"max_delete": 50}, "no synced file is left", set(NAMES), False),
    "another folder": (copy_changed, {}, "not the one it was", {"a", "b"}, False),
    "mirror, the first time": (mirror, {}, "for the first time", {"theirs"}, False),
}
"""What trips it, with which settings, its reason, what is held, and whether it is but a count."""


@pytest.fixture(params=HOLDS)
def hold(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


def tripped(new_scene: NewScene, hold: str) -> Scene:
    """In sync, then the folder does what the guard is there for."""
    trip, settings, _, _, _ = HOLDS[hold]
    scene = new_scene(**settings)
    for name in NAMES:
        scene.write(name, f"content {name}")
    assert scene.once().code == 0
    witness = Witness(scene)  # type: ignore[arg-type]
    witness.seed("theirs")
    trip(scene)
    return scene


def held(scene: Scene, *argv: str) -> set[str]:
    """What the next run holds back; it must not have deleted anything."""
    before = scene.rows()
    said = scene.once("--json", *argv)
    assert said.code == 1, said
    assert "DELETE" not in scene.calls()
    assert {row.id for row in before} <= {row.id for row in scene.rows()}
    return set(said.json["folders"][0]["held"])


def approve_file(scene: Scene) -> dict[str, dict[str, object]]:
    found: dict[str, dict[str, object]] = json.loads((scene.state / "approve.json").read_text())
    return found


def test_the_guard_holds_names_the_reason_and_lets_all_else_go_on(
    new_scene: NewScene, hold: str
) -> None:
    scene = tripped(new_scene, hold)
    _, _, reason, names, _ = HOLDS[hold]
    assert held(scene) == names
    if hold != "none left":
        scene.write("new", "goes on")
    said = scene.once()
    assert reason in said.out
    assert "syncd approve" in said.out
    assert ("new" in scene.names()) == (hold != "none left")
    status = scene.syncd("status", "--json")
    (folder,) = status.json["folders"]
    assert (folder["state"], {h["name"] for h in folder["held"]}) == ("held", names)
    for _ in range(2):
        assert held(scene) == names


def test_none_left_is_held_whatever_ignored_files_remain(new_scene: NewScene) -> None:
    scene = tripped(new_scene, "none left")
    scene.write("litter.tmp", "ignored")
    assert held(scene) == set(NAMES)


def test_an_approval_lets_exactly_that_go_once(new_scene: NewScene, hold: str) -> None:
    scene = tripped(new_scene, hold)
    names = held(scene)
    ids = {row.id for row in scene.rows() if row.name in names}
    shown = scene.syncd("approve", "--dry-run")
    assert shown.code == 0
    assert "nothing was approved" in shown.out
    assert held(scene) == names
    assert scene.syncd("approve").code == 0
    assert not scene.sent()
    before = {row.id for row in scene.rows()}
    assert scene.once().code == 0
    assert before - {row.id for row in scene.rows()} == ids
    assert (scene.once().code, scene.calls()) == (0, ["GET"])
    assert approve_file(scene) == {}


def test_an_approval_outlives_a_run_that_came_to_nothing(new_scene: NewScene) -> None:
    scene = tripped(new_scene, "none left")
    held(scene)
    scene.syncd("approve")
    scene.server.faults.append(Fault("status_before", method="DELETE", times=None, status=500))
    assert scene.once().code == 75
    scene.server.faults.clear()
    assert (scene.once().code, scene.names()) == (0, ["theirs"])


def test_an_approval_is_void_after_24_hours(new_scene: NewScene, hold: str) -> None:
    scene = tripped(new_scene, hold)
    names = held(scene)
    scene.syncd("approve")
    approvals = approve_file(scene)
    for approval in approvals.values():
        approval["at"] = float(approval["at"]) - 24 * 3600 - 1  # type: ignore[arg-type]
    (scene.state / "approve.json").write_text(json.dumps(approvals))
    assert held(scene) == names


def test_an_approval_is_void_if_the_set_has_changed(new_scene: NewScene, hold: str) -> None:
    scene = tripped(new_scene, hold)
    names = held(scene)
    scene.syncd("approve")
    if hold == "none left":
        for name in "ab":
            scene.write(name, f"content {name}")
    elif hold == "mirror, the first time":
        Witness(scene).seed("another")  # type: ignore[arg-type]
    else:
        (scene.root / "l").unlink()
    again = held(scene)
    assert again
    assert again != names


def test_allow_delete_releases_the_counts_and_nothing_else(new_scene: NewScene, hold: str) -> None:
    scene = tripped(new_scene, hold)
    _, _, _, names, only_a_count = HOLDS[hold]
    if not only_a_count:
        assert held(scene, "--allow-delete") == names
        return
    assert scene.once("--allow-delete").code == 0
    assert set(scene.names()) == set(NAMES) - names | {"theirs"}


def test_an_approval_of_nothing_that_is_held_is_harmless(new_scene: NewScene, hold: str) -> None:
    scene = tripped(new_scene, hold)
    names = held(scene)
    (scene.state / "approve.json").write_text('{"x": {"ids": "all", "at": "now"}, "y": 3}')
    assert held(scene) == names
    (scene.state / "approve.json").write_text("[1, 2")
    assert held(scene) == names


def test_an_identical_copy_of_the_folder_is_silent(new_scene: NewScene) -> None:
    scene = new_scene()
    for name in NAMES:
        scene.write(name, f"content {name}")
    assert scene.once().code == 0
    copy_same(scene)
    for _ in range(2):
        said = scene.once()
        assert (said.code, scene.calls()) == (0, ["GET"])
        assert "held" not in said.out
    scene.write("a", "changed after the copy was recognised")
    assert scene.once().code == 0


def test_a_folder_that_was_emptied_and_made_anew_deletes_nothing(new_scene: NewScene) -> None:
    scene = new_scene()
    for name in NAMES:
        scene.write(name, f"content {name}")
    assert scene.once().code == 0
    shutil.rmtree(scene.root)
    os.mkdir(scene.root)
    assert held(scene) == set(NAMES)
    for name in NAMES:
        scene.write(name, f"content {name}")
    assert (scene.once().code, scene.calls()) == (0, ["GET"])
