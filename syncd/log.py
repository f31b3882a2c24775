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
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Literal, TextIO

from syncd.text import printable, redact

Format = Literal["text", "json"]

_PRIORITIES = ((50, 2), (40, 3), (30, 4), (20, 6))
"""Least level of logging -> syslog's priority (sd-daemon(3))."""
_DEBUG_PRIORITY = 7
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
    handler.setFormatter(_formatter(format, stream or sys.stderr))
    root.addHandler(handler)
    ours.setLevel({-1: logging.WARNING, 0: logging.INFO}.get(verbosity, logging.DEBUG))
    root.setLevel(logging.DEBUG if verbosity > 0 else logging.WARNING)
    # At debug level, watchdog logs every event.
    logging.getLogger("watchdog").setLevel(logging.INFO if verbosity > 0 else logging.WARNING)
    logging.captureWarnings(True)


def writes_levels_for_machines() -> bool:
    """Whether each line carries its level in a form for programs: JSON or journald's."""
    formatters = [handler.formatter for handler in logging.getLogger().handlers]
    return any(
        isinstance(f, JsonFormatter) or (isinstance(f, LineFormatter) and f.journald)
        for f in formatters
    )


def limit_repeats(clock: Callable[[], float] = time.monotonic) -> None:
    """From now on, log a repeated warning or error once an hour only (used by the service)."""
    for handler in logging.getLogger().handlers:
        if isinstance(handler, Handler) and not any(
            isinstance(f, RepeatFilter) for f in handler.filters
        ):
            handler.addFilter(RepeatFilter(clock))


class Handler(logging.Handler):
    """Writes formatted records to a stream; errors of the stream are ignored."""

    def __init__(self, stream: TextIO | None = None) -> None:
        super().__init__()
        self._stream = stream

    def emit(self, record: logging.LogRecord) -> None:
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
            logged_at, count = self._lines.get(key, (None, 0))
            count += 1
            if logged_at is not None and now - logged_at < self._every:
                self._lines[key] = (logged_at, count)
                return False
            self._forget_old_lines(now)
            self._lines[key] = (now, 0)
        record.__dict__["repeated"] = count if logged_at is not None else 1
        return True

    def _forget_old_lines(self, now: float) -> None:
        if len(self._lines) >= _MAX_LINES:
            fresh = {k: v for k, v in self._lines.items() if now - v[0] < self._every}
            self._lines = fresh if len(fresh) < _MAX_LINES else {}


class LineFormatter(logging.Formatter):
    """Time, level unless it is INFO, and text; for journald: priority and text."""

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
    """One JSON object a line, in ASCII."""

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
