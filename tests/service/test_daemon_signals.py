"""How the service handles signals, and the commands that run beside it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from hashlib import sha256
from pathlib import Path

import pytest

from tests.support.commands import KEY
from tests.support.processes import ROOT, environment
from tests.support.service import Service, until


def timed_stop(service: Service) -> tuple[int, float]:
    began = time.monotonic()
    return service.stop(), time.monotonic() - began


def test_sigterm_ends_an_idle_service_at_once(service: Service) -> None:
    service.start().settled()
    code, seconds = timed_stop(service)
    assert code == 0
    assert seconds < 2
    assert service.status()["pid"] is None


def test_sigterm_ends_a_service_that_waits_for_an_answer(service: Service) -> None:
    service.old("a.txt")
    service.fault("hang", method="GET")
    service.start()
    until(lambda: service.server.count("GET"))
    code, seconds = timed_stop(service)
    assert code == 0
    assert seconds < 2.5


def test_a_stop_during_forty_uploads_loses_and_doubles_nothing(
    service: Service,
) -> None:
    names = [f"{number:02}.bin" for number in range(40)]
    service.old(*names, content="x" * 200_000)
    service.fault("slow_read", method="POST", seconds=0.01, times=None)
    service.start()
    until(lambda: service.server.count("POST") >= 2)
    assert service.stop() == 0
    there = service.names()
    assert len(there) < 40, "it was stopped in the middle"
    service.server.faults.clear()
    service.start()
    service.settled(*names)
    assert all(row.sha256 == sha256(b"x" * 200_000).hexdigest() for row in service.rows())
    deleted = service.server.rows((123, 456, 789), deleted=True)
    assert len(deleted) == 40, "none was made twice"


def test_a_second_sigterm_ends_the_service_at_once(service: Service) -> None:
    service.old("big.bin", content="x" * 600_000)
    service.fault("slow_read", method="POST", seconds=0.3)
    service.start()
    until(lambda: service.server.count("POST"))
    began = time.monotonic()
    service.signal(signal.SIGTERM)
    service.signal(signal.SIGINT)
    assert service.wait() == 0
    assert time.monotonic() - began < 1.5
    service.server.faults.clear()
    service.start()
    service.holds("big.bin")


def test_sigusr1_runs_every_folder_now(service: Service) -> None:
    service.folder("other", 790)
    service.start().settled()
    service.in_sync("other")
    service.mark()
    before = service.row("other")["last_cycle"]
    second = int(time.time())
    until(lambda: int(time.time()) > second)  # it is told in whole seconds
    service.signal(signal.SIGUSR1)
    service.says("asked to run every folder now")
    for name in ("landing", "other"):
        until(lambda name=name: (service.row(name).get("last_cycle") or "") > before)


def test_sighup_with_a_broken_config_logs_the_fault_and_changes_nothing(service: Service) -> None:
    service.start().settled()
    good = service.config.read_text()
    service.config.write_text(good.replace('"settle"', '"setle"'))
    service.signal(signal.SIGHUP)
    service.says("ERROR", "the config stays as it was", "setle")
    service.write("a.txt")
    service.holds("a.txt")
    assert service.runs()


def test_sighup_takes_over_new_folders_and_settings(service: Service) -> None:
    service.start().settled()
    other = service.folder("other", 790)
    (other / "b.txt").write_text("b")
    service.api |= {"create_params": "query", "quota_reserve": 0, "timeout": "3s"}
    service.configure(ignore=["*.skip"])
    service.signal(signal.SIGHUP)
    service.says("the config was read again")
    service.holds("b.txt", task_id=790)
    service.write("a.skip")
    service.write("a.txt")
    service.holds("a.txt")
    posts = [entry for entry in service.server.log if entry.method == "POST"]
    assert posts[-1].query


def test_sighup_drops_a_folder_and_its_attachments_stay(service: Service) -> None:
    other = service.folder("other", 790)
    (other / "b.txt").write_text("b")
    service.start()
    service.holds("b.txt", task_id=790)
    service.in_sync("other")
    service.entries.pop()
    service.configure()
    service.signal(signal.SIGHUP)
    service.says("WARNING", "other left", "1 attachment stay as they are")
    until(lambda: not service.row("other"))
    (other / "b.txt").unlink()
    service.mark()
    service.rescanned()
    assert service.calls() == []
    assert service.names(790) == ["b.txt"]


def test_sighup_does_not_change_url_or_state_dir(service: Service) -> None:
    service.start().settled()
    elsewhere = service.base / "elsewhere"
    text = service.config.read_text().replace(str(service.state), str(elsewhere))
    service.config.write_text(text.replace(service.sandbox.url, "http://127.0.0.1:9/api"))
    service.signal(signal.SIGHUP)
    service.says("api.url changes with a restart only", service.sandbox.url)
    service.says("state_dir changes with a restart only", str(service.state))
    service.write("a.txt")
    service.holds("a.txt")
    assert not elsewhere.exists()


def test_a_key_for_another_server_is_not_sent_to_the_old_one(service: Service) -> None:
    service.quirks.key = KEY
    service.start().settled()
    other = service.base / "other-token"
    other.write_text("toggl_sk_" + "9" * 32)
    other.chmod(0o600)
    text = service.config.read_text().replace(str(service.token), str(other))
    service.config.write_text(text.replace(service.sandbox.url, "http://127.0.0.1:9/api"))
    service.signal(signal.SIGHUP)
    service.says("api.url changes with a restart only")
    service.write("a.txt")
    service.holds("a.txt")
    assert not [entry for entry in service.server.log if entry.status == 401]


def test_a_broken_config_at_the_start_is_78(service: Service) -> None:
    service.config.write_text("api: {}\nfoldres: []\n")
    assert service.start().wait() == 78
    assert service.lines("foldres")
    assert service.server.log == []


@pytest.mark.parametrize("arguments", [[], ["--once"]], ids=["service", "once"])
def test_a_second_syncd_on_the_same_state_exits_with_75_and_names_the_first(
    arguments: list[str], service: Service
) -> None:
    service.start().settled()
    said = service.run(*arguments)
    assert said.code == 75
    assert service.process is not None
    assert f"pid {service.process.pid}" in said.err
    assert service.runs()


def test_the_reading_commands_work_beside_the_service(service: Service) -> None:
    service.old("a.txt", "b.txt")
    service.start().settled("a.txt", "b.txt")
    status = service.run("status", "--json")
    assert service.process is not None
    assert status.code == 0, status
    assert status.json["running"] is True
    assert status.json["pid"] == service.process.pid
    assert [f["state"] for f in status.json["folders"]] == ["in sync"]
    why = service.run("why", str(service.root / "a.txt"))
    assert why.code == 0
    assert "a.txt" in why.out
    listing = service.run("list", "--json").json
    names = [a["name"] for a in listing["folders"][0]["attachments"]]
    assert names == ["a.txt", "b.txt"]
    assert service.run("check").code == 0
    assert service.run("approve").out.strip() == "nothing is held back"
    dry = service.run("--once", "--dry-run", "--json")
    assert dry.code == 0
    assert dry.json["folders"][0]["in_sync"]
    assert service.runs()


def test_approve_wakes_the_service_which_deletes_exactly_the_approved_set(service: Service) -> None:
    service.old("a.txt", "b.txt")
    service.start().settled("a.txt", "b.txt")
    for name in ("a.txt", "b.txt"):
        (service.root / name).unlink()
    until(lambda: service.row().get("state") == "held")
    assert service.run("status").code == 1
    assert service.run("approve").code == 0
    service.holds()
    service.in_sync()
    assert service.run("status").code == 0


def test_an_approval_given_while_offline_is_not_lost(service: Service) -> None:
    service.old("a.txt", "b.txt")
    service.start().settled("a.txt", "b.txt")
    for name in ("a.txt", "b.txt"):
        (service.root / name).unlink()
    until(lambda: service.row().get("state") == "held")
    service.sandbox.stop()
    assert service.run("approve").code == 0
    until(lambda: service.row().get("error"))
    service.sandbox.start()
    service.signal(signal.SIGUSR1)
    service.holds()


def test_log_lines_for_the_journal_carry_a_level_and_no_time(service: Service) -> None:
    found = os.stat(service.errors)
    service.start(JOURNAL_STREAM=f"{found.st_dev}:{found.st_ino}").settled()
    service.write("a.txt")
    service.holds("a.txt")
    service.in_sync()
    assert [line[: len("<6>landing: created")] for line in service.lines("a.txt")] == [
        "<6>landing: created"
    ]


def test_only_the_owner_may_read_the_files_in_the_state_directory(service: Service) -> None:
    service.start().settled()
    modes = {path.name: path.stat().st_mode & 0o077 for path in Path(service.state).iterdir()}
    assert not any(modes.values()), modes


EARLY = """
import os, signal, sys

class Hook:
    def find_spec(name, path, target=None):
        if name == "syncd.cli.arguments":
            os.kill(os.getpid(), signal.SIGHUP)

sys.meta_path.insert(0, Hook)
from syncd.cli.main import entry_point
entry_point()
"""


def test_a_sighup_before_the_command_line_is_read_does_not_end_the_service() -> None:
    command = [sys.executable, "-c", EARLY, "-c", "/nowhere/config.yaml"]
    done = subprocess.run(command, cwd=ROOT, env=environment(), capture_output=True)
    assert done.returncode == 78
    assert b"/nowhere/config.yaml: there is no such config file" in done.stderr
