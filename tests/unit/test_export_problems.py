"""`on_problem`: who is told what, once each, and what a command cannot do to a run."""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from syncd.config import load_config
from syncd.export import command
from syncd.export.command import run_command
from tests.support.commands import KEY, Shell
from tests.support.faults import Fault
from tests.support.service import until


@pytest.fixture
def shell(tmp_path: Path) -> Iterator[Shell]:
    with Shell(tmp_path) as shell:
        on_problem(shell, "sh", "-c", "cat >> told; env > environment")
        yield shell


def on_problem(shell: Shell, *words: str) -> None:
    """Run this; its working directory is that of the config."""
    text = shell.config.read_text().partition("on_problem")[0]
    shell.config.write_text(f"{text}on_problem: {json.dumps(words)}\n")


def told(shell: Shell) -> list[Any]:
    """The documents, in the order in which they came."""
    file = shell.base / "told"
    return [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []


def events(shell: Shell) -> list[tuple[str, str]]:
    return [(document["event"], document["state"]) for document in told(shell)]


def test_the_program_may_lie_in_the_home(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(shell.base))
    on_problem(shell, "~/hook", "~")
    assert load_config(str(shell.config)).on_problem == (str(shell.base / "hook"), "~")


def is_dead(pid: int) -> bool:
    """Gone, or a zombie that nobody has waited for."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return True
    return state.rpartition(")")[2].split()[0] == "Z"


def run(*words: str, document: str = "{}") -> str | None:
    return run_command(words, document, directory="/", without="SECRET", is_stopped=lambda: False)


def test_a_folder_is_told_of_once_when_it_gets_into_trouble_and_once_when_it_is_well(
    shell: Shell,
) -> None:
    for name in "ab":
        shell.write(name, name)
    shell.syncd("--once")
    assert told(shell) == []
    for name in "ab":
        (shell.root / name).unlink()
    shell.syncd("--once", "--dry-run")
    assert told(shell) == []
    for _ in range(3):
        shell.syncd("--once")
    document = told(shell)[0]
    assert events(shell) == [("problem", "held")]
    assert [held["name"] for held in document.pop("held")] == ["a", "b"]
    assert "no synced file is left" in document.pop("reason")
    place = {"folder": "landing", "path": str(shell.root), "task_id": 789}
    assert document == {"version": 1, "event": "problem", "state": "held", "failed": [], **place}
    shell.syncd("approve")
    for _ in range(2):
        shell.syncd("--once")
    assert events(shell)[1:] == [("recovered", "in sync")]


def test_another_reason_is_news_and_another_number_in_it_is_not(shell: Shell) -> None:
    for name in ("bad2\xff", "bad1\xff"):
        Path(os.fsdecode(os.fsencode(shell.root) + b"/" + name.encode("latin1"))).write_text("x")
        shell.syncd("--once")
    assert [(d["state"], [f["name"] for f in d["failed"]]) for d in told(shell)] == [
        ("error", ["bad2\\xff"])
    ]
    away = shell.root.rename(shell.base / "away")
    shell.syncd("--once")
    assert "away" not in told(shell)[-1]["reason"]
    assert events(shell) == [("problem", "error")] * 2
    away.rename(shell.root)
    shell.syncd("--once")
    assert len(told(shell)) == 2


def test_a_parent_and_its_subfolders_are_told_of_and_one_that_left_is_forgotten(
    shell: Shell,
) -> None:
    parent = shell.base / "each"
    (parent / "4711 a").mkdir(parents=True)
    shell.configure(f"{{each: {parent}}}")
    on_problem(shell, "sh", "-c", "cat >> told")
    for _ in range(2):
        (parent / "4711 b").mkdir()
        shell.syncd("--once")
        (parent / "4711 b").rmdir()
        shell.syncd("--once")
    assert [document["folder"] for document in told(shell)] == ["4711 b"] * 2
    parent.rename(shell.base / "away")
    shell.syncd("--once")
    (shell.base / "away").rename(parent)
    shell.syncd("--once")
    assert events(shell)[2:] == [("problem", "error"), ("recovered", "in sync")]
    assert told(shell)[-1]["folder"] == "each"


def test_a_pause_that_the_server_asks_for_is_no_problem(shell: Shell) -> None:
    shell.write("a.txt")
    shell.server.faults.append(Fault("429", retry_after="600"))
    assert shell.syncd("--once").code == 75
    assert shell.json("status")["folders"][0]["state"] == "paused"
    assert told(shell) == []


def test_a_refused_key_is_a_problem_and_the_command_does_not_get_it(
    shell: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TOGGL_KEY", KEY)
    text = shell.config.read_text().replace(f"token_file: {shell.token}", "token_env: TOGGL_KEY")
    shell.config.write_text(text)
    shell.server.quirks.key = "toggl_sk_" + "f" * 32
    assert shell.syncd("--once").code == 77
    assert events(shell) == [("problem", "error")]
    environment = (shell.base / "environment").read_text()
    assert "PATH=" in environment
    assert KEY not in environment


def test_a_command_that_fails_is_one_warning_with_its_last_line_and_changes_no_exit_status(
    shell: Shell, caplog: pytest.LogCaptureFixture
) -> None:
    on_problem(shell, "sh", "-c", f"echo first >&2; echo no display {KEY} >&2; exit 3")
    shell.root.rename(shell.base / "away")
    with caplog.at_level(logging.WARNING):
        assert shell.syncd("--once").code == 1
    said = [r.message for r in caplog.records if "on_problem" in r.message]
    assert said == ["on_problem: sh ended with exit status 3: no display toggl_sk_…"]


def test_a_command_that_is_not_there_or_reads_nothing_or_is_killed_is_told() -> None:
    assert run("/nowhere/notify") == (
        "/nowhere/notify could not be started: No such file or directory"
    )
    assert run("true", document="x" * 1_000_000) is None
    assert run("sh", "-c", "kill -9 $$") == "sh was killed by signal 9"


def test_a_command_that_does_not_end_is_killed_with_its_process_group(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(command, "SECONDS", 0.1)
    script = f"sleep 60 & echo $! > {tmp_path}/child; wait"
    with pytest.raises(TimeoutError, match="sh did not end within"):
        run("sh", "-c", script)
    child = int((tmp_path / "child").read_text())
    until(lambda: is_dead(child), "the end of the command's own child")
