"""Real syncd processes for tests: started, waited for, killed."""

from __future__ import annotations

import atexit
import itertools
import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from concurrent.futures import Future
from pathlib import Path
from tempfile import TemporaryDirectory, gettempdir
from typing import IO, Any

from tests.support.commands import Said

ROOT = Path(__file__).parents[2]
PATIENCE = 100.0
"""Seconds after which a run counts as hung."""
Hook = Sequence[object]
COMPILED = os.path.join(gettempdir(), f"syncd-compiled-{os.getuid()}")
"""Where processes keep compiled modules: compiling them takes as long as a small run."""


class Run:
    """One process on its way."""

    def __init__(self, directory: str, number: int) -> None:
        self.out = os.path.join(directory, f"{number}.out")
        self.err = os.path.join(directory, f"{number}.err")
        self.pid: Future[int] = Future()
        self.status: Future[int] = Future()

    def kill(self) -> None:
        """SIGKILL to all of its process group."""
        os.killpg(self.pid.result(PATIENCE), signal.SIGKILL)

    def wait(self) -> Said:
        """How it ended: the exit status, or minus the signal's number."""
        code = self.status.result(PATIENCE)
        return Said(code, _text(self.out), _text(self.err))


class Launcher:
    """One process that forks the others; may be used by several threads."""

    def __init__(self) -> None:
        self._directory = TemporaryDirectory(prefix="syncd-runs-")
        self._numbers = itertools.count(1)
        self._runs: dict[int, Run] = {}
        self._lock = threading.Lock()
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.support.launcher"],
            cwd=ROOT,
            env=environment(),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        threading.Thread(target=self._listen, args=(self._process.stdout,), daemon=True).start()

    def start(self, *argv: str, hook: Hook | None = None, user: int | None = None) -> Run:
        """Begin a run; `hook` names a function of tests.support.hooks with its arguments."""
        with self._lock:
            number = next(self._numbers)
            run = self._runs[number] = Run(self._directory.name, number)
            order = {"id": number, "argv": argv, "out": run.out, "err": run.err}
            line = json.dumps({**order, "hook": hook and list(hook), "user": user})
            assert self._process.stdin is not None
            self._process.stdin.write(line.encode() + b"\n")
            self._process.stdin.flush()
        return run

    def close(self) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait(10)
        self._directory.cleanup()

    def _listen(self, stream: IO[bytes]) -> None:
        for line in stream:
            word: dict[str, Any] = json.loads(line)
            run = self._runs[word["id"]]
            if "pid" in word:
                run.pid.set_result(word["pid"])
            else:
                run.status.set_result(word["status"])


def environment(**more: str) -> dict[str, str]:
    """What a process needs, and nothing of whoever runs the tests."""
    kept = ("PATH", "LANG", "LC_ALL", "HOME", "TMPDIR", "VIRTUAL_ENV")
    base = {name: os.environ[name] for name in kept if name in os.environ}
    return {**base, "PYTHONPATH": str(ROOT), "PYTHONPYCACHEPREFIX": COMPILED, **more}


_launcher: list[Launcher] = []
_only_one = threading.Lock()


def launcher() -> Launcher:
    """The one of this test process."""
    with _only_one:
        if not _launcher:
            _launcher.append(Launcher())
            atexit.register(_launcher[0].close)
        return _launcher[0]


def python_m_syncd(
    *argv: str, env: Mapping[str, str] | None = None, before: Sequence[str] = ()
) -> subprocess.Popen[bytes]:
    """`python -m syncd`, nothing in between but `before`: a command that runs a command."""
    return subprocess.Popen(
        [*before, sys.executable, "-m", "syncd", *argv],
        cwd=ROOT,
        env=environment(**(env or {})),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )


def ended(process: subprocess.Popen[bytes]) -> Said:
    """Wait for it."""
    out, err = process.communicate(timeout=PATIENCE)
    return Said(process.returncode, out.decode(), err.decode())


def _text(path: str) -> str:
    return Path(path).read_text(encoding="utf-8", errors="replace") if os.path.exists(path) else ""
