"""What the log in JSON tells of a run, from the command line against a real sandbox."""

from __future__ import annotations

import json
from pathlib import Path

from tests.support.commands import Shell


def test_each_action_cycle_and_problem_is_an_event_with_its_fields(tmp_path: Path) -> None:
    with Shell(tmp_path) as shell:
        shell.write("adopted.txt", "theirs")
        shell.seed("adopted.txt")
        shell.write("a.txt", "new")
        (shell.root / "a.txt").rename(shell.root / "b\udcff.txt")
        shell.write("a.txt", "new")
        said = shell.syncd("--once", "--log-format", "json")
        lines = [json.loads(line) for line in said.err.splitlines()]
    assert all(line.keys() >= {"time", "level", "logger", "message"} for line in lines)
    events = [{k: v for k, v in line.items() if k not in ("time", "logger")} for line in lines]
    found = {event["event"]: event for event in events}
    where = {"folder": "landing", "task": 789}
    assert found["adopted"] | where == found["adopted"]
    assert found["adopted"]["name"] == "adopted.txt"
    assert found["created"] | {"name": "a.txt", "reason": "new file"} == found["created"]
    assert found["cycle"] | {"requests": 3, "in_sync": False} == found["cycle"]
    assert found["problem"]["level"] == "error"
    assert found["problem"]["reason"] == "b\\xff.txt: name is not UTF-8"
