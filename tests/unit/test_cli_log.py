"""`syncd log`: what was done lately, from the command line against a real sandbox."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.commands import Shell
from tests.support.quirks import Quirks


@pytest.fixture
def shell(tmp_path: Path) -> Iterator[Shell]:
    with Shell(tmp_path) as shell:
        yield shell


def told(document: Any) -> list[tuple[str, str]]:
    return [(event["action"], event["name"]) for event in document["events"]]


def a_day(shell: Shell) -> None:
    """A file is made, renamed and deleted; another one stays."""
    shell.write("a.txt", "a")
    shell.write("b.txt", "b")
    shell.syncd("--once")
    (shell.root / "a.txt").rename(shell.root / "c.txt")
    shell.syncd("--once")
    (shell.root / "c.txt").unlink()
    shell.syncd("--once")


def test_events_are_told_newest_last_with_all_that_is_known(tmp_path: Path) -> None:
    with Shell(tmp_path, Quirks(ids_in_201="array")) as shell:
        shell.write("a.txt", "a")
        shell.syncd("--once")
        document = shell.json("log")
        (event,) = document["events"]
        assert document["version"] == 1
        assert event.pop("time").endswith("Z")
        assert event == {
            "folder": "landing",
            "task_id": 789,
            "action": "created",
            "name": "a.txt",
            "reason": "new file",
            "attachment": 1,
            "quota_left": 28,
        }


def test_every_kind_of_action_is_told(shell: Shell) -> None:
    a_day(shell)
    assert told(shell.json("log")) == [
        ("created", "a.txt"),
        ("created", "b.txt"),
        ("renamed", "c.txt"),
        ("deleted", "c.txt"),
    ]


def test_a_file_is_told_of_under_its_former_names_too(shell: Shell) -> None:
    a_day(shell)
    said = shell.syncd("log", str(shell.root / "c.txt"))
    assert said.code == 0
    assert [line.split(": ", 1)[1].split(" (")[0] for line in said.out.splitlines()] == [
        "created a.txt",
        "renamed c.txt",
        "deleted c.txt",
    ]


def test_a_file_that_has_another_name_now_ends_with_that_rename(shell: Shell) -> None:
    a_day(shell)
    story = told(shell.json("log", str(shell.root / "a.txt")))
    assert story == [("created", "a.txt"), ("renamed", "c.txt")]


def test_a_new_file_of_a_former_name_is_not_in_the_story(shell: Shell) -> None:
    shell.write("a.txt", "a")
    shell.syncd("--once")
    (shell.root / "a.txt").rename(shell.root / "b.txt")
    shell.write("a.txt", "another")
    shell.syncd("--once")
    story = told(shell.json("log", str(shell.root / "b.txt")))
    assert story == [("created", "a.txt"), ("renamed", "b.txt")]
    assert told(shell.json("log", str(shell.root / "a.txt"))) == [("created", "a.txt")] * 2


def test_the_list_after_a_create_tells_the_attachment(shell: Shell) -> None:
    shell.write("a.txt", "a")
    shell.write("b.txt", "b")
    shell.syncd("--once")
    shell.write("a.txt", "longer")
    shell.syncd("--once")
    events = shell.json("log")["events"]
    ids = [(event["action"], event["name"], event["attachment"]) for event in events]
    assert ids[:3] == [("created", "a.txt", 1), ("created", "b.txt", 2), ("replaced", "a.txt", 3)]


def test_files_that_swapped_names_keep_their_own_story(shell: Shell) -> None:
    one, other, aside = (shell.root / name for name in ("a.txt", "b.txt", "aside"))
    shell.write("a.txt", "a")
    shell.write("b.txt", "other")
    shell.syncd("--once")
    one.rename(aside)
    other.rename(one)
    aside.rename(other)
    shell.syncd("--once")
    assert told(shell.json("log", str(one))) == [("created", "b.txt"), ("renamed", "a.txt")]
    assert told(shell.json("why", str(other))) == [("created", "a.txt"), ("renamed", "b.txt")]


def test_files_that_each_took_the_next_ones_name_keep_their_own_story(shell: Shell) -> None:
    for n in (1, 2, 3):
        shell.write(f"{n}.txt", "x" * n)
    shell.syncd("--once")
    for n in (3, 2, 1):
        (shell.root / f"{n}.txt").rename(shell.root / f"{n + 1}.txt")
    shell.syncd("--once")
    for n in (1, 2, 3):
        story = told(shell.json("log", str(shell.root / f"{n + 1}.txt")))
        assert story == [("created", f"{n}.txt"), ("renamed", f"{n + 1}.txt")]


def test_a_file_of_the_same_name_in_another_folder_has_a_story_of_its_own(shell: Shell) -> None:
    other = shell.base / "other"
    other.mkdir()
    shell.configure(f"{{path: {shell.root}, task_id: 789}}", f"{{path: {other}, task_id: 790}}")
    shell.write("a.txt", "a")
    shell.write("other/a.txt", "another")
    shell.syncd("--once")
    (event,) = shell.json("log", str(other / "a.txt"))["events"]
    assert (event["folder"], event["task_id"]) == ("other", 790)


def test_no_key_and_no_request_is_needed(shell: Shell) -> None:
    a_day(shell)
    shell.token.unlink()
    before = shell.requests()
    assert len(shell.syncd("log").out.splitlines()) == 4
    assert shell.requests() == before


def test_where_nothing_was_done_it_says_so(shell: Shell) -> None:
    said = shell.syncd("log")
    assert (said.code, said.err) == (0, "")
    assert "nothing was done " in said.out
    assert shell.json("log") == {"version": 1, "events": []}


@pytest.mark.parametrize("argv", [("log",), ("log", "--json")])
def test_a_file_in_no_folder_is_1_and_says_why(shell: Shell, argv: tuple[str, ...]) -> None:
    said = shell.syncd(*argv, "/etc/passwd")
    assert said.code == 1
    assert "it lies in no folder of the config" in said.err
    assert "--json" not in argv or said.json["events"] == []


def test_names_cannot_steer_the_terminal(shell: Shell) -> None:
    shell.write("a\x1b[2Jb.txt")
    shell.syncd("--once")
    assert "a\\x1b[2Jb.txt" in shell.syncd("log").out


def test_why_ends_with_what_was_done_to_the_file(shell: Shell) -> None:
    a_day(shell)
    file = str(shell.root / "b.txt")
    assert told(shell.json("why", file)) == [("created", "b.txt")]
    last = shell.syncd("why", file).out.splitlines()[-1]
    assert last.startswith("history     ")
    assert "created b.txt (new file" in last
