"""What a terminal shows while `--once` works."""

from __future__ import annotations

import io
import sys
import threading

import pytest
from rich.console import Console

from syncd.cli import live_display
from syncd.cli.live_display import LiveDisplay
from syncd.engine.context import Progress


def console(stream: io.StringIO) -> Console:
    return Console(file=stream, width=100, force_terminal=True, color_system=None)


def test_uploads_are_shown_while_they_are_sent_and_leave_no_trace() -> None:
    stream = io.StringIO()
    display: Progress = LiveDisplay(console(stream))
    stderr, stdout = sys.stderr, sys.stdout
    display.begin("landing")
    display.expect(2, 3000)
    display.requested(lambda: 4, lambda: 21)
    assert sys.stdout is stdout
    senders = [threading.Thread(target=display.sent, args=(1000,)) for _ in range(3)]
    for sender in senders:
        sender.start()
    for sender in senders:
        sender.join()
    display.uploaded(2)
    display.close()
    shown = stream.getvalue()
    assert "landing" in shown
    assert "of 2 files" in shown
    assert shown.endswith("\x1b[2K")
    assert sys.stderr is stderr


def test_the_requests_of_the_quota_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live_display, "MOMENT", -1.0)
    stream = io.StringIO()
    display = LiveDisplay(console(stream))
    display.begin("landing")
    display.requested(lambda: 4, lambda: 21)
    display.expect(1, 10)
    display.close()
    assert "landing · 4 requests, 21 left of the quota" in stream.getvalue()


def test_a_quota_that_nobody_knows_is_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live_display, "MOMENT", -1.0)
    stream = io.StringIO()
    display = LiveDisplay(console(stream))
    display.begin("x")
    display.requested(lambda: 4, lambda: None)
    display.close()
    assert "quota" not in stream.getvalue()


def test_an_upload_that_broke_off_gives_way_to_the_next() -> None:
    stream = io.StringIO()
    display = LiveDisplay(console(stream))
    stderr = sys.stderr
    display.expect(1, 1000)
    display.expect(1, 500)
    display.done()
    display.done()
    display.sent(500)
    display.close()
    display.close()
    assert sys.stderr is stderr
    assert stream.getvalue().endswith("\x1b[2K")


def test_a_run_that_sends_nothing_and_is_over_in_a_moment_shows_nothing() -> None:
    stream = io.StringIO()
    display = LiveDisplay(console(stream))
    display.begin("landing")
    display.requested(lambda: 1, lambda: 29)
    display.expect(3, 0)
    display.close()
    assert stream.getvalue() == ""


def test_nothing_is_shown_after_the_end() -> None:
    stream = io.StringIO()
    display = LiveDisplay(console(stream))
    display.close()
    display.expect(1, 10)
    display.close()
    assert stream.getvalue() == ""
