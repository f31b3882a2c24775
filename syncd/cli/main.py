"""The entry point: parse, dispatch, and turn whatever happens into an exit status."""

from __future__ import annotations

import argparse
import logging
import os
import signal
import sys
from collections.abc import Callable, Sequence
from importlib import import_module

from syncd.cli.arguments import parse
from syncd.cli.failing import INTERRUPTED, TERMINATED, code_of, message_of
from syncd.cli.output import flush_all, open_streams, print_json, tell_failure, tell_warning
from syncd.errors import UsageError

COMMANDS = {
    "approve": ("syncd.cli.approve", "approve"),
    "check": ("syncd.cli.check", "check"),
    "list": ("syncd.cli.listing", "listing"),
    "sandbox": ("syncd.cli.sandbox", "sandbox"),
    "status": ("syncd.cli.status", "status"),
    "why": ("syncd.cli.why", "why"),
}


def entry_point() -> None:
    """What the console script runs. What it makes is its owner's, whatever the umask was."""
    os.umask(0o077)
    open_streams()
    _speak_utf8()
    signal.signal(signal.SIGTERM, _terminated)
    code = main()
    if code == TERMINATED:
        # To systemd an end by this signal is none by failure. Number 1 cannot end so.
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        os.kill(os.getpid(), signal.SIGTERM)
    sys.exit(code)


def _speak_utf8() -> None:
    """Begin again if Python took the locale for something else: file names are UTF-8 here.

    Started exactly as it was, so that nothing is imported from anywhere else.
    """
    if sys.getfilesystemencoding() != "utf-8":
        arguments = [sys.executable, "-X", "utf8", *sys.orig_argv[1:]]
        os.execv(sys.executable, arguments)  # noqa: S606


class _Terminated(KeyboardInterrupt):
    """SIGTERM came. A process with number 1, as in a container, would else not heed it."""


def _terminated(_number: int, _frame: object) -> None:
    raise _Terminated


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command line; returns the exit status and lets no traceback out."""
    options = parse(arguments)
    from syncd import log

    log.configure(
        verbosity=-1 if options.quiet else int(options.verbose), format=options.log_format
    )
    try:
        return _command(options)(options)
    except KeyboardInterrupt as interrupt:
        tell_warning("interrupted; the next run goes on where this one stopped")
        return TERMINATED if isinstance(interrupt, _Terminated) else INTERRUPTED
    except UsageError as error:
        tell_failure(str(error))
        return code_of(error)
    except Exception as error:
        logging.getLogger("syncd").debug("traceback", exc_info=True)
        code, message = code_of(error), message_of(error)
        if options.json:
            print_json({"version": 1, "exit": code, "error": message})
        tell_failure(message, on_stdout=options.json)
        return code
    finally:
        flush_all()


def _command(options: argparse.Namespace) -> Callable[[argparse.Namespace], int]:
    """Imported late: a command pays only for what it needs."""
    if options.once:
        from syncd.cli.once import once

        return once
    if options.command is not None:
        module, function = COMMANDS[options.command]
        found: Callable[[argparse.Namespace], int] = getattr(import_module(module), function)
        return found
    from syncd.cli.service import service

    return service
