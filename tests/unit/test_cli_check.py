"""`syncd check`, from the command line against a real sandbox."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.commands import Shell


@pytest.fixture
def shell(tmp_path: Path) -> Iterator[Shell]:
    with Shell(tmp_path) as shell:
        yield shell


def errors(shell: Shell, *options: str) -> list[tuple[str, str]]:
    checks = shell.json("check", *options)["checks"]
    return [(c["what"], c["error"]) for c in checks if not c["ok"]]


def test_all_is_well(shell: Shell) -> None:
    shell.write("a")
    said = shell.syncd("check")
    assert said.code == 0
    assert f"ok   landing: {shell.root} -> task 789 (0 attachments)" in said.out
    assert f"ok   landing: {shell.root} (1 file to sync)" in said.out
    assert shell.requests() == 1
    assert not shell.state.exists()


def test_the_document_has_the_keys_that_scripts_rely_on(shell: Shell) -> None:
    document = shell.json("check")
    assert document["version"] == 1
    assert (document["exit"], document["error"]) == (0, None)
    assert {frozenset(c) for c in document["checks"]} == {
        frozenset({"what", "name", "ok", "error", "text"})
    }


def test_an_output_that_cannot_be_made_is_a_warning(shell: Shell) -> None:
    text = "metrics_file: nowhere/m.prom\nstatus_page: p.html\non_problem: [./no-such-program]\n"
    shell.config.write_text(shell.config.read_text() + text)
    said = shell.syncd("check", "--offline")
    assert said.code == 0
    warned = [line for line in said.out.splitlines() if line.startswith("warn ")]
    assert [line.split()[1] for line in warned] == ["metrics_file:", "on_problem:"]
    assert str(shell.base / "nowhere") in warned[0]


def test_offline_sends_no_request(shell: Shell) -> None:
    assert shell.syncd("check", "--offline").code == 0
    assert shell.requests() == 0


def test_all_faults_of_a_config_are_told(shell: Shell) -> None:
    shell.config.write_text(shell.config.read_text() + "nonsense: 1\nstatedir: x\n")
    said = shell.syncd("check", "--json")
    assert said.code == said.json["exit"] == 78
    told = " ".join(c["error"] for c in said.json["checks"])
    assert "nonsense" in told
    assert "statedir" in told
    assert shell.requests() == 0


def test_a_key_of_the_older_product_and_a_missing_folder_are_both_told(shell: Shell) -> None:
    shell.token.write_text("0123456789abcdef0123456789abcdef")
    shell.root.rmdir()
    said = shell.syncd("check", "--json")
    assert said.code == 78
    assert [what for what, _ in errors(shell)] == ["key", "folder", "task"]
    assert "0123456789abcdef" not in said.out + said.err
    assert shell.requests() == 0


def test_a_refused_key_is_77_and_asked_once(shell: Shell) -> None:
    (shell.base / "two").mkdir()
    shell.configure(
        f"{{path: {shell.root}, task_id: 789}}", f"{{path: {shell.base}/two, task_id: 790}}"
    )
    shell.quirks.key = "another"
    said = shell.syncd("check", "--json")
    assert said.code == 77
    assert "make a new key" in said.json["error"]
    assert shell.requests() == 1


def test_a_403_may_be_the_plan_or_a_wrong_organization(shell: Shell) -> None:
    shell.quirks.task_gone = 403
    ((what, text),) = errors(shell)
    assert what == "task"
    assert "does your plan or role lack the right, or is organization_id 123 wrong?" in text
    assert "the number before /workspaces/ in the task's address in the browser" in text


def test_a_task_that_is_gone_and_a_missing_folder_are_both_told(shell: Shell) -> None:
    shell.root.rmdir()
    shell.quirks.task_gone = 404
    said = shell.syncd("check")
    assert said.code == 1
    assert "no such folder" in said.out
    assert "is task 789" in said.out


def test_a_server_that_is_not_there_is_75(shell: Shell) -> None:
    shell.sandbox.stop()
    said = shell.syncd("check")
    assert said.code == 75
    assert "api.url" in said.out


def test_an_each_parent_is_expanded_and_a_missing_one_told(shell: Shell) -> None:
    (shell.base / "focus" / "4711 Logo").mkdir(parents=True)
    shell.configure(f"{{each: {shell.base}/focus}}", f"{{each: {shell.base}/nowhere}}")
    said = shell.syncd("check")
    assert said.code == 1
    assert "focus: 1 task folder\n" in said.out
    assert "-> task 4711" in said.out
    assert "nowhere: no such folder" in said.out


def test_files_that_cannot_be_synced_are_named(shell: Shell) -> None:
    (shell.root / "caf\udce9").write_text("x")
    assert errors(shell, "--offline") == [("folder", "caf\\xe9: name is not UTF-8")]


def test_a_state_dir_that_is_a_file_is_75(shell: Shell) -> None:
    shell.state.write_text("")
    said = shell.syncd("check", "--offline")
    assert said.code == 75
    assert "not a directory" in said.out


def test_a_ledger_of_a_newer_syncd_is_78(shell: Shell) -> None:
    import sqlite3

    shell.syncd("--once")
    with sqlite3.connect(shell.state / "ledger.db") as ledger:
        ledger.execute("PRAGMA user_version = 999")
    said = shell.syncd("check")
    assert said.code == 78
    assert "newer syncd" in said.out


def test_a_clock_that_is_wrong_is_a_warning(shell: Shell) -> None:
    shell.server.clock = lambda: time.time() + 900
    said = shell.syncd("check")
    assert said.code == 0
    assert "warn clock: this clock is 1" in said.out
    assert "behind the server's" in said.out


def test_the_quota_is_told_with_what_the_config_will_use_of_it(shell: Shell) -> None:
    shell.quirks.quota = 30
    (shell.base / "two").mkdir()
    shell.configure(
        f"{{path: {shell.root}, task_id: 789}}",
        f"{{path: {shell.base}/two, task_id: 790, refresh: 10m}}",
    )
    said = shell.syncd("check")
    assert "ok   quota: 28 of 30 requests left, renewed in 59 min; " in said.out
    # Refreshes take at most a fifth of the quota: 3 an hour each, where 6 are asked for.
    assert "at rest the service uses 4 an hour, `syncd --once` 2 a run" in said.out
    shell.server.spend(123, 27)
    assert "warn quota: 0 requests left" in shell.syncd("check").out
    assert "ok   key: accepted by the server" in said.out
    assert "ok   clock: this clock agrees with the server's" in said.out
    assert "`syncd probe --task N`" in said.out


def test_a_server_without_quota_headers_is_told(shell: Shell) -> None:
    assert "quota: the server tells none; 30 an hour assumed; at rest" in shell.syncd("check").out


def test_what_inotify_needs_is_told_with_its_limit(
    shell: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    (shell.root / "in" / "deep").mkdir(parents=True)
    shell.configure(recursive=True)
    assert "ok   watch: 3 directories on " in shell.syncd("check", "--offline").out
    from syncd.cli import check_surroundings
    from syncd.local.inotify_limits import Limit

    tight = Limit("fs.inotify.max_user_watches", "2", "sudo sysctl fs.inotify.max_user_watches=99")
    monkeypatch.setattr(check_surroundings, "watch_limit", lambda _: tight)
    said = shell.syncd("check", "--offline")
    assert said.code == 0
    assert (
        "warn watch: 3 directories to watch, and fs.inotify.max_user_watches is 2: sudo" in said.out
    )


def test_a_folder_on_a_network_file_system_is_a_warning(
    shell: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    from syncd.cli import check_surroundings
    from syncd.local.mounts import Mount

    monkeypatch.setattr(check_surroundings, "mounts", lambda: (Mount("/", "nfs4"),))
    said = shell.syncd("check", "--offline")
    assert said.code == 0
    assert f"warn landing: {shell.root}: on nfs4, which does not tell of every change; " in said.out
    assert "the service looks at it every 1 min (rescan)" in said.out
