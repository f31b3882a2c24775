"""Signals during long uploads and waits: the process ends in time and loses nothing."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass

import pytest

from syncd.service.shutdown import UPLOAD_GRACE
from tests.support.faults import Fault
from tests.support.processes import ROOT, environment
from tests.support.service import Service, until
from tests.support.terminal import Terminal

AS_PID_1 = ("unshare", "--pid", "--fork", "--kill-child", "--mount-proc")
LONG = 60.0
"""Seconds that the upload would take."""


def may_unshare() -> bool:
    try:
        return subprocess.run([*AS_PID_1, "true"], capture_output=True).returncode == 0
    except OSError:
        return False


@dataclass
class Run:
    """A process that may have others below it: `unshare` does not hand signals on."""

    process: subprocess.Popen[bytes]
    service: Service
    pid: int

    def signal(self, number: int) -> float:
        os.kill(self.pid, number)
        return time.monotonic()

    def said(self) -> str:
        return self.service.errors.read_text()


def start(service: Service, *argv: str, before: Sequence[str] = (), method: str = "POST") -> Run:
    with service.errors.open("ab") as errors, (service.base / "out").open("wb") as out:
        process = subprocess.Popen(
            [*before, sys.executable, "-m", "syncd", *argv, "-c", str(service.config)],
            cwd=ROOT,
            env=environment(),
            stdout=out,
            stderr=errors,
        )
    until(lambda: service.server.count(method), "the request has begun")
    children = f"/proc/{process.pid}/task/{process.pid}/children"
    with open(children) as file:
        below = file.read().split()
    return Run(process, service, int(below[0]) if before else process.pid)


def long_upload(service: Service) -> None:
    service.api |= {"timeout": f"{LONG:.0f}s"}
    service.configure()
    service.old("first.bin")
    assert service.run("--once").code == 0
    service.server.log.clear()
    service.write("long.bin", "x" * 1_200_000)
    os.utime(service.root / "long.bin", (1, 1))
    service.fault("slow_read", method="POST", seconds=LONG / 18)


def nothing_is_lost(service: Service) -> None:
    """The next run ends as if it had not been stopped."""
    service.server.faults.clear()
    said = service.run("--once")
    assert said.code == 0, said
    assert service.names() == ["first.bin", "long.bin"]
    assert len(service.server.rows((123, 456, 789), deleted=True)) == 2, "none was made twice"


PARAMETERS = [
    (("--once",), (), signal.SIGINT, 130),
    (("--once", "-q"), (), signal.SIGTERM, 75),
    (("--once",), AS_PID_1, signal.SIGTERM, 75),
    ((), (), signal.SIGTERM, 0),
    ((), AS_PID_1, signal.SIGTERM, 0),
]


@pytest.mark.parametrize(("argv", "before", "number", "code"), [*PARAMETERS[0:4:2], PARAMETERS[3]])
def test_a_long_upload_ends_within_15_s_of_a_signal_which_is_announced_at_once(
    service: Service, argv: Sequence[str], before: Sequence[str], number: int, code: int
) -> None:
    if before and not may_unshare():
        pytest.skip("no namespaces here")
    long_upload(service)
    run = start(service, *argv, before=before)
    began = run.signal(number)
    until(lambda: "stopping" in run.said(), "it is said", patience=2.0)
    assert run.process.wait(15) == code
    assert time.monotonic() - began < 15
    if "--once" in argv:
        assert "landing: stopped in the middle of a request" in run.said()
    nothing_is_lost(service)


@pytest.mark.parametrize(("argv", "before", "number", "code"), PARAMETERS)
def test_a_second_signal_ends_the_process_at_once(
    service: Service, argv: Sequence[str], before: Sequence[str], number: int, code: int
) -> None:
    if before and not may_unshare():
        pytest.skip("no namespaces here")
    long_upload(service)
    run = start(service, *argv, before=before)
    run.signal(number)
    until(lambda: "stopping" in run.said(), "it is said", patience=2.0)
    began = run.signal(number)
    assert run.process.wait(3) == code
    assert time.monotonic() - began < 1.5
    nothing_is_lost(service)


def test_an_upload_that_ends_within_the_grace_is_the_last_and_is_reported(service: Service) -> None:
    service.folder("other", 790)
    long_upload(service)
    service.server.faults[:] = [Fault("delay", method="POST", seconds=1.5)]
    run = start(service, "--once", "--json")
    run.signal(signal.SIGTERM)
    assert run.process.wait(10) == 75
    document = json.loads((service.base / "out").read_text())
    assert document["exit"] == 75
    assert [f["created"] for f in document["folders"]] == [["long.bin"], []]
    assert [f["requests"] for f in document["folders"]] == [2, 0]
    assert document["requests"] == 2
    assert document["folders"][1]["error"] == "not tried: the run was stopped"
    nothing_is_lost(service)


def test_a_signal_ends_a_wait_for_the_quota_at_once(service: Service) -> None:
    service.old("first.bin")
    service.fault("status_before", method="GET", status=402)
    with service.errors.open("ab") as errors:
        process = subprocess.Popen(
            [sys.executable, "-m", "syncd", "--once", "--wait", "-c", str(service.config)],
            cwd=ROOT,
            env=environment(),
            stdout=errors,
            stderr=errors,
        )
    until(lambda: "goes on at" in service.errors.read_text())
    process.terminate()
    assert process.wait(3) == 75


def test_ctrl_c_restores_the_terminal_and_reports_the_finished_actions(
    service: Service,
) -> None:
    service.api |= {"connections": 1}
    long_upload(service)
    for number in range(10):
        service.write(f"small {number}")
    service.write("z.bin", "x" * 20_000_000)
    service.server.faults[:] = [Fault("hang", method="POST", skip=1, after_bytes=100_000)]
    terminal = Terminal("--once", "-c", str(service.config))
    terminal.shows(lambda _: service.server.count("POST") >= 2)
    terminal.process.send_signal(signal.SIGINT)
    terminal.shows(lambda text: "stopping: " in text, patience=2.0)
    began = time.monotonic()
    code, text = terminal.ended()
    assert code == 130
    assert time.monotonic() - began < UPLOAD_GRACE + 2
    assert text.rindex("\x1b[?25h") > text.rindex("\x1b[?25l"), "the cursor is there again"
    assert text.count("small 3") == 1, text
    assert text.count("stopped in the middle of a request") == 1, text
    assert "2 actions left for a later run" in text, "the two large ones"


@pytest.mark.parametrize("command", [("check",), ("list",)])
@pytest.mark.parametrize(("before", "code"), [(AS_PID_1, 143), ((), -signal.SIGTERM)])
def test_sigterm_ends_every_command(
    service: Service, command: Sequence[str], before: Sequence[str], code: int
) -> None:
    if before and not may_unshare():
        pytest.skip("no namespaces here")
    service.api |= {"timeout": "30s"}
    service.configure()
    service.fault("hang", method="GET", times=None)
    run = start(service, *command, before=before, method="GET")
    run.signal(signal.SIGTERM)
    assert run.process.wait(3) == code
    assert "interrupted" in run.said()
