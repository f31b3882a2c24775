"""A file that is still being written delays no other file and costs no request."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.support.service import Service, until

SETTLE = 1.0
A_FEW_SECONDS = 8.0
ADDED = ["POST single", "GET list"]


@contextmanager
def written_without_pause(path: Path) -> Iterator[None]:
    """A program appends to a file all the time, until this ends."""
    over = threading.Event()

    def write() -> None:
        with path.open("a") as file:
            while not over.wait(0.05):
                file.write("one more line\n")
                file.flush()

    writer = threading.Thread(target=write)
    writer.start()
    try:
        yield
    finally:
        over.set()
        writer.join()


@pytest.fixture
def busy(service: Service) -> Service:
    """A service with one file in sync; only events tell it of changes."""
    service.configure(settle=f"{SETTLE}s", rescan="1h", ignore=["cache"])
    service.write("a.txt")
    service.start().settled("a.txt")
    return service


def test_a_quiet_file_is_sent_while_another_is_still_written(busy: Service) -> None:
    with written_without_pause(busy.root / "log.txt"):
        until(lambda: "log.txt" in (busy.row().get("reason") or ""))
        assert busy.calls() == []
        busy.write("b.txt", "new")
        until(lambda: "b.txt" in busy.names(), "b.txt", A_FEW_SECONDS)
        until(lambda: busy.calls() == ADDED)
        (busy.root / "a.txt").unlink()
        until(lambda: "a.txt" not in busy.names(), "no a.txt", A_FEW_SECONDS)
        until(lambda: busy.row()["state"] == "pending")
        assert busy.calls() == [*ADDED, "DELETE one"], "nothing was asked on the log's account"
    busy.holds("b.txt", "log.txt")
    busy.in_sync()
    assert busy.calls() == [*ADDED, "DELETE one", *ADDED]
    assert busy.rows()[-1].size == (busy.root / "log.txt").stat().st_size


def test_a_quiet_file_is_sent_while_an_ignored_one_is_written(busy: Service) -> None:
    with written_without_pause(busy.root / "cache"):
        busy.write("b.txt")
        until(lambda: "b.txt" in busy.names(), "b.txt", A_FEW_SECONDS)
        until(lambda: busy.calls() == ADDED)
    busy.in_sync()
    assert busy.calls() == ADDED


@pytest.mark.parametrize("spent", [0, 12], ids=["new window", "first third spent"])
def test_a_file_saved_right_before_the_start_is_sent_as_soon_as_it_is_quiet(
    service: Service, spent: int
) -> None:
    service.quirks.quota, service.quirks.quota_window = 30, 3600
    service.api["quota"] = None
    service.configure(settle="2s", rescan="1h")
    service.server.spend(123, spent)
    service.write("a.txt")
    service.start()
    until(lambda: service.names() == ["a.txt"], "a.txt", A_FEW_SECONDS)
    until(lambda: len(service.calls()) == 3)
    assert service.calls() == ["GET list", *ADDED], "one list tells of both cycles"


def test_a_folder_moved_away_is_in_error_before_the_next_rescan(busy: Service) -> None:
    busy.root.rename(busy.base / "elsewhere")
    until(lambda: busy.row().get("state") == "error", "error", A_FEW_SECONDS)
    assert str(busy.root) in busy.row()["error"]
    (busy.base / "elsewhere").rename(busy.root)
    until(lambda: busy.row().get("state") == "in sync", "in sync", A_FEW_SECONDS)
    assert busy.calls() == []
    busy.write("b.txt")
    until(lambda: "b.txt" in busy.names(), "b.txt", A_FEW_SECONDS)
