"""A key that is refused: at the start, while running, and what happens when there is a new one."""

from __future__ import annotations

import signal

import pytest

from tests.support.commands import KEY
from tests.support.service import Service, until

NEW = "toggl_sk_" + "a" * 32


@pytest.fixture
def keyed(service: Service) -> Service:
    service.quirks.key = KEY
    return service


def paused(service: Service) -> bool:
    row = service.row()
    return row.get("state") == "paused" and "key was refused" in row["reason"]


def test_a_key_refused_while_running_pauses_and_a_new_one_resumes(keyed: Service) -> None:
    keyed.start().settled()
    keyed.quirks.key = NEW
    keyed.write("a.txt")
    until(lambda: paused(keyed))
    status = keyed.run("status", "--json")
    assert status.code == 75
    assert status.json["folders"][0]["state"] == "paused"
    keyed.mark()
    keyed.write("b.txt")
    keyed.rescanned()
    assert keyed.calls() == [], "changes are collected, nothing is sent"
    keyed.set_key(NEW)
    keyed.holds("a.txt", "b.txt")
    keyed.in_sync()
    assert len(keyed.lines("ERROR", "the key was refused")) == 1
    assert keyed.lines("there is a new key: going on")
    assert NEW not in keyed.errors.read_text()


def test_a_key_that_was_renewed_before_its_predecessor_ended_is_taken_at_once(
    keyed: Service,
) -> None:
    keyed.configure(rescan="1h")
    keyed.start().settled()
    keyed.set_key(NEW)
    keyed.quirks.key = NEW
    keyed.write("a.txt")
    keyed.holds("a.txt")


def test_a_key_refused_at_the_start_that_never_worked_is_77(keyed: Service) -> None:
    keyed.quirks.key = NEW
    assert keyed.start().wait() == 77
    assert keyed.lines("ERROR", "401")
    assert keyed.server.count() == 1


def test_though_the_first_folder_cannot_be_read(keyed: Service) -> None:
    keyed.quirks.key = NEW
    keyed.entries[0]["path"] = str(keyed.base / "missing")
    keyed.folder("other", 790)
    assert keyed.start().wait() == 77


def test_a_source_that_worked_once_is_waited_for_at_the_start(keyed: Service) -> None:
    keyed.start().settled()
    assert keyed.stop() == 0
    keyed.quirks.key = NEW
    keyed.write("a.txt")
    keyed.start()
    until(lambda: paused(keyed))
    keyed.set_key(NEW)
    keyed.holds("a.txt")


def test_a_source_counts_as_working_only_after_an_answer(keyed: Service) -> None:
    """Offline at the first start, the service stays; its key is refused at the next one."""
    keyed.sandbox.stop()
    keyed.start()
    keyed.says("WARNING", "offline")
    assert keyed.stop() == 0
    keyed.sandbox.start()
    keyed.quirks.key = NEW
    assert keyed.start().wait() == 77


def test_sighup_takes_a_new_key_too(keyed: Service) -> None:
    keyed.configure(rescan="1h")
    keyed.start().settled()
    keyed.quirks.key = NEW
    keyed.write("a.txt")
    until(lambda: paused(keyed))
    other = keyed.base / "other"
    other.write_text(NEW)
    other.chmod(0o600)
    keyed.api["token_file"] = str(other)
    keyed.configure()
    keyed.signal(signal.SIGHUP)
    keyed.holds("a.txt")


def test_a_broken_key_file_is_no_reason_to_stop(keyed: Service) -> None:
    keyed.start().settled()
    keyed.quirks.key = NEW
    keyed.write("a.txt")
    until(lambda: paused(keyed))
    keyed.token.write_text("")
    keyed.says("WARNING", "token")
    keyed.token.unlink()
    keyed.rescanned()
    assert keyed.runs()
    keyed.set_key(NEW)
    keyed.holds("a.txt")


def test_a_key_that_ends_during_the_first_cycle_has_worked(keyed: Service) -> None:
    """The list was answered: the source is good, and the service waits for a new key."""
    keyed.old("a.txt")
    keyed.fault("status_before", method="POST", status=401, times=None)
    keyed.start()
    until(lambda: paused(keyed))
    keyed.server.faults.clear()
    keyed.set_key(NEW)
    keyed.quirks.key = None
    keyed.holds("a.txt")


def test_a_source_that_worked_for_once_has_worked(keyed: Service) -> None:
    keyed.old("a.txt")
    assert keyed.run("--once").code == 0
    keyed.quirks.key = NEW
    keyed.write("b.txt")
    keyed.start()
    until(lambda: paused(keyed))
