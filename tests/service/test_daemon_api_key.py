"""The service with a key that is refused, at the start or later, and with a new one."""

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


def test_a_key_refused_while_running_pauses_the_service_until_there_is_a_new_one(
    keyed: Service,
) -> None:
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


def test_a_key_renewed_before_the_old_one_ends_is_used_at_the_first_refusal(
    keyed: Service,
) -> None:
    keyed.configure(rescan="1h")
    keyed.start().settled()
    keyed.set_key(NEW)
    keyed.quirks.key = NEW
    keyed.write("a.txt")
    keyed.holds("a.txt")


def test_a_key_refused_at_the_start_whose_source_never_worked_exits_with_77(keyed: Service) -> None:
    keyed.quirks.key = NEW
    assert keyed.start().wait() == 77
    assert keyed.lines("ERROR", "401")
    assert keyed.server.count() == 1


def test_a_refused_key_exits_with_77_although_the_first_folder_cannot_be_read(
    keyed: Service,
) -> None:
    keyed.quirks.key = NEW
    keyed.entries[0]["path"] = str(keyed.base / "missing")
    keyed.folder("other", 790)
    assert keyed.start().wait() == 77


def test_a_key_refused_at_the_start_whose_source_worked_before_pauses_the_service(
    keyed: Service,
) -> None:
    keyed.start().settled()
    assert keyed.stop() == 0
    keyed.quirks.key = NEW
    keyed.write("a.txt")
    keyed.start()
    until(lambda: paused(keyed))
    keyed.set_key(NEW)
    keyed.holds("a.txt")


def test_a_key_source_has_worked_only_after_an_answer_of_the_server(keyed: Service) -> None:
    """Offline at the first start, the service stays; its key is refused at the next one."""
    keyed.sandbox.stop()
    keyed.start()
    keyed.says("WARNING", "offline")
    assert keyed.stop() == 0
    keyed.sandbox.start()
    keyed.quirks.key = NEW
    assert keyed.start().wait() == 77


def test_sighup_reads_the_key_of_a_new_token_file(keyed: Service) -> None:
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


def test_a_broken_token_file_does_not_end_the_service(keyed: Service) -> None:
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


def test_a_key_refused_after_the_first_list_pauses_the_service(keyed: Service) -> None:
    """The list was answered: the source is good, and the service waits for a new key."""
    keyed.old("a.txt")
    keyed.fault("status_before", method="POST", status=401, times=None)
    keyed.start()
    until(lambda: paused(keyed))
    keyed.server.faults.clear()
    keyed.set_key(NEW)
    keyed.quirks.key = None
    keyed.holds("a.txt")


def test_a_key_source_that_worked_for_once_counts_for_the_service(keyed: Service) -> None:
    keyed.old("a.txt")
    assert keyed.run("--once").code == 0
    keyed.quirks.key = NEW
    keyed.write("b.txt")
    keyed.start()
    until(lambda: paused(keyed))
