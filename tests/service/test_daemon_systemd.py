"""The messages that the service sends to systemd."""

from __future__ import annotations

import itertools
import signal

from tests.support.service import Service, until


def test_systemd_is_told_of_ready_status_reloading_and_stopping(service: Service) -> None:
    service.start(notify=True)
    journal = service.journal
    until(lambda: journal.said("READY=1"), "READY")
    until(lambda: "STATUS=1 in sync" in journal.said("STATUS="))
    service.signal(signal.SIGHUP)
    until(lambda: journal.said("RELOADING=1\nMONOTONIC_USEC="))
    until(lambda: len(journal.said("READY=1")) == 2)
    service.config.write_text("nonsense: [")
    service.signal(signal.SIGHUP)
    until(lambda: len(journal.said("RELOADING=1")) == 2)
    until(lambda: len(journal.said("READY=1")) == 3)
    assert service.stop() == 0
    assert journal.said("STOPPING=1")
    assert not journal.said("WATCHDOG=1"), "nobody asked for it"


def test_the_watchdog_is_fed_while_idle_and_during_a_slow_upload(service: Service) -> None:
    service.start(notify=True, WATCHDOG_USEC="3000000")
    journal = service.journal
    until(lambda: len(journal.said("WATCHDOG=1")) >= 2)
    service.fault("slow_read", method="POST", seconds=0.25)
    service.write("big.bin", "x" * 1_000_000)
    service.holds("big.bin")
    service.in_sync()
    times = journal.times("WATCHDOG=1")
    gaps = [b - a for a, b in itertools.pairwise(times)]
    assert max(gaps) < 3, gaps


def test_a_service_that_hangs_feeds_no_watchdog(service: Service) -> None:
    service.start(notify=True, WATCHDOG_USEC="400000")
    journal = service.journal
    service.settled()
    until(lambda: len(journal.said("WATCHDOG=1")) >= 2)
    service.signal(signal.SIGSTOP)
    service.rescanned(times=1)  # what was sent before it stopped is heard
    count = len(journal.said("WATCHDOG=1"))
    service.rescanned()
    assert len(journal.said("WATCHDOG=1")) == count


def test_a_long_first_upload_does_not_hold_up_the_start(service: Service) -> None:
    service.old("big.bin", content="x" * 2_000_000)
    service.fault("slow_read", method="POST", seconds=0.2)
    service.start(notify=True)
    until(lambda: service.journal.said("READY=1"))
    assert service.names() == []
    service.holds("big.bin")


def test_a_server_that_never_answers_does_not_hold_up_the_start(service: Service) -> None:
    service.api["timeout"] = "30s"
    service.configure()
    service.fault("hang", times=None)
    service.start(notify=True)
    until(lambda: service.journal.said("READY=1"), "READY within the 30 s of the time-out")


def test_a_key_refused_after_ready_ends_the_service_with_77(
    service: Service,
) -> None:
    service.quirks.key = "toggl_sk_" + "b" * 32
    assert service.start(notify=True, WATCHDOG_USEC="3000000").wait() == 77
    assert service.journal.said("READY=1")
    assert service.journal.said("STOPPING=1")


def test_a_service_without_a_key_file_is_never_ready(service: Service) -> None:
    service.token.unlink()
    assert service.start(notify=True).wait() == 78
    assert not service.journal.said("READY=1")


def test_a_service_that_starts_offline_is_ready(service: Service) -> None:
    service.sandbox.stop()
    service.start(notify=True)
    until(lambda: service.journal.said("READY=1"))
    until(
        lambda: any(
            "cannot be reached" in s or "reach" in s for s in service.journal.said("STATUS=")
        )
    )
    service.sandbox.start()


def test_a_token_command_does_not_inherit_the_notify_socket(service: Service) -> None:
    seen = service.base / "seen"
    service.api |= {
        "token_file": None,
        "token_command": ["sh", "-c", f"env > {seen}; echo toggl_sk_{'0' * 32}"],
    }
    service.configure()
    service.start(notify=True, WATCHDOG_USEC="60000000").settled()
    assert "NOTIFY_SOCKET" not in seen.read_text()
    assert "WATCHDOG_USEC" not in seen.read_text()
