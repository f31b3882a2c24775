"""The status of a folder: what is written is read again, and one state follows from it."""

from __future__ import annotations

from typing import Any

import pytest

from syncd.core.plan import Held
from syncd.engine.report import LATER, PARTLY, FolderReport, Trouble
from syncd.model import Problem, TaskKey
from syncd.overview.status import FolderStatus, state_of, task_text

TASK = TaskKey("https://x", 1, 2, 789)
HELD = Held(7, "gone.txt", 10, "delete", "too many")


def report(**values: Any) -> FolderReport:
    return FolderReport("landing", "/landing", 789, **values)


def status(**values: Any) -> FolderStatus:
    return FolderStatus.of(report(**values), TASK, last_cycle=1_700_000_000.0)


@pytest.mark.parametrize(
    ("values", "state"),
    [
        ({"in_sync": True}, "in sync"),
        ({"pending": 1}, "pending"),
        ({"held": [HELD], "failed": [Problem("a", "no")]}, "held"),
        ({"failed": [Problem("a", "no")]}, "error"),
        ({"contested": ["a"]}, "error"),
        ({"trouble": Trouble(PARTLY, "no such folder"), "held": [HELD]}, "error"),
        ({"trouble": Trouble(LATER, "offline", "offline")}, "pending"),
        ({"trouble": Trouble(LATER, "quota", "quota", resumes_at=2e9)}, "paused"),
    ],
)
def test_one_state_follows_from_a_report(values: dict[str, Any], state: str) -> None:
    assert state_of(report(**values)) == status(**values).state == state


def test_a_status_that_was_written_is_read_again() -> None:
    made = status(
        trouble=Trouble(LATER, "quota", "quota", resumes_at=1_700_003_600.0),
        held=[HELD],
        failed=[Problem("a", "no")],
        contested=["b"],
        pending=3,
    )
    assert FolderStatus.from_record(made.to_record()) == made
    assert made.task == task_text(TASK)


@pytest.mark.parametrize(
    "change",
    [{"state": "fine"}, {"held": [3]}, {"held": [{}]}, {"failed": 1}, {"last_cycle": "soon"}],
)
def test_a_record_that_makes_no_sense_is_left_out(change: dict[str, Any]) -> None:
    assert FolderStatus.from_record(status().to_record() | change) is None
    assert FolderStatus.from_record(3) is None


@pytest.mark.parametrize(
    ("before", "service", "state", "reason"),
    [
        ({"in_sync": True}, {"syncing": True}, "syncing", None),
        ({"in_sync": True}, {"key_refused": True}, "paused", "the key was refused"),
        ({"in_sync": True}, {"changed": True}, "pending", "a change settles"),
        ({"in_sync": True}, {"changed": True, "paced": "pacing"}, "pending", "pacing"),
        ({"in_sync": True}, {"paced": "pacing"}, "in sync", None),
        ({"held": [HELD]}, {"changed": True}, "held", "1 held back"),
    ],
)
def test_a_running_service_adds_what_it_does_and_waits_for(
    before: dict[str, Any], service: dict[str, Any], state: str, reason: str | None
) -> None:
    values = {"syncing": False, "key_refused": False, "changed": False, "paced": None} | service
    found = status(**before).in_service(**values)
    assert found.state == state
    assert (found.reason or "").startswith(reason or "")


def test_without_a_service_only_a_pause_still_says_when_it_goes_on() -> None:
    paused = status(trouble=Trouble(LATER, "quota", "quota", resumes_at=2_000.0))
    assert paused.without_service(1_000.0).next_cycle == 2_000.0
    assert paused.without_service(3_000.0).next_cycle is None
    syncing = status().in_service(syncing=True, key_refused=False, changed=False, paced=None)
    assert syncing.without_service(0.0).reason == "the cycle was interrupted"
