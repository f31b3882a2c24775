"""The service under quota, with a failing server and with none, and how it recovers."""

from __future__ import annotations

import os
import signal
import time

import pytest

from tests.support.service import Service, until


def refused_per_window(service: Service, window: float) -> list[int]:
    """How many 402s there were in each of the server's windows, which open with a request."""
    counts, opened = [0], service.server.log[0].time
    for entry in service.server.log:
        if entry.time - opened >= window:
            counts, opened = [*counts, 0], entry.time
        counts[-1] += entry.status == 402
    return counts


@pytest.mark.parametrize(("files", "reserve"), [(30, 0), (15, 2)])
def test_a_quota_of_eight_requests_is_enough_for_many_more_files(
    files: int, reserve: int, service: Service
) -> None:
    """It takes several windows; in none of them is a request sent after its first 402."""
    service.quirks.quota, service.quirks.quota_window = 8, 2
    service.api |= {"quota": None, "quota_reserve": reserve, "max_batch_bytes": 1}
    service.configure(order="name")
    names = [f"{number:02}.txt" for number in range(files)]
    service.old(*names)
    service.start()
    until(lambda: len(service.rows()) == files, patience=40)
    until(lambda: service.row()["state"] == "in sync", patience=20)
    assert service.names() == names
    assert max(refused_per_window(service, 2)) <= 1


def test_a_pause_for_the_quota_survives_a_restart(service: Service) -> None:
    service.quirks.quota = 3
    service.api |= {"quota": None, "quota_reserve": 0}
    service.old("a.txt", "b.txt")
    service.start()
    service.holds("a.txt", "b.txt")
    service.in_sync()
    service.write("c.txt")
    service.server.spend(123)
    service.signal(signal.SIGUSR1)
    until(lambda: service.row().get("state") == "paused")
    assert "quota" in service.row()["reason"]
    assert service.stop() == 0
    service.mark()
    service.start()
    until(lambda: service.status().get("pid") and service.row().get("state") == "paused")
    service.rescanned()
    assert service.calls() == []
    assert service.status()["quota"]["paused_until"] is not None
    assert service.run("status").code == 75


@pytest.mark.parametrize(
    ("kind", "settings"), [("429", {"retry_after": "3600"}), ("status_before", {})]
)
def test_a_failing_server_delays_one_folder_and_not_the_others(
    kind: str, settings: dict[str, object], service: Service
) -> None:
    other = service.folder("other", 790)
    service.start().settled()
    service.in_sync("other")
    service.fault(kind, match=lambda _, path: "/789/" in path, times=None, **settings)
    service.write("a.txt")
    until(lambda: service.row().get("error"))
    (other / "b.txt").write_text("b")
    service.holds("b.txt", task_id=790)
    service.in_sync("other")
    if kind == "429":
        assert service.row()["next_cycle"] > service.row("other")["last_cycle"]
        return
    service.server.faults.clear()
    service.holds("a.txt")
    service.in_sync()
    assert len(service.lines("landing", "in order again")) == 1


def test_an_outage_is_one_warning_and_its_end_one_line_and_one_cycle(service: Service) -> None:
    service.old("a.txt")
    service.start().settled("a.txt")
    service.sandbox.stop()
    service.write("a.txt", "a first change")
    service.says("WARNING", "offline")
    for number in range(4):
        service.write("a.txt", f"and change number {number}")
        service.rescanned(1)
    (service.root / "a.txt").rename(service.root / "b.txt")
    service.mark()
    service.sandbox.start()
    service.holds("b.txt")
    service.in_sync()
    service.rescanned()
    assert len(service.lines("offline")) == 1
    assert len(service.lines("online again")) == 1
    assert len(service.calls()) <= 4, service.calls()
    assert service.calls().count("POST single") == 1
    assert service.rows()[0].size == len("and change number 3")


def test_a_refused_file_does_not_stop_the_others(service: Service) -> None:
    service.quirks.poison = lambda name: name == "bad.txt"
    service.old("a.txt", "bad.txt", "c.txt")
    service.start()
    service.holds("a.txt", "c.txt")
    until(lambda: service.row().get("state") == "error")
    assert [f["name"] for f in service.row()["failed"]] == ["bad.txt"]
    service.mark()
    service.rescanned()
    assert service.calls() == []
    service.quirks.poison = None
    service.write("bad.txt", "good now")
    service.holds("a.txt", "bad.txt", "c.txt")
    service.in_sync()


def test_sixty_thousand_files_made_at_once_are_all_planned(service: Service) -> None:
    """The kernel loses most of their events; the scan loses none."""
    service.api |= {"quota": 1, "quota_reserve": 0}  # spent on the first list
    service.configure(max_files=0)
    service.start()
    service.in_sync()
    for number in range(60_000):
        os.close(os.open(service.root / f"{number:05}", os.O_CREAT | os.O_WRONLY))
    newest = os.stat(service.root / "59999").st_ctime
    until(lambda: time.time() > newest + 0.25, "what was just written is left alone")
    service.signal(signal.SIGUSR1)  # pacing would wait
    until(lambda: service.row().get("pending"), patience=40)
    assert service.row()["state"] == "paused"
    assert service.row()["pending"] == 60_000
    assert service.rows() == []


def test_a_malformed_list_of_every_task_does_not_end_the_service(service: Service) -> None:
    service.quirks.list_body = lambda: b'{"items": 17}'
    other = service.folder("other", 790)
    service.start()
    until(lambda: service.row().get("error"))
    assert service.runs()
    service.quirks.list_body = None
    (other / "a.txt").write_text("x")
    service.signal(signal.SIGUSR1)
    service.holds("a.txt", task_id=790)


@pytest.mark.parametrize("how", ["lost", "damaged"])
def test_a_ledger_lost_or_damaged_while_the_service_runs_is_begun_anew(
    how: str, service: Service
) -> None:
    service.old("a.txt")
    service.start().settled("a.txt")
    path = service.state / "ledger.db"
    if how == "lost":
        path.unlink()
    else:
        path.write_bytes(b"no database" * 1000)
    service.write("b.txt")
    service.holds("a.txt", "b.txt")
    until(lambda: service.row()["state"] == "in sync", patience=30)
    assert sorted(service.names()) == ["a.txt", "b.txt"]
