"""What a command imports: nothing that it does not need, since that is most of its time."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

from tests.support.commands import Shell

SLOW = {"requests", "urllib3", "yaml", "sqlite3", "logging", "argparse", "json", "dataclasses"}
FOR_OTHERS = {
    *("watchdog", "apscheduler", "rich", "pathspec", "python_multipart", "http.server"),
    *("subprocess", "dataclasses", "difflib", "fractions", "decimal", "resource"),
    *("syncd.sandbox", "syncd.service.daemon", "syncd.service.worker", "syncd.overview.verdict"),
    *("syncd.cli.check", "syncd.local.watcher", "syncd.cli.unit", "syncd.cli.tasks"),
    *("syncd.cli.init", "syncd.focus.workspace", "syncd.config.new_config", "getpass", "ctypes"),
    "readline",
    *("syncd.export", "syncd.state.counters"),
    *("syncd.cli.once_exports", "syncd.cli.status_page", "html"),
    *("shtab", "syncd.probe", "syncd.focus.probing"),
}
"""What a cycle that sends nothing has no use for."""


def imported(*arguments: str) -> set[str]:
    """The modules that a command imports, in a process of its own."""
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "syncd", *arguments],
        capture_output=True,
        text=True,
        cwd=Path(__file__).parents[2],
    )
    assert done.returncode == 0, done.stderr
    return set(re.findall(r"^import time:[\s\d]+\|[\s\d]+\|\s*(\S+)$", done.stderr, re.MULTILINE))


def test_the_version_is_told_before_anything_slow_is_imported() -> None:
    found = imported("--version")
    assert "syncd.cli.main" in found
    assert not found & SLOW
    ours = {name for name in found if name.startswith("syncd")}
    assert ours == {"syncd", "syncd.cli", "syncd.cli.main", "syncd.cli.streams"}


def test_help_is_told_before_a_config_or_a_server_is_thought_of() -> None:
    assert not imported("--help") & (SLOW - {"argparse", "logging", "json", "dataclasses"})


def test_a_cycle_that_sends_nothing_imports_only_what_it_uses(tmp_path: Path) -> None:
    with Shell(tmp_path) as shell:
        shell.write("a.txt")
        shell.syncd("--once")
        before = shell.requests()
        found = imported("-c", str(shell.config), "--once")
        assert shell.requests() == before + 1
    assert "requests" in found
    assert not found & FOR_OTHERS
