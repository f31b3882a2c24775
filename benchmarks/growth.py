"""Ten times the entries: how many times the time and the memory.

    python -m benchmarks.growth reconcile|ordering ENTRIES

measures one step in a process of its own and prints its seconds of CPU, and the MiB that it
allocates at most. This is the only part that calls syncd's own functions.
"""

from __future__ import annotations

import gc
import subprocess
import sys
import time
import tracemalloc
from collections.abc import Callable
from statistics import median

from benchmarks.measuring import PYTHON, run
from benchmarks.places import Bench
from benchmarks.small_files import in_sync
from benchmarks.table import Row, at_most

TIME, MEMORY = 13, 10
"""How many times as much ten times the entries may cost."""


def growth(bench: Bench) -> list[Row]:
    sizes = (100, 1_000, 10_000) if bench.quick else (1_000, 10_000, 100_000)
    return [
        *_rows("reconcile", sizes, lambda n: _step(bench, "reconcile", n)),
        *_rows("ordering", sizes, lambda n: _step(bench, "ordering", n)),
        *_rows("a whole cycle", sizes, _cycle(bench)),
    ]


def _rows(
    what: str, sizes: tuple[int, ...], cost: Callable[[int], tuple[float, float]]
) -> list[Row]:
    found = [cost(n) for n in sizes]
    rows = []
    for (seconds, mib), (more_seconds, more_mib), size in zip(
        found, found[1:], sizes[1:], strict=False
    ):
        times = round(more_seconds / seconds, 1)
        grown = round(more_mib / mib, 1) if mib else 0.0
        work = f"{what}, {size // 10:,} to {size:,}: {seconds:.3f} to {more_seconds:.3f} s"
        rows.append(Row(work, (times,), "×", bars=(at_most(times, TIME, "×"),)))
        work = f"– memory {mib:.1f} to {more_mib:.1f} MiB"
        rows.append(Row(work, (grown,), "×", bars=(at_most(grown, MEMORY, "×"),)))
    return rows


def _step(bench: Bench, step: str, entries: int) -> tuple[float, float]:
    """Seconds of CPU and MiB of one step."""
    command = [PYTHON, "-m", "benchmarks.growth", step, str(entries)]
    found = [
        subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()
        for _ in range(min(3, bench.rounds))
    ]
    return median(float(f[0]) for f in found), float(found[0][1])


def _cycle(bench: Bench) -> Callable[[int], tuple[float, float]]:
    """A cycle with nothing to do, less what a run with one file costs (clock ticks: 10 ms)."""

    def whole(entries: int) -> tuple[float, float]:
        synced = in_sync(bench, bench.folder(entries), entries)
        samples = [run(synced.once(), bench.server) for _ in range(min(3, bench.rounds))]
        return median(s.cpu for s in samples), median(s.mib for s in samples)

    seconds, mib = whole(1)

    def cost(entries: int) -> tuple[float, float]:
        took, held = whole(entries)
        return max(took - seconds, 0.01), max(held - mib, 0.1)

    return cost


def _prepared(step: str, entries: int) -> Callable[[], object]:
    """The step, which starts from nothing every time that it is called."""
    from syncd.core.ordering import wanted_sequence
    from syncd.core.reconcile import reconcile
    from syncd.core.snapshot import Snapshot
    from syncd.model import Fingerprint, FolderIdentity, FolderSnapshot, LocalFile, Rules
    from syncd.task_state import Attribute, LedgerEntry, TaskState

    files, known = [], {}
    for n in range(1, entries + 1):
        path, mark = f"file {n}.txt", Fingerprint(n, n, n, n)
        files.append(LocalFile(path, mark))
        known[n] = LedgerEntry(
            n, "current", path, n, Attribute(path, path, kept=True),
            Attribute(n * 100, n * 100, kept=True), digest=str(n), fingerprint=mark,
            shown=True, listed=True,
        )  # fmt: skip
    rules = Rules(max_files=0)
    if step == "ordering":
        return lambda: wanted_sequence(files, rules)
    identity = FolderIdentity(1, 1)
    folder = FolderSnapshot("/folder", identity, tuple(files))
    state = TaskState(entries=known, identity=identity, listed_at=1e9)
    return lambda: reconcile(
        Snapshot(folder, state, rules, lambda _: True, now=1e9, scanned_at=1e9)
    )


def main() -> None:
    step = _prepared(sys.argv[1], int(sys.argv[2]))
    gc.collect()
    gc.set_threshold(100_000)  # As `syncd` does.
    seconds = []
    for _ in range(3):
        began = time.process_time()
        step()
        seconds.append(time.process_time() - began)
    tracemalloc.start()
    step()
    print(min(seconds), tracemalloc.get_traced_memory()[1] / 2**20)


if __name__ == "__main__":
    main()
