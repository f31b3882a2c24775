"""One folder of many files: the first sync, nothing to do, one changed, one renamed."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from functools import partial

from benchmarks import peers
from benchmarks.contents import NAME
from benchmarks.measuring import Contestant, Sample, contest, run
from benchmarks.places import RACY, Bench, Setup, fill, setup
from benchmarks.server import Server
from benchmarks.table import Row, row

SIZE = 10 << 10
ONE, SEVERAL, MANY = 1_000, 10_000, 100_000


def first_sync(bench: Bench) -> list[Row]:
    folder = bench.folder(ONE, SIZE)
    samples = contest(
        bench.rounds,
        _first_sync(bench, bench.server, folder),
        *_rclone_first(bench, folder),
        peers.script(lambda: folder, bench.task, bench.server),
    )
    work = f"first sync, {ONE:,} × 10 KiB"
    return [row(work, samples, bar_peer="rclone")]


def first_sync_far(bench: Bench) -> list[Row]:
    folder = bench.folder(ONE, SIZE)
    samples = contest(
        bench.rounds,
        _first_sync(bench, bench.slow_server, folder),
        peers.script(lambda: folder, bench.task, bench.slow_server),
    )
    return [row("the same at 10 ms latency", samples, seconds=1.0)]


def first_sync_many(bench: Bench) -> list[Row]:
    count = bench.size(SEVERAL, 2_000)
    folder = bench.folder(count)
    contestants = [_first_sync(bench, bench.server, folder), *_rclone_first(bench, folder)]
    samples = contest(bench.rounds, *contestants)
    bar = None if bench.quick else 4.0
    return [row(f"first sync, {count:,} files", samples, seconds=bar)]


def _first_sync(bench: Bench, server: Server, folder: str) -> Contestant:
    def once() -> Sample:
        return run(setup(bench, server, [folder]).once(), server)

    return Contestant("syncd", once)


def _rclone_first(bench: Bench, folder: str) -> list[Contestant]:
    found = peers.rclone(folder, lambda: f"task{bench.task()}", bench.server)
    return [found] if found else []


def nothing(bench: Bench) -> list[Row]:
    return [_nothing(bench, ONE, seconds=0.18)]


def nothing_many(bench: Bench) -> list[Row]:
    if bench.quick:
        return [_nothing(bench, 2_000)]
    return [_nothing(bench, SEVERAL, seconds=0.40, mib=60)]


def nothing_huge(bench: Bench) -> list[Row]:
    if bench.quick:
        return [_nothing(bench, 10_000, is_compared=False)]
    return [_nothing(bench, MANY, seconds=4.0, mib=300, is_compared=False)]


def _nothing(
    bench: Bench,
    count: int,
    seconds: float | None = None,
    mib: float | None = None,
    is_compared: bool = True,
) -> Row:
    folder = bench.folder(count)
    synced = in_sync(bench, folder, count)
    contestants = [Contestant("syncd", lambda: run(synced.once(), bench.server))]
    if is_compared:
        for flags in ((), peers.RCLONE_FLAGS):
            found = peers.rclone(folder, lambda: f"nothing{count}", bench.server, *flags)
            if found:
                found.run()
                contestants.append(found)
    samples = contest(bench.rounds, *contestants, peers.scan(folder))
    return row(f"nothing to do, {count:,} files", samples, seconds, mib)


def in_sync(bench: Bench, folder: str, count: int) -> Setup:
    """A config whose ledger and task hold the folder already. The files of `bench.folder(count)`
    are adopted instead of sent, which takes one request."""
    synced = setup(bench, bench.server, [folder])
    bench.server.seed(synced.task, count)
    for _ in range(2):
        sample = run(synced.once(), bench.server)
    if sample.requests != 1:
        raise RuntimeError(f"{sample.requests} requests with nothing to do")
    return synced


@dataclass
class Edited:
    """A folder in which one file is changed, or renamed, before each run."""

    folder: str
    edits: int = 0

    def change(self) -> None:
        self.edits += 1
        with open(os.path.join(self.folder, NAME.format(500)), "wb") as file:
            file.write(f"edit {self.edits}".encode() + os.urandom(SIZE))
        time.sleep(RACY)

    def rename(self) -> None:
        old = "" if not self.edits else f" {self.edits}"
        self.edits += 1
        name = os.path.join(self.folder, NAME.format(500))
        os.rename(name + old, f"{name} {self.edits}")
        time.sleep(RACY)


def changed(bench: Bench) -> list[Row]:
    return [_edited(bench, "changed", 0.28)]


def renamed(bench: Bench) -> list[Row]:
    return [_edited(bench, "renamed", 0.22)]


def _edited(bench: Bench, what: str, seconds: float) -> Row:
    contestants = []
    for name in ("syncd", "rclone"):
        folder = bench.path("edited")
        fill(folder, ONE, SIZE)
        edited = Edited(folder)
        edit = edited.change if what == "changed" else edited.rename
        if name == "syncd":
            time.sleep(RACY)
            command = setup(bench, bench.server, [folder]).once()
            run(command, bench.server)
            contestants.append(Contestant(name, partial(run, command, bench.server), edit))
            continue
        place = f"{what}{bench.task()}"
        peer = peers.rclone(folder, partial(str, place), bench.server, prepare=edit)
        if peer is not None:
            peer.run()
            contestants.append(peer)
    samples = contest(bench.rounds, *contestants)
    return row(f"1 of {ONE:,} {what}", samples, seconds)
