"""`syncd init` as a person meets it: questions on a terminal."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from syncd.config import load_config
from tests.support.commands import KEY, Said, Shell
from tests.support.terminal import Terminal, typed


@pytest.fixture
def shell(tmp_path: Path, new_user: None) -> Iterator[Shell]:
    with Shell(tmp_path) as shell:
        shell.config.unlink()
        yield shell


def address(shell: Shell) -> str:
    return shell.sandbox.url.replace("/api", "/123/workspaces/456/list")


def asked(shell: Shell, *answers: str, options: tuple[str, ...] = ()) -> Said:
    """What a person answers whose key is in a file already."""
    with typed(*answers):
        return shell.syncd("init", "--token-file", str(shell.token), *options)


def tasks(shell: Shell) -> list[tuple[str, int]]:
    entries = load_config(str(shell.config)).entries
    return [(os.path.basename(e.path), e.task.task_id if e.task else 0) for e in entries]


def test_four_answers_lead_from_nothing_to_the_first_file_in_the_task(shell: Shell) -> None:
    shell.token.unlink()
    shell.write("a.txt")
    terminal = Terminal("init", HOME=str(shell.base))
    terminal.shows(lambda text: "not shown" in text)
    terminal.type(f" {KEY} \n")
    terminal.shows(lambda text: "Address" in text)
    terminal.type(f"{address(shell)}\n")
    terminal.shows(lambda text: "Task (a part" in text)
    terminal.type("land\n")
    terminal.shows(lambda text: "Folder to keep" in text)
    terminal.type("~/landing\n")
    terminal.shows(lambda text: "Do this now?" in text)
    terminal.type("\n")
    terminal.shows(lambda text: "1 created" in text)
    terminal.shows(lambda text: "as a service of yours?" in text or "keeps watching" in text)
    terminal.type("n\n")
    code, text = terminal.ended()
    assert code == 0, text
    assert KEY not in text
    key = shell.base / ".config/syncd/token"
    assert key.read_text() == f"{KEY}\n"
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    assert [row.name for row in shell.server.rows((123, 456, 789))] == ["a.txt"]


def test_ctrl_c_leaves_nothing_behind(shell: Shell) -> None:
    terminal = Terminal("init", HOME=str(shell.base / "home"))
    terminal.shows(lambda text: "not shown" in text)
    terminal.type(f"{KEY}\n")
    terminal.shows(lambda text: "Address" in text)
    os.killpg(terminal.process.pid, 2)
    code, text = terminal.ended()
    assert code == 130
    assert "stopped: nothing was written" in text
    assert not (shell.base / "home").exists()


def test_answers_that_cannot_be_used_are_asked_for_again(shell: Shell) -> None:
    said = asked(
        shell,
        "https://track.toggl.com/1",
        "https://focus.toggl.com/settings",
        address(shell),
        "zebra",
        "brand",
        "17",
        "n",
        "LOGO",
        "",
        str(shell.token),
        str(shell.base),
        str(shell.base / "caf\udce9"),
        str(shell.root),
        "n",
        options=("--no-service",),
    )
    assert said.code == 0, said.err
    for text in (
        "is no address of Focus",
        "It does not hold the two numbers",
        'No task holds "zebra"',
        "  792  Übersetzung 日本語 (Brand, Müller & Töchter)",
        "  -> 791  Logo (Brand, Acme)",
        "The path of a folder, please.",
        "token is no folder.",
        "lies inside this folder",
        "its name is not UTF-8: rename the folder",
    ):
        assert text in said.out, text
    assert tasks(shell) == [("landing", 791)]


def test_a_task_in_the_address_is_not_asked_for_and_a_folder_is_made_if_wanted(
    shell: Shell,
) -> None:
    place, other = str(shell.base / "one"), str(shell.base / "other")
    said = asked(shell, f"{address(shell)}?task=790", place, "n", other, "y", "n")
    assert said.code == 0, said.err
    assert tasks(shell) == [("other", 790)]
    assert [p for p in (place, other) if os.path.isdir(p)] == [other]
    assert not any(entry.path.endswith("/stream") for entry in shell.server.log)


def test_without_a_list_of_tasks_the_number_is_asked_for(shell: Shell) -> None:
    shell.quirks.tasks = "none"
    said = asked(shell, address(shell), "logo", "4711", str(shell.root), "n")
    assert said.code == 0, said.err
    assert "this server gives no list of tasks" in said.out
    assert tasks(shell) == [("landing", 4711)]


def test_an_address_that_the_server_refuses_is_asked_for_again(shell: Shell) -> None:
    from tests.support.faults import Fault

    shell.server.faults.append(Fault("status_before", status=403))
    said = asked(shell, address(shell), address(shell), "logo", str(shell.root), "n")
    assert said.code == 0, said.err
    assert "is organization_id 123 wrong?" in said.out


def test_the_end_of_the_input_is_130_and_tells_what_was_written(shell: Shell) -> None:
    said = asked(shell, options=("-c", str(shell.base / "x/other.yaml")))
    assert said.code == 130
    assert "stopped: nothing was written" in said.err
    assert not (shell.base / "x").exists()
    said = asked(shell, address(shell), "logo", str(shell.base / "new"), "y")
    assert said.code == 130
    assert f"{shell.config} is written; `syncd --once -c {shell.config}` makes the" in said.err
    assert tasks(shell) == [("new", 791)]


def test_a_task_that_has_a_folder_is_not_taken_twice(shell: Shell) -> None:
    asked(shell, address(shell), "logo", str(shell.root), "n")
    (shell.base / "two").mkdir()
    said = asked(shell, "logo", "newsletter", str(shell.root), str(shell.base / "two"), "n")
    assert said.code == 0, said.err
    assert "this adds a folder to it" in said.out
    assert "task 791 is already that of" in said.out
    assert "already: name another folder" in said.out
    assert tasks(shell) == [("landing", 791), ("two", 790)]


def test_a_playground_is_not_taken_for_a_config_of_ones_own(shell: Shell) -> None:
    shell.syncd("init", "--sandbox")
    before = shell.config.read_text()
    with typed("n"):
        said = shell.syncd("init")
    assert said.code == 0
    assert f"mv {shell.config} {shell.config}.playground" in said.out
    assert shell.config.read_text() == before
