"""A command in a terminal of its own: a pty, and all that stands on it in the end."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from tests.support.processes import PATIENCE, ROOT, environment


class Terminal:
    """Runs `python -m syncd`; stdout and stderr are the terminal unless told otherwise."""

    def __init__(
        self,
        *argv: str,
        stdout: int | None = None,
        stderr: int | None = None,
        command: Sequence[str] = (sys.executable, "-m", "syncd"),
        cwd: str | None = None,
        **env: str,
    ) -> None:
        self._ours, theirs = os.openpty()
        self.process = subprocess.Popen(
            [*command, *argv],
            cwd=cwd or ROOT,
            env=environment(**{"TERM": "xterm", "COLUMNS": "200"} | env),
            stdin=theirs,
            stdout=theirs if stdout is None else stdout,
            stderr=theirs if stderr is None else stderr,
            start_new_session=True,
        )
        os.close(theirs)
        os.set_blocking(self._ours, False)
        self.text = ""

    def shows(self, condition: Callable[[str], bool], patience: float = PATIENCE) -> None:
        """Wait until what stands there is like this."""
        end = time.monotonic() + patience
        while not condition(self.text):
            self._read()
            assert time.monotonic() < end, f"waited in vain: {self.text!r}"
            time.sleep(0.02)

    def type(self, text: str) -> None:
        """Type as a person does; Enter and Ctrl-C included."""
        os.write(self._ours, text.encode())

    def ended(self) -> tuple[int, str]:
        """The exit status, and all that the terminal has shown."""
        self.shows(lambda _: self.process.poll() is not None)
        self._read()
        os.close(self._ours)
        return self.process.returncode, self.text

    def _read(self) -> None:
        try:
            while data := os.read(self._ours, 1 << 16):
                self.text += data.decode(errors="replace")
        except OSError:
            return  # Nothing is there now, or nobody writes any more.


@contextmanager
def typed(*lines: str) -> Iterator[None]:
    """Let stdin be a terminal in which these lines, and then Ctrl-D, were typed already."""
    ours, theirs = os.openpty()
    os.write(
        ours, "".join(f"{line}\n" for line in lines).encode(errors="surrogateescape") + b"\x04"
    )
    before = sys.stdin
    with open(theirs, encoding="utf-8", errors="surrogateescape") as stdin:
        sys.stdin = stdin
        try:
            yield
        finally:
            sys.stdin = before
            os.close(ours)
