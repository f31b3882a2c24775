"""Print to stdout and stderr: keys are redacted, lines for people escaped, JSON is one document.

A write that fails (a closed pipe, a full disk) stops no work: the exit status tells the outcome.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Mapping
from typing import Any, TextIO

from syncd import log
from syncd.cli.colors import has_colors
from syncd.cli.rows import Lines
from syncd.cli.streams import flush_all, share_terminal
from syncd.model import NOTHING
from syncd.text import json_text, sanitized


def print_lines(*lines: str, error: bool = False, flush: bool = False) -> None:
    """Print lines for people.

    A name that a file or a server gave can neither steer the terminal nor begin a new line.
    """
    text = "".join(f"{sanitized(line)}\n" for line in lines)
    _write(sys.stderr if error else sys.stdout, text, flush=flush)


def print_report(lines: Lines) -> None:
    """Print lines for people on stdout, in color if that is a terminal."""
    if not has_colors(sys.stdout):
        print_lines(*map(str, lines))
        return
    shown = (sanitized(line) if isinstance(line, str) else line.colored() for line in lines)
    _write(sys.stdout, "".join(f"{line}\n" for line in shown), flush=False)


def print_error(
    message: str, *, on_stdout: bool = False, extra: Mapping[str, Any] = NOTHING
) -> None:
    """Print on stderr why the exit status is not 0, a line per fault, with `-q` too.

    `on_stdout`: stdout has it as well; a terminal that shows both does not get it twice.
    `extra`: what a log in JSON tells besides.
    """
    _print(message, logging.ERROR, on_stdout=on_stdout, extra=extra)


def print_warning(message: str, *, on_stdout: bool = False) -> None:
    """Print on stderr what a person should know although it changes no exit status."""
    _print(message, logging.WARNING, on_stdout=on_stdout)


def _print(
    message: str, level: int, *, on_stdout: bool, extra: Mapping[str, Any] = NOTHING
) -> None:
    """Print in the format of the log: for journald with the priority of the level."""
    if on_stdout and share_terminal():
        return
    for line in message.split("\n"):
        if log.writes_levels_for_machines():
            logging.getLogger("syncd").log(level, "%s", line, extra={**extra})
        else:
            print_lines(f"syncd: {line}", error=True)


def print_json(document: dict[str, Any]) -> None:
    """Print one document, redacted, in ASCII."""
    _write(sys.stdout, json_text(document, indent=2) + "\n", flush=True)


def print_verbatim(text: str) -> None:
    """Print a text of syncd's own, with all its line breaks and tabs."""
    _write(sys.stdout, text, flush=True)


def _write(stream: TextIO, text: str, *, flush: bool) -> None:
    try:
        stream.write(text)
        if flush:
            stream.flush()
    except OSError:
        flush_all()
