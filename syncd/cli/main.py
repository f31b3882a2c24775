"""The entry point: parse the command line, run the command, return its exit status."""

from __future__ import annotations

import argparse
import gc
import logging
import os
import signal
import sys
from collections.abc import Callable, Sequence
from importlib import import_module

from syncd.cli.arguments import parse
from syncd.cli.errors import INTERRUPTED, TERMINATED, exit_code_of, message_of
from syncd.cli.output import flush_all, open_streams, print_error, print_json, print_warning
from syncd.errors import UsageError

COMMANDS = {
    "approve": ("syncd.cli.approve", "approve"),
    "check": ("syncd.cli.check", "check"),
    "list": ("syncd.cli.listing", "list_attachments"),
    "sandbox": ("syncd.cli.sandbox", "sandbox"),
    "status": ("syncd.cli.status", "status"),
    "why": ("syncd.cli.why", "why"),
}


def entry_point() -> None:
    """Run as the console script; what it creates is for its owner alone, whatever the umask was."""
    os.umask(0o077)
    gc.set_threshold(100_000)  # Files and entries are many and live long: looking at them is dear.
    open_streams()
    _ensure_utf8()
    signal.signal(signal.SIGTERM, _terminated)
    code = main()
    if code == TERMINATED:
        # systemd takes an end by this signal for a success. A process 1 cannot end by it.
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        os.kill(os.getpid(), signal.SIGTERM)
    sys.exit(code)


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


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command line; returns the exit status, and never raises."""
    options = parse(arguments)
    from syncd import log

    log.configure(
        verbosity=-1 if options.quiet else int(options.verbose), format=options.log_format
    )
    try:
        return _command(options)(options)
    except KeyboardInterrupt as interrupt:
        print_warning("interrupted; the next run goes on where this one stopped")
        return TERMINATED if isinstance(interrupt, _Terminated) else INTERRUPTED
    except UsageError as error:
        print_error(str(error))
        return exit_code_of(error)
    except Exception as error:
        logging.getLogger("syncd").debug("traceback", exc_info=True)
        code, message = exit_code_of(error), message_of(error)
        if options.json:
            print_json({"version": 1, "exit": code, "error": message})
        print_error(message, on_stdout=options.json)
        return code
    finally:
        flush_all()


def _command(options: argparse.Namespace) -> Callable[[argparse.Namespace], int]:
    """The command's function; imported only now, since some modules load slowly."""
    if options.once:
        from syncd.cli.once import once

        return once
    if options.command is not None:
        module, function = COMMANDS[options.command]
        found: Callable[[argparse.Namespace], int] = getattr(import_module(module), function)
        return found
    from syncd.cli.service import service

    return service
