"""A thousand task folders under one `each:`, run once: the cost of a request."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from dataclasses import replace
from statistics import median

from benchmarks import peers
from benchmarks.measuring import Contestant, Sample, contest, median_seconds, run
from benchmarks.places import RACY, Bench, Setup, fill, setup
from benchmarks.table import Bar, Row

FILES = 10


def each(bench: Bench) -> list[Row]:
    """Tasks are numbered by their folders, so that each first sync has folders of its own."""
    count = bench.size(1_000, 100)
    parents = [make(bench, count) for _ in range(bench.rounds)]
    single = bench.folder(1_000)
    time.sleep(RACY)
    left = iter(parents)
    synced: list[Setup] = []

    def first() -> Sample:
        synced.append(setup(bench, bench.server, each=next(left)))
        return run(synced[-1].once(), bench.server)

    def nothing() -> Sample:
        return run(synced[-1].once(), bench.server)

    samples = contest(
        bench.rounds,
        Contestant("first", first),
        Contestant("nothing", nothing),
        peers.script(lambda: single, bench.task, bench.server),
    )
    theirs = median_seconds(samples["script"]) / samples["script"][0].requests
    what = f"{count:,} task folders of {FILES} files under one each:"
    return [
        *_rows(f"{what} first sync", samples["first"], theirs),
        *_rows(f"{what} nothing to do", samples["nothing"], theirs),
    ]


def make(bench: Bench, count: int) -> str:
    """A directory of task folders; no two of them have the same task."""
    parent = bench.path("each")
    for _ in range(count):
        folder = os.path.join(parent, f"{bench.task()} folder")
        os.mkdir(folder)
        fill(folder, FILES)
    return parent


def _rows(work: str, samples: Sequence[Sample], theirs: float) -> list[Row]:
    """The whole run, and what a request costs in it beside one of the script's."""
    requests, mib = samples[-1].requests, max(s.mib for s in samples)
    cpu = median(s.cpu for s in samples)
    whole = Row(work, tuple(s.seconds for s in samples), "s", cpu, mib, requests)
    costs = tuple(s.seconds / s.requests * 1000 for s in samples)
    cost = Row("– a request", costs, "ms", peers=(("script", theirs * 1000, None),))
    met = cost.median <= 2 * theirs * 1000
    return [whole, replace(cost, bars=(Bar("≤ 2 × script", met),))]
