"""One file, or none: a large one, one of a byte, and the program's start."""

from __future__ import annotations

import os
import time

from benchmarks import peers
from benchmarks.measuring import Contestant, Sample, contest, run, syncd
from benchmarks.places import RACY, Bench, setup
from benchmarks.table import Row, row


def large(bench: Bench) -> list[Row]:
    """The peers compute no digest; rclone's S3 uploads in parts do, of each part."""
    mib = bench.size(1024, 128)
    folder = bench.path("large")
    path = os.path.join(folder, "large.bin")
    block = os.urandom(1 << 20)
    with open(path, "wb") as file:
        for _ in range(mib):
            file.write(block)
    time.sleep(RACY)
    contestants = [
        _first_sync(bench, folder),
        peers.curl(path, bench.task, bench.server),
        peers.rclone(folder, lambda: f"large{bench.task()}", bench.server),
    ]
    samples = contest(bench.rounds, *(c for c in contestants if c))
    os.remove(path)
    bar = None if bench.quick else 0.95
    return [row(f"one file of {mib:,} MiB, digest included", samples, bar, mib=40)]


def one_byte(bench: Bench) -> list[Row]:
    folder = bench.path("byte")
    with open(os.path.join(folder, "one.txt"), "w") as file:
        file.write("1")
    time.sleep(RACY)
    samples = contest(bench.rounds, _first_sync(bench, folder), peers.python("import requests"))
    return [row("one byte to send, whole process", samples, 0.20)]


def version(bench: Bench) -> list[Row]:
    samples = contest(
        bench.rounds,
        Contestant("syncd", lambda: run(syncd("--version"))),
        peers.python("pass"),
    )
    return [row("syncd --version", samples, 0.04)]


def _first_sync(bench: Bench, folder: str) -> Contestant:
    def once() -> Sample:
        return run(setup(bench, bench.server, [folder]).once(), bench.server)

    return Contestant("syncd", once)
