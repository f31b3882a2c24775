"""What only a terminal gets: a bar while files are sent, a table at the end."""

from __future__ import annotations

import io
import sys
import threading
from typing import Any

from rich.console import Console

from syncd.cli.terminal import Bar, table
from syncd.engine.report import FolderReport
from syncd.engine.tools import Progress


def report(**values: Any) -> FolderReport:
    return FolderReport("landing", "/home/ann/landing", 789, **values)


def console(stream: io.StringIO, *, terminal: bool = False) -> Console:
    return Console(file=stream, width=100, force_terminal=terminal, color_system=None)


def test_the_table_has_a_row_for_each_folder_and_no_empty_columns() -> None:
    stream = io.StringIO()
    made = [
        report(in_sync=True, created=["a", "b"], requests=3),
        FolderReport("[red]x\x1b", "/", None),
    ]
    table(made, console=console(stream))
    text = stream.getvalue()
    assert "landing" in text
    assert "in sync" in text
    assert "[red]x\\x1b" in text
    assert "created" in text
    assert "deleted" not in text


def test_the_bar_is_there_while_files_are_sent_and_then_gone() -> None:
    stream = io.StringIO()
    bar: Progress = Bar(console(stream, terminal=True))
    stderr, stdout = sys.stderr, sys.stdout
    bar.expect(2, 3000)
    assert sys.stdout is stdout
    senders = [threading.Thread(target=bar.sent, args=(1000,)) for _ in range(3)]
    for sender in senders:
        sender.start()
    for sender in senders:
        sender.join()
    assert "sending 2 files" in stream.getvalue()
    assert stream.getvalue().endswith("\x1b[2K")
    assert sys.stderr is stderr


def test_a_bar_of_an_upload_that_broke_off_gives_way() -> None:
    stream = io.StringIO()
    bar = Bar(console(stream, terminal=True))
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
    bar = Bar(console(stream, terminal=True))
    bar.expect(3, 0)
    assert stream.getvalue() == ""
