"""Takes out one protection at a time and sees whether a test misses it.

python -m tests.fault.protections            all of them
python -m tests.fault.protections guard key  those whose group or text holds one of the words
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.fault.removals import GROUPS, Removal
from tests.support.processes import environment

ROOT = Path(__file__).parents[2]
AT_ONCE = 2
PATIENCE = 300.0
"""Seconds after which tests that hang count as failed."""


def attempt(removal: Removal) -> str | None:
    """The test that misses the protection, or that hung; None = nobody does."""
    with tempfile.TemporaryDirectory(prefix="syncd-without-") as base:
        copy = Path(base) / "syncd"
        litter = shutil.ignore_patterns(".*", "__pycache__", "*.egg-info", "build")
        shutil.copytree(ROOT, copy, ignore=litter)
        for edit in removal.edits:
            file = copy / "syncd" / edit.file
            file.write_text(file.read_text().replace(edit.old, edit.new))
        command = [sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider"]
        try:
            found = subprocess.run(
                [*command, *removal.tests.split()],
                cwd=copy,
                env=environment(PYTHONPATH=str(copy)),
                capture_output=True,
                text=True,
                timeout=PATIENCE,
            )
        except subprocess.TimeoutExpired:
            return "a test that hangs"
        if found.returncode == 0:
            return None
        lines = [
            ln for ln in found.stdout.splitlines() if ln.startswith(("FAILED tests", "ERROR tests"))
        ]
        assert found.returncode == 1, found.stdout + found.stderr
        return lines[0].split(" - ")[0].split(" ", 1)[1]


def chosen(words: Sequence[str]) -> list[Removal]:
    """Those that are asked for, or all."""
    return [
        removal
        for group, removals in GROUPS.items()
        for removal in removals
        if not words or any(word in f"{group}: {removal.what}" for word in words)
    ]


def main(words: Sequence[str]) -> int:
    """1 if a protection can be taken out and no test says so."""
    started, removals, unseen = time.monotonic(), chosen(words), 0
    with ThreadPoolExecutor(AT_ONCE) as pool:
        for removal, missed in zip(removals, pool.map(attempt, removals), strict=True):
            unseen += missed is None
            print(f"{'missed by ' + missed if missed else 'UNSEEN'}: {removal.what}", flush=True)
    took = time.monotonic() - started
    print(f"{len(removals)} protections taken out, {unseen} unseen, in {took:.0f} s")
    return bool(unseen)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
