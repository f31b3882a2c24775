"""The standard streams of the process. Imports nothing that is slow: `--version` needs it, too."""

from __future__ import annotations

import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import TextIO


def open_streams() -> None:
    """Open /dev/null in place of standard streams that are closed.

    Else the next file that is opened would take the number of one of them.
    """
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        if getattr(sys, name) is None:
            devnull = os.open(os.devnull, os.O_RDWR)
            os.dup2(devnull, number)
            if devnull != number:
                os.close(devnull)
            setattr(sys, name, open(number, "r+" if number else "r", closefd=False))  # noqa: SIM115
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(errors="backslashreplace")


def flush_all() -> None:
    """Flush both streams; one that cannot be written to writes to /dev/null from now on."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except OSError:
            devnull = os.open(os.devnull, os.O_WRONLY)
            os.dup2(devnull, stream.fileno())
            os.close(devnull)
            stream.flush()


def is_capable_terminal(stream: TextIO) -> bool:
    """Whether a person reads this on a terminal that can do more than print lines."""
    return stream.isatty() and os.environ.get("TERM", "dumb") != "dumb"


def share_terminal() -> bool:
    """Whether stdout and stderr are shown on the same terminal."""
    try:
        out, error = sys.stdout.fileno(), sys.stderr.fileno()
        both = os.isatty(out) and os.isatty(error)
        return both and os.fstat(out).st_rdev == os.fstat(error).st_rdev
    except (OSError, ValueError):
        return False
