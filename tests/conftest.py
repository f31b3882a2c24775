"""`--full`: every combination of troubles; and how many points of trouble were tried."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--full",
        action="store_true",
        help="try every combination of troubles (tests/fault/matrix.py): takes half an hour",
    )


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "full: takes too long for every day; needs --full")


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_setupnodes() -> None:
    """Compile the tests once, where each worker would: half of its start."""
    compiled = Path(__file__).parent / "unit" / "__pycache__"
    if not sys.dont_write_bytecode and not compiled.exists():
        command = [sys.executable, "-m", "pytest", "--collect-only"]
        subprocess.run(command, stdout=subprocess.DEVNULL, check=False)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if config.getoption("--full"):
        return
    left_out = [item for item in items if item.get_closest_marker("full")]
    items[:] = [item for item in items if item not in left_out]
    config.hook.pytest_deselected(items=left_out)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Tests tell by `record_property("points", n)`; with xdist their output is not shown."""
    reports = [r for kind in ("passed", "failed") for r in terminalreporter.getreports(kind)]
    points = sum(n for r in reports for key, n in r.user_properties if key == "points")
    if points:
        terminalreporter.write_line(f"points of trouble tried: {points}")
