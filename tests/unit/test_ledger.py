"""The ledger gives back what was put into it; the transitions of a task are in test_task_ledger."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from syncd.core.snapshot import created_counts, put_back_count
from syncd.errors import StateError
from syncd.model import Fingerprint, FolderIdentity, TaskKey
from syncd.state.ledger import Ledger
from syncd.task_state import Attribute, TaskState
from tests.support.values import ELSEWHERE, HOME, NOW, attachment, entry, intent, refusal

DAY = 86_400.0
TASK = TaskKey("https://focus.toggl.com/api", 1, 2, 3)
OTHERS = [
    TASK._replace(url="https://elsewhere"),
    TASK._replace(organization_id=9),
    TASK._replace(workspace_id=9),
    TASK._replace(task_id=9),
]
CHANGED = Attribute("x/y", "X_Y", True, "X_Y", "X_Y", "x", 5.5)
ENTRIES = [
    entry(1, "a"),
    entry(2, "Grüße\n.txt", role="detached", racy=True, listed=False, shown=False),
    entry(3, "x/y", name=CHANGED, role="superseded", replaced_by=1),
    entry(2**62, "gone", number=2**62, role="tombstone")._replace(digest=None, fingerprint=None),
    entry(5, "inode")._replace(fingerprint=Fingerprint(1, -1, 2**63 - 1, 2**64 - 1)),
    entry(6, "moved", order=Attribute(1, -2, False, 3, 2**62, 0, 7.25), role="released"),
]


class Clock:
    now = NOW

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def ledger(tmp_path: Path, clock: Clock) -> Iterator[Ledger]:
    opened = Ledger.open(str(tmp_path), clock)
    yield opened
    opened.close()


def plan(ledger: Ledger, *what: Any) -> None:
    task = ledger.task(TASK)
    task.record_plan(*what)
    task.write()


def test_an_unknown_task_has_an_empty_state(ledger: Ledger) -> None:
    assert ledger.state(TASK) == TaskState()
    assert ledger.tasks() == []


def test_a_task_that_is_written_for_the_first_time_begins_empty(ledger: Ledger) -> None:
    assert ledger.task(TASK).state == TaskState()
    assert [task for task, *_ in ledger.tasks()] == [TASK]


def test_entries_come_back_as_they_were(tmp_path: Path, ledger: Ledger) -> None:
    plan(ledger, ENTRIES, None, False, None)
    wanted = {e.id: e for e in ENTRIES}
    assert ledger.state(TASK).entries == wanted
    assert ledger.task(TASK).state.entries == wanted
    assert Ledger.snapshot(str(tmp_path)).state(TASK).entries == wanted


def test_intents_and_refusals_come_back_as_they_were(ledger: Ledger) -> None:
    big = Fingerprint(2**40, -1, 2**62, 2**64 - 1)
    sending = [
        intent(0, "a", digest=None, state="open", ended_at=None),
        intent(0, "Grüße\n", number=-7, fingerprint=big),
    ]
    refusals = [
        refusal("a", digest="d", whole=True, proven=False, attempts=3),
        refusal("b", digest=""),
        refusal("#1", None),
        refusal("", None, fingerprint=None),
    ]
    task = ledger.task(TASK)
    sent = task.record_sending(sending)
    task.record_refusals(refusals)
    task.write()
    found = ledger.state(TASK)
    assert list(found.intents.values()) == list(sent)
    assert [i._replace(key=0) for i in sent] == sending
    assert found.refusals == {r.subject: r for r in refusals}


@pytest.mark.parametrize("moment", [2**63, -(2**70), 2**90])
def test_a_file_of_any_date_can_be_recorded(ledger: Ledger, moment: int) -> None:
    """In a new process its fingerprint differs: the file is read once more."""
    dated = ENTRIES[0]._replace(fingerprint=Fingerprint(7, moment, moment, 1))
    plan(ledger, [dated], None, False, None)
    found = ledger.state(TASK).entries[1]
    assert found.fingerprint != dated.fingerprint
    assert found._replace(fingerprint=dated.fingerprint) == dated


def test_the_list_comes_back_as_it_was_taken(ledger: Ledger) -> None:
    """But for the times of creation and the clock skew, which only a fresh list tells."""
    theirs = attachment(9, "Grüße", number=-3, created_at=None)
    task = ledger.task(TASK)
    after = task.state._replace(strangers={9: theirs}, retired={7: 1.5}, listed_at=12.5)
    task.record_list(after)
    task.write()
    ledger.prove_writable()
    assert ledger.state(TASK) == after


@pytest.mark.parametrize("other", OTHERS, ids=["url", "organization", "workspace", "task"])
def test_tasks_do_not_mix(ledger: Ledger, other: TaskKey) -> None:
    empty = ledger.task(other)
    task = ledger.task(TASK)
    full = task.state._replace(
        entries={e.id: e for e in ENTRIES},
        strangers={9: attachment(9, "x")},
        retired={7: 1.5},
        listed_at=1.0,
    )
    task.record_list(full)
    task.record_sending([intent(0, "a")])
    task.record_refusals([refusal("a")])
    task.record_deleted(attachment(8, "b"), "b")
    task.record_plan([], HOME, True, 3)
    task.record_order("sequence", kept=True)
    task.write()
    before = ledger.state(TASK)
    assert ledger.state(other) == TaskState()
    empty.forgive(["a"])
    empty.forget_waits()
    empty.record_not_sent(task.state.intents.values())
    empty.record_list(empty.state._replace(listed_at=2.0))
    empty.write()
    ledger.prove_writable()
    assert ledger.state(TASK) == before


def test_keys_of_intents_are_never_given_twice(tmp_path: Path, ledger: Ledger) -> None:
    one, other = ledger.task(TASK), ledger.task(OTHERS[0])
    keys = [i.key for i in one.record_sending([intent(0, "a"), intent(0, "b")])]
    one.record_not_sent(one.state.intents.values())
    keys += [i.key for i in other.record_sending([intent(0, "a")])]
    ledger.close()
    again = Ledger.open(str(tmp_path))
    keys += [i.key for i in again.task(TASK).record_sending([intent(0, "a")])]
    again.close()
    assert keys == [1, 2, 3, 4]


def test_a_create_under_way_when_a_process_died_is_in_doubt(
    tmp_path: Path, ledger: Ledger, clock: Clock
) -> None:
    ledger.task(TASK).record_sending([intent(0, "a", state="open", ended_at=None)])
    ledger.close()
    clock.now += 100
    again = Ledger.open(str(tmp_path), clock)
    (found,) = again.state(TASK).intents.values()
    assert (found.state, found.ended_at) == ("doubtful", clock.now)
    again.close()


class TestTheDaysCounts:
    """From the transition through the file to the count that a plan rests on."""

    def created(self, ledger: Ledger, path: str, digest: str) -> None:
        task = ledger.task(TASK)
        task.record_answered(task.record_sending([intent(0, path, digest=digest)]))
        task.write()

    def counts(self, ledger: Ledger, now: float) -> dict[tuple[str, str], int]:
        return created_counts(ledger.state(TASK), now)

    def test_creates_of_the_bytes_created_last(self, ledger: Ledger, clock: Clock) -> None:
        for digest in ("one", "two", "two"):
            self.created(ledger, "a", digest)
            clock.now += 60
        assert self.counts(ledger, clock.now) == {("a", "two"): 2}
        assert self.counts(ledger, clock.now + DAY) == {}
        clock.now += DAY
        assert ledger.state(TASK).history == ()

    def test_a_file_deleted_by_its_user_begins_anew(self, ledger: Ledger, clock: Clock) -> None:
        for path in "ab":
            self.created(ledger, path, "d")
        task = ledger.task(TASK)
        task.record_deleted(attachment(1, "a"), "a")
        task.write()
        assert self.counts(ledger, clock.now) == {("b", "d"): 1}

    def test_put_backs_are_counted_by_attachment(self, ledger: Ledger, clock: Clock) -> None:
        task = ledger.task(TASK)
        task.record_plan([entry(1, "a"), entry(2, "b")], None, False, None)
        for id_ in (1, 1, 2):
            task.record_updated(id_, "x", 1, put_back=True)
        task.record_updated(1, "y", 1, put_back=False)
        task.record_order("s", kept=False, put_back=True)
        task.write()
        state, later = ledger.state(TASK), clock.now + 1
        counts = [put_back_count(state, subject, later) for subject in ("1", "2", "3", "order")]
        assert counts == [2, 1, 0, 1]
        assert put_back_count(state, "1", clock.now + DAY) == 0

    def test_old_events_leave_the_file(self, ledger: Ledger, clock: Clock) -> None:
        self.created(ledger, "a", "d")
        clock.now += DAY + 1
        ledger.prove_writable()
        clock.now -= DAY + 1
        assert ledger.state(TASK).history == ()


def test_identity_and_approval_stay(ledger: Ledger) -> None:
    plan(ledger, [], HOME, True, None)
    plan(ledger, [], None, False, None)
    found = ledger.state(TASK)
    assert (found.identity, found.mirror_approved) == (HOME, True)
    plan(ledger, [], ELSEWHERE, False, None)
    assert ledger.state(TASK).identity == ELSEWHERE


@pytest.mark.parametrize("number", [0, 2**63 - 1, 2**63, 2**64 - 1])
def test_any_inode_and_file_system_can_be_told_apart(ledger: Ledger, number: int) -> None:
    for identity in (FolderIdentity(number, 1), FolderIdentity(1, number)):
        plan(ledger, [], identity, False, None)
        assert ledger.state(TASK).identity == identity


def test_quotas_are_kept_by_server_and_organization(ledger: Ledger) -> None:
    ledger.keep_quota("url", 1, "one")
    ledger.keep_quota("url", 2, "two")
    ledger.keep_quota("url", 1, "three")
    ledger.flush()
    assert [ledger.quota("url", n) for n in (1, 2, 3)] == ["three", "two", None]
    assert ledger.quota("other", 1) is None


def test_waiting_rows_are_written_at_once_but_not_more_than_once_a_second(
    ledger: Ledger, clock: Clock
) -> None:
    for seconds, quota, kept in (
        (0.0, "one", "one"),
        (0.5, "two", "one"),
        (1.0, "three", "three"),
        (-100.0, "four", "four"),
    ):
        clock.now += seconds
        ledger.keep_quota("url", 1, quota)
        ledger.flush()
        assert ledger.quota("url", 1) == kept


def test_waiting_rows_are_written_at_the_end(tmp_path: Path, ledger: Ledger) -> None:
    for quota in ("one", "two"):
        ledger.keep_quota("url", 1, quota)
        ledger.flush()
    ledger.close()
    assert Ledger.snapshot(str(tmp_path)).quota("url", 1) == "two"


def test_the_config_and_folder_of_a_task_are_those_registered_last(ledger: Ledger) -> None:
    ledger.register([(TASK, "config", "/folder", None)])
    ledger.register([(TASK, "config", "/moved", "/parent"), (OTHERS[0], "config", "/b", None)])
    assert ledger.tasks() == [
        (TASK, "config", "/moved", "/parent"),
        (OTHERS[0], "config", "/b", None),
    ]


def test_a_task_stays_the_same_when_its_folder_is_registered_anew(ledger: Ledger) -> None:
    plan(ledger, ENTRIES, HOME, False, None)
    before = ledger.state(TASK)
    ledger.register([(TASK, "config", "/folder", None)])
    assert ledger.state(TASK) == before


def test_registering_the_same_again_writes_nothing(tmp_path: Path, ledger: Ledger) -> None:
    ledger.register([(TASK, "config", "/folder", None)])
    before = (tmp_path / "ledger.db").read_bytes()
    ledger.register([(TASK, "config", "/folder", None)])
    assert (tmp_path / "ledger.db").read_bytes() == before


WRONG: list[dict[str, Any]] = [
    {"name": Attribute(["no"], "a")},
    {"role": "nonsense"},
    {"size": None},
]


@pytest.mark.parametrize("wrong", WRONG, ids=str)
def test_a_value_that_sqlite_refuses_is_a_state_error(
    ledger: Ledger, wrong: dict[str, Any]
) -> None:
    """With one bad row nothing is written."""
    plan(ledger, ENTRIES[:1], None, False, None)
    before = ledger.state(TASK)
    with pytest.raises(StateError, match="nothing more is sent"):
        plan(ledger, [ENTRIES[1], ENTRIES[0]._replace(**wrong)], HOME, False, None)
    assert ledger.state(TASK) == before
    plan(ledger, ENTRIES[1:], None, False, None)


def test_the_file_is_for_its_owners_eyes_only(tmp_path: Path, ledger: Ledger) -> None:
    assert os.stat(tmp_path / "ledger.db").st_mode & 0o077 == 0
    ledger.prove_writable()
