"""How much a scan costs beyond the bare walk that it cannot do without.

    python benchmarks/scan.py [FILES]

Prints seconds (best of five, all taken in turn in one run) and ratios to os.scandir + stat.
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from collections.abc import Callable

from syncd.core.ordering import Slot, assign, wanted_sequence
from syncd.local.scan import scan
from syncd.model import Rules

ROUNDS = 5


def bare(folder: str) -> int:
    count, pending = 0, [folder]
    while pending:
        with os.scandir(pending.pop()) as entries:
            for entry in entries:
                if entry.is_dir(follow_symlinks=False):
                    pending.append(entry.path)
                else:
                    entry.stat(follow_symlinks=False)
                    count += 1
    return count


def make(folder: str, files: int, per_folder: int) -> None:
    for index in range(files):
        if index % per_folder == 0:
            inner = os.path.join(folder, f"part {index // per_folder}")
            os.mkdir(inner)
        with open(os.path.join(inner, f"Report {index} of the year.pdf"), "wb"):
            pass


def seconds(call: Callable[[], object]) -> float:
    start = time.perf_counter()
    call()
    return time.perf_counter() - start


def compare(files: int, per_folder: int) -> None:
    plain = Rules(recursive=True, max_files=0)
    ruled = Rules(
        recursive=True,
        max_files=0,
        ignore=("*.log", "build/", "/a/b/*.o", "!keep.log"),
        include=("*.pdf",),
    )
    with tempfile.TemporaryDirectory(prefix="syncd-bench-") as folder:
        make(folder, files, per_folder)
        calls: dict[str, Callable[[], object]] = {
            "os.scandir + stat": lambda: bare(folder),
            "scan": lambda: scan(folder, plain),
            "scan with patterns": lambda: scan(folder, ruled),
        }
        best = dict.fromkeys(calls, float("inf"))
        for _ in range(ROUNDS):
            for name, call in calls.items():
                best[name] = min(best[name], seconds(call))
        found = scan(folder, plain).files
        assert len(found) == files
        order = seconds(lambda: wanted_sequence(found, plain))
    print(f"{files} files, {per_folder} to a folder")
    for name, took in best.items():
        print(f"  {name:20} {took:7.3f} s  {took / best['os.scandir + stat']:5.2f}x")
    print(f"  {'natural order':20} {order:7.3f} s")


def main() -> None:
    files = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    compare(files, files)
    compare(files, 10)
    shuffled = [Slot(index, index * 7919 % 10_000 * 100 + 1) for index in range(10_000)]
    print(f"numbering 10,000 in disorder {seconds(lambda: assign(shuffled)):.3f} s")


if __name__ == "__main__":
    main()
