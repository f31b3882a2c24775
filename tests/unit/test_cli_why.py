"""`syncd why FILE`, from the command line against a real sandbox."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.commands import Shell
from tests.support.faults import Fault


@pytest.fixture
def shell(tmp_path: Path) -> Iterator[Shell]:
    with Shell(tmp_path) as shell:
        yield shell


def why(shell: Shell, name: str) -> Any:
    """The document, made without a request."""
    before = shell.requests()
    document = shell.json("why", str(shell.root / name))
    assert shell.requests() == before
    return document


def state(shell: Shell, name: str) -> str:
    word: str = why(shell, name)["state"].split(":")[0]
    return word


def test_a_new_file_and_no_state_dir_at_all(shell: Shell) -> None:
    shell.write("a.txt")
    assert why(shell, "a.txt") == {
        "version": 1,
        "exit": 0,
        "error": None,
        "file": str(shell.root / "a.txt"),
        "folder": "landing",
        "task_id": 789,
        "path": "a.txt",
        "synced": True,
        "rule": "synced: no pattern ignores it",
        "state": "new: the next cycle uploads it (or adopts an attachment that is the same)",
        "attachment": None,
        "last_error": None,
        "next_try": None,
        "events": [],
        "notes": ["no service is running: `syncd --once` makes the next cycle"],
    }
    assert not shell.state.exists()


def test_a_synced_file_has_its_attachment(shell: Shell) -> None:
    shell.write("a.txt")
    shell.syncd("--once")
    document = why(shell, "a.txt")
    assert document["state"].startswith("in sync")
    attachment = document["attachment"]
    assert (attachment["id"], attachment["name"], attachment["role"]) == (1, "a.txt", "current")
    assert len(attachment["digest"]) == 64
    said = shell.syncd("why", str(shell.root / "a.txt"))
    assert "attachment  id 1, named a.txt, number 100000" in said.out


def test_changed_renamed_and_deleted_files_are_told_apart(shell: Shell) -> None:
    for name in ("same", "touched", "changed", "old", "gone", "swap1", "swap2"):
        shell.write(name, name)
    shell.syncd("--once")
    shell.write("touched", "touched", age=5)
    shell.write("changed", "other")
    (shell.root / "old").rename(shell.root / "new")
    (shell.root / "gone").unlink()
    shell.write("swap1", "swap2")
    shell.write("swap2", "swap1")
    assert state(shell, "same") == "in sync"
    assert state(shell, "touched") == "in sync"
    assert state(shell, "changed") == "changed"
    assert why(shell, "old")["state"].startswith("renamed: it is new now")
    assert why(shell, "new")["state"].startswith("renamed: it was old")
    assert state(shell, "gone") == "gone"
    assert why(shell, "swap1")["state"].startswith("renamed: it was swap2")
    assert state(shell, "never-there") == "unknown"


def test_the_rule_names_what_stands_in_the_way(shell: Shell) -> None:
    shell.configure(ignore=["*.bak"], max_file_size=10)
    shell.write("landing/sub/deep", "x")
    shell.write("a.bak", "x")
    shell.write("large", "x" * 11)
    (shell.root / "link").symlink_to(shell.write("target", "x"))
    os.mkfifo(shell.root / "pipe")
    rules = {name: why(shell, name)["rule"] for name in os.listdir(shell.root)}
    assert "ignore pattern `*.bak`" in rules["a.bak"]
    assert "max_file_size is 10" in rules["large"]
    assert rules["link"] == "not synced: symbolic link"
    assert rules["pipe"] == "not synced: named pipe"
    assert "recursive is off" in why(shell, "sub/deep")["rule"]
    assert not why(shell, "link")["synced"]


def test_an_empty_file_beside_its_download_waits(shell: Shell) -> None:
    shell.write("a.zip", "").with_name("a.zip.part").write_text("half")
    assert why(shell, "a.zip")["state"].startswith("waiting: empty until the download")


def test_an_attachment_whose_file_is_ignored_now_is_detached(shell: Shell) -> None:
    shell.write("a.bak")
    shell.syncd("--once")
    shell.configure(ignore=["*.bak"])
    document = why(shell, "a.bak")
    assert document["state"].startswith("detached")
    assert document["attachment"]["id"] == 1


def test_a_refused_file_has_its_error_and_its_next_try(shell: Shell) -> None:
    shell.quirks.poison = lambda name: name == "bad"
    shell.write("bad")
    shell.write("good", "other")
    assert shell.syncd("--once").code == 1
    document = why(shell, "bad")
    assert document["state"].startswith("refused")
    assert "400" in document["last_error"]
    assert document["next_try"].endswith("Z")
    assert "refused 1 time" in document["notes"]
    shell.write("bad", "mended")
    assert "it has changed since: the next cycle tries it again" in why(shell, "bad")["notes"]


def test_a_create_in_doubt_is_told(shell: Shell) -> None:
    shell.server.faults.append(Fault("reset_before", method="POST", times=None))
    shell.server.faults.append(Fault("garbage", method="GET", skip=1, times=None))
    shell.write("a")
    assert shell.syncd("--once").code == 75
    assert any("not confirmed by a list" in note for note in why(shell, "a")["notes"])


def test_a_held_delete_is_told_with_the_way_on(shell: Shell) -> None:
    for name in ("a", "b"):
        shell.write(name, name)
    shell.syncd("--once")
    for name in ("a", "b"):
        (shell.root / name).unlink()
    shell.syncd("--once")
    document = why(shell, "a")
    assert document["state"].startswith("held: delete waits for approval")
    assert any("syncd approve" in note for note in document["notes"])


def test_a_used_up_quota_says_until_when(shell: Shell) -> None:
    shell.quirks.quota = 6
    for name in ("a", "b"):
        shell.write(name, name)
    assert shell.syncd("--once").code == 75
    document = why(shell, "a")
    assert document["next_try"] is not None
    assert any(note.startswith("quota: 5 requests left") for note in document["notes"])


def test_a_folder_that_cannot_be_read_is_1(shell: Shell) -> None:
    shell.root.rmdir()
    said = shell.syncd("why", str(shell.root / "a"), "--json")
    assert said.code == said.json["exit"] == 1
    assert "no such folder" in said.json["error"]


def test_a_file_in_no_folder_is_1(shell: Shell) -> None:
    said = shell.syncd("why", "/etc/passwd", "--json")
    assert said.code == said.json["exit"] == 1
    assert "in no folder of the config" in said.json["error"]
    assert said.json["folder"] is None


def test_the_folder_itself_and_what_each_leaves_out_are_told(shell: Shell) -> None:
    shell.configure(f"{{path: {shell.root}, task_id: 789}}", f"{{each: {shell.base}/focus}}")
    shell.write("focus/notes/a")
    shell.write("focus/4711 Logo/a")
    assert "name a file in it" in shell.syncd("why", str(shell.root)).err
    assert "begins with a task's" in shell.syncd("why", f"{shell.base}/focus/notes/a").err
    assert shell.json("why", f"{shell.base}/focus/4711 Logo/a")["task_id"] == 4711


def test_a_file_is_found_by_any_spelling(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    link = shell.base / "link"
    link.symlink_to(shell.root)
    shell.write("a")
    monkeypatch.chdir(shell.root)
    assert shell.json("why", "a")["path"] == "a"
    assert shell.json("why", str(link / "a"))["path"] == "a"
    shell.configure(f"{{path: {link}, task_id: 789}}")
    assert shell.json("why", "./a")["path"] == "a"


def test_a_name_that_is_not_utf8_is_told(shell: Shell) -> None:
    (shell.root / "caf\udce9").write_text("x")
    run = subprocess.run(
        [sys.executable, "-m", "syncd", "-c", str(shell.config), "why", "--json", b"caf\xe9"],
        cwd=shell.root,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
        capture_output=True,
    )
    assert run.returncode == 0, run.stderr
    document = json.loads(run.stdout)
    assert document["rule"] == "not synced: name is not UTF-8"
    assert (document["file"], document["path"]) == ("caf\\xe9", "caf\\xe9")


def test_two_unicode_twins_have_a_verdict_each(shell: Shell) -> None:
    nfc, nfd = "caf\u00e9", "cafe\u0301"
    shell.write(nfd, "attached")
    shell.syncd("--once")
    shell.write(nfc, "its twin")
    found = why(shell, nfc)
    assert (found["synced"], found["path"]) == (False, nfc)
    assert "same name as" in found["rule"]
    assert (why(shell, nfd)["synced"], state(shell, nfd)) == (True, "in sync")


def test_a_wrong_config_is_in_the_document_and_in_the_exit_status(shell: Shell) -> None:
    shell.config.write_text("nonsense: 1\n")
    said = shell.syncd("why", str(shell.root / "a"), "--json")
    assert (said.code, said.json["exit"]) == (78, 78)
    assert "nonsense" in said.json["error"]
