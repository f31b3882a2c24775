"""The exit status and the message of each error."""

from __future__ import annotations

import signal

from syncd.engine.report import CONFIG, KEY, LATER, PARTLY, worst
from syncd.errors import (
    ConfigError,
    FolderError,
    KeyRefused,
    StateError,
    StateTooNew,
    SyncdError,
    TaskRefused,
    UsageError,
)

USAGE = 2
INTERRUPTED, TERMINATED = 130, 143
"""The exit statuses that a shell gives to a command that SIGINT or SIGTERM has ended."""
_CODES: tuple[tuple[type[SyncdError], int], ...] = (
    (UsageError, USAGE),
    (ConfigError, CONFIG),
    (StateTooNew, CONFIG),
    (StateError, LATER),
    (FolderError, PARTLY),
    (KeyRefused, KEY),
    (TaskRefused, PARTLY),
    (SyncdError, LATER),
)


def exit_code_of(error: BaseException) -> int:
    """The exit status of an error."""
    for kind, code in _CODES:
        if isinstance(error, kind):
            return code
    return LATER


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
