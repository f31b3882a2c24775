"""`syncd status` and `syncd approve`, from the command line against a real sandbox."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from syncd.overview.status_file import Approval, read_approvals, write_approvals
from syncd.state.lock import StateLock
from tests.support.commands import Shell
from tests.support.faults import Fault


@pytest.fixture
def shell(tmp_path: Path) -> Iterator[Shell]:
    with Shell(tmp_path) as shell:
        yield shell


HELD = {"id": 1, "name": "a", "size": 9, "action": "delete", "reason": "too many"}


@contextmanager
def service(shell: Shell, **folder: Any) -> Iterator[None]:
    """This process holds the lock and says that it is the service."""
    with StateLock(str(shell.state)):
        change_status(shell, folder, service=True, pid=os.getpid())
        yield


def change_status(shell: Shell, folder: dict[str, Any], **values: Any) -> None:
    file = shell.state / "status.json"
    status = json.loads(file.read_text()) | values
    status["folders"][0] |= folder
    file.write_text(json.dumps(status))


def hold(shell: Shell, names: str = "abc") -> None:
    """Files were synced and are gone: their deletes are held back."""
    for name in names:
        shell.write(name, name)
    shell.syncd("--once")
    for name in names:
        (shell.root / name).unlink()
    assert shell.syncd("--once").code == 1


def test_with_neither_service_nor_state_it_is_75_and_says_so(shell: Shell) -> None:
    said = shell.syncd("status")
    assert said.code == 75
    assert said.out.splitlines() == [
        "no service is running: start it, or sync with `syncd --once`",
        "landing (task 789): pending: never synced",
    ]
    assert not shell.state.exists()
    assert shell.requests() == 0


def test_the_document_has_the_keys_of_the_contract(shell: Shell) -> None:
    assert shell.json("status") == {
        "version": 1,
        "running": False,
        "pid": None,
        "quota": {"remaining": None, "resets_in": None, "paused_until": None},
        "folders": [
            {
                "name": "landing",
                "path": str(shell.root),
                "task_id": 789,
                "state": "pending",
                "reason": "never synced",
                "last_cycle": None,
                "next_cycle": None,
                "pending": 0,
                "failed": [],
                "held": [],
                "error": None,
            }
        ],
    }


def test_after_a_run_it_tells_when_that_was(shell: Shell) -> None:
    shell.write("a")
    shell.syncd("--once")
    (folder,) = shell.json("status")["folders"]
    assert folder["state"] == "in sync"
    assert folder["reason"] is None
    assert folder["last_cycle"].endswith("Z")
    assert "in sync; last cycle" in shell.syncd("status").out


def test_a_running_service_without_trouble_is_healthy(shell: Shell) -> None:
    shell.syncd("--once")
    with service(shell, next_cycle="2999-01-01T00:00:00Z"):
        said = shell.syncd("status", "--json")
        assert said.code == 0
        assert (said.json["running"], said.json["pid"]) == (True, os.getpid())
        assert "next 2999-01-01" in shell.syncd("status").out
    assert shell.json("status")["folders"][0]["next_cycle"] is None  # nobody keeps to it


def test_a_once_run_that_holds_the_lock_is_no_service(shell: Shell) -> None:
    shell.syncd("--once")
    with StateLock(str(shell.state)):
        said = shell.syncd("status", "--json")
    assert said.code == 75
    assert (said.json["running"], said.json["pid"]) == (False, None)


def test_a_service_that_was_killed_is_not_running_and_not_syncing(shell: Shell) -> None:
    shell.syncd("--once")
    with service(shell, state="syncing"):
        assert shell.json("status")["folders"][0]["state"] == "syncing"
    document = shell.json("status")
    assert document["running"] is False
    assert document["folders"][0]["reason"] == "the cycle was interrupted"


@pytest.mark.parametrize(
    ("folder", "code"),
    [
        ({"state": "held", "held": [HELD]}, 1),
        ({"state": "error", "failed": [{"name": "a", "error": "no"}]}, 1),
        ({"state": "error", "error": "no such folder"}, 1),
        ({"state": "paused", "reason": "quota", "held": [HELD]}, 75),
        ({"state": "pending", "error": "unreachable"}, 75),
        ({"state": "pending", "reason": "a change settles"}, 0),
    ],
)
def test_the_exit_status_follows_the_folders(
    shell: Shell, folder: dict[str, Any], code: int
) -> None:
    shell.syncd("--once")
    with service(shell, **folder):
        assert shell.syncd("status").code == code


def test_status_names_held_deletes_and_how_to_release_them(shell: Shell) -> None:
    hold(shell)
    out = shell.syncd("status").out
    assert "held: delete a (id 1, 1 byte): no synced file is left" in out
    assert "syncd approve --folder landing" in out


def test_a_folder_that_left_is_told(shell: Shell) -> None:
    (shell.base / "focus" / "4711").mkdir(parents=True)
    shell.write("focus/4711/a")
    shell.configure(f"{{each: {shell.base}/focus}}")
    shell.syncd("--once")
    (shell.base / "focus" / "4711").rename(shell.base / "elsewhere")
    assert "left: task 4711 and its 1 attachment stay" in shell.syncd("status").out
    assert "left: task 4711" in shell.syncd("status", "--json").err


def test_an_each_parent_that_cannot_be_read_is_an_error(shell: Shell) -> None:
    shell.configure(f"{{each: {shell.base}/nowhere}}")
    (folder,) = shell.json("status")["folders"]
    assert (folder["state"], folder["task_id"]) == ("error", None)


def test_the_quota_is_that_of_now(shell: Shell) -> None:
    shell.quirks.quota = 20
    shell.syncd("--once")
    quota = shell.json("status")["quota"]
    assert quota["remaining"] == 19
    assert 3500 < quota["resets_in"] <= 3600
    assert "quota: 19 of 30 requests left, renewed in" in shell.syncd("status").out


@pytest.mark.parametrize(
    "text", ["", "{", "[]", '{"folders": 3}', '{"folders": [3, {}]}', "[" * 50_000]
)
def test_a_damaged_status_file_is_as_good_as_none(shell: Shell, text: str) -> None:
    shell.state.mkdir()
    (shell.state / "status.json").write_text(text)
    assert shell.json("status")["folders"][0]["reason"] == "never synced"


def test_a_record_that_makes_no_sense_is_as_good_as_none(shell: Shell) -> None:
    shell.syncd("--once")
    change_status(shell, {"held": [3]})
    assert shell.json("status")["folders"][0]["reason"] == "never synced"
    assert shell.json("approve")["approved"] == []
    assert shell.json("why", str(shell.root / "a"))["exit"] == 0


def test_a_wrong_config_still_gives_one_document_of_the_shape(shell: Shell) -> None:
    shell.config.write_text("")
    said = shell.syncd("status", "--json")
    assert said.code == said.json["exit"] == 78
    assert (said.json["running"], said.json["folders"]) == (False, [])


def test_approve_has_nothing_to_do_and_writes_nothing(shell: Shell) -> None:
    said = shell.syncd("approve")
    assert (said.code, said.out) == (0, "nothing is held back\n")
    assert not shell.state.exists()


def test_a_dry_run_shows_what_is_held_and_approves_nothing(shell: Shell) -> None:
    hold(shell)
    before = shell.requests()
    said = shell.syncd("approve", "--dry-run")
    assert said.code == 0
    assert "held: delete a (id 1, 1 byte)" in said.out
    assert not (shell.state / "approve.json").exists()
    document = shell.json("approve", "--dry-run")
    assert (document["dry_run"], document["approved"]) == (True, [])
    assert shell.requests() == before


def test_approved_deletes_happen_in_the_next_run(shell: Shell) -> None:
    hold(shell)
    document = shell.json("approve")
    assert document["approved"] == ["landing"]
    assert (document["exit"], document["error"], document["dry_run"]) == (0, None, False)
    (folder,) = document["folders"]
    assert sorted(h["name"] for h in folder["held"]) == ["a", "b", "c"]
    assert set(folder["held"][0]) == {"id", "name", "size", "action", "reason"}
    run = shell.syncd("--once", "--json")
    assert run.code == 0
    assert sorted(run.json["folders"][0]["deleted"]) == ["a", "b", "c"]
    assert shell.syncd("approve").out == "nothing is held back\n"


def test_an_approval_is_void_when_the_set_changes(shell: Shell) -> None:
    hold(shell, "abcde")
    shell.syncd("approve")
    shell.write("a", "a")
    (folder,) = shell.json("--once")["folders"]
    assert (folder["deleted"], sorted(folder["held"])) == ([], ["b", "c", "d", "e"])


def test_approvals_of_other_tasks_stay_while_they_count(shell: Shell) -> None:
    hold(shell)
    now = time.time()
    valid, old = Approval(frozenset({9}), now - 60), Approval(frozenset({8}), now - 90_000)
    write_approvals(str(shell.state), {"other": valid, "old": old})
    shell.syncd("approve")
    approvals = read_approvals(str(shell.state), now + 1)
    assert approvals["other"] == valid
    assert len(approvals) == 2


def test_only_the_chosen_folder_is_approved(shell: Shell) -> None:
    (shell.base / "two").mkdir()
    shell.configure(
        f"{{path: {shell.root}, task_id: 789}}", f"{{path: {shell.base}/two, task_id: 790}}"
    )
    hold(shell)
    assert shell.json("approve", "--folder", "two")["approved"] == []
    assert shell.json("approve", "--folder", str(shell.root))["approved"] == ["landing"]
    assert shell.syncd("approve", "--folder", "three").code == 2


def test_a_running_service_is_woken(shell: Shell) -> None:
    hold(shell)
    woken: list[int] = []
    before = signal.signal(signal.SIGUSR1, lambda number, _: woken.append(number))
    try:
        with service(shell):
            assert "the service goes on now" in shell.syncd("approve").out
    finally:
        signal.signal(signal.SIGUSR1, before)
    assert woken == [signal.SIGUSR1]


def test_who_only_holds_the_lock_is_not_signalled(shell: Shell) -> None:
    hold(shell)
    with StateLock(str(shell.state)):
        assert "the next `syncd --once` goes on" in shell.syncd("approve").out


def test_as_a_program_it_answers_with_one_document(shell: Shell) -> None:
    hold(shell)
    run = subprocess.run(
        [sys.executable, "-m", "syncd", "status", "--json", "-c", str(shell.config)],
        capture_output=True,
        text=True,
    )
    assert run.returncode == 75
    assert len(json.loads(run.stdout)["folders"][0]["held"]) == 3
    assert all(line.startswith("syncd: ") for line in run.stderr.splitlines())


def test_actions_that_wait_for_the_quota_are_counted_with_the_time_of_its_reset(
    shell: Shell,
) -> None:
    for number in range(15):
        shell.write(f"{number}", f"content {number}")
    shell.server.faults.append(Fault("status_before", method="POST", status=402, times=None))
    said = shell.syncd("--once", "--json")
    assert said.code == 75
    assert said.json["quota"]["paused_until"] is not None
    found = shell.json("status")
    assert found["quota"]["paused_until"] is not None
    assert (found["folders"][0]["state"], found["folders"][0]["pending"]) == ("paused", 15)


def test_a_quota_that_never_suffices_for_all_folders_goes_round(
    shell: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    folders = [shell.write(f"{task}/a").parent for task in (1, 2, 3)]
    shell.configure(*(f"{{path: {folder}, task_id: {folder.name}}}" for folder in folders))
    shell.quirks.quota = 4 + 5  # of which 5 are kept back
    clock, done = time.time, []
    shell.server.clock = lambda: time.time()
    for hour in range(3):
        monkeypatch.setattr(time, "time", lambda past=3601 * hour: clock() + past)
        run = shell.json("--once")
        assert [found["task_id"] for found in run["folders"]] == [1, 2, 3]
        done.append([found["task_id"] for found in run["folders"] if found["in_sync"]])
    assert done == [[1], [2], [1, 3]]


def test_actions_done_before_the_trouble_are_not_pending(shell: Shell) -> None:
    for number in range(15):
        shell.write(f"{number}", f"content {number}")
    shell.server.faults.append(Fault("status_before", method="POST", status=402, skip=1))
    shell.syncd("--once")
    left = shell.json("status")["folders"][0]["pending"]
    assert left == 15 - len(shell.server.rows((123, 456, 789))) in (5, 10)


def test_the_service_counts_the_deletes_of_an_hour_and_approve_does_so_too(shell: Shell) -> None:
    shell.configure(max_delete=3)
    for number in range(12):
        shell.write(f"{number:02}", f"content {number}")
    shell.syncd("--once")
    for number in range(3):
        (shell.root / f"{number:02}").unlink()
    assert shell.syncd("--once").code == 0
    (shell.root / "03").unlink()
    assert shell.syncd("approve", "--dry-run").out.startswith("nothing is held back")
    with service(shell):
        said = shell.syncd("approve", "--dry-run")
    assert "4 deletes are more than max_delete (3)" in said.out
