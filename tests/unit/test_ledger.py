"""The ledger gives back what was put into it, and counts the day's events."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from syncd.core.pacing import Quota
from syncd.errors import StateError
from syncd.model import Fingerprint, Listing, Past, TaskKey
from syncd.said import Said
from syncd.state.ledger import Ledger
from tests.support.values import ELSEWHERE, HOME, attachment, entry, intent, refusal

HOUR, DAY = 3_600.0, 86_400.0
TASK = TaskKey("https://focus.toggl.com/api", 1, 2, 3)
OTHERS = [
    replace(TASK, url="https://elsewhere"),
    replace(TASK, organization_id=9),
    replace(TASK, workspace_id=9),
    replace(TASK, task_id=9),
]


class Clock:
    now = 1_700_000_000.0

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


def test_of_an_unknown_task_nothing_is_known(ledger: Ledger, clock: Clock) -> None:
    assert ledger.past(TASK, clock.now) == Past()
    assert ledger.remembered(TASK) is None
    assert ledger.tasks() == []


ENTRIES = [
    entry(1, "a"),
    entry(2, "Grüße\n.txt", role="detached", racy=True, listed=False),
    entry(
        3,
        "x/y",
        name=Said("x/y", "X_Y", tried=True, form="X_Y", put_at=5.5, former=("x", "y")),
        role="superseded",
    ),
    replace(entry(2**62, "gone", role="tombstone"), digest=None, fingerprint=None),
    replace(entry(5, "inode"), fingerprint=Fingerprint(1, -1, 2**63, 2**64 - 1)),
]


def test_entries_come_back_as_they_were(tmp_path: Path, ledger: Ledger, clock: Clock) -> None:
    ledger.put(TASK, ENTRIES)
    assert sorted(ledger.past(TASK, clock.now).entries, key=lambda e: e.id) == sorted(
        ENTRIES, key=lambda e: e.id
    )
    copy = Ledger.snapshot(str(tmp_path))
    assert len(copy.past(TASK, clock.now).entries) == len(ENTRIES)


@pytest.mark.parametrize("other", OTHERS, ids=["url", "organization", "workspace", "task"])
def test_tasks_do_not_mix(ledger: Ledger, clock: Clock, other: TaskKey) -> None:
    ledger.put(TASK, ENTRIES, created=[("a", "d")], put_back=1, deleted="gone")
    ledger.intend(TASK, [intent(0, "a")])
    ledger.refuse(TASK, [refusal("a")])
    assert ledger.past(other, clock.now) == Past()


def test_what_a_list_changes_is_written_whole(ledger: Ledger, clock: Clock) -> None:
    ledger.put(TASK, ENTRIES[:3])
    (kept, dropped) = ledger.intend(TASK, [intent(0, "a"), intent(0, "b")])
    before = ledger.past(TASK, clock.now)
    after = replace(
        before,
        entries=(replace(ENTRIES[0], path="moved"), ENTRIES[4]),
        intents=(replace(kept, state="lost"),),
        first_seen={7: 3, 8: 4},
        sequence=4,
        created={("a", "d"): 2},
    )
    ledger.record(TASK, before, after)
    assert ledger.past(TASK, clock.now) == after
    assert dropped.key != kept.key
    ledger.record(TASK, after, replace(after, first_seen={8: 4}))
    assert ledger.past(TASK, clock.now).first_seen == {8: 4}


def test_intents_are_kept_dropped_and_closed(ledger: Ledger, clock: Clock) -> None:
    first, second, third = ledger.intend(TASK, [intent(0, name) for name in "abc"])
    ledger.drop_intents(TASK, [first])
    ledger.update_intents(TASK, [replace(second, state="answered")], answered=True)
    ledger.put(TASK, [], closed=[third.key])
    past = ledger.past(TASK, clock.now)
    assert [(i.path, i.state) for i in past.intents] == [("b", "answered")]
    assert past.created == {("b", second.digest): 1}


def test_a_create_under_way_when_a_process_died_is_in_doubt(
    tmp_path: Path, ledger: Ledger, clock: Clock
) -> None:
    ledger.intend(TASK, [intent(0, "a", state="open", ended_at=None)])
    ledger.close()
    clock.now += 100
    again = Ledger.open(str(tmp_path), clock)
    (found,) = again.past(TASK, clock.now).intents
    assert (found.state, found.ended_at) == ("doubtful", clock.now)
    again.close()


class TestTheDaysCounts:
    def test_creates_of_the_bytes_created_last(self, ledger: Ledger, clock: Clock) -> None:
        for digest in ("one", "two", "two"):
            ledger.put(TASK, [], created=[("a", digest)])
            clock.now += 60
        assert ledger.past(TASK, clock.now).created == {("a", "two"): 2}
        assert ledger.past(TASK, clock.now + DAY).created == {}

    def test_a_file_deleted_by_its_user_begins_anew(self, ledger: Ledger, clock: Clock) -> None:
        ledger.put(TASK, [], created=[("a", "d"), ("b", "d")])
        ledger.put(TASK, [], deleted="a")
        assert ledger.past(TASK, clock.now).created == {("b", "d"): 1}

    def test_put_backs_are_counted_by_attachment(self, ledger: Ledger, clock: Clock) -> None:
        for id_ in (1, 1, 2):
            ledger.put(TASK, [], put_back=id_)
        assert ledger.past(TASK, clock.now + 1).put_back == {1: 2, 2: 1}
        assert ledger.past(TASK, clock.now + DAY + 1).put_back == {}

    def test_deletes_are_counted_by_the_hour(self, ledger: Ledger, clock: Clock) -> None:
        ledger.put(TASK, [], deleted="a")
        assert ledger.past(TASK, clock.now + HOUR - 1).deleted == 1
        assert ledger.past(TASK, clock.now + HOUR + 1).deleted == 0


def test_refusals_replace_each_other_and_are_forgiven(ledger: Ledger, clock: Clock) -> None:
    ledger.refuse(TASK, [refusal("a"), refusal("#1", None)])
    ledger.refuse(TASK, [refusal("a", attempts=2, whole=True)])
    found = {r.subject: r for r in ledger.past(TASK, clock.now).refusals}
    assert found == {"a": refusal("a", attempts=2, whole=True), "#1": refusal("#1", None)}
    ledger.forgive(TASK, ["a"])
    assert [r.subject for r in ledger.past(TASK, clock.now).refusals] == ["#1"]


def test_forgiving_all_forgets_the_counts_but_not_the_deletes(ledger: Ledger, clock: Clock) -> None:
    ledger.refuse(TASK, [refusal("a")])
    ledger.put(TASK, [], created=[("a", "d")], put_back=1, deleted="b")
    ledger.forgive(TASK)
    past = ledger.past(TASK, clock.now + 1)
    assert (past.refusals, past.created, past.put_back, past.deleted) == ((), {}, {}, 1)


def test_identity_and_approval_stay(ledger: Ledger, clock: Clock) -> None:
    ledger.settle_folder(TASK, HOME, True)
    ledger.settle_folder(TASK, None, False)
    past = ledger.past(TASK, clock.now)
    assert (past.identity, past.mirror_approved) == (HOME, True)
    ledger.settle_folder(TASK, ELSEWHERE, False)
    assert ledger.past(TASK, clock.now).identity == ELSEWHERE


def test_a_list_is_remembered_until_it_is_distrusted(ledger: Ledger) -> None:
    listing = Listing((attachment(1, "Grüße"), attachment(2, "b", created_at=None)))
    ledger.remember(TASK, listing, 12.5)
    assert ledger.remembered(TASK) == (listing, 12.5)
    ledger.distrust(TASK)
    assert ledger.remembered(TASK) is None


def test_quotas_are_kept_by_server_and_organization(ledger: Ledger) -> None:
    quota = Quota(remaining=3, resets_in=12.5, noted_at=7.0, spent=2, spent_up=True, probes=1)
    ledger.keep_quota("url", 1, quota)
    assert ledger.quota("url", 1) == quota
    assert ledger.quota("url", 2) == ledger.quota("other", 1) == Quota()


def test_where_a_task_was_fed_from(ledger: Ledger) -> None:
    ledger.register(TASK, "config", "/folder", None)
    ledger.register(TASK, "config", "/moved", "/parent")
    assert ledger.tasks() == [(TASK, "config", "/moved", "/parent")]


def test_a_failed_transaction_leaves_nothing_behind(ledger: Ledger, clock: Clock) -> None:
    def fail() -> None:
        with ledger.transaction():
            ledger._db.execute("INSERT INTO quotas VALUES ('u', 1, '{}')")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert ledger.quota("u", 1) == Quota()
    ledger.put(TASK, ENTRIES[:1])


@pytest.mark.parametrize("bad", [Said(["no"], "a"), Said("a", "a")])
def test_what_sqlite_refuses_is_a_state_error(ledger: Ledger, bad: Said[str]) -> None:
    wrong = replace(ENTRIES[0], role="nonsense", name=bad)
    with pytest.raises(StateError, match="nothing more is sent"):
        ledger.put(TASK, [wrong])


def test_it_is_for_its_owners_eyes_only(tmp_path: Path, ledger: Ledger) -> None:
    assert os.stat(tmp_path / "ledger.db").st_mode & 0o077 == 0
    ledger.prove_writable()
