"""Simulated hours and days of the worker: when its cycles run and how many requests they send.

Files count as quiet at once: their ctime is of today, while the simulated clock is of 2033.
"""

from __future__ import annotations

import itertools
import logging
from collections import Counter
from hashlib import sha256
from pathlib import Path

import pytest

from syncd.core.snapshot import Snapshot
from syncd.engine.observe import Observer
from syncd.engine.report import LATER
from syncd.errors import StateError
from syncd.log import RepeatFilter
from syncd.service.next_cycle import LONGEST_PACE
from syncd.service.schedule import LONGEST_RETRY
from syncd.state.database import Database
from syncd.task_state import Refusal
from tests.support.faults import Fault
from tests.support.simulated import RESCAN, Simulation

HOUR, DAY, YEAR = 3_600.0, 86_400.0, 365 * 86_400.0


@pytest.fixture
def sim(tmp_path: Path) -> Simulation:
    return Simulation(tmp_path)


def per_hour(sim: Simulation, since: int = 0) -> Counter[int]:
    start = sim.server.log[0].time
    return Counter(int((entry.time - start) // HOUR) for entry in sim.server.log[since:])


def test_twenty_idle_folders_use_a_fifth_of_the_quota_in_a_day(sim: Simulation) -> None:
    sim.folders(20)
    sim.pass_by(HOUR)
    first = sim.requests()
    assert first == 20
    sim.pass_by(DAY)
    assert sim.requests() - first <= 24 * 30 / 5
    assert all(entry.status == 200 for entry in sim.server.log)
    assert all(w.report is not None and w.report.in_sync for w in sim.worker.folders.values())


def test_an_idle_folder_alone_is_listed_once_an_hour(sim: Simulation) -> None:
    sim.folders(1)
    sim.pass_by(DAY)
    assert 24 <= sim.requests() <= 25


def test_a_file_saved_every_five_seconds_stays_within_the_quota_and_ends_in_sync(
    sim: Simulation,
) -> None:
    sim.folders(1)
    versions = iter(range(10_000))
    sim.pass_by(HOUR, every=5.0, then=lambda: sim.write("log.txt", f"version {next(versions)}"))
    assert not [e for e in sim.server.log if e.status == 402]
    assert sim.requests() <= 30
    assert sum(e.method == "POST" for e in sim.server.log) >= 3, "pacing does not delay it for ever"
    sim.pass_by(HOUR)
    last = f"version {next(versions) - 1}".encode()
    assert [row.sha256 for row in sim.rows()] == [sha256(last).hexdigest()]


def test_the_first_change_after_a_quiet_time_is_sent_without_delay(sim: Simulation) -> None:
    sim.folders(1)
    sim.pass_by(HOUR / 2)
    sim.write("a.txt", "x")
    sim.pass_by(3.0)
    assert [row.name for row in sim.rows()] == ["a.txt"]


def versions_in_time(sim: Simulation, count: int) -> list[int]:
    """Save a file so often, a few seconds apart; which of the versions went out at once."""
    at_once = []
    for version in range(count):
        sim.write("a.txt", f"version {version}")
        sim.pass_by(3.0)
        if [row.size for row in sim.rows()] == [len(f"version {version}")] and [
            row.sha256 for row in sim.rows()
        ] == [sha256(f"version {version}".encode()).hexdigest()]:
            at_once.append(version)
    return at_once


def test_the_first_third_of_a_window_is_spent_without_waiting(sim: Simulation) -> None:
    sim.folders(1)
    sim.pass_by(10.0)
    # 1 list, then 2 requests for the new file, 3 for each version: 9, 12.
    assert versions_in_time(sim, 6) == [0, 1, 2, 3]
    assert sim.requests() == 12
    sim.pass_by(LONGEST_PACE)
    assert sim.requests() == 15, "pacing delays it by ten minutes at most"
    sim.pass_by(HOUR)
    assert versions_in_time(sim, 3) == [0, 1, 2], "a new window begins anew"


def test_requests_of_other_programs_count_against_the_first_third_of_a_window(
    sim: Simulation,
) -> None:
    sim.server.spend(1, 12)
    sim.folders(1)
    sim.pass_by(10.0)
    sim.pass_by(LONGEST_PACE)
    assert versions_in_time(sim, 3) == [0]


def test_a_file_saved_by_deleting_it_is_never_deleted_from_the_task(sim: Simulation) -> None:
    """Another file changes all the time, so that a scan may fall between delete and save."""
    sim.folders(1)
    sim.write("a.txt", "content")
    sim.pass_by(10.0)
    before, ticks = sim.requests(), itertools.count()

    def busy() -> None:
        sim.write("other.tmp", "an ignored file")
        tick = next(ticks) % 7
        if tick == 0:
            sim.remove("a.txt")
        elif tick == 2:
            sim.write("a.txt", "content")

    sim.pass_by(0.5 * 7 * 40, every=0.5, then=busy)
    assert sim.requests() == before
    sim.write("a.txt", "content")
    sim.pass_by(30.0, every=0.5, then=lambda: sim.write("other.tmp", "an ignored file"))
    sim.remove("a.txt")
    sim.pass_by(8.0, every=0.5, then=lambda: sim.write("other.tmp", "an ignored file"))
    assert sim.rows() == [], "a deleted file is gone within a few seconds"


def test_a_remembered_list_keeps_its_age_over_a_restart(sim: Simulation) -> None:
    sim.folders(20)
    sim.pass_by(HOUR)
    before = sim.requests()
    sim.restart()
    sim.pass_by(60.0)
    assert sim.requests() == before
    # The next refreshes come when they would have come without the restart.
    sim.pass_by(20 * 5 / 30 * HOUR)
    assert sim.requests() - before == 20


@pytest.mark.parametrize("jump", [YEAR, -YEAR], ids=["ahead", "back"])
def test_a_clock_that_is_set_neither_stops_nor_multiplies_cycles(
    jump: float, sim: Simulation
) -> None:
    sim.folders(3)
    sim.pass_by(HOUR)
    sim.write("a.txt", "x")
    sim.pass_by(HOUR)
    before = sim.requests()
    sim.jump(jump)
    sim.pass_by(2 * HOUR)
    assert sim.requests() - before <= 3 * 2 + 3
    sim.write("b.txt", "y")
    sim.pass_by(700.0)
    assert sorted(row.name for row in sim.rows()) == ["a.txt", "b.txt"]
    before = sim.requests()
    sim.pass_by(DAY)
    assert 3 * 20 <= sim.requests() - before <= 24 * 30 / 5


@pytest.mark.parametrize("jump", [YEAR, -YEAR], ids=["ahead", "back"])
def test_a_clock_that_is_set_during_a_restart_neither_stops_nor_multiplies_cycles(
    jump: float, sim: Simulation
) -> None:
    sim.folders(2)
    sim.write("a.txt", "x")
    sim.pass_by(HOUR)
    sim.ledger.close()
    sim.jump(jump)
    sim.start()
    before = sim.requests()
    sim.write("b.txt", "y")
    sim.pass_by(900.0)
    assert sorted(row.name for row in sim.rows()) == ["a.txt", "b.txt"]
    assert sim.requests() - before <= 6


def test_a_402_without_a_reset_time_is_retried_at_growing_intervals(tmp_path: Path) -> None:
    sim = Simulation(tmp_path, quota_headers=False, quota=0)
    sim.folders(3)
    sim.pass_by(6 * HOUR)
    times = [entry.time - sim.server.log[0].time for entry in sim.server.log]
    minutes = [round(b - a) // 60 for a, b in itertools.pairwise(times)]
    assert minutes[:5] == [10, 20, 40, 60, 60], times
    sim.server.quirks.quota = 30
    sim.write("a.txt", "x")
    sim.pass_by(HOUR + 60)
    assert [row.name for row in sim.rows()] == ["a.txt"]


def test_a_402_with_a_reset_time_is_retried_only_after_the_reset(sim: Simulation) -> None:
    sim.folders(2)
    sim.pass_by(10.0)
    sim.server.spend(1, 28)
    sim.write("a.txt", "x")
    sim.pass_by(HOUR / 2)
    assert [e.status for e in sim.server.log].count(402) <= 1
    sim.pass_by(HOUR)
    assert [row.name for row in sim.rows()] == ["a.txt"]
    assert [e.status for e in sim.server.log].count(402) <= 1


def test_a_task_that_is_gone_is_retried_four_times_a_day(sim: Simulation) -> None:
    sim.folders(2)
    sim.server.quirks.task_gone, sim.server.quirks.gone_tasks = 404, frozenset({1})
    sim.pass_by(3 * DAY, every=HOUR, then=lambda: sim.write("a.txt", f"{sim.ran}"))
    asked = [e for e in sim.server.log if "/tasks/1/" in e.path]
    for day in range(3):
        start = sim.server.log[0].time + day * DAY
        assert sum(start < e.time <= start + DAY for e in asked) <= 4
    sim.server.quirks.task_gone = None
    sim.pass_by(DAY / 4 + 60)
    assert [row.name for row in sim.rows()] == ["a.txt"]


def test_a_refused_file_is_tried_again_though_nothing_changes(sim: Simulation) -> None:
    sim.folders(1)
    sim.server.quirks.poison = lambda name: name == "bad"
    sim.write("bad", "x")
    sim.pass_by(DAY)
    posts = [e.time for e in sim.server.log if e.method == "POST"]
    gaps = [b - a for a, b in itertools.pairwise(posts)]
    assert 8 <= len(posts) <= 14, gaps
    assert all(later >= earlier * 1.5 for earlier, later in itertools.pairwise(gaps[2:]))
    sim.server.quirks.poison = None
    sim.pass_by(DAY)
    assert [row.name for row in sim.rows()] == ["bad"]


def test_a_refused_key_is_probed_once_an_hour_for_all_folders(sim: Simulation) -> None:
    sim.folders(5)
    sim.server.quirks.key = "toggl_sk_" + "c" * 32
    sim.pass_by(12 * HOUR, every=600.0, then=lambda: sim.write("a.txt", f"{sim.ran}"))
    assert 11 <= sim.requests() <= 13
    assert max(per_hour(sim).values()) <= 2
    sim.server.quirks.key = None
    sim.pass_by(HOUR + 60)
    assert [row.name for row in sim.rows()] == ["a.txt"]
    assert not sim.worker.pause.key_refused
    assert all(w.report and w.report.in_sync for w in sim.worker.folders.values())


def test_a_new_key_is_tried_at_once(sim: Simulation) -> None:
    sim.folders(2)
    sim.server.quirks.key = "toggl_sk_" + "c" * 32
    sim.pass_by(60.0)
    sim.server.quirks.key = None
    sim.worker.key_changed()
    sim.pass_by(1.0)
    assert all(w.report and w.report.in_sync for w in sim.worker.folders.values())


def test_a_failing_server_is_retried_at_growing_intervals_until_it_recovers(
    sim: Simulation,
) -> None:
    sim.folders(2)
    sim.pass_by(60.0)
    before = sim.requests()
    broken = Fault("status_before", times=None, match=lambda _, path: "/tasks/1/" in path)
    sim.server.faults.append(broken)
    sim.write("a.txt", "x")
    sim.pass_by(12 * HOUR)
    asked = [e for e in sim.server.log[before:] if "/tasks/1/" in e.path]
    assert len(asked) <= 12 * 4 * 3 + 30
    assert sim.worker.folders[sim.targets[1].folder.task].report.in_sync  # type: ignore[union-attr]
    sim.server.faults.clear()
    sim.pass_by(LONGEST_RETRY + 60)
    assert [row.name for row in sim.rows()] == ["a.txt"]


def test_an_unreachable_server_is_retried_every_two_minutes_and_costs_no_quota(
    sim: Simulation,
) -> None:
    sim.folders(3)
    sim.pass_by(60.0)
    left = sim.worker.context.quota.left(1)
    sim.go_offline()
    for number in (1, 2, 3):
        sim.write("a.txt", "x", folder=number)
    sim.pass_by(HOUR / 2)
    assert sim.worker.pause.offline_failures in range(15, 20)
    assert sim.worker.context.quota.left(1) == left
    sim.go_online()
    sim.pass_by(700.0)
    assert [[row.name for row in sim.rows(n)] for n in (1, 2, 3)] == [["a.txt"]] * 3


def test_a_missing_folder_is_retried_at_each_rescan_and_costs_no_request(sim: Simulation) -> None:
    sim.folders(1)
    (sim.base / "folder1").rmdir()
    sim.pass_by(HOUR)
    assert sim.requests() == 0
    (sim.base / "folder1").mkdir()
    (sim.base / "folder1" / "a.txt").write_text("x")
    sim.pass_by(2 * RESCAN)
    assert [row.name for row in sim.rows()] == ["a.txt"]


def test_an_error_that_lasts_is_logged_once_an_hour_with_its_count() -> None:
    now = [0.0]
    repeats = RepeatFilter(lambda: now[0])
    told = []
    for minute in range(60 * 5):
        now[0] = minute * 60.0
        record = logging.LogRecord("syncd", logging.WARNING, "", 0, "offline", None, None)
        if repeats.filter(record):
            told.append((minute, record.__dict__["repeated"]))
    assert told == [(0, 1), (60, 60), (120, 60), (180, 60), (240, 60)]


def test_no_request_is_sent_while_the_ledger_cannot_be_written(
    sim: Simulation, monkeypatch: pytest.MonkeyPatch
) -> None:
    sim.folders(1)
    sim.write("a.txt", "content")
    sim.pass_by(60)
    before = sim.requests()

    def full(_: object) -> object:
        raise StateError("disk full")

    monkeypatch.setattr(Database, "transaction", full)
    sim.write("b.txt", "content")
    sim.pass_by(HOUR + 600)
    assert sim.requests() == before
    monkeypatch.undo()
    sim.pass_by(HOUR)
    assert len(sim.rows()) == 2


def test_a_cycle_that_fails_unexpectedly_reports_its_finished_actions(
    sim: Simulation, monkeypatch: pytest.MonkeyPatch
) -> None:
    sim.folders(1)
    sim.pass_by(60)
    sim.write("a.txt", "content")
    honest = Observer.observe

    def observe(self: Observer, *arguments: dict[str, Refusal]) -> Snapshot:
        if sim.rows():
            raise ZeroDivisionError("a trap")
        return honest(self, *arguments)

    monkeypatch.setattr(Observer, "observe", observe)
    sim.pass_by(5)
    (state,) = sim.worker.folders.values()
    assert state.report is not None
    assert (state.report.code, state.report.in_sync) == (LATER, False)
    assert "unexpected ZeroDivisionError: a trap" in (state.report.error or "")
    assert (state.report.created, state.report.requests) == (["a.txt"], 1)
    monkeypatch.undo()
    sim.pass_by(HOUR)
    assert state.report.in_sync


def test_folders_that_are_busy_at_the_same_time_share_the_quota(tmp_path: Path) -> None:
    """If each were paced as if it were alone, they would use up the quota in half the time."""
    sim = Simulation(tmp_path, quota=200, quota_window=HOUR)
    sim.folders(4)
    sim.pass_by(60)
    count = itertools.count()

    def save() -> None:
        for folder in range(1, 5):
            sim.write("a.txt", f"version {next(count)}", folder=folder)

    sim.pass_by(0.8 * HOUR, every=5.0, then=save)
    refused = [r for r in sim.server.log if r.status == 402]
    assert not refused
    assert 100 < sim.requests() <= 196
