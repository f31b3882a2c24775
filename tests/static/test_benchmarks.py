"""The benchmarks start, and their files are small; times are measured by hand only."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def benchmarks(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "benchmarks", *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=30)


def test_the_benchmarks_list_their_scenarios() -> None:
    answer = benchmarks("--list")
    assert answer.returncode == 0, answer.stderr
    assert {"first", "nothing", "changed", "large", "each", "growth"} <= set(answer.stdout.split())


def test_a_scenario_that_does_not_exist_is_refused_by_name() -> None:
    answer = benchmarks("frist")
    assert answer.returncode == 2
    assert "no scenario frist" in answer.stderr


def test_the_files_of_the_benchmarks_stay_short() -> None:
    long = [p.name for p in ROOT.glob("benchmarks/*.py") if len(p.read_text().splitlines()) > 250]
    assert not long
