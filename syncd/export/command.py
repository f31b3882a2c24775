"""Run the command of `on_problem`: no shell, a time limit, and never the key."""

from __future__ import annotations

import fcntl
import os
import signal
import subprocess
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from io import FileIO

from syncd.text import redact, shortened

SECONDS = 30.0
_LOOK = 0.2
"""Seconds between two looks whether it has to be killed."""
_STDERR = 1 << 20
"""Bytes of stderr that it may write."""
_LAST = 4096
"""Bytes of it that are read, from the end."""


def run_command(
    words: Sequence[str],
    document: str,
    *,
    directory: str,
    without: str | None,
    is_stopped: Callable[[], bool],
) -> str | None:
    """Run it with the document on its stdin; what went wrong, or None. Raises TimeoutError if it
    had to be killed.

    `directory`: where it runs, and what `./program` is relative to; `without`: the variable that
    holds the key. When its time is over, or syncd stops, its whole process group is killed.
    """
    program = os.path.join(directory, words[0]) if "/" in words[0] else words[0]
    # Files in memory, not pipes: a command that does not read, or a process that it leaves
    # behind, holds nothing up.
    with _memory() as stdin, _memory() as stderr:
        stdin.write(document.encode())
        stdin.seek(0)
        stderr.truncate(_STDERR)
        fcntl.fcntl(stderr, fcntl.F_ADD_SEALS, fcntl.F_SEAL_GROW)
        try:
            process = _start([program, *words[1:]], directory, without, stdin, stderr)
        except (OSError, ValueError) as error:
            why = getattr(error, "strerror", None) or str(error)
            return f"{words[0]} could not be started: {why}"
        until = time.monotonic() + SECONDS
        while (code := _wait(process)) is None:
            if is_stopped() or time.monotonic() > until:
                _kill(process.pid)
                process.wait()
                why = "when syncd stopped" if is_stopped() else f"within {SECONDS:.0f} s"
                raise TimeoutError(f"{words[0]} did not end {why}, and was killed")
        return f"{words[0]} {_failure(code, stderr)}" if code else None


def _start(
    command: Sequence[str], directory: str, without: str | None, stdin: FileIO, stderr: FileIO
) -> subprocess.Popen[bytes]:
    """Start it as the leader of a process group of its own."""
    return subprocess.Popen(
        command,
        stdin=stdin,
        stdout=subprocess.DEVNULL,
        stderr=stderr,
        cwd=directory,
        env={key: value for key, value in os.environ.items() if key != without},
        start_new_session=True,
    )


def _failure(code: int, stderr: FileIO) -> str:
    """How it ended, and the last line that it wrote."""
    how = f"ended with exit status {code}" if code > 0 else f"was killed by signal {-code}"
    said = _last_line(os.pread(stderr.fileno(), _LAST, max(stderr.tell() - _LAST, 0)))
    return f"{how}: {said}" if said else how


def _wait(process: subprocess.Popen[bytes]) -> int | None:
    """Its exit status; None = it has not ended yet."""
    with suppress(subprocess.TimeoutExpired):
        return process.wait(_LOOK)
    return None


def _memory() -> FileIO:
    """A file that is on no disk."""
    return FileIO(os.memfd_create("on_problem", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING), "r+b")


def _kill(group: int) -> None:
    with suppress(ProcessLookupError):
        os.killpg(group, signal.SIGKILL)


def _last_line(stderr: bytes) -> str:
    lines = [line for line in stderr.rstrip(b"\0").decode(errors="replace").splitlines() if line]
    return shortened(redact(lines[-1].strip()), 200) if lines else ""
