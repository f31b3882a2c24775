"""The progress bar that a terminal shows while files are sent."""

from __future__ import annotations

import io
import sys
import threading

from rich.console import Console

from syncd.cli.progress_bar import ProgressBar
from syncd.engine.context import Progress


def console(stream: io.StringIO, *, terminal: bool = False) -> Console:
    return Console(file=stream, width=100, force_terminal=terminal, color_system=None)


def test_the_bar_is_there_while_files_are_sent_and_then_gone() -> None:
    stream = io.StringIO()
    bar: Progress = ProgressBar(console(stream, terminal=True))
    stderr, stdout = sys.stderr, sys.stdout
    bar.expect(2, 3000)
    assert sys.stdout is stdout
    senders = [threading.Thread(target=bar.sent, args=(1000,)) for _ in range(3)]
    for sender in senders:
        sender.start()
    for sender in senders:
        sender.join()
    bar.done()
    assert "sending 2 files" in stream.getvalue()
    assert stream.getvalue().endswith("\x1b[2K")
    assert sys.stderr is stderr


def test_a_bar_of_an_upload_that_broke_off_gives_way() -> None:
    stream = io.StringIO()
    bar = ProgressBar(console(stream, terminal=True))
    stderr = sys.stderr
    bar.expect(1, 1000)
    bar.expect(1, 500)
    bar.done()
    bar.done()
    bar.sent(500)
    assert sys.stderr is stderr
    assert stream.getvalue().endswith("\x1b[2K")


def test_empty_files_need_no_bar() -> None:
    stream = io.StringIO()
    bar = ProgressBar(console(stream, terminal=True))
    bar.expect(3, 0)
    assert stream.getvalue() == ""
