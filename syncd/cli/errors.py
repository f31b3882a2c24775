"""The exit status and the message of each error."""

from __future__ import annotations

import logging
import signal
from collections.abc import Mapping
from typing import Any

from syncd.cli.output import print_error, print_json
from syncd.engine.advice import about_task
from syncd.engine.report import LATER, PARTLY, worst
from syncd.errors import (
    ApiError,
    ConfigError,
    InvalidResponse,
    KeyRefused,
    QuotaSpent,
    Refused,
    SyncdError,
    TaskRefused,
    Unreachable,
    UsageError,
)
from syncd.model import TaskKey

NOT_TRIED = "not tried: the key was refused"
INTERRUPTED, TERMINATED = 130, 143
"""The exit statuses that a shell gives to a command that SIGINT or SIGTERM has ended."""


def exit_code_of(error: BaseException) -> int:
    """The exit status of an error."""
    return error.exit_code if isinstance(error, SyncdError) else LATER


def exit_code_of_signal(number: int, code: int = LATER) -> int:
    """The exit status of a run that a signal has stopped; `code` is what it came to until then."""
    return INTERRUPTED if number == signal.SIGINT else worst([LATER, code])


def message_of(error: BaseException) -> str:
    """What happened, a line per fault."""
    if isinstance(error, ConfigError):
        return "\n".join(str(fault) for fault in error.faults)
    if isinstance(error, SyncdError):
        return str(error)
    if isinstance(error, OSError) and error.strerror:
        where = f"{error.filename}: " if error.filename else ""
        return f"{where}{error.strerror}"
    return f"unexpected {type(error).__name__}: {error}; please report this (-v shows more)"


def report_failure(error: Exception, as_json: bool, blank: Mapping[str, Any]) -> int:
    """Print what ended a command, as JSON with the keys of `blank`; returns the exit status."""
    if isinstance(error, UsageError):
        print_error(str(error))
        return error.exit_code
    logging.getLogger("syncd").debug("traceback", exc_info=True)
    code, message = exit_code_of(error), message_of(error)
    if as_json:
        print_json({**blank, "version": 1, "exit": code, "error": message})
    print_error(message, on_stdout=as_json)
    return code


def explain(error: SyncdError, task: TaskKey) -> tuple[int, str]:
    """What an error about one task means for it: the exit status, and how to mend it."""
    text = str(error)
    if isinstance(error, KeyRefused):
        text += ": make a new key in Focus and put it in place"
    elif isinstance(error, TaskRefused | Refused):
        text = f"{about_task(error, task)} if it is gone, take it out of the config"
    elif isinstance(error, Unreachable):
        text += ": is the network up, and api.url right?"
    elif isinstance(error, InvalidResponse):
        text += ": is api.url right, and no login page of the network in between?"
    elif isinstance(error, QuotaSpent):
        text += "; try again when the quota is renewed, within the hour"
    elif isinstance(error, ApiError) and error.exit_code == LATER:
        text += "; try again later"
    return PARTLY if isinstance(error, Refused) else error.exit_code, text
