"""Logs to stderr: text, text with journald's priorities, or JSON; one record is one line.

Every record, exceptions included, is redacted and escaped, whichever library wrote it.
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
import sys
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, Literal, TextIO

from syncd.text import escaped_unless_utf8, printable, redact

Format = Literal["text", "json"]

_PRIORITIES = {"CRITICAL": 2, "ERROR": 3, "WARNING": 4, "DEBUG": 7}
"""Level of logging -> syslog's priority (sd-daemon(3)); INFO is 6."""
_FOR_PROGRAMS = "syncd.cycles"
"""The logger whose records are written as JSON only."""
_REPEAT_SECONDS = 3600.0
_MAX_LINES = 500
"""Different lines that `RepeatFilter` remembers."""


def configure(*, verbosity: int, format: Format, stream: TextIO | None = None) -> None:
    """Set up logging; may be called again. `verbosity`: -1 quiet, 0 normal, 1 verbose.

    Without a stream, lines go to what `sys.stderr` is when they are written.
    """
    root, ours = logging.getLogger(), logging.getLogger("syncd")
    for handler in [h for h in root.handlers if isinstance(h, Handler)]:
        root.removeHandler(handler)
    handler = Handler(stream)
    in_journal = format == "text" and is_journal(stream or sys.stderr)
    handler.setFormatter(Formatter("journal" if in_journal else format))
    root.addHandler(handler)
    ours.setLevel({-1: logging.WARNING, 0: logging.INFO}.get(verbosity, logging.DEBUG))
    root.setLevel(logging.DEBUG if verbosity > 0 else logging.WARNING)
    # At debug level, watchdog logs every event.
    logging.getLogger("watchdog").setLevel(logging.INFO if verbosity > 0 else logging.WARNING)
    logging.captureWarnings(True)


def writes_levels_for_machines() -> bool:
    """Whether each line carries its level in a form for programs: JSON or journald's."""
    formatters = (handler.formatter for handler in logging.getLogger().handlers)
    return any(isinstance(f, Formatter) and f.kind != "text" for f in formatters)


def limit_repeats(clock: Callable[[], float] = time.monotonic) -> None:
    """From now on, log a repeated warning or error once an hour only (used by the service)."""
    for handler in logging.getLogger().handlers:
        if isinstance(handler, Handler):
            handler.addFilter(RepeatFilter(clock))


class Handler(logging.Handler):
    """Writes formatted records to a stream; errors of the stream are ignored."""

    def __init__(self, stream: TextIO | None = None) -> None:
        super().__init__()
        self._stream = stream

    def emit(self, record: logging.LogRecord) -> None:
        if record.name == _FOR_PROGRAMS and getattr(self.formatter, "kind", None) != "json":
            return
        stream = self._stream or sys.stderr
        # A closed or full stream is no reason to stop syncing, and there is nowhere to report it.
        with contextlib.suppress(OSError, ValueError):
            stream.write(self.format(record) + "\n")
            stream.flush()


class RepeatFilter(logging.Filter):
    """Drops a warning or error that was logged within the last hour, and counts it.

    After the hour, the next equal record passes with the count.
    """

    def __init__(self, clock: Callable[[], float], every: float = _REPEAT_SECONDS) -> None:
        super().__init__()
        self._clock = clock
        self._every = every
        self._lock = threading.Lock()
        self._lines: dict[tuple[str, int, str], tuple[float, int]] = {}
        """When a line was logged last, and how often it was dropped since."""

    def filter(self, record: logging.LogRecord) -> bool:
        if record.levelno < logging.WARNING:
            return True
        key, now = (record.name, record.levelno, _message(record)), self._clock()
        with self._lock:
            logged_at, dropped = self._lines.get(key, (float("-inf"), 0))
            if now - logged_at < self._every:
                self._lines[key] = (logged_at, dropped + 1)
                return False
            if len(self._lines) >= _MAX_LINES:
                self._lines.clear()
            self._lines[key] = (now, 0)
        record.__dict__["repeated"] = dropped + 1
        return True


class Formatter(logging.Formatter):
    """One line for a record.

    text: time, level unless it is INFO, and text · journal: priority and text · json: one object
    in ASCII (docs/operations.md).
    """

    def __init__(self, kind: Literal["text", "journal", "json"]) -> None:
        super().__init__()
        self.kind = kind

    def format(self, record: logging.LogRecord) -> str:
        text, level = _text(record), record.levelname
        if self.kind == "json":
            at = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
            return json.dumps(
                {
                    "time": at.replace("+00:00", "Z"),
                    "level": level.lower(),
                    "logger": record.name,
                    "message": text,
                    **_fields(record),
                }
            )
        if not record.name.startswith("syncd"):
            text = f"{printable(record.name)}: {text}"
        if self.kind == "journal":
            return f"<{_PRIORITIES.get(level, 6)}>{text}"
        at = datetime.fromtimestamp(record.created).strftime("%Y-%m-%d %H:%M:%S")
        return f"{at} {text}" if level == "INFO" else f"{at} {level} {text}"


def _fields(record: logging.LogRecord) -> dict[str, Any]:
    """What the record tells programs besides its text (engine/events.py)."""
    fields: dict[str, Any] = getattr(record, "fields", {})
    return {
        key: redact(escaped_unless_utf8(value)) if isinstance(value, str) else value
        for key, value in fields.items()
    }


def is_journal(stream: TextIO) -> bool:
    """Whether journald reads this stream (systemd.exec(5), $JOURNAL_STREAM)."""
    try:
        found = os.fstat(stream.fileno())
    except (OSError, ValueError, AttributeError):
        return False
    return os.environ.get("JOURNAL_STREAM") == f"{found.st_dev}:{found.st_ino}"


def _message(record: logging.LogRecord) -> str:
    try:
        return record.getMessage()
    except Exception:  # the arguments do not fit the text
        return f"{record.msg} {record.args!r}"


def _text(record: logging.LogRecord) -> str:
    """Message and exception in one line; redacted before escaping, which could hide a key."""
    text = redact(_message(record))
    if record.exc_info and record.exc_info[0] is not None:
        trace = redact(logging.Formatter().formatException(record.exc_info))
        text = " | ".join([text, *(line.strip() for line in trace.splitlines())])
    repeated: int = getattr(record, "repeated", 1)
    return printable(text) + (f" … repeated {repeated} times" if repeated > 1 else "")
