"""The entry point: parse the command line, run the command, return its exit status."""

from __future__ import annotations

import gc
import os
import sys

from syncd import __version__
from syncd.cli.streams import flush_all, open_streams

TYPE_CHECKING = False  # importing it from typing takes as long as all that `--version` needs
if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Sequence
    from types import ModuleType
    from typing import NoReturn


def entry_point() -> None:
    """Run as the console script; what it creates is for its owner alone, whatever the umask was."""
    os.umask(0o077)
    gc.set_threshold(100_000)  # Files and entries are many and live long: looking at them is dear.
    open_streams()
    _ensure_utf8()
    if sys.argv[1:] == ["--version"]:
        _say_version()
        _leave(0)
    import signal

    # A service does not end by a SIGHUP that comes before it is ready for one.
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    options = _parse(None)
    if options.once or options.command:
        signal.signal(signal.SIGHUP, before)
    from syncd.cli.errors import TERMINATED

    signal.signal(signal.SIGTERM, _terminated)
    code = _run(options)
    if code == TERMINATED:
        # systemd takes an end by this signal for a success. A process 1 cannot end by it.
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        os.kill(os.getpid(), signal.SIGTERM)
    _leave(code)


def _say_version() -> None:
    try:  # noqa: SIM105 - contextlib takes a while to import
        print(f"syncd {__version__}")
    except OSError:
        pass


def _leave(code: int) -> NoReturn:
    """End the process without taking the interpreter apart, which takes as long as a small run."""
    flush_all()
    os._exit(code)


def _ensure_utf8() -> None:
    """Start again in UTF-8 mode if the locale's encoding is another one: file names are UTF-8.

    The command line stays the same, so that Python imports from the same places.
    """
    if sys.getfilesystemencoding() != "utf-8":
        arguments = [sys.executable, "-X", "utf8", *sys.orig_argv[1:]]
        os.execv(sys.executable, arguments)  # noqa: S606


class _Terminated(KeyboardInterrupt):
    """SIGTERM arrived: by default process 1, as in a container, would ignore it."""


def _terminated(_number: int, _frame: object) -> None:
    raise _Terminated


def main(arguments: Sequence[str]) -> int:
    """Run one command line; returns the exit status. Raises SystemExit if it makes no sense."""
    return _run(_parse(arguments))


def _parse(arguments: Sequence[str] | None) -> Namespace:
    from syncd.cli.arguments import parse  # what this prints is not to wait for slower imports

    return parse(arguments)


def _run(options: Namespace) -> int:
    from syncd import log
    from syncd.cli.errors import INTERRUPTED, TERMINATED, report_failure
    from syncd.cli.output import print_warning

    verbosity = -1 if options.quiet else int(options.verbose)
    log.configure(verbosity=verbosity, format=options.log_format)
    module = None
    try:
        module = _command(options)
        code: int = module.run(options)
        return code
    except KeyboardInterrupt as interrupt:
        print_warning("interrupted; the next run goes on where this one stopped")
        return TERMINATED if isinstance(interrupt, _Terminated) else INTERRUPTED
    except Exception as error:
        blank = getattr(module, "blank", None)
        return report_failure(error, options.json, blank(options) if blank else {})
    finally:
        flush_all()


def _command(options: Namespace) -> ModuleType:
    """The module of the command; it has `run`, and for --json `blank`."""
    from importlib import import_module

    name = "once" if options.once else options.command or "service"
    return import_module(f"syncd.cli.{name}")
