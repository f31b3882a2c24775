"""Run programs and tell what they cost: seconds, memory, requests, CPU of a running process."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from benchmarks.server import Server

PYTHON = sys.executable


class Failed(Exception):
    """A program that is measured did not end as it should."""


@dataclass(frozen=True)
class Sample:
    seconds: float
    cpu: float
    """Seconds of user and system time; what else runs on the machine disturbs it less."""
    mib: float
    """The most memory that was resident, which is never less than this process has itself."""
    requests: int


@dataclass(frozen=True)
class Contestant:
    name: str
    run: Callable[[], Sample]
    prepare: Callable[[], None] = lambda: None
    """What comes before each run and is not measured."""


def contest(rounds: int, *contestants: Contestant) -> dict[str, list[Sample]]:
    """All in turn, round after round: what disturbs the machine disturbs all of them."""
    samples: dict[str, list[Sample]] = {c.name: [] for c in contestants}
    for number in range(rounds):
        for c in contestants:
            c.prepare()
            samples[c.name].append(c.run())
            last = samples[c.name][-1]
            text = f"{last.seconds:.3f} s, CPU {last.cpu:.3f} s, {last.requests} requests"
            print(f"  {number + 1}/{rounds} {c.name}: {text}", file=sys.stderr)
    return samples


def run(
    command: Sequence[str],
    server: Server | None = None,
    environ: dict[str, str] | None = None,
) -> Sample:
    """One run of a program, from before it is started until it has ended."""
    before = server.requests() if server else 0
    with tempfile.TemporaryFile() as errors:
        began = time.perf_counter()
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=errors,
            env=_environ() | (environ or {}),
        )
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - began
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            errors.seek(0)
            text = errors.read()[-2000:].decode(errors="replace")
            raise Failed(f"{' '.join(command)}: status {process.returncode}\n{text}")
    sent = server.requests() - before if server else 0
    cpu = usage.ru_utime + usage.ru_stime
    return Sample(seconds, cpu, usage.ru_maxrss / 1024, sent)


def _environ() -> dict[str, str]:
    """Ours, without settings for rclone or its library."""
    return {k: v for k, v in os.environ.items() if not k.startswith(("AWS_", "RCLONE_"))}


def syncd(*arguments: str) -> list[str]:
    return [PYTHON, "-m", "syncd", *arguments]


def median_seconds(samples: Sequence[Sample]) -> float:
    return median(sample.seconds for sample in samples)


def cpu_seconds(pid: int) -> float:
    """User and system time of a running process."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def resident_mib(pid: int) -> float:
    return _status(pid, "VmRSS") / 1024


def threads(pid: int) -> int:
    return _status(pid, "Threads")


def _status(pid: int, name: str) -> int:
    found = re.search(rf"^{name}:\s+(\d+)", Path(f"/proc/{pid}/status").read_text(), re.MULTILINE)
    return int(found[1]) if found else 0
