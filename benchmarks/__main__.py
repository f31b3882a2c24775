"""Measure syncd beside what people would use instead, and print one table.

    python -m benchmarks [--quick] [--rounds N] [--list] [SCENARIO…]

Both sides run in turn, five times, against one server on loopback that throws bodies away. What
takes part and is not installed is named. Progress goes to stderr.
"""

from __future__ import annotations

import argparse
import os
import platform
import sys
import tempfile
from collections.abc import Callable

from benchmarks import growth, many_folders, peers, services, single_files, small_files
from benchmarks.measuring import Failed, run, syncd
from benchmarks.places import Bench, setup
from benchmarks.server import Server
from benchmarks.table import Row, text

SCENARIOS: dict[str, Callable[[Bench], list[Row]]] = {
    "first": small_files.first_sync,
    "first-far": small_files.first_sync_far,
    "first-many": small_files.first_sync_many,
    "nothing": small_files.nothing,
    "nothing-many": small_files.nothing_many,
    "changed": small_files.changed,
    "renamed": small_files.renamed,
    "large": single_files.large,
    "version": single_files.version,
    "byte": single_files.one_byte,
    "each": many_folders.each,
    "service": services.thousand,
    "idle": services.idle,
    "reaction": services.reaction,
    "nothing-huge": small_files.nothing_huge,
    "growth": growth.growth,
}


def main() -> None:
    options = _options()
    if options.list:
        print("\n".join(SCENARIOS))
        return
    rows: list[Row] = []
    with (
        tempfile.TemporaryDirectory(prefix="syncd-bench-", dir=options.dir) as base,
        Server() as server,
        Server(latency=0.010) as slow_server,
    ):
        print(_machine())
        print(f"the server by itself: {server.own_cost()}")
        for name in peers.missing("rclone", "curl"):
            print(f"{name} is not installed: not compared")
        rounds = options.rounds or (2 if options.quick else 5)
        bench = Bench(base, options.quick, rounds, server, slow_server)
        _keep_bytecode(bench)
        for name in options.scenarios or SCENARIOS:
            print(f"{name}, load {os.getloadavg()[0]:.1f}", file=sys.stderr)
            rows += _measured(name, bench)
    print(text(rows))
    if (load := os.getloadavg()[1]) > (os.cpu_count() or 1):
        print(f"The machine was busy (load {load:.0f}): compare the seconds of CPU, not the times.")


def _keep_bytecode(bench: Bench) -> None:
    """As an installed program has it: nothing that is measured compiles its own source."""
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    os.environ["PYTHONPYCACHEPREFIX"] = os.path.join(bench.base, "bytecode")
    run(setup(bench, bench.server, [bench.folder(1)]).once())
    run(syncd("--version"))


def _measured(name: str, bench: Bench) -> list[Row]:
    try:
        return SCENARIOS[name](bench)
    except (Failed, RuntimeError) as error:
        print(f"{name}: {error}", file=sys.stderr)
        return [Row(f"{name}: failed", (float("nan"),))]


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("--quick", action="store_true", help="fewer rounds, smaller sizes")
    parser.add_argument("--rounds", type=int, help="instead of 5, or 2 with --quick")
    parser.add_argument("--dir", help="where the files are made; the default is for temporary ones")
    parser.add_argument("--list", action="store_true", help="print the scenarios' names")
    parser.add_argument("scenarios", nargs="*", metavar="SCENARIO", help="all, if none is named")
    options = parser.parse_args()
    unknown = [name for name in options.scenarios if name not in SCENARIOS]
    if unknown:
        parser.error(f"no scenario {unknown[0]}; there are {', '.join(SCENARIOS)}")
    return options


def _machine() -> str:
    with open("/proc/cpuinfo") as file:
        models = [line.partition(":")[2].strip() for line in file if line.startswith("model name")]
    model = models[0] if models else platform.machine()
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return (
        f"{os.cpu_count()} cores of {model}, {memory:.0f} GiB, Linux {platform.release()}, "
        f"Python {platform.python_version()}"
    )


if __name__ == "__main__":
    main()
