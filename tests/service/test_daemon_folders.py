"""The service with folders that appear, leave or are links, and with injected failures."""

from __future__ import annotations

import ctypes
import os
import shutil
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

from syncd.config import Config
from tests.service.test_watcher_limits import lower, namespaces
from tests.support.service import Service, environment, until


@pytest.fixture
def each(service: Service) -> Service:
    parent = service.base / "focus"
    (parent / "4711 Logo").mkdir(parents=True)
    (parent / "notes").mkdir()
    (parent / "4711 Logo" / "a.txt").write_text("a")
    service.entries = [{"each": str(parent)}]
    service.configure(settle="100ms")
    service.start()
    service.holds("a.txt", task_id=4711)
    return service


def test_a_subfolder_that_appears_is_synced(each: Service) -> None:
    fresh = each.base / "focus" / "4712-Site"
    fresh.mkdir()
    (fresh / "b.txt").write_text("b")
    each.holds("b.txt", task_id=4712)
    each.in_sync("4712-Site")
    (fresh / "c.txt").write_text("c")
    each.holds("b.txt", "c.txt", task_id=4712)


def test_a_folder_with_too_many_files_sends_nothing_until_there_are_fewer(
    service: Service,
) -> None:
    for name in "abc":
        service.write(name)
    service.configure(settle="100ms", max_files=2)
    service.start()
    service.says("WARNING", "more than 2 files to sync, and max_files is 2")
    service.rescanned(3)
    assert service.calls() == []
    assert "max_files is 2" in service.run("status").out
    (service.root / "b").unlink()
    service.holds("a", "c")
    service.in_sync()


def test_a_subfolder_that_leaves_is_logged_once_and_its_attachments_stay(each: Service) -> None:
    (each.base / "focus" / "4711 Logo").rename(each.base / "gone")
    each.says("WARNING", "4711 Logo left", "1 attachment stay")
    until(lambda: not each.row("4711 Logo"))
    each.mark()
    each.rescanned(3)
    assert len(each.lines("left: ")) == 1
    assert each.names(4711) == ["a.txt"]
    assert each.calls() == []
    assert "4711 Logo left" in each.run("status").out
    # It comes back, and is taken up again without an upload.
    (each.base / "gone").rename(each.base / "focus" / "4711 Logo")
    each.in_sync("4711 Logo")
    assert [c for c in each.calls() if c != "GET list"] == []


def test_a_second_subfolder_for_a_task_is_an_error_and_the_first_stays_synced(
    each: Service,
) -> None:
    rival = each.base / "focus" / "4711 A"
    rival.mkdir()
    (rival / "other.txt").write_text("other")
    until(lambda: each.row("4711 A").get("state") == "error")
    assert "fed by" in each.row("4711 A")["error"]
    (each.base / "focus" / "4711 Logo" / "b.txt").write_text("b")
    each.holds("a.txt", "b.txt", task_id=4711)
    shutil.rmtree(rival)
    until(lambda: not each.row("4711 A"))


def test_no_subfolder_counts_as_gone_while_its_parent_cannot_be_read(each: Service) -> None:
    (each.base / "focus").rename(each.base / "away")
    until(lambda: each.row("focus").get("state") == "error")
    (each.base / "away").rename(each.base / "focus")
    each.in_sync("4711 Logo")
    assert not each.lines("left: ")
    assert each.names(4711) == ["a.txt"]


def test_a_linked_folder_is_resolved_at_every_cycle(service: Service) -> None:
    one, two = service.base / "one", service.base / "two"
    one.mkdir()
    two.mkdir()
    (one / "a.txt").write_text("a")
    (two / "b.txt").write_text("b")
    link = service.base / "link"
    link.symlink_to(one)
    service.entries = [{"path": str(link), "task_id": 789}]
    service.configure()
    service.start()
    service.holds("a.txt")
    (one / "c.txt").write_text("c")
    service.holds("a.txt", "c.txt")
    fresh = service.base / "fresh"
    fresh.symlink_to(two)
    fresh.rename(link)
    service.holds("a.txt", "b.txt", "c.txt")  # another folder: nothing of the old one is deleted
    until(lambda: service.row("link").get("state") == "held")


@pytest.mark.parametrize("case", ["threads_die", "no_watches", "cycle_raises", "turn_raises"])
def test_the_service_survives_a_failure_injected_into_its_process(
    case: str, service: Service
) -> None:
    """A launcher breaks something in the process before it starts the service."""
    alone = case == "no_watches"
    if alone and not namespaces():
        pytest.skip("user namespaces are not allowed here")
    service.old("a.txt")
    command = ["unshare", "-Urm"] if alone else []
    command += [sys.executable, "-m", "tests.service.test_daemon_folders", case]
    with service.errors.open("ab") as errors:
        service.process = subprocess.Popen(
            [*command, str(service.config)],
            cwd=Path(__file__).parents[2],
            env=environment({}),
            stdout=errors,
            stderr=errors,
        )
    CASES[case][1](service)


def break_threads() -> None:
    """The thread that reads events dies when the service gets SIGUSR2."""

    def kill(*_: object) -> None:
        for thread in threading.enumerate():
            if "inotify" in type(thread).__name__.lower():
                ident = ctypes.c_ulong(thread.ident or 0)
                ctypes.pythonapi.PyThreadState_SetAsyncExc(ident, ctypes.py_object(SystemExit))

    signal.signal(signal.SIGUSR2, kill)


def check_threads(service: Service) -> None:
    service.settled("a.txt")

    def poked() -> bool:
        service.signal(signal.SIGUSR2)
        service.write("litter.tmp")  # the thread dies when it next has something to do
        return bool(service.lines("WARNING", "started anew"))

    until(poked)
    service.write("b.txt")
    service.holds("a.txt", "b.txt")
    until(lambda: service.status().get("restarts", 0) >= 1)
    service.write("c.txt")
    service.holds("a.txt", "b.txt", "c.txt")
    assert service.row()["watch"] == "watching"


def break_watches() -> None:
    lower("watches", 0)


def check_watches(service: Service) -> None:
    service.settled("a.txt")
    until(lambda: service.row()["watch"] == "scanning")
    assert "max_user_watches" in service.row()["watch_reason"]
    assert len(service.lines("WARNING", "sudo sysctl fs.inotify.max_user_watches=")) == 1
    service.write("b.txt")
    service.holds("a.txt", "b.txt")
    assert len(service.lines("WARNING")) == 1


def break_cycles() -> None:
    from syncd.engine.observe import Observer

    honest = Observer.observe

    def observe(self: Observer, *arguments: Any) -> Any:
        if os.path.exists(os.path.join(self._folder.path, "trap")):
            raise ZeroDivisionError("a trap")
        return honest(self, *arguments)

    Observer.observe = observe  # type: ignore[method-assign]


def check_cycles(service: Service) -> None:
    service.settled("a.txt")
    service.write("trap")
    until(lambda: "ZeroDivisionError" in (service.row().get("error") or ""))
    for _ in range(3):
        service.signal(signal.SIGUSR1)
        service.rescanned(1)
    assert len(service.lines("WARNING", "unexpected ZeroDivisionError: a trap")) == 1
    (service.root / "trap").unlink()
    service.write("b.txt")
    service.signal(signal.SIGUSR1)
    service.holds("a.txt", "b.txt")
    service.says("landing: in order again")


def break_turns() -> None:
    from syncd.errors import StateError
    from syncd.service import daemon

    honest = daemon.find_folders

    def find_folders(config: Config, *rest: Any) -> Any:
        if os.path.exists(os.path.join(config.entries[0].path, "trap.tmp")):
            raise StateError("the ledger is not to be had")
        return honest(config, *rest)

    daemon.find_folders = find_folders


def check_turns(service: Service) -> None:
    service.settled("a.txt")
    service.write("trap.tmp")
    for _ in range(2):
        service.signal(signal.SIGUSR1)
        service.says("ERROR", "the ledger is not to be had; going on")
    (service.root / "trap.tmp").unlink()
    service.write("b.txt")
    service.holds("a.txt", "b.txt")
    assert len(service.lines("ERROR")) == 1


CASES = {
    "turn_raises": (break_turns, check_turns),
    "threads_die": (break_threads, check_threads),
    "no_watches": (break_watches, check_watches),
    "cycle_raises": (break_cycles, check_cycles),
}


if __name__ == "__main__":
    from syncd.cli.main import main

    CASES[sys.argv[1]][0]()
    sys.exit(main(["-c", sys.argv[2]]))
