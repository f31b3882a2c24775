"""Whatever becomes of what is printed, the work is done and the exit status tells of it."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from tests.fault.conftest import NewScene
from tests.support.processes import PATIENCE, ROOT, environment
from tests.support.scene import Scene

STREAMS = {
    "stdin closed": "<&-",
    "stdout closed": ">&-",
    "stderr closed": "2>&-",
    "all closed": "<&- >&- 2>&-",
    "stdout full": ">/dev/full",
    "stderr full": "2>/dev/full",
    "both full": ">/dev/full 2>&1",
    "a reader that leaves": "| true; exit ${PIPESTATUS[0]}",
    "a reader of both that leaves": "2>&1 | true; exit ${PIPESTATUS[0]}",
}


def shell(scene: Scene, arguments: str, streams: str) -> tuple[int, str]:
    """`syncd ARGUMENTS` as a shell would run it: exit status, and what reached either stream."""
    command = f"{sys.executable} -m syncd {arguments} -c {scene.config} {streams}"
    found = subprocess.run(
        ["bash", "-c", command],
        cwd=ROOT,
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        timeout=PATIENCE,
    )
    return found.returncode, found.stdout.decode()


@pytest.mark.parametrize("streams", STREAMS.values(), ids=STREAMS)
def test_a_run_does_its_work_and_says_0(new_scene: NewScene, streams: str) -> None:
    scene = new_scene()
    for number, arguments in enumerate(("--once -v", "--once --json", "--once --log-format json")):
        scene.write(f"file {number}", f"content {number}")
        code, said = shell(scene, arguments, streams)
        assert (code, len(scene.names())) == (0, number + 1), said
        assert "Traceback" not in said
        assert "unexpected" not in said
    for arguments in ("list", "check", "why x", "approve"):
        code, said = shell(scene, arguments, streams)
        assert code == (1 if arguments.startswith("why") else 0), said
        assert "Traceback" not in said


def test_a_folder_that_left_is_told_to_nobody_and_the_others_go_on(new_scene: NewScene) -> None:
    scene = new_scene()
    parent = scene.base / "each"
    (parent / "4711").mkdir(parents=True)
    (parent / "4711" / "a").write_text("content")
    each = f"{{each: '{parent}'}}"
    own = f"{{path: '{scene.root}', task_id: 789}}"
    scene.configure(own, each)
    scene.write("b", "content")
    assert scene.once().code == 0
    (parent / "4711").rename(parent / "left")
    scene.write("c", "content")
    code, said = shell(scene, "--once --json", "2>/dev/full")
    assert (code, json.loads(said)["exit"]) == (0, 0)
    assert scene.names() == ["b", "c"]


def test_a_terminal_that_takes_ascii_only_gets_the_rest_escaped(new_scene: NewScene) -> None:
    scene = new_scene()
    scene.write("n\u00e4me", "content")
    assert scene.once().code == 0
    said = scene.python("list", env={"PYTHONIOENCODING": "ascii"})
    assert (said.code, "n\\xe4me" in said.out) == (0, True), said


@pytest.mark.parametrize("streams", STREAMS.values(), ids=STREAMS)
def test_the_version_is_told_or_not_without_a_traceback(streams: str) -> None:
    found = subprocess.run(
        ["bash", "-c", f"{sys.executable} -m syncd --version {streams}"],
        cwd=ROOT,
        env=environment(PYTHONUNBUFFERED="1"),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        timeout=PATIENCE,
    )
    assert found.returncode == 0
    assert b"Traceback" not in found.stdout
