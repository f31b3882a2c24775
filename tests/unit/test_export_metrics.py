"""`metrics_file`: valid for Prometheus's own parser, and true by the server's log."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from syncd.export.metrics import metrics_text
from syncd.overview.status import FolderStatus
from tests.support.commands import Shell
from tests.support.quirks import Quirks

Samples = dict[tuple[str, str], float]


@pytest.fixture
def shell(tmp_path: Path) -> Iterator[Shell]:
    with Shell(tmp_path, Quirks(quota=50)) as shell:
        shell.config.write_text(f"{shell.config.read_text()}metrics_file: {tmp_path}/syncd.prom\n")
        yield shell


def samples(text: str) -> Samples:
    """Values by name and the first label's value."""
    return {
        (sample.name, next(iter(sample.labels.values()), "")): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def written(shell: Shell) -> Samples:
    return samples((shell.base / "syncd.prom").read_text())


def test_totals_add_up_over_runs_to_what_the_server_saw(shell: Shell) -> None:
    shell.write("a.txt", "four")
    shell.write("b.txt", "fifth")
    shell.syncd("--once")
    shell.write("a.txt", "sixth!")
    shell.syncd("--once")
    (shell.root / "b.txt").rename(shell.root / "c.txt")
    shell.syncd("--once")
    (shell.root / "c.txt").unlink()
    shell.syncd("--once")
    shell.syncd("--once", "--dry-run")
    found = written(shell)
    assert (found["syncd_sent_files_total", ""], found["syncd_sent_bytes_total", ""]) == (3, 15)
    calls = {"create_bulk": 1, "create": 1, "delete": 2, "update": 1, "view": 0}
    assert {c: found["syncd_requests_total", c] for c in calls} == calls
    lists = sum(r.method == "GET" for r in shell.server.log) - 1  # that of the dry run
    assert found["syncd_requests_total", "list"] == lists
    assert found["syncd_quota_remaining", "123"] == 50 - len(shell.server.log) + 1
    assert found["syncd_last_success_timestamp_seconds", "landing"] > 1_700_000_000
    mode = (shell.base / "syncd.prom").stat().st_mode
    assert stat.S_IMODE(mode) == 0o644
    assert [p.name for p in shell.base.glob("*.prom*")] == ["syncd.prom"]


def test_what_fails_is_counted_by_kind_and_what_is_held_is_shown(shell: Shell) -> None:
    for name in "ab":
        shell.write(name, name)
    shell.syncd("--once")
    success = written(shell)["syncd_last_success_timestamp_seconds", "landing"]
    away = shell.root.rename(shell.base / "away")
    shell.syncd("--once")
    away.rename(shell.root)
    for name in "ab":
        (shell.root / name).unlink()
    Path(os.fsdecode(os.fsencode(shell.root) + b"/bytes\xff.txt")).write_text("x")
    shell.syncd("--once")
    found = written(shell)
    assert (found["syncd_errors_total", "folder"], found["syncd_errors_total", "file"]) == (1, 1)
    assert found["syncd_failed", "landing"] == 1
    assert found["syncd_held", "landing"] == 2
    assert found["syncd_last_success_timestamp_seconds", "landing"] == success


def test_without_metrics_file_nothing_is_counted(shell: Shell) -> None:
    text = shell.config.read_text()
    shell.config.write_text(text.replace("\nmetrics_file", "\n#metrics_file"))
    shell.write("a.txt")
    shell.syncd("--once")
    shell.config.write_text(text)
    shell.syncd("--once")
    assert written(shell)["syncd_sent_files_total", ""] == 0


def test_labels_are_escaped_and_each_metric_has_help_and_a_type() -> None:
    name = 'a "quoted"\nback\\slash \udcff'
    folders = [FolderStatus(name, "/x", 7, pending=3), FolderStatus("late", "/y", None)]
    text = metrics_text(folders, {123: 20, 9: 0}, {("errors", "new kind"): 2})
    found = {family.name: family for family in text_string_to_metric_families(text)}
    assert found["syncd_pending"].samples[0].labels == {
        "folder": 'a "quoted"\\nback\\slash \\xff',
        "task": "7",
    }
    assert {s.labels["organization"]: s.value for s in found["syncd_quota_remaining"].samples} == {
        "123": 20,
        "9": 0,
    }
    assert [s.value for s in found["syncd_errors"].samples if s.labels["kind"] == "new kind"] == [2]
    assert all(family.documentation for family in found.values())
    kinds = {family.name: family.type for family in found.values()}
    assert {k for k, v in kinds.items() if v == "counter"} == {
        *("syncd_sent_files", "syncd_sent_bytes", "syncd_requests", "syncd_errors")
    }
    assert text.endswith("\n")
