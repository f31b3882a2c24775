"""Logging: redacted, escaped, one record a line, in the form its reader wants."""

from __future__ import annotations

import io
import json
import logging
import os
import re
import warnings
from collections.abc import Iterator

import pytest

from syncd import log

KEY = "toggl_sk_0123456789abcdef0123456789abcdef"
ours = logging.getLogger("syncd.cycle")
theirs = logging.getLogger("urllib3.connectionpool")


@pytest.fixture(autouse=True)
def _undone() -> Iterator[None]:
    names = ("", "syncd", "watchdog")
    levels = {name: logging.getLogger(name).level for name in names}
    yield
    root = logging.getLogger()
    for handler in [h for h in root.handlers if isinstance(h, log.Handler)]:
        root.removeHandler(handler)
    for name, level in levels.items():
        logging.getLogger(name).setLevel(level)
    logging.captureWarnings(False)


def configured(verbosity: int = 0, format: log.Format = "text") -> io.StringIO:
    stream = io.StringIO()
    log.configure(verbosity=verbosity, format=format, stream=stream)
    return stream


def test_an_info_line_is_time_and_text() -> None:
    stream = configured()
    ours.info("%s: created %s", "landing", "a.png")
    assert re.fullmatch(
        r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d landing: created a\.png\n", stream.getvalue()
    )


def test_other_levels_are_named() -> None:
    stream = configured()
    ours.error("broken")
    assert stream.getvalue().endswith(" ERROR broken\n")


@pytest.mark.parametrize(
    ("verbosity", "seen"),
    [(-1, ["warning"]), (0, ["info", "warning"]), (1, ["debug", "info", "warning"])],
)
def test_verbosity_decides_which_of_our_levels_are_logged(verbosity: int, seen: list[str]) -> None:
    stream = configured(verbosity, "json")
    ours.debug("debug")
    ours.info("info")
    ours.warning("warning")
    assert [json.loads(line)["message"] for line in stream.getvalue().splitlines()] == seen


@pytest.mark.parametrize("name", ["urllib3.pool", "apscheduler.scheduler", "watchdog.observers"])
def test_libraries_speak_only_of_warnings_unless_verbose(name: str) -> None:
    stream = configured(0)
    logging.getLogger(name).info("chatter")
    logging.getLogger(name).warning("careful")
    assert stream.getvalue().endswith(f" WARNING {name}: careful\n")
    assert "chatter" not in stream.getvalue()
    stream = configured(1)
    logging.getLogger(name).info("chatter")
    assert "chatter" in stream.getvalue()


def test_a_key_appears_in_no_line_whichever_library_logs_it() -> None:
    stream = configured(1)
    ours.info("key %s", KEY)
    theirs.debug("Authorization: Bearer %s", KEY)
    try:
        raise ValueError(f"bad key {KEY}")
    except ValueError:
        ours.exception("failed with %s", KEY)
    assert "0123456789abcdef" not in stream.getvalue()
    assert stream.getvalue().count("toggl_sk_…") >= 4


def handled(text: str, *arguments: object) -> None:
    """Log past pytest's own handler, which such texts would upset."""
    (handler,) = (h for h in logging.getLogger().handlers if isinstance(h, log.Handler))
    handler.handle(logging.LogRecord("syncd", logging.WARNING, "", 0, text, arguments, None))


def test_a_record_is_one_line_without_terminal_controls() -> None:
    stream = configured()
    handled("a\nb\x1b[2J\u202e\udcff%s", "\r\x9b")
    assert stream.getvalue().endswith(" WARNING a\\nb\\x1b[2J\\u202e\\xff\\r\\x9b\n")
    assert stream.getvalue().count("\n") == 1


def test_an_exception_stands_in_the_same_line() -> None:
    stream = configured()
    try:
        raise ValueError("first\nsecond\x1b")
    except ValueError:
        ours.exception("oops")
    (line,) = stream.getvalue().splitlines()
    assert " ERROR oops | Traceback (most recent call last): | " in line
    assert line.endswith("ValueError: first | second\\x1b")


def test_exc_info_without_an_exception_is_harmless() -> None:
    stream = configured()
    ours.error("oops", exc_info=True)
    assert stream.getvalue().endswith(" ERROR oops\n")


def test_arguments_that_do_not_fit_lose_no_text_and_no_secret() -> None:
    stream = configured()
    handled("%d files", KEY)
    assert stream.getvalue().endswith(" WARNING %d files ('toggl_sk_…',)\n")


def test_json_has_one_object_a_line_in_utc_and_ascii() -> None:
    stream = configured(0, "json")
    ours.warning("Größe %s\n", KEY)
    (line,) = stream.getvalue().splitlines()
    assert line.isascii()
    found = json.loads(line)
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", found.pop("time"))
    assert found == {"level": "warning", "logger": "syncd.cycle", "message": "Größe toggl_sk_…\\n"}


def test_json_carries_the_fields_of_an_event_redacted_and_text_does_not() -> None:
    extra = {"fields": {"event": "created", "name": f"\udcff {KEY}\n", "attachment": 7}}
    formats: tuple[log.Format, ...] = ("json", "text")
    for format in formats:
        stream = configured(0, format)
        ours.info("created it", extra=extra)
        if format == "text":
            assert stream.getvalue().endswith(" created it\n")
        else:
            found = json.loads(stream.getvalue())
            assert found["event"] == "created"
            assert (found["name"], found["attachment"]) == ("\\xff toggl_sk_…\\n", 7)


def test_what_only_programs_are_told_is_no_line_for_people() -> None:
    formats: dict[log.Format, int] = {"json": 1, "text": 0}
    for format, lines in formats.items():
        stream = configured(0, format)
        logging.getLogger("syncd.cycles").info("the cycle ended")
        assert len(stream.getvalue().splitlines()) == lines


def test_journald_gets_priorities_and_no_time(monkeypatch: pytest.MonkeyPatch) -> None:
    read, write = os.pipe()
    with open(read, encoding="utf-8") as reader, open(write, "w", encoding="utf-8") as stream:
        status = os.fstat(write)
        monkeypatch.setenv("JOURNAL_STREAM", f"{status.st_dev}:{status.st_ino}")
        log.configure(verbosity=1, format="text", stream=stream)
        for level in (logging.DEBUG, logging.INFO, logging.WARNING, logging.ERROR):
            ours.log(level, "text")
        ours.critical("text")
        stream.close()
        assert reader.read().splitlines() == ["<7>text", "<6>text", "<4>text", "<3>text", "<2>text"]


def test_a_stream_that_journald_does_not_read_keeps_its_times(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("JOURNAL_STREAM", "1:2")
    stream = configured()
    ours.info("text")
    assert not stream.getvalue().startswith("<")


def test_configuring_again_doubles_no_line() -> None:
    configured()
    stream = configured()
    ours.info("once")
    assert stream.getvalue().count("once") == 1


def test_without_a_stream_the_lines_go_to_the_stderr_of_the_moment(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    log.configure(verbosity=0, format="text")
    monkeypatch.setattr("sys.stderr", io.StringIO())
    ours.info("a bar is on the screen")
    monkeypatch.undo()
    ours.info("it is gone")
    assert "it is gone" in capsys.readouterr().err


def test_a_stream_that_nobody_reads_stops_nothing() -> None:
    read, write = os.pipe()
    os.close(read)
    stream = io.TextIOWrapper(io.BufferedWriter(io.FileIO(write, "w")))
    log.configure(verbosity=0, format="text", stream=stream)
    ours.info("nobody hears it")
    with pytest.raises(BrokenPipeError):
        stream.close()


def test_warnings_of_python_are_lines_like_others() -> None:
    stream = configured()
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        logging.captureWarnings(False)
        logging.captureWarnings(True)
        warnings.warn("old\nways", stacklevel=1)
    assert "UserWarning: old\\nways" in stream.getvalue()
    assert stream.getvalue().count("\n") == 1


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


def texts(stream: io.StringIO) -> list[str]:
    return [json.loads(line)["message"] for line in stream.getvalue().splitlines()]


@pytest.fixture
def hourly() -> tuple[io.StringIO, Clock]:
    stream, clock = configured(0, "json"), Clock()
    log.limit_repeats(clock)
    return stream, clock


def test_a_repeated_error_is_logged_once_and_then_counted_once_an_hour(
    hourly: tuple[io.StringIO, Clock],
) -> None:
    stream, clock = hourly
    for _ in range(13):
        ours.error("offline")
        clock.now += 290.0
    assert texts(stream) == [
        "offline",
    ]
    clock.now = 1000.0 + 3600.0
    ours.error("offline")
    ours.error("offline")
    assert texts(stream) == ["offline", "offline … repeated 13 times"]


def test_different_errors_and_info_lines_are_logged_every_time(
    hourly: tuple[io.StringIO, Clock],
) -> None:
    stream, _ = hourly
    for n in (1, 2):
        ours.error("error %d", n)
        ours.info("created")
    assert texts(stream) == ["error 1", "created", "error 2", "created"]


def test_an_error_that_returns_the_next_day_is_logged_without_a_count(
    hourly: tuple[io.StringIO, Clock],
) -> None:
    stream, clock = hourly
    ours.error("offline")
    clock.now += 86_400.0
    ours.error("offline")
    assert texts(stream) == ["offline", "offline"]


def test_many_different_errors_do_not_fill_the_memory() -> None:
    repeats = log.RepeatFilter(lambda: 0.0)
    for n in range(5000):
        record = logging.LogRecord("syncd", logging.ERROR, "", 0, f"error {n}", (), None)
        assert repeats.filter(record)
    assert len(repeats._lines) <= 500
