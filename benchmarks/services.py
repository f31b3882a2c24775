"""The service: a thousand folders, an idle one, and how soon a saved file is sent."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from statistics import quantiles

from benchmarks import many_folders
from benchmarks.measuring import cpu_seconds, resident_mib, run, threads
from benchmarks.places import RACY, Bench, Setup, fill, setup
from benchmarks.server import Server
from benchmarks.table import Row, at_most

QUIET = 2.0
"""Seconds in a row without a request that make a service quiet."""
BUSY = 0.05
"""Part of a core above which it is not."""


def thousand(bench: Bench) -> list[Row]:
    count = bench.size(1_000, 100)
    parent = many_folders.make(bench, count)
    time.sleep(RACY)
    synced = setup(bench, bench.server, each=parent)
    run(synced.once(), bench.server)
    found = _idle(bench, synced)
    work = f"{count:,} task folders as a service:"
    return [
        Row(f"{work} up and quiet after", (found.quiet,), "s", bars=(at_most(found.quiet, 10),)),
        Row("– idle", (found.percent,), "%", bars=(at_most(found.percent, 0.5, "%"),)),
        Row("– threads", (found.threads,), "", bars=(at_most(found.threads, 12, "threads"),)),
        Row("– memory", (found.mib,), "MiB", bars=(at_most(found.mib, 80, "MiB"),)),
    ]


def idle(bench: Bench) -> list[Row]:
    folders, files = bench.size(100, 20), 100
    paths = [bench.path("idle") for _ in range(folders)]
    for path in paths:
        fill(path, files)
    time.sleep(RACY)
    synced = setup(bench, bench.server, paths)
    run(synced.once(), bench.server)
    found = _idle(bench, synced)
    return [
        Row(
            f"idle service, {folders * files:,} files in {folders} folders",
            (found.percent,),
            "%",
            bars=(at_most(found.percent, 0.2, "%"),),
        ),
        Row("– memory", (found.mib,), "MiB", bars=(at_most(found.mib, 55, "MiB"),)),
        Row("– threads", (found.threads,), ""),
    ]


@dataclass
class Idle:
    quiet: float
    """Seconds from the start until it was quiet."""
    percent: float
    """Of one core, over a time that holds whole rescans."""
    threads: int
    mib: float


def _idle(bench: Bench, synced: Setup) -> Idle:
    """Start the service, wait until it is quiet, then watch it for whole rescans."""
    seconds = bench.size(60, 10)
    with _service(synced) as process:
        quiet = _until_quiet(process.pid, bench.server, limit=300.0)
        before = cpu_seconds(process.pid)
        time.sleep(seconds)
        used = cpu_seconds(process.pid) - before
        pid = process.pid
        return Idle(quiet, 100 * used / seconds, threads(pid), resident_mib(pid))


@contextmanager
def _service(synced: Setup) -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen(synced.command(), stdin=subprocess.DEVNULL)
    try:
        yield process
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait()


def _until_quiet(pid: int, server: Server, limit: float) -> float:
    """Seconds until it sends nothing and computes next to nothing for a while; `limit` at most."""
    began = time.monotonic()
    since, requests, cpu = began, server.requests(), 0.0
    while time.monotonic() - began < limit:
        time.sleep(0.25)
        now, seen, used = time.monotonic(), server.requests(), cpu_seconds(pid)
        is_busy = seen != requests or used - cpu > BUSY * 0.25
        requests, cpu = seen, used
        if is_busy:
            since = now
        elif now - since >= QUIET:
            break
    return since - began


def reaction(bench: Bench) -> list[Row]:
    """From the close of a file to the first byte of its upload, less the settle time."""
    settle, samples = 0.5, []
    folder = bench.path("reaction")
    fill(folder, 100)
    time.sleep(RACY)
    synced = setup(bench, bench.server, [folder], settle="500ms")
    run(synced.once(), bench.server)
    with _service(synced) as process:
        _until_quiet(process.pid, bench.server, limit=60.0)
        for number in range(bench.size(40, 10)):
            samples.append(1000 * (_sent_after(bench.server, folder, number) - settle))
            time.sleep(1.0)
    late = quantiles(samples, n=20)[-1]
    bars = (at_most(round(late), 40, "ms"),)
    return [
        Row("close → first byte, settle subtracted", tuple(samples), "ms"),
        Row("– 95 % within", (late,), "ms", bars=bars),
    ]


def _sent_after(server: Server, folder: str, number: int) -> float:
    """Seconds."""
    with open(os.path.join(folder, f"new {number}"), "wb") as file:
        file.write(os.urandom(100))
    closed = time.monotonic()
    while server.upload_began() < closed:
        if time.monotonic() - closed > 30:
            raise RuntimeError("the service did not send a new file within 30 s")
        time.sleep(0.05)
    return server.upload_began() - closed
