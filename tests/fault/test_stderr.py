"""The reason for an exit status other than 0 is on stderr, once, whatever becomes of stdout."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from tests.fault.conftest import NewScene
from tests.support.commands import Said
from tests.support.processes import PATIENCE, ROOT, environment
from tests.support.quirks import Quirks
from tests.support.scene import Scene
from tests.support.terminal import Terminal

ONCE = (("--once",), ("--once", "-q"), ("--once", "--json"), ("--once", "--dry-run", "-q"))


def server_down(scene: Scene) -> None:
    scene.sandbox.stop()


def key_refused(scene: Scene) -> None:
    scene.server.quirks.key = "toggl_sk_" + "9" * 32


def config_wrong(scene: Scene) -> None:
    scene.config.write_text(scene.config.read_text().replace("task_id", "tsk_id"))


def folder_missing(scene: Scene) -> None:
    scene.root.rename(scene.base / "elsewhere")


def name_not_utf8(scene: Scene) -> None:
    (Path(os.fsdecode(os.fsencode(scene.root) + b"/n\xff"))).write_text("content")


def deletes_held(scene: Scene) -> None:
    for name in ("a", "b"):
        scene.write(name, f"content of {name}")
    assert scene.once().code == 0
    for name in ("a", "b"):
        (scene.root / name).unlink()


TROUBLES: dict[str, tuple[Callable[[Scene], None], int, Sequence[str]]] = {
    "server down": (server_down, 75, ["list of task 789"]),
    "key refused": (key_refused, 77, ["list of task 789"]),
    "config wrong": (config_wrong, 78, ["tsk_id"]),
    "folder missing": (folder_missing, 1, ["no such folder"]),
    "a file fails": (name_not_utf8, 1, ["n\\xff: "]),
    "deletes held": (deletes_held, 1, ["delete a ", "delete b "]),
}
"""What is wrong, the exit status, and a part of each line that tells of it."""
trouble = pytest.mark.parametrize(("make", "code", "parts"), TROUBLES.values(), ids=list(TROUBLES))


def told(said: Said, part: str) -> list[str]:
    return [line for line in said.err.splitlines() if part in line]


@trouble
def test_a_run_tells_on_stderr_what_its_exit_status_means(
    new_scene: NewScene, make: Callable[[Scene], None], code: int, parts: Sequence[str]
) -> None:
    scene = new_scene(Quirks(quota=None), timeout="1s")
    make(scene)
    for argv in ONCE:
        said = scene.syncd(*argv)
        assert said.code == code, (argv, said)
        for part in parts:
            assert len(told(said, part)) == 1, (argv, part, said)
            assert told(said, part)[0].startswith("syncd: "), said
        if "-q" in argv:
            assert said.out == "", "what went wrong is told on stderr, and nothing else at all"


def test_other_commands_tell_on_stderr_what_their_exit_status_means(new_scene: NewScene) -> None:
    scene = new_scene(timeout="1s")
    file = scene.write("a", "content")
    assert scene.once().code == 0
    assert told(scene.syncd("status"), "no service is running: start it")
    folder_missing(scene)
    for argv, code in (
        (("check",), 1),
        (("check", "--json"), 1),
        (("list",), 1),
        (("why", str(file)), 1),
        (("why", str(file), "--json"), 1),
        (("status",), 75),
        (("approve",), 0),
    ):
        scene.once()
        said = scene.syncd(*argv)
        assert said.code == code, (argv, said)
        assert len(told(said, "no such folder")) == (code != 0), (argv, said)


@trouble
def test_a_terminal_that_shows_both_streams_is_told_once(
    new_scene: NewScene, make: Callable[[Scene], None], code: int, parts: Sequence[str]
) -> None:
    scene = new_scene(Quirks(quota=None), timeout="1s")
    make(scene)
    for argv in ONCE:
        found, text = Terminal(*argv, "-c", str(scene.config)).ended()
        assert found == code, text
        if "--json" in argv:
            assert "syncd: " not in text, "the document tells it"
        else:
            assert [text.count(part) for part in parts] == [1] * len(parts), (argv, text)


@pytest.mark.parametrize("kept", ["stdout", "stderr"])
def test_a_terminal_that_shows_one_of_them_gets_that(new_scene: NewScene, kept: str) -> None:
    scene = new_scene(timeout="1s")
    server_down(scene)
    terminal = Terminal(
        "--once",
        "-c",
        str(scene.config),
        stdout=subprocess.DEVNULL if kept == "stderr" else None,
        stderr=subprocess.DEVNULL if kept == "stdout" else None,
    )
    code, text = terminal.ended()
    assert (code, text.count("list of task 789")) == (75, 1), text


@pytest.mark.parametrize("more", [(), ("--json",)])
def test_in_a_terminal_every_write_stands_once(new_scene: NewScene, more: Sequence[str]) -> None:
    scene = new_scene()
    names = ["first.txt", "second.txt", "third.txt"]
    for name in names:
        scene.write(name, f"content of {name}")
    code, text = Terminal("--once", *more, "-c", str(scene.config)).ended()
    assert code == 0, text
    assert [text.count(name) for name in names] == [1, 1, 1], text
    scene.write("first.txt", "new content")
    (scene.root / "second.txt").rename(scene.root / "renamed.txt")
    (scene.root / "third.txt").unlink()
    code, text = Terminal("--once", *more, "-c", str(scene.config)).ended()
    assert code == 0, text
    assert [text.count(name) for name in (*names, "renamed.txt")] == [1, 1, 1, 1], text


def test_a_log_that_is_no_terminal_has_a_line_for_every_write(new_scene: NewScene) -> None:
    scene = new_scene()
    scene.write("first.txt", "content")
    said = scene.once()
    assert ("first.txt" in said.out, "first.txt" in said.err) == (True, True), said


def in_journal(scene: Scene, *argv: str) -> Said:
    """As a unit runs it: stderr is the journal's."""
    path = scene.base / "journal"
    path.touch()
    found = path.stat()
    with path.open("w") as journal:
        done = subprocess.run(
            [sys.executable, "-m", "syncd", *argv],
            cwd=ROOT,
            env=environment(JOURNAL_STREAM=f"{found.st_dev}:{found.st_ino}"),
            stdout=subprocess.PIPE,
            stderr=journal,
            timeout=PATIENCE,
        )
    return Said(done.returncode, done.stdout.decode(), path.read_text())


@trouble
def test_in_a_journal_it_has_the_priority_of_an_error(
    new_scene: NewScene, make: Callable[[Scene], None], code: int, parts: Sequence[str]
) -> None:
    scene = new_scene(timeout="1s")
    make(scene)
    runs = [("--once", "-c", str(scene.config))]
    if code > 75:
        runs.append(("-c", str(scene.config)))  # the start of the service ends with it
    for argv in runs:
        said = in_journal(scene, *argv)
        assert said.code == code, said
        for part in parts:
            lines = told(said, part)
            assert [line[:3] for line in lines] == ["<3>"], said


def test_in_a_journal_a_warning_has_its_own_priority_and_usage_that_of_an_error(
    new_scene: NewScene,
) -> None:
    scene = new_scene()
    parent = scene.base / "each"
    (parent / "4711").mkdir(parents=True)
    (parent / "4711" / "a").write_text("content")
    scene.configure(f"{{each: '{parent}'}}")
    assert scene.once().code == 0
    (parent / "4711").rename(parent / "left")
    said = in_journal(scene, "--once", "-c", str(scene.config))
    assert (said.code, [line[:3] for line in said.err.splitlines()]) == (0, ["<4>"]), said
    said = in_journal(scene, "--folder", "x")
    assert (said.code, said.err[:10]) == (2, "<3>syncd: "), said
    said = in_journal(scene, "--once", "--folder", "nowhere", "-c", str(scene.config))
    assert (said.code, said.err[:3]) == (2, "<3>"), said
