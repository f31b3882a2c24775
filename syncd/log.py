"""Logging to stderr: lines for people, for journald or for machines; one record is one line.

Every record is redacted and escaped, whoever wrote it, exceptions included.
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
import sys
import threading
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Literal, TextIO

from syncd.secrets import redact
from syncd.text import printable

Format = Literal["text", "json"]

_PRIORITIES = ((50, 2), (40, 3), (30, 4), (20, 6))
"""Levels and what syslog calls them (sd-daemon(3))."""
_DEBUG_PRIORITY = 7
_SUMMARY_EVERY = 3600.0
_REMEMBERED = 500
"""Different lines that `Repeats` keeps in mind before it forgets the stale ones."""


def configure(*, verbosity: int, format: Format, stream: TextIO | None = None) -> None:
    """Set logging up, anew if need be. `verbosity`: -1 quiet, 0, 1 verbose.

    Without a stream, lines go to what `sys.stderr` is when they are written.
    """
    root, ours = logging.getLogger(), logging.getLogger("syncd")
    for handler in [h for h in root.handlers if isinstance(h, Handler)]:
        root.removeHandler(handler)
    handler = Handler(stream)
    handler.setFormatter(_formatter(format, stream or sys.stderr))
    root.addHandler(handler)
    ours.setLevel({-1: logging.WARNING, 0: logging.INFO}.get(verbosity, logging.DEBUG))
    root.setLevel(logging.DEBUG if verbosity > 0 else logging.WARNING)
    # Its debug level tells every single event.
    logging.getLogger("watchdog").setLevel(logging.INFO if verbosity > 0 else logging.WARNING)
    logging.captureWarnings(True)


def is_for_machines() -> bool:
    """Whether a line carries its level for a machine: JSON, or journald's priorities."""
    formatters = [handler.formatter for handler in logging.getLogger().handlers]
    return any(
        isinstance(f, JsonFormatter) or (isinstance(f, LineFormatter) and f.journald)
        for f in formatters
    )


def sum_up_repeats(clock: Callable[[], float] = time.monotonic) -> None:
    """For the service: from now on a repeating warning or error is told once an hour."""
    for handler in logging.getLogger().handlers:
        if isinstance(handler, Handler) and not any(
            isinstance(f, Repeats) for f in handler.filters
        ):
            handler.addFilter(Repeats(clock))


class Handler(logging.Handler):
    """Writes to a stream, and never anything but what the formatter made."""

    def __init__(self, stream: TextIO | None = None) -> None:
        super().__init__()
        self._stream = stream

    def emit(self, record: logging.LogRecord) -> None:
        stream = self._stream or sys.stderr
        # Where nobody reads us, there is nowhere to say so, and no reason to stop syncing.
        with contextlib.suppress(OSError, ValueError):
            stream.write(self.format(record) + "\n")
            stream.flush()


class Repeats(logging.Filter):
    """Lets a warning or error pass that was not there in the last hour; counts the others.

    Once the hour is over, the next one of its like passes with their number.
    """

    def __init__(self, clock: Callable[[], float], every: float = _SUMMARY_EVERY) -> None:
        super().__init__()
        self._clock = clock
        self._every = every
        self._lock = threading.Lock()
        self._lines: dict[tuple[str, int, str], tuple[float, int]] = {}
        """When a line was told last, and how often it came since."""

    def filter(self, record: logging.LogRecord) -> bool:
        if record.levelno < logging.WARNING:
            return True
        key, now = (record.name, record.levelno, _message(record)), self._clock()
        with self._lock:
            told, count = self._lines.get(key, (None, 0))
            count += 1
            if told is not None and now - told < self._every:
                self._lines[key] = (told, count)
                return False
            self._forget(now)
            self._lines[key] = (now, 0)
        record.__dict__["repeated"] = count if told is not None else 1
        return True

    def _forget(self, now: float) -> None:
        if len(self._lines) >= _REMEMBERED:
            fresh = {k: v for k, v in self._lines.items() if now - v[0] < self._every}
            self._lines = fresh if len(fresh) < _REMEMBERED else {}


class LineFormatter(logging.Formatter):
    """For people: time, level unless it is INFO, text. For journald: priority, text."""

    def __init__(self, *, journald: bool) -> None:
        super().__init__()
        self.journald = journald

    def format(self, record: logging.LogRecord) -> str:
        text = _text(record)
        if not record.name.startswith("syncd"):
            text = f"{printable(record.name)}: {text}"
        if self.journald:
            return f"<{_priority(record.levelno)}>{text}"
        at = datetime.fromtimestamp(record.created).strftime("%Y-%m-%d %H:%M:%S")
        level = "" if record.levelno == logging.INFO else f"{record.levelname} "
        return f"{at} {level}{text}"


class JsonFormatter(logging.Formatter):
    """For machines: one object a line, in ASCII."""

    def format(self, record: logging.LogRecord) -> str:
        at = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        return json.dumps(
            {
                "time": at.replace("+00:00", "Z"),
                "level": record.levelname.lower(),
                "logger": record.name,
                "message": _text(record),
            }
        )


def _formatter(format: Format, stream: TextIO) -> logging.Formatter:
    return JsonFormatter() if format == "json" else LineFormatter(journald=is_journal(stream))


def is_journal(stream: TextIO, environ: Mapping[str, str] = os.environ) -> bool:
    """Whether journald reads this stream (systemd.exec(5), $JOURNAL_STREAM)."""
    named = environ.get("JOURNAL_STREAM", "")
    try:
        found = os.fstat(stream.fileno())
    except (OSError, ValueError, AttributeError):
        return False
    return named == f"{found.st_dev}:{found.st_ino}"


def _priority(level: int) -> int:
    return next((p for least, p in _PRIORITIES if level >= least), _DEBUG_PRIORITY)


def _message(record: logging.LogRecord) -> str:
    try:
        return record.getMessage()
    except Exception:  # arguments that do not fit: the text is worth more than the complaint
        return f"{record.msg} {record.args!r}"


def _text(record: logging.LogRecord) -> str:
    """Message and exception in one line: first redacted, so that no escape hides a key."""
    text = redact(_message(record))
    if record.exc_info and record.exc_info[0] is not None:
        trace = redact(logging.Formatter().formatException(record.exc_info))
        text = " | ".join([text, *(line.strip() for line in trace.splitlines())])
    repeated: int = getattr(record, "repeated", 1)
    return printable(text) + (f" … repeated {repeated} times" if repeated > 1 else "")
