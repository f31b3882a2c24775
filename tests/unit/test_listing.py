"""What a believed list changes in the ledger's state of a task."""

from __future__ import annotations

from typing import Any

import pytest

from syncd.core.listing import DOUBT, apply_list, entry_of, missing
from syncd.model import DAY, Attachment, Listing
from syncd.task_state import BELIEF, Attribute, LedgerEntry, Role, TaskState, same_name
from tests.support.values import (
    NOW,
    attachment,
    created,
    decided,
    digest,
    entry,
    file,
    intent,
    snapshot,
    state,
)

A = entry(1, "a", "A")
ROW_A = attachment(1, "a", "A")
BELIEVED = A._replace(shown=False, listed=False, since=NOW - BELIEF + 1)
LOST = intent(1, "a", "A", state="lost")


def after(before: TaskState, *rows: Attachment, at: float = NOW) -> TaskState:
    return apply_list(before, Listing(rows), at, at)


def roles(found: TaskState) -> dict[int, str]:
    return {id_: e.role for id_, e in found.entries.items()}


class TestEntries:
    @pytest.mark.parametrize("role", ["current", "detached", "superseded"])
    def test_an_entry_that_the_list_lacks_becomes_a_tombstone(self, role: Role) -> None:
        """Not `listed`, unlike one that we deleted: the task may come back."""
        found = after(state([A._replace(role=role)]))
        tomb = A._replace(role="tombstone", shown=False, listed=False, since=NOW)
        assert (found.entries, found.shown, found.history) == ({1: tomb}, {}, ())
        assert decided([file("a", "A")], found.entries.values()) == ["create a"]

    def test_an_entry_of_a_later_list_comes_back(self) -> None:
        found = after(after(state([A])), ROW_A, at=NOW + 60)
        assert found.entries == {1: A._replace(since=NOW)}
        assert found.strangers == {}
        assert decided([file("a", "A")], found.entries.values()) == []

    def test_an_entry_that_comes_back_after_a_day_is_a_stranger(self) -> None:
        found = after(after(state([A])), ROW_A, at=NOW + DAY)
        assert (found.entries, found.strangers) == ({}, {1: ROW_A})

    def test_a_tombstone_is_not_missed(self) -> None:
        found = after(state([A]))
        assert missing(found, Listing(()), NOW + 1) == ()
        assert after(found, at=NOW + 1).entries == found.entries

    @pytest.mark.parametrize(
        ("age", "role"), [(BELIEF - 1, "current"), (BELIEF, "tombstone"), (-1, "tombstone")]
    )
    def test_a_201_is_believed_for_ten_minutes(self, age: float, role: str) -> None:
        fresh = A._replace(listed=False, since=NOW - age)
        assert roles(after(state([fresh]))) == {1: role}

    def test_a_201_that_the_list_does_not_confirm_is_not_shown(self) -> None:
        assert not after(state([BELIEVED])).entries[1].shown

    def test_a_list_confirms_a_201(self) -> None:
        found = after(state([BELIEVED]), ROW_A).entries[1]
        assert (found.shown, found.listed) == (True, True)

    def test_an_attachment_that_was_listed_once_is_missed_at_once(self) -> None:
        recent = A._replace(since=NOW)
        assert missing(state([recent]), Listing(()), NOW) == (recent,)

    def test_current_attachments_are_asked_about_first(self) -> None:
        ours = [
            entry(1, "a", role="superseded"),
            entry(2, "b", role="detached"),
            entry(3, "c"),
            entry(4, "d", role="tombstone"),
            entry(5, "e", role="released"),
        ]
        assert [e.id for e in missing(state(ours), Listing(()), NOW)] == [3, 2, 1]

    def test_a_tombstone_raises_no_ghost_for_a_day(self) -> None:
        buried = A._replace(role="tombstone", since=NOW - DAY + 1)
        found = after(state([buried]), ROW_A)
        assert (roles(found), found.strangers, found.shown) == ({1: "tombstone"}, {}, {})
        assert roles(after(found, at=NOW + 1)) == {}

    def test_a_released_attachment_is_remembered_while_it_is_there(self) -> None:
        released = A._replace(role="released")
        assert roles(after(state([released]), ROW_A)) == {1: "released"}
        assert roles(after(state([released]))) == {}

    def test_names_and_orders_are_taken_from_the_list(self) -> None:
        found = after(state([A]), attachment(1, "x", "A", 7)).entries[1]
        assert found.name == Attribute("a", "x", kept=True)
        assert found.order == Attribute(100, 7, kept=True)

    def test_a_name_in_another_unicode_form_is_the_one_that_was_sent(self) -> None:
        ours = entry(1, "\u00e9", "A", name=Attribute("\u00e9", "\u00e9"))
        found = after(state([ours]), attachment(1, "e\u0301", "A")).entries[1]
        assert found.name == Attribute("\u00e9", "\u00e9", kept=True)

    def test_attachments_of_others_are_strangers(self) -> None:
        theirs = attachment(9, "x")
        assert after(state([A]), ROW_A, theirs).strangers == {9: theirs}

    def test_a_stranger_that_left_is_forgotten(self) -> None:
        assert after(state(theirs=[attachment(9, "x")])).strangers == {}

    def test_the_time_of_the_list_and_the_servers_clock_are_noted(self) -> None:
        found = apply_list(state(), Listing((), clock_skew=5.0), NOW + 2, NOW + 1)
        assert (found.listed_at, found.clock_skew) == (NOW + 1, 5.0)


class TestRetiredOrders:
    """Display orders that no create may carry for a day."""

    @pytest.mark.parametrize(
        ("says", "before", "rows"),
        [
            ("the attachment of a stranger is gone", state(theirs=[attachment(9, "x")]), []),
            (
                "the tombstone of ours expires",
                state([entry(9, "x", role="tombstone", since=NOW - DAY)]),
                [],
            ),
            (
                "a person moved a stranger's",
                state(theirs=[attachment(9, "x")]),
                [attachment(9, "x", number=7)],
            ),
            ("a person moved ours", state([entry(9, "x")]), [attachment(9, "x", number=7)]),
        ],
        ids=lambda value: value if isinstance(value, str) else "",
    )
    def test_an_order_is_retired_when(
        self, says: str, before: TaskState, rows: list[Attachment]
    ) -> None:
        assert after(before, *rows).retired == {900: NOW}

    def test_an_order_is_retired_for_a_day(self) -> None:
        before = state(retired={7: NOW - DAY + 1, 8: NOW - DAY})
        assert set(after(before).retired) == {7}


class TestCreates:
    """The matching itself is told in test_matching_creates."""

    def test_a_create_that_the_list_shows_becomes_an_entry(self) -> None:
        found = after(state(intents=[intent(1, "a", "A")]), attachment(9, "a", "A", 100))
        made = found.entries[9]
        assert (made.role, made.path, made.digest) == ("current", "a", digest("A"))
        assert (made.shown, made.listed, made.name.kept, made.order.kept) == (True,) * 4
        assert (found.intents, found.strangers) == ({}, {})

    @pytest.mark.parametrize(
        ("state_", "age", "left"),
        [
            ("doubtful", DOUBT - 0.1, "doubtful"),
            ("doubtful", DOUBT, "lost"),
            ("answered", BELIEF - 1, "answered"),
            ("answered", BELIEF, "lost"),
            ("lost", DAY - 1, "lost"),
            ("lost", DAY, None),
        ],
    )
    def test_a_create_is_lost_after_a_late_enough_list_lacks_it(
        self, state_: Any, age: float, left: str | None
    ) -> None:
        sent = intent(1, "a", state=state_, sent_at=NOW - age, ended_at=NOW - age)
        found = after(state(intents=[sent]))
        assert [i.state for i in found.intents.values()] == ([left] if left else [])

    def test_the_time_of_asking_counts_for_the_doubt(self) -> None:
        sent = intent(1, "a", ended_at=NOW)
        found = apply_list(state(intents=[sent]), Listing(()), NOW + 9, NOW + DOUBT - 1)
        assert found.intents[1].state == "doubtful"

    def test_a_create_that_was_not_answered_yet_stays_open(self) -> None:
        sent = intent(1, "a", state="open", ended_at=None, sent_at=NOW - 9999)
        assert after(state(intents=[sent])).intents[1] == sent

    def test_a_clock_set_back_only_begins_the_doubt_anew(self) -> None:
        sent = intent(1, "a", ended_at=NOW + 9999)
        found = after(state(intents=[sent]))
        assert after(found, at=NOW + DOUBT).intents[1].state == "lost"

    def test_only_lost_creates_are_out_of_doubt(self) -> None:
        intents = [LOST, intent(2, "b"), intent(3, "c", state="answered")]
        assert [i.key for i in state(intents=intents).in_doubt] == [2, 3]

    def test_a_found_create_is_counted_unless_its_201_was(self) -> None:
        row = attachment(9, "a", "A", 100)
        doubtful = after(state(intents=[intent(1, "a", "A")]), row)
        assert doubtful.history == (created("a", "A", 0.0),)
        answered = after(state(intents=[intent(1, "a", "A", state="answered")]), row)
        assert answered.history == ()

    def test_a_create_whose_digest_a_crash_lost_is_read_from_its_unchanged_file(self) -> None:
        sent = intent(1, "a", "A", digest=None)
        found = after(state(intents=[sent]), attachment(9, "a", "A", 100))
        assert decided([file("a", "A")], found.entries.values()) == []
        assert decided([file("a", "Z")], found.entries.values()) == ["create a for 9"]

    def test_an_attachment_of_one_of_two_contents_is_of_unknown_content(self) -> None:
        sent = [intent(1, "a", "A", state="lost"), intent(2, "a", "B", 101)]
        found = after(state(intents=sent), attachment(9, "a", "?", 7))
        assert (found.entries[9].digest, found.entries[9].fingerprint) == (None, None)

    def test_a_201_with_the_object_makes_the_same_entry(self) -> None:
        made = entry_of(intent(1, "a", "A"), attachment(9, "x", "A", 100), NOW)
        assert (made.name, made.order) == (
            Attribute("a", "x"),
            Attribute(100, 100, kept=True),
        )


class TestLateTwin:
    """A create was given up and sent again, and is carried out after all."""

    LATE = attachment(9, "a", "A", 100)

    def plan(self, files: list[Any], ours: list[LedgerEntry]) -> list[str]:
        rows = [attachment(e.id, e.path, "A", e.order.seen) for e in ours]
        found = after(state(ours, intents=[LOST]), *rows, self.LATE)
        return decided(files, found.entries.values())

    def test_the_twin_of_a_file_in_the_task_is_deleted(self) -> None:
        assert self.plan([file("a", "A")], [entry(5, "a", "A")]) == ["finish 9"]

    def test_the_twin_of_a_file_without_an_attachment_is_taken(self) -> None:
        assert self.plan([file("a", "A")], []) == []

    def test_the_twin_of_an_earlier_version_is_deleted(self) -> None:
        assert self.plan([file("a", "Z")], [entry(5, "a", "Z")]) == ["finish 9"]

    def test_the_twin_of_a_renamed_file_is_deleted(self) -> None:
        files = [file("z", "A"), file("b", "A")]
        ours = [entry(5, "b", "A"), entry(6, "z", "A")]
        assert self.plan(files, ours) == ["delete 9"]

    def test_the_twin_of_a_gone_file_is_deleted(self) -> None:
        assert self.plan([file("b", "A")], [entry(6, "b", "A")]) == ["delete 9"]


class TestOldCopyOfTheLedger:
    def test_an_attachment_deleted_since_is_created_again_only_if_its_file_is_there(self) -> None:
        found = after(state([A, entry(2, "b", "B")]), attachment(2, "b", "B"))
        assert decided([file("b", "B")], found.entries.values()) == []

    def test_an_attachment_made_since_is_adopted_by_its_file(self) -> None:
        row = attachment(9, "a", "AA", created_at=NOW)
        found = after(state([A]), row)
        s = snapshot([file("a", "AA")], found.entries.values(), found.strangers.values())
        assert [e.id for e, _ in s.matches.changed] == []
        assert decided([file("a", "AA")], (), found.strangers.values()) == ["adopt a"]


@pytest.mark.parametrize("role", ["current", "detached", "superseded"])
def test_the_task_shows_ours_and_those_of_others(role: Role) -> None:
    theirs = attachment(9, "x")
    found = state([A._replace(role=role), entry(2, "b")._replace(shown=False)], [theirs]).shown
    assert found == {1: Attachment(1, "a", 100, 1), 9: theirs}


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [("a", "a", True), ("\u00e9", "e\u0301", True), ("a", "A", False), ("a", "a ", False)],
)
def test_names_are_the_same_after_nfc(one: str, other: str, same: bool) -> None:
    assert same_name(one, other) is same
