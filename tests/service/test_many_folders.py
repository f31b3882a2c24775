"""What the service does per folder when it has many: counted, not timed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from syncd.errors import StateError
from syncd.local.watcher import Watcher
from syncd.model import FolderSnapshot
from syncd.overview.status_file import Status
from syncd.service import folder_state, status_writer
from syncd.service.exports import Exports
from syncd.service.next_cycle import LONGEST_PACE, _recent_senders
from syncd.service.schedule import Schedule
from syncd.service.sdnotify import Notifier
from syncd.service.status_writer import StatusWriter
from syncd.state.ledger import Ledger
from tests.support.simulated import Simulation

FOLDERS = 60


@pytest.fixture
def sim(tmp_path: Path) -> Simulation:
    sim = Simulation(tmp_path, quota=1_000_000)
    sim.folders(FOLDERS)
    return sim


@pytest.fixture
def written(monkeypatch: pytest.MonkeyPatch) -> list[Status]:
    """Every status that is written."""
    statuses: list[Status] = []
    monkeypatch.setattr(status_writer, "write_status", lambda _, status: statuses.append(status))
    return statuses


@pytest.fixture
def writer(sim: Simulation, written: list[Status]) -> Iterator[StatusWriter]:
    assert written == []
    watcher = Watcher(lambda _: None)
    nothing = {"has_outputs": False, "on_problem": ()}
    config = cast(Any, SimpleNamespace(file="config.yaml", state_dir=str(sim.state), **nothing))
    yield StatusWriter(config, sim.worker, watcher, Notifier({}))
    watcher.stop()


def states(status: Status) -> Counter[str]:
    return Counter(folder.state for folder in status.folders)


def test_every_due_time_is_computed_once_for_all_cycles_that_are_due(
    sim: Simulation, monkeypatch: pytest.MonkeyPatch
) -> None:
    computed = 0
    honest = Schedule.due_at

    def due_at(self: Schedule) -> float:
        nonlocal computed
        computed += 1
        return honest(self)

    monkeypatch.setattr(Schedule, "due_at", due_at)
    sim.worker.run_due()
    assert sim.requests() == FOLDERS
    assert computed == FOLDERS


def test_status_is_written_once_a_second_while_many_cycles_run(
    sim: Simulation, writer: StatusWriter, written: list[Status]
) -> None:
    def progress() -> None:
        sim.advance(0.05)  # a cycle takes 0.1 s
        writer.update(changed=True)

    sim.worker.on_change = progress
    sim.worker.run_due()
    assert FOLDERS * 0.1 - 1 <= len(written) <= FOLDERS * 0.1 + 1
    assert states(written[-1])["in sync"] > FOLDERS - 15


def test_a_change_within_a_second_is_written_when_the_second_is_over(
    sim: Simulation, writer: StatusWriter, written: list[Status]
) -> None:
    writer.update(changed=True)
    sim.worker.run_due()
    writer.update(changed=True)
    assert states(written[-1]) == {"pending": FOLDERS}
    sim.advance(writer.due_in())
    writer.update()
    assert states(written[-1]) == {"in sync": FOLDERS}
    assert writer.due_in() == float("inf")


def test_a_change_is_not_written_before_its_cycle_has_sent_its_first_request(
    sim: Simulation, writer: StatusWriter, written: list[Status]
) -> None:
    sim.worker.run_due()
    writer.update()
    sim.advance(60.0)
    sim.worker.on_change = lambda: writer.update(changed=True)
    sim.write("a.txt", "content")
    sim.pass_by(2.0)
    sim.worker.run_due()
    assert [row.name for row in sim.rows()] == ["a.txt"]
    assert len(written) == 1
    sim.advance(writer.due_in())
    writer.update()
    assert states(written[-1]) == {"in sync": FOLDERS}


def test_a_status_that_did_not_change_is_not_written_again(
    sim: Simulation, writer: StatusWriter, written: list[Status]
) -> None:
    sim.worker.run_due()
    for _ in range(10):
        writer.update(changed=True, at_once=True)
        sim.advance(5.0)
    assert len(written) == 1


def test_a_status_that_a_person_waits_for_is_written_at_once(
    sim: Simulation, writer: StatusWriter, written: list[Status]
) -> None:
    writer.update()
    sim.worker.run_due()
    writer.update(at_once=True)
    assert states(written[-1]) == {"in sync": FOLDERS}


def test_a_ledger_that_fails_while_page_and_metrics_are_made_is_begun_again(
    sim: Simulation,
    writer: StatusWriter,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    def fail(_: Ledger) -> bool:
        raise StateError("the ledger cannot be written")

    writer.config = cast(Any, SimpleNamespace(**{**vars(writer.config), "has_outputs": True}))
    monkeypatch.setattr(Ledger, "write_waiting", fail)
    monkeypatch.setattr(Exports, "show", lambda *_: None)
    writer.update_between_cycles(at_once=False)
    assert "the ledger cannot be written" in caplog.text
    assert all(state.ledger is None for state in sim.worker.folders.values())
    sim.worker.run_due()
    assert all(state.ledger is not None for state in sim.worker.folders.values())


def test_known_folders_are_not_loaded_again_when_the_folders_are_looked_up(
    sim: Simulation, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delattr(Ledger, "task")
    assert sim.worker.set_targets(sim.targets) == []
    assert sim.worker.set_targets(sim.targets[1:]) == []
    assert len(sim.worker.folders) == FOLDERS - 1


def test_a_ledger_is_loaded_once_for_all_cycles_of_a_folder(
    sim: Simulation, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delattr(Ledger, "task")
    sim.pass_by(10.0)
    sim.write("a.txt", "content")
    sim.pass_by(10.0)
    assert [row.name for row in sim.rows()] == ["a.txt"]


def test_a_folder_shares_the_quota_for_ten_minutes_after_it_sent_requests(sim: Simulation) -> None:
    first, second = list(sim.worker.folders.values())[:2]
    first.sent_at, second.sent_at = 0.0, 1.0
    folders = sim.worker.folders.values()
    assert _recent_senders(folders, 1, 3.0) == 2
    assert _recent_senders(folders, 2, 3.0) == 0, "another organization"
    assert _recent_senders(folders, 1, LONGEST_PACE + 0.5) == 1
    first.sent_at = None
    assert _recent_senders(folders, 1, 3.0) == 1, "its last cycle sent nothing"


def test_a_folder_in_which_nothing_moved_is_not_scanned_again(
    sim: Simulation, monkeypatch: pytest.MonkeyPatch
) -> None:
    sim.pass_by(10.0)
    scans = 0
    honest = folder_state.scan

    def scan(*arguments: Any) -> FolderSnapshot:
        nonlocal scans
        scans += 1
        return honest(*arguments)

    monkeypatch.setattr(folder_state, "scan", scan)
    for _ in range(5):
        sim.worker.rescan(everything=True)
    assert scans == 0
    (sim.base / "folder1" / "a.txt").write_text("no event tells of it")
    sim.worker.rescan(everything=True)
    assert scans == 1
    sim.pass_by(10.0)
    assert [row.name for row in sim.rows()] == ["a.txt"]
    for _ in range(5):
        sim.worker.rescan(everything=True)
    assert scans == 3, "one before the cycle, one for the first rescan after it"
