"""sd_notify over real unix sockets."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from syncd.service.sdnotify import Notifier


@pytest.fixture
def systemd(tmp_path: Path) -> Iterator[socket.socket]:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
        listener.bind(str(tmp_path / "notify"))
        listener.settimeout(5)
        yield listener


def notifier(listener: socket.socket, **more: str) -> Notifier:
    return Notifier({"NOTIFY_SOCKET": str(listener.getsockname()), **more})


def heard(listener: socket.socket) -> str:
    return listener.recv(4096).decode()


def test_ready_stopping_and_watchdog_are_one_datagram_each(systemd: socket.socket) -> None:
    notify = notifier(systemd)
    notify.ready()
    notify.watchdog()
    notify.stopping()
    assert [heard(systemd) for _ in range(3)] == ["READY=1", "WATCHDOG=1", "STOPPING=1"]


def test_reloading_carries_the_monotonic_time_of_now(systemd: socket.socket) -> None:
    before = time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000
    notifier(systemd).reloading()
    first, second = heard(systemd).split("\n")
    assert first == "RELOADING=1"
    name, value = second.split("=")
    assert name == "MONOTONIC_USEC"
    assert before <= int(value) <= time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("2 folders in sync", "2 folders in sync"),
        ("a\nREADY=1\r\n\tb\x1b[31m\x7f\u2028c", "a READY=1 b [31m c"),
        ("x" * 200, "x" * 200),
        ("x" * 201, "x" * 199 + "…"),
        ("Müller \ud800", "Müller ?"),
        ("", ""),
    ],
)
def test_a_status_is_one_clean_line_of_at_most_200_characters(
    systemd: socket.socket, text: str, line: str
) -> None:
    notifier(systemd).status(text)
    assert heard(systemd) == f"STATUS={line}"


def test_an_abstract_socket_is_named_with_an_at_sign() -> None:
    name = f"syncd-test-{os.getpid()}"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
        listener.bind(b"\0" + name.encode())
        listener.settimeout(5)
        Notifier({"NOTIFY_SOCKET": f"@{name}"}).ready()
        assert heard(listener) == "READY=1"


@pytest.mark.parametrize(
    "address", ["", "@", "/", "relative", "vsock:2:1234", "/no/such/socket", "/" + "x" * 200]
)
def test_without_a_usable_socket_nothing_is_said_and_nothing_raised(address: str) -> None:
    notify = Notifier({"NOTIFY_SOCKET": address} if address else {})
    notify.ready()
    notify.status("x")
    notify.reloading()
    notify.watchdog()
    notify.stopping()


def test_a_listener_that_does_not_read_never_makes_us_wait(systemd: socket.socket) -> None:
    notify = notifier(systemd)
    began = time.monotonic()
    for _ in range(5000):
        notify.watchdog()
    assert time.monotonic() - began < 2


def test_a_listener_that_went_away_is_no_error(systemd: socket.socket) -> None:
    notify = notifier(systemd)
    notify.ready()
    systemd.close()
    notify.ready()


@pytest.mark.parametrize(
    ("usec", "pid", "interval"),
    [
        ("30000000", "", 15.0),
        ("30000000", "ours", 15.0),
        ("30000000", "1", None),
        ("30000000", "rubbish", None),
        ("0", "", None),
        ("-5", "", None),
        ("soon", "", None),
        ("²", "", None),
        ("", "", None),
    ],
)
def test_the_watchdog_is_fed_twice_as_often_as_asked_and_only_by_the_process_that_is_meant(
    systemd: socket.socket, usec: str, pid: str, interval: float | None
) -> None:
    notify = notifier(
        systemd, WATCHDOG_USEC=usec, WATCHDOG_PID=pid.replace("ours", str(os.getpid()))
    )
    assert notify.watchdog_interval == interval


def test_a_watchdog_without_a_socket_asks_for_nothing() -> None:
    assert Notifier({"WATCHDOG_USEC": "1000000"}).watchdog_interval is None


def test_child_processes_inherit_none_of_the_variables(
    systemd: socket.socket, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NOTIFY_SOCKET", str(systemd.getsockname()))
    monkeypatch.setenv("WATCHDOG_USEC", "2000000")
    monkeypatch.setenv("WATCHDOG_PID", str(os.getpid()))
    notify = Notifier()
    code = "import os; print([n for n in os.environ if n.startswith(('NOTIFY_', 'WATCHDOG_'))])"
    child = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert child.stdout.strip() == "[]"
    assert notify.watchdog_interval == 1.0
    notify.ready()
    assert heard(systemd) == "READY=1"
