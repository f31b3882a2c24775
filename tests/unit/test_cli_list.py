"""`syncd list`, from the command line against a real sandbox."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.commands import Shell
from tests.support.faults import Fault


@pytest.fixture
def shell(tmp_path: Path) -> Iterator[Shell]:
    with Shell(tmp_path) as shell:
        yield shell


def rows(shell: Shell) -> dict[str, tuple[str, str | None, bool]]:
    (folder,) = shell.json("list")["folders"]
    return {a["name"]: (a["owner"], a["file"], a["in_sync"]) for a in folder["attachments"]}


def test_an_empty_task_has_no_attachments_and_no_state_dir_is_made(shell: Shell) -> None:
    said = shell.syncd("list", "--json")
    assert said.code == 0
    assert said.json == {"folders": [{"name": "landing", "task_id": 789, "attachments": []}]}
    assert not shell.state.exists()
    assert [r.method for r in shell.server.log] == ["GET"]


def test_the_keys_are_those_of_the_contract_and_the_order_is_the_tasks(shell: Shell) -> None:
    shell.write("b.txt")
    shell.write("a.txt", "other")
    shell.seed("theirs.pdf", order=5)
    shell.syncd("--once")
    (folder,) = shell.json("list")["folders"]
    assert [a["name"] for a in folder["attachments"]] == ["theirs.pdf", "a.txt", "b.txt"]
    numbers = [a["display_order"] for a in folder["attachments"]]
    assert numbers == sorted(numbers)
    assert folder["attachments"][1] | {"id": 0, "display_order": 0} == {
        "id": 0,
        "name": "a.txt",
        "display_order": 0,
        "size": 5,
        "owner": "syncd",
        "file": "a.txt",
        "in_sync": True,
    }


def test_every_kind_of_attachment_is_told_apart(shell: Shell) -> None:
    for name in ("same", "changed", "old", "gone", "later.bak"):
        shell.write(name, f"content of {name}")
    shell.seed("theirs")
    shell.syncd("--once")
    shell.write("changed", "other")
    (shell.root / "old").rename(shell.root / "new")
    (shell.root / "gone").unlink()
    shell.configure(ignore=["*.bak"])
    before = shell.requests()
    assert rows(shell) == {
        "theirs": ("foreign", None, False),
        "same": ("syncd", "same", True),
        "changed": ("syncd", "changed", False),
        "old": ("syncd", "new", False),
        "gone": ("syncd", None, False),
        "later.bak": ("detached", "later.bak", False),
    }
    assert shell.requests() == before + 1


def test_a_file_that_was_only_touched_is_in_sync(shell: Shell) -> None:
    shell.write("a")
    shell.syncd("--once")
    shell.write("a", age=5)
    assert rows(shell) == {"a": ("syncd", "a", True)}


def test_a_wrong_name_or_place_is_not_in_sync(shell: Shell) -> None:
    for name in ("a", "b", "c"):
        shell.write(name, name)
    shell.syncd("--once")
    shell.configure(reverse=True)
    found = rows(shell)
    assert sum(in_sync for _, _, in_sync in found.values()) == 1
    assert "to be moved" in shell.syncd("list").out


def test_listing_writes_nothing(shell: Shell) -> None:
    shell.write("a")
    shell.syncd("--once")
    shell.write("b")
    before = {p.name: p.read_bytes() for p in shell.state.iterdir()}
    shell.syncd("list")
    assert {p.name: p.read_bytes() for p in shell.state.iterdir()} == before


def test_the_table_is_for_people(shell: Shell) -> None:
    shell.write("a.txt")
    shell.seed("evil\x1b[31m")
    shell.syncd("--once")
    said = shell.syncd("list")
    assert said.out.splitlines()[0] == "landing: task 789, 2 attachments"
    assert "\x1b" not in said.out
    assert "in sync  a.txt" in said.out


def test_a_refused_key_is_77_and_the_other_folders_are_not_tried(shell: Shell) -> None:
    (shell.base / "two").mkdir()
    shell.configure(
        f"{{path: {shell.root}, task_id: 789}}", f"{{path: {shell.base}/two, task_id: 790}}"
    )
    shell.quirks.key = "another"
    said = shell.syncd("list", "--json")
    assert said.code == 77
    first, second = said.json["folders"]
    assert "401" in first["error"]
    assert second["error"] == "not tried: the key was refused"
    assert first["attachments"] == []
    assert shell.requests() == 1


def test_a_task_that_is_gone_is_1_and_the_others_are_listed(shell: Shell) -> None:
    (shell.base / "two").mkdir()
    shell.configure(
        f"{{path: {shell.root}, task_id: 789}}", f"{{path: {shell.base}/two, task_id: 790}}"
    )
    shell.quirks.task_gone, shell.quirks.gone_tasks = 404, frozenset({789})
    said = shell.syncd("list", "--json")
    assert said.code == 1
    assert "is task 789" in said.json["folders"][0]["error"]
    assert "error" not in said.json["folders"][1]


def test_a_missing_folder_is_1(shell: Shell) -> None:
    shell.root.rmdir()
    said = shell.syncd("list", "--json")
    assert said.code == 1
    assert "no such folder" in said.json["folders"][0]["error"]


def test_a_server_that_fails_is_75(shell: Shell) -> None:
    shell.server.faults.append(Fault("garbage", times=None))
    assert shell.syncd("list", "--json").code == 75


def test_a_used_up_quota_is_75(shell: Shell) -> None:
    shell.quirks.quota = 1
    shell.syncd("list")
    said = shell.syncd("list", "--json")
    assert said.code == 75
    assert "402" in said.json["folders"][0]["error"]


def test_a_folder_can_be_chosen_and_an_unknown_one_is_bad_usage(shell: Shell) -> None:
    (shell.base / "two").mkdir()
    shell.configure(
        f"{{path: {shell.root}, task_id: 789}}", f"{{path: {shell.base}/two, task_id: 790}}"
    )
    chosen = shell.json("list", "--folder", "two")["folders"]
    assert [f["task_id"] for f in chosen] == [790]
    assert shell.syncd("list", "--folder", "three").code == 2


def test_a_wrong_config_still_gives_one_document(shell: Shell) -> None:
    shell.config.write_text("api: 3\n")
    said = shell.syncd("list", "--json")
    assert said.code == said.json["exit"] == 78
    assert said.json["folders"] == []
    assert "api" in said.json["error"]


def test_no_name_makes_a_line_of_its_own(shell: Shell) -> None:
    shell.seed("a\n  100  id 9  1 byte  syncd  in sync  forged")
    lines = shell.syncd("list").out.splitlines()
    assert len(lines) == 2
    assert "a\\n  100" in lines[1]
