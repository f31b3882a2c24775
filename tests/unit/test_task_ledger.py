"""Transitions are written together, and the state in memory is then the one on disk."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from syncd.errors import StateError
from syncd.model import Attachment, LoggedAction, LoggedCycle, TaskKey
from syncd.state.database import Database
from syncd.state.ledger import Ledger
from syncd.state.ledger_file import open_for_writing
from syncd.state.task_ledger import TaskLedger
from syncd.task_state import Attribute, Event, Intent, TaskState
from tests.support.values import (
    ELSEWHERE,
    HOME,
    NOW,
    attachment,
    created,
    deleted,
    digest,
    entry,
    intent,
    put_back,
    refusal,
)

DAY = 86_400.0
TASK = TaskKey("https://focus.toggl.com/api", 1, 2, 3)


class Task:
    """The ledger of one task; every use ends with a look at the file."""

    def __init__(self, directory: Path) -> None:
        self.path = str(directory / "ledger.db")
        self.now = NOW
        connection = open_for_writing(self.path, print)
        self.database = Database(connection, self.path, print)
        self.ledger = Ledger(self.database, self.clock)
        self.task: TaskLedger = self.ledger.task(TASK)
        self.commits = 0
        connection.set_trace_callback(self.trace)

    def clock(self) -> float:
        return self.now

    def trace(self, statement: str) -> None:
        self.commits += statement == "COMMIT"

    @property
    def state(self) -> TaskState:
        return self.task.state

    def put(self, *entries: Any, **more: Any) -> None:
        """What the task holds before the transition that is looked at."""
        known = {e.id: e for e in entries}
        self.task.record_list(self.state._replace(entries=known, listed_at=self.now, **more))
        self.task.write()
        self.commits = 0

    def send(self, *intents: Intent) -> tuple[Intent, ...]:
        sent = self.task.record_sending(intents)
        self.commits = 0
        return sent

    def assert_written(self, transactions: int = 1) -> None:
        """All since the last time is written in one transaction, if it is not yet."""
        self.task.write()
        assert self.commits == transactions
        again = Ledger(Database.copy(self.path, print), self.clock)
        assert again.state(TASK) == self.state._replace(clock_skew=0.0)
        again.close()
        self.commits = 0


def strangers(*found: Attachment) -> dict[int, Attachment]:
    """By id; when they were made is not stored."""
    return {a.id: a._replace(created_at=None) for a in found}


@pytest.fixture
def task(tmp_path: Path) -> Iterator[Task]:
    made = Task(tmp_path)
    yield made
    made.ledger.close()


class TestList:
    def test_a_list_changes_everything_at_once(self, task: Task) -> None:
        task.put(
            entry(1, "a"),
            entry(2, "b"),
            strangers=strangers(attachment(8, "x")),
            retired={700: NOW - 5, 800: NOW},
        )
        kept, dropped = task.send(intent(0, "a"), intent(0, "b"))
        after = task.state._replace(
            entries={1: task.state.entries[1]._replace(path="moved"), 3: entry(3, "c")},
            intents={kept.key: kept._replace(state="lost")},
            strangers=strangers(attachment(9, "y")),
            retired={800: NOW, 900: NOW},
            history=(*task.state.history, created("c", ago=0)),
            listed_at=NOW,
            clock_skew=-3.5,
        )
        task.task.record_list(after)
        assert task.state == after
        assert dropped.key not in task.state.intents
        task.assert_written()

    def test_a_list_that_changes_nothing_is_noted_all_the_same(self, task: Task) -> None:
        task.put(entry(1, "a"))
        task.now += 60
        task.task.record_list(task.state._replace(listed_at=task.now))
        assert task.state.listed_at == NOW + 60
        task.task.write()
        assert task.commits == 0, "it waits for the next transaction"
        task.ledger.prove_writable()
        task.assert_written()

    def test_the_time_of_the_last_list_is_the_one_written(self, task: Task) -> None:
        task.put(entry(1, "a"))
        task.task.record_list(task.state._replace(listed_at=NOW + 1))
        task.task.write()
        task.task.record_list(task.state._replace(entries={}, listed_at=NOW + 2))
        task.assert_written()

    def test_events_older_than_a_day_are_forgotten_in_memory_too(self, task: Task) -> None:
        task.task.record_deleted(attachment(1, "a"), "a")
        task.now += DAY
        task.put()
        assert task.state.history == ()


class TestPlan:
    def test_entries_identity_and_holds(self, task: Task) -> None:
        task.put(entry(1, "a"), strangers=strangers(attachment(9, "b"), attachment(8, "x")))
        records = [entry(1, "renamed"), entry(9, "b", role="current")]
        task.task.record_plan(records, HOME, True, 4)
        assert [e.path for e in task.state.entries.values()] == ["renamed", "b"]
        assert set(task.state.strangers) == {8}, "an adopted attachment is a stranger no more"
        found = task.state.identity, task.state.mirror_approved, task.state.held_of
        assert found == (HOME, True, 4)
        task.assert_written()

    def test_no_identity_and_no_approval_leave_the_known_ones(self, task: Task) -> None:
        task.task.record_plan([], HOME, True, 4)
        task.assert_written()
        task.task.record_plan([], None, False, None)
        found = task.state.identity, task.state.mirror_approved, task.state.held_of
        assert found == (HOME, True, None)
        task.assert_written()
        task.task.record_plan([], ELSEWHERE, False, None)
        assert task.state.identity == ELSEWHERE
        task.assert_written()

    def test_a_plan_that_changes_nothing_writes_nothing(self, task: Task) -> None:
        task.task.record_plan([], HOME, True, 4)
        task.assert_written()
        task.task.record_plan([], HOME, False, 4)
        task.assert_written(0)


class TestOrder:
    def order(self, task: Task) -> tuple[str | None, int, bool]:
        return task.state.order_tried, task.state.order_tries, task.state.order_kept

    def test_tries_of_one_sequence_are_counted(self, task: Task) -> None:
        for tries in (1, 2):
            task.task.record_order("s", kept=False)
            assert self.order(task) == ("s", tries, False)
            task.assert_written()

    def test_another_sequence_begins_anew(self, task: Task) -> None:
        task.task.record_order("s", kept=True)
        task.assert_written()
        task.task.record_order("t", kept=False)
        assert self.order(task) == ("t", 1, False)
        task.assert_written()

    def test_a_sequence_that_a_list_showed_stays_kept_while_it_is_put_back(
        self, task: Task
    ) -> None:
        task.task.record_order("s", kept=True)
        task.assert_written()
        task.task.record_order("s", kept=False, put_back=True)
        assert self.order(task) == ("s", 1, True)
        assert task.state.history == (put_back("order", 0),)
        task.assert_written()

    def test_a_sequence_that_is_kept_already_is_not_written_again(self, task: Task) -> None:
        task.task.record_order("s", kept=True)
        task.assert_written()
        task.task.record_order("s", kept=True)
        task.assert_written(0)


class TestCreates:
    def test_creates_get_their_keys_before_they_are_sent(self, task: Task) -> None:
        sent = task.task.record_sending([intent(0, "a"), intent(0, "b")])
        assert list(task.state.intents.values()) == list(sent)
        assert len({i.key for i in sent} - {0}) == 2
        task.assert_written()

    def test_creates_that_were_not_sent_are_dropped(self, task: Task) -> None:
        first, second = task.send(intent(0, "a"), intent(0, "b"))
        task.task.record_not_sent([first])
        assert list(task.state.intents.values()) == [second]
        task.assert_written()

    def test_creates_in_doubt_say_since_when(self, task: Task) -> None:
        (sent,) = task.send(intent(0, "a", state="open", ended_at=None))
        task.now += 7
        task.task.record_doubtful([sent._replace(digest="d")])
        (found,) = task.state.intents.values()
        assert (found.state, found.ended_at, found.digest) == ("doubtful", NOW + 7, "d")
        task.assert_written()

    def test_answered_creates_are_counted_and_their_refusals_forgiven(self, task: Task) -> None:
        task.task.record_refusals([refusal("a"), refusal("b")])
        (sent,) = task.send(intent(0, "a", state="open", ended_at=None))
        task.task.record_answered([sent])
        (found,) = task.state.intents.values()
        assert (found.state, found.ended_at) == ("answered", NOW)
        assert task.state.history == (created("a", ago=0),)
        assert list(task.state.refusals) == ["b"]
        task.assert_written()

    def test_creates_with_objects_become_entries(self, task: Task) -> None:
        """The old version that one replaces is written along with it."""
        task.put(entry(1, "a", "old"))
        task.task.record_refusals([refusal("a")])
        sent = task.send(intent(0, "a"), intent(0, "b"))
        old = task.state.entries[1]._replace(role="superseded", replaced_by=5)
        task.task.record_created(sent, [entry(5, "a"), entry(6, "b"), old])
        assert task.state.entries == {1: old, 5: entry(5, "a"), 6: entry(6, "b")}
        assert (task.state.intents, task.state.refusals) == ({}, {})
        assert [(e.what, e.subject) for e in task.state.history] == [
            ("create", "a"),
            ("create", "b"),
        ]
        task.assert_written()

    def test_a_create_without_a_digest_is_not_counted(self, task: Task) -> None:
        task.task.record_answered(task.send(intent(0, "a", digest=None)))
        assert task.state.history == ()
        task.assert_written()


class TestUpdates:
    def test_a_put_is_known_by_its_new_and_its_old_value(self, task: Task) -> None:
        task.put(entry(1, "a", name=Attribute("a", "x", kept=True)))
        task.task.record_updated(1, "b", 150, put_back=False)
        found = task.state.entries[1]
        assert found.name == Attribute("b", "b", before="x", put_at=NOW)
        assert found.order == Attribute(150, 150, before=100, put_at=NOW)
        assert (task.state.retired, task.state.history) == ({100: NOW}, ())
        task.assert_written()

    def test_a_put_of_the_same_order_retires_none(self, task: Task) -> None:
        task.put(entry(1, "a"))
        task.task.record_updated(1, "b", 100, put_back=False)
        assert task.state.retired == {}
        task.assert_written()

    def test_a_name_that_was_put_back_is_counted(self, task: Task) -> None:
        task.put(entry(1, "a", name=Attribute("a", "x", kept=True)))
        task.task.record_updated(1, "a", 100, put_back=True)
        assert task.state.history == (put_back("1", 0),)
        task.assert_written()


class TestDeletes:
    def test_a_deleted_attachment_leaves_a_tombstone(self, task: Task) -> None:
        task.put(entry(1, "a"), entry(2, "b", listed=False))
        for id_, name in ((1, "a"), (2, "b")):
            task.now += 1
            task.task.record_deleted(Attachment(id_, name, 0, 7), name)
            tomb = task.state.entries[id_]
            assert (tomb.role, tomb.shown, tomb.listed) == ("tombstone", False, True)
            assert (tomb.since, tomb.order.seen) == (task.now, id_ * 100)
            task.assert_written()
        assert task.state.history == (
            Event(NOW + 1, "delete", "a"),
            Event(NOW + 2, "delete", "b"),
        )

    def test_an_old_version_does_not_count(self, task: Task) -> None:
        task.put(entry(1, "a", role="superseded", replaced_by=2), entry(2, "a"))
        task.task.record_deleted(Attachment(1, "a", 0, 7), None)
        assert (task.state.entries[1].role, task.state.history) == ("tombstone", ())
        task.assert_written()

    def test_the_display_order_of_a_deleted_foreign_attachment_stays_known(
        self, task: Task
    ) -> None:
        """No create may carry it for a day."""
        task.put(strangers=strangers(attachment(9, "x", number=42)))
        task.task.record_deleted(Attachment(9, "x", 0, 7), "x")
        tomb = task.state.entries[9]
        assert (tomb.role, tomb.order, tomb.size) == ("tombstone", Attribute(42, 42), 7)
        assert (task.state.strangers, task.state.history) == ({}, (deleted("x", 0),))
        task.assert_written()

    def test_an_attachment_that_is_not_found_is_to_be_listed(self, task: Task) -> None:
        task.put(entry(1, "a", listed=False), entry(2, "b"))
        task.task.record_not_found(1)
        assert task.state.entries[1].listed
        task.assert_written()
        for id_ in (1, 2, 3):
            task.task.record_not_found(id_)
        task.assert_written(0)


class TestRefusals:
    def test_refusals_replace_those_of_the_same_subject(self, task: Task) -> None:
        task.task.record_refusals([refusal("a"), refusal("#1", None)])
        task.assert_written()
        again = refusal("a", attempts=2, whole=True)
        task.task.record_refusals([again])
        assert task.state.refusals == {"a": again, "#1": refusal("#1", None)}
        task.assert_written()

    def test_forgiving_forgets_those_subjects_alone(self, task: Task) -> None:
        task.task.record_refusals([refusal("a"), refusal("#1", None)])
        task.assert_written()
        task.task.forgive(["a", "unknown"])
        assert list(task.state.refusals) == ["#1"]
        task.assert_written()
        task.task.forgive(["unknown"])
        task.assert_written(0)

    def test_forgetting_waits_forgets_the_counts_but_not_the_deletes(self, task: Task) -> None:
        task.put(entry(1, "a"))
        task.task.record_refusals([refusal("a")])
        task.task.record_answered(task.task.record_sending([intent(0, "a")]))
        task.task.record_updated(1, "x", 5, put_back=True)
        task.task.record_order("s", kept=False, put_back=True)
        task.task.record_deleted(attachment(9, "b"), "b")
        task.task.write()
        task.commits = 0
        task.task.forget_waits()
        assert (task.state.refusals, task.state.order_tries) == ({}, 0)
        assert task.state.history == (deleted("b", 0),)
        assert digest("content") in {i.digest for i in task.state.intents.values()}
        task.assert_written()


def test_all_recorded_since_the_last_write_is_one_transaction(task: Task) -> None:
    task.put(entry(1, "a"), entry(2, "b"))
    task.task.record_plan([entry(3, "c")], HOME, True, 4)
    task.task.record_order("s", kept=True)
    (sent,) = task.task.record_sending([intent(0, "d")])
    task.assert_written()
    task.task.record_answered([sent])
    task.task.record_sending([intent(0, "e")])
    task.assert_written()
    task.task.record_updated(1, "x", 5, put_back=True)
    task.task.record_deleted(attachment(2, "b"), "b")
    task.task.record_refusals([refusal("a")])
    task.assert_written()


def test_creates_are_in_the_file_before_they_are_sent(task: Task) -> None:
    task.task.record_sending([intent(0, "a")])
    assert task.commits == 1


def test_a_value_taken_earlier_does_not_change(task: Task) -> None:
    task.put(entry(1, "a"))
    before = task.state
    task.task.record_updated(1, "b", 5, put_back=False)
    task.task.record_deleted(attachment(1, "b"), "b")
    assert before.entries == {1: entry(1, "a")}
    assert task.state.entries[1].role == "tombstone"


def test_a_failure_to_write_is_a_state_error(task: Task) -> None:
    task.put(entry(1, "a"))
    task.database._db.execute("PRAGMA query_only = 1")
    with pytest.raises(StateError, match="cannot be written"):
        task.task.record_sending([intent(0, "b")])
    task.task.record_deleted(attachment(1, "a"), "a")
    with pytest.raises(StateError, match="cannot be written"):
        task.task.write()
    assert task.commits == 0


class TestWhatPeopleReadLater:
    def logged(self, number: int) -> LoggedAction:
        return LoggedAction(NOW + number, "folder", "created", f"{number}", "new file", None, 3)

    def test_actions_are_told_in_the_order_in_which_they_were_done(self, tmp_path: Path) -> None:
        task = Task(tmp_path)
        for number in range(3):
            task.task.record_action(self.logged(number))
        task.task.write()
        assert task.ledger.actions() == [(TASK, self.logged(number)) for number in range(3)]

    def test_only_the_last_actions_are_kept(self, tmp_path: Path) -> None:
        task = Task(tmp_path)
        for number in range(4_150):
            task.task.record_action(self.logged(number))
        task.task.write()
        kept = [action.name for _, action in task.ledger.actions()]
        assert kept[-1] == "4149"
        assert 4_000 <= len(kept) <= 4_100

    def test_a_run_is_told_by_its_last_state(self, tmp_path: Path) -> None:
        task = Task(tmp_path)
        last = LoggedCycle(NOW, 75, 2, 4, 9)
        task.task.record_cycle(LoggedCycle(NOW, 0, 1, 2, 10))
        task.task.record_cycle(last)
        task.ledger.flush()
        assert task.ledger.cycles() == [(TASK, last)]

    def test_runs_are_forgotten_after_a_day(self, tmp_path: Path) -> None:
        task = Task(tmp_path)
        for at in (NOW, NOW + DAY / 2, NOW + DAY + 1):
            task.task.record_cycle(LoggedCycle(at, 0, 1, 2, None))
        task.ledger.flush()
        assert [cycle.at for _, cycle in task.ledger.cycles()] == [NOW + DAY / 2, NOW + DAY + 1]
