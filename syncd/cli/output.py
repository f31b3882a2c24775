"""Printing: no key in anything; lines for people are escaped, JSON is one document.

Where nobody takes what is printed (a closed pipe, a full disk) the work goes on all the same: its
outcome is the exit status.
"""

from __future__ import annotations

import json
import logging
import os
import re
import sys
from contextlib import suppress
from typing import Any, TextIO

from syncd import log
from syncd.secrets import redact
from syncd.text import printable

_NOT_UTF8 = re.compile("[\ud800-\udfff]")
_NOT_ASCII = re.compile("[^\x00-\x7f]")


def say(*lines: str, error: bool = False, flush: bool = False) -> None:
    """Lines for people; what a file or a server calls itself cannot steer a terminal, nor make a
    line of its own."""
    text = "".join(f"{shown(line)}\n" for line in lines)
    _write(sys.stderr if error else sys.stdout, text, flush=flush)


def tell_failure(message: str, *, on_stdout: bool = False) -> None:
    """On stderr, what makes the exit status other than 0, a line per fault; `-q` changes nothing.

    `on_stdout`: it stands there, too; where one terminal shows both, that is enough.
    """
    _tell(message, logging.ERROR, on_stdout=on_stdout)


def tell_warning(message: str, *, on_stdout: bool = False) -> None:
    """On stderr, what a person should know although it changes no exit status."""
    _tell(message, logging.WARNING, on_stdout=on_stdout)


def _tell(message: str, level: int, *, on_stdout: bool) -> None:
    """As the log's format wants it: for journald with the priority that the level stands for."""
    if on_stdout and one_terminal():
        return
    for line in message.split("\n"):
        if log.is_for_machines():
            logging.getLogger("syncd").log(level, "%s", line)
        else:
            say(f"syncd: {line}", error=True)


def one_terminal() -> bool:
    """Whether stdout and stderr are shown on the same terminal."""
    try:
        out, error = sys.stdout.fileno(), sys.stderr.fileno()
        both = os.isatty(out) and os.isatty(error)
        return both and os.fstat(out).st_rdev == os.fstat(error).st_rdev
    except (OSError, ValueError):
        return False


def shown(line: str) -> str:
    """One line fit to be seen: first redacted, so that no escape hides a key."""
    return printable(redact(line))


def print_json(document: dict[str, Any]) -> None:
    """One document; ASCII, so that any name survives any locale.

    A byte of a name that is not UTF-8 stands as `\\xff`, as in what people read.
    """
    text = json.dumps(document, indent=2, ensure_ascii=False)
    text = redact(_NOT_UTF8.sub(lambda byte: _in_json(printable(byte[0])), text))
    text = _NOT_ASCII.sub(lambda char: _in_json(char[0]), text)
    _write(sys.stdout, text + "\n", flush=True)


def _in_json(text: str) -> str:
    return json.dumps(text)[1:-1]


def _write(stream: TextIO, text: str, *, flush: bool) -> None:
    try:
        stream.write(text)
        if flush:
            stream.flush()
    except OSError:
        _give_up(stream)


def flush_all() -> None:
    """Let out what is still held back; afterwards Python itself has nothing left to fail at."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except OSError:
            _give_up(stream)


def _give_up(stream: TextIO) -> None:
    """From now on what is written here goes nowhere."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, stream.fileno())
    os.close(nowhere)
    with suppress(OSError):
        stream.flush()


def open_streams() -> None:
    """Python leaves out what was closed, and a file opened next would take its number."""
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        if getattr(sys, name) is None:
            nowhere = os.open(os.devnull, os.O_RDWR)
            os.dup2(nowhere, number)
            if nowhere != number:
                os.close(nowhere)
            setattr(sys, name, open(number, "r+" if number else "r", closefd=False))  # noqa: SIM115
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(errors="backslashreplace")
