"""What a believed list makes of the ledger: entries observed, creates in doubt cleared up."""

from __future__ import annotations

from dataclasses import replace

import pytest

from syncd.core.books import DAY, DOUBT, in_doubt, missing, settle
from syncd.core.names import same_name
from syncd.model import Intent, Listing, Past, Role
from syncd.said import BELIEF, Said
from tests.support.values import NOW, attachment, digest, entry, intent, shown

A = entry(1, "a", "A")


def settled(past: Past, *rows, policy: str = "owned", at: float = NOW) -> Past:  # type: ignore
    return settle(past, Listing(tuple(rows)), policy, at, at)  # type: ignore[arg-type]


def roles(past: Past) -> dict[int, str]:
    return {e.id: e.role for e in past.entries}


class TestEntries:
    def test_what_the_list_lacks_is_dissolved(self) -> None:
        assert roles(settled(Past((A,)))) == {1: "tombstone"}

    @pytest.mark.parametrize(("age", "role"), [(BELIEF - 1, "current"), (BELIEF + 1, "tombstone")])
    def test_what_only_a_201_told_of_is_believed_for_ten_minutes(
        self, age: float, role: str
    ) -> None:
        fresh = replace(A, listed=False, since=NOW - age)
        assert roles(settled(Past((fresh,)))) == {1: role}

    def test_what_was_listed_once_is_not(self) -> None:
        assert missing(Past((replace(A, since=NOW),)), Listing(()), NOW) == (replace(A, since=NOW),)

    def test_current_ones_are_asked_about_first(self) -> None:
        past = Past(
            (
                entry(1, "a", role="superseded"),
                entry(2, "b", role="detached"),
                entry(3, "c"),
                entry(4, "d", role="tombstone"),
            )
        )
        assert [e.id for e in missing(past, Listing(()), NOW)] == [3, 2, 1]

    def test_a_tombstone_lasts_a_day_and_raises_no_ghost(self) -> None:
        buried = replace(A, role="tombstone", since=NOW - 86_000)
        again = settled(Past((buried,)), *shown(A))
        assert (roles(again), again.first_seen) == ({1: "tombstone"}, {})
        assert roles(settled(Past((buried,)), at=NOW + 1000)) == {}

    def test_names_and_numbers_are_taken_in(self) -> None:
        (found,) = settled(Past((A,)), attachment(1, "x", "A", 7)).entries
        assert found.name == Said("a", "x", kept=True)
        assert found.order == Said(100, 7, kept=True)

    def test_never_lets_replaced_versions_go(self) -> None:
        old = entry(1, "a", role="superseded")
        found = settled(Past((old,)), *shown(old), policy="never")
        assert (found.entries, set(found.first_seen)) == ((), {1})


class TestCreates:
    """Which new attachment is the fruit of which create."""

    @pytest.mark.parametrize(
        ("says", "sent", "seen", "pairs"),
        [
            ("name, size and number fit", [("a", "A", 100)], [(9, "a", "A", 100)], {9: "a"}),
            ("a rewritten name", [("a", "A", 100)], [(9, "x", "A", 100)], {9: "a"}),
            ("a number of its own", [("a", "A", 100)], [(9, "a", "A", 7)], {9: "a"}),
            ("both, alone of its size", [("a", "A", 100)], [(9, "x", "A", 7)], {9: "a"}),
            ("another size is another file", [("a", "A", 100)], [(9, "a", "AA", 100)], {}),
            (
                "two of a size by their numbers",
                [("a", "A", 100), ("b", "B", 200)],
                [(8, "x", "B", 200), (9, "y", "A", 100)],
                {8: "b", 9: "a"},
            ),
            (
                "two of a size without names or numbers, by their ids",
                [("a", "A", 100), ("b", "B", 200)],
                [(8, "x", "?", 1), (9, "y", "?", 2)],
                {8: "a", 9: "b"},
            ),
            (
                "two of a size without numbers, by the form of their names",
                [("a", "A", 100), ("b", "B", 200)],
                [(8, "b (1)", "?", 1), (9, "a (1)", "?", 2)],
                {8: "b", 9: "a"},
            ),
            (
                "more than were sent are nobody's",
                [("a", "A", 100)],
                [(8, "x", "?", 1), (9, "y", "?", 2)],
                {},
            ),
            (
                "of two that fit the lower id",
                [("a", "A", 100)],
                [(8, "a", "A", 100), (9, "a", "A", 100)],
                {8: "a"},
            ),
        ],
        ids=lambda value: value if isinstance(value, str) else "",
    )
    def test_found(self, says, sent, seen, pairs) -> None:  # type: ignore[no-untyped-def]
        intents = tuple(intent(n, *values, state="answered") for n, values in enumerate(sent, 1))
        past = Past(intents=intents, sequence=1)
        found = settled(past, *(attachment(*values, created_at=NOW - 60) for values in seen))
        assert {e.id: e.path for e in found.entries} == pairs
        assert set(found.first_seen) == {values[0] for values in seen} - set(pairs)

    def test_size_alone_is_no_sign_of_what_may_not_have_been_done(self) -> None:
        found = settled(
            Past(intents=(intent(1, "a", "A"),), sequence=1), attachment(9, "x", "A", 7)
        )
        assert found.entries == ()

    def test_what_was_there_before_the_send_is_no_fruit(self) -> None:
        past = Past(intents=(intent(1, "a", "A"),), sequence=1, first_seen={9: 1})
        assert settled(past, attachment(9, "a", "A", 100)).entries == ()

    @pytest.mark.parametrize(
        ("state", "age", "left"),
        [
            ("doubtful", DOUBT - 0.1, "doubtful"),
            ("doubtful", DOUBT, "lost"),
            ("answered", BELIEF - 1, "answered"),
            ("answered", BELIEF, "lost"),
            ("lost", 80_000, "lost"),
            ("lost", 90_000, None),
        ],
    )
    def test_when_a_list_without_it_tells_that_it_was_not_done(
        self, state: str, age: float, left: str | None
    ) -> None:
        sent: Intent = intent(1, "a", state=state, sent_at=NOW - age, ended_at=NOW - age)
        found = settled(Past(intents=(sent,), sequence=1))
        assert [i.state for i in found.intents] == ([left] if left else [])

    def test_a_late_twin_is_ours_and_goes(self) -> None:
        """The create was sent again meanwhile, and now the first one has come, too."""
        past = Past((entry(5, "a", "A"),), (intent(1, "a", "A", state="lost"),), sequence=2)
        found = settled(past, *shown(*past.entries), attachment(9, "a", "A", 100))
        assert roles(found) == {5: "current", 9: "superseded"}

    def test_its_number_tells_where_nobody_has_seen_what_becomes_of_numbers(self) -> None:
        past = Past((), (intent(1, "a", "A", state="lost"),), sequence=2)
        assert roles(settled(past, attachment(9, "a", "A", 100))) == {9: "current"}

    def test_what_another_content_made_is_no_twin_though_the_file_looked_the_same(self) -> None:
        late = replace(intent(1, "a", "B", state="lost"), fingerprint=A.fingerprint)
        found = settled(Past((A,), (late,), sequence=2), *shown(A), attachment(9, "a", "B", 100))
        assert roles(found) == {1: "current", 9: "current"}

    def test_nor_does_a_late_version_stand_before_a_later_one_that_was_replaced(self) -> None:
        past = Past(
            (entry(9, "a", "B", role="superseded"),),
            (intent(1, "a", "A", state="lost"),),
            sequence=2,
        )
        found = settled(past, *shown(*past.entries), attachment(5, "a", "A", 100))
        assert roles(found) == {5: "superseded", 9: "superseded"}
        assert [e.since < NOW for e in found.entries if e.id == 5] == [True]

    def test_a_late_one_of_another_content_may_be_what_the_file_is_by_now(self) -> None:
        """It changed, and was changed back: the files tell which of the two is superfluous."""
        past = Past((entry(5, "a", "A"),), (intent(1, "a", "B", state="lost"),), sequence=2)
        found = settled(past, *shown(*past.entries), attachment(9, "a", "B", 100))
        assert roles(found) == {5: "current", 9: "current"}

    def test_a_late_one_whose_file_has_none_is_taken(self) -> None:
        past = Past((), (intent(1, "a", "A", state="lost"),), sequence=2)
        assert roles(settled(past, attachment(9, "a", "A", 100))) == {9: "current"}

    def test_a_lost_one_does_not_claim_by_size_alone(self) -> None:
        past = Past((), (intent(1, "a", "A", state="lost"),), sequence=2)
        assert roles(settled(past, attachment(9, "x", "A", 7))) == {}

    def test_nor_by_a_number_that_the_server_may_have_given_by_itself(self) -> None:
        """Which it was seen to do; else a small one tells no more."""
        counted = replace(A, order=Said(900, 7))
        late = attachment(9, "a", "A", 100)
        for ours, claimed in ((A, True), (counted, False)):
            past = Past((ours,), (intent(1, "a", "A", state="lost"),), sequence=2)
            assert (9 in roles(settled(past, *shown(ours), late))) is claimed

    @pytest.mark.parametrize("role", ["current", "tombstone", None])
    def test_but_where_numbers_were_seen_to_be_kept_a_small_one_tells_too(
        self, role: Role | None
    ) -> None:
        """Even if what showed it is gone by now."""
        kept = Said(900, 900, kept=True)
        ours = (replace(A, role=role, listed=True, order=kept),) if role else ()
        past = Past(ours, (intent(1, "a", "A", 1, state="lost"),), sequence=2)
        listed = shown(*ours) if role == "current" else ()
        found = settled(past, *listed, attachment(9, "a", "A", 1))
        assert (9 in roles(found)) is (role is not None)

    @pytest.mark.parametrize(
        ("many", "renumbered", "claimed"), [(3, 0, True), (2, 0, False), (3, 1, False)]
    )
    def test_nor_are_many_kept_by_chance_and_none_changed(
        self, many: int, renumbered: int, claimed: bool
    ) -> None:
        kept = [(n, Said(n, n, kept=True)) for n in range(2, 2 + many)]
        changed = [(20, Said(6, 5))] * renumbered
        ours = [replace(entry(n, f"f{n}"), order=said) for n, said in (*kept, *changed)]
        past = Past(tuple(ours), (intent(1, "a", "A", 1, state="lost"),), sequence=2)
        found = settled(past, *shown(*ours), attachment(9, "a", "A", 1))
        assert (9 in roles(found)) is claimed

    def test_nor_does_a_server_that_counts_give_one_number_twice(self) -> None:
        theirs = attachment(8, "theirs", "their content", 1)
        past = Past((), (intent(1, "a", "A", 1, state="lost"),), sequence=2)
        assert roles(settled(past, theirs, attachment(9, "a", "A", 1))) == {9: "current"}

    def test_nor_under_another_name_what_was_made_long_after_it(self) -> None:
        sent = intent(1, "sub/y", "A", state="lost", sent_at=NOW - 9000, ended_at=NOW - 9000)
        past = Past((), (sent,), sequence=2)
        assert roles(settled(past, attachment(9, "theirs", "A", 100))) == {}

    def test_one_in_doubt_goes_before_a_lost_one(self) -> None:
        intents = (intent(1, "a", "A", state="lost"), intent(2, "a", "A"))
        found = settled(Past((), intents, sequence=1), attachment(9, "a", "A", 100))
        assert [i.key for i in found.intents] == [1]

    @pytest.mark.parametrize(
        ("made", "second", "known"),
        [
            (NOW - 70, NOW - 60, True),
            (NOW - 60, NOW - 60, False),
            (None, None, False),
        ],
    )
    def test_where_all_that_was_sent_has_come_each_takes_its_own(
        self, made: float | None, second: float | None, known: bool
    ) -> None:
        """Whatever a server with unique names has called the second of them; but if both were
        made at one time, the first may have come late, and nobody knows what they hold."""
        intents = (intent(1, "a", "A", state="lost"), intent(2, "a", "B", state="answered"))
        rows = (
            attachment(8, "a", "?", 100, created_at=made),
            attachment(9, "a (1)", "?", 100, created_at=second),
        )
        found = settled(Past((), intents, sequence=1), *rows)
        contents = {8: digest("A"), 9: digest("B")} if known else {8: None, 9: None}
        assert {e.id: e.digest for e in found.entries} == contents

    @pytest.mark.parametrize(
        ("made", "state", "whose"),
        [
            (NOW - 100, "doubtful", "A"),
            (NOW - 100, "answered", "A"),
            (NOW - 59, "doubtful", None),
            (None, "doubtful", None),
            (NOW - 59, "answered", "B"),
            (None, "answered", "B"),
        ],
    )
    def test_of_two_sends_the_one_that_was_sent_before_it_was_made(
        self, made: float | None, state: str, whose: str | None
    ) -> None:
        """Where both were, the first may have come late, and nobody knows what it holds; but
        what was answered with 201 must be there."""
        first = intent(1, "a", "A", state="lost", sent_at=NOW - 110)
        row = attachment(9, "a", "?", 100, created_at=made)
        past = Past((), (first, intent(2, "a", "B", state=state)), sequence=1)
        (found,) = settled(past, row).entries
        assert found.digest == (digest(whose) if whose else None)

    @pytest.mark.parametrize("answered", [(2,), (2, 3)])
    def test_but_what_came_later_is_of_the_one_that_was_not_answered(
        self, answered: tuple[int, ...]
    ) -> None:
        """The first was given up, and is carried out after those that were sent instead."""
        first = intent(1, "a", "A", state="lost", sent_at=NOW - 110, ended_at=NOW - 80)
        later = [intent(key, "a", "BC"[key - 2], state="answered") for key in answered]
        ids = {8 + n: digest("BC"[n]) for n in range(len(answered))}
        rows = [attachment(id_, "a", "?", 100, created_at=NOW - 60) for id_ in ids]
        late = attachment(20, "a", "?", 100, created_at=NOW - 30)
        found = settled(Past((), (first, *later), sequence=1), *rows, late)
        assert {e.id: e.digest for e in found.entries} == {**ids, 20: digest("A")}

    def test_even_if_that_came_a_moment_later(self) -> None:
        """Less than clocks differ by, perhaps; but the other way round they would have to."""
        first = intent(1, "a", "A", state="lost", sent_at=NOW - 110, ended_at=NOW - 80)
        second = intent(2, "a", "B", state="answered")
        rows = (
            attachment(8, "a", "?", 100, created_at=NOW - 60),
            attachment(9, "a", "?", 100, created_at=NOW - 59),
        )
        found = settled(Past((), (first, second), sequence=1), *rows)
        assert {e.id: e.digest for e in found.entries} == {8: digest("B"), 9: digest("A")}

    def test_or_while_that_was_being_sent(self) -> None:
        """What was answered is there only when all of it has arrived."""
        first = intent(1, "a", "A", state="lost", sent_at=NOW - 110, ended_at=NOW - 80)
        second = intent(2, "a", "B", state="answered", sent_at=NOW - 75)
        rows = (
            attachment(8, "a", "?", 100, created_at=NOW - 65),
            attachment(9, "a", "?", 100, created_at=NOW - 60),
        )
        found = settled(Past((), (first, second), sequence=1), *rows)
        assert {e.id: e.digest for e in found.entries} == {8: digest("A"), 9: digest("B")}

    @pytest.mark.parametrize("late", [-0.5, 0.5])
    def test_what_was_answered_at_once_is_paired_in_order(self, late: float) -> None:
        """One request made all of them, one after the other; its 201 came thereafter, if clocks
        are right."""
        intents = [intent(n, f"f{n}", "ABC"[n], state="answered") for n in range(3)]
        rows = [
            attachment(8 + n, f"x{n}", "?", 7 + n, created_at=NOW - 60 + late + n / 1000)
            for n in range(3)
        ]
        found = settled(Past((), tuple(intents), sequence=1), *rows)
        assert {e.id: e.digest for e in found.entries} == {
            8 + n: digest("ABC"[n]) for n in range(3)
        }

    def test_what_was_listed_before_a_send_is_not_of_it_whatever_its_time(self) -> None:
        intents = (intent(1, "a", "A"), intent(2, "a", "B", state="answered", sequence=2))
        rows = (
            attachment(8, "a", "?", 100, created_at=NOW - 60),
            attachment(9, "a", "?", 100, created_at=NOW - 61),
        )
        found = settled(Past((), intents, first_seen={8: 2}, sequence=2), *rows)
        assert {e.id: e.path for e in found.entries} == {8: "a", 9: "a"}
        assert {e.id: e.digest for e in found.entries}[9] == digest("B")

    @pytest.mark.parametrize("role", ["current", "tombstone", None])
    def test_a_name_that_was_kept_shows_that_names_are(self, role: Role | None) -> None:
        """Even if what showed it is gone by now: what came under another name is not ours."""
        ours = (replace(entry(7, "b", "BB"), role=role, listed=True),) if role else ()
        sent = intent(1, "a", "A", state="answered")
        listed = shown(*ours) if role == "current" else ()
        row = attachment(9, "theirs", "A", 7, created_at=NOW - 60)
        found = settled(Past(ours, (sent,), sequence=1), *listed, row)
        assert (9 in roles(found)) is (role is None)

    def test_if_times_tell_of_more_than_one_nothing_they_tell_nothing(self) -> None:
        """The server's clock runs ahead of its `Date`."""
        intents = (intent(1, "a", "A", state="answered"), intent(2, "a", "B", state="answered"))
        rows = [attachment(id_, "a", "?", 100, created_at=NOW - 30) for id_ in (8, 9)]
        found = settled(Past((), intents, sequence=1), *rows)
        assert {e.id: e.digest for e in found.entries} == {8: digest("A"), 9: digest("B")}

    def test_what_was_there_before_an_answered_send_is_an_earlier_ones_whatever_its_name(
        self,
    ) -> None:
        first = intent(1, "A", "A", state="lost", sent_at=NOW - 110)
        row = attachment(9, "a", "?", 100, created_at=NOW - 100)
        past = Past((), (first, intent(2, "A", "B", state="answered", sequence=4)), sequence=4)
        (found,) = settled(past, row).entries
        assert found.digest == digest("A")

    @pytest.mark.parametrize(("made", "ours"), [(NOW - 61, True), (NOW - 50, False), (None, True)])
    def test_what_was_made_after_a_201_under_another_name_is_somebody_elses(
        self, made: float | None, ours: bool
    ) -> None:
        row = attachment(9, "theirs", "A", 100, created_at=made)
        found = settled(Past((), (intent(1, "a", "A", state="answered"),), sequence=1), row)
        assert (9 in roles(found)) is ours

    def test_where_no_times_are_told_things_came_in_the_order_of_their_sending(self) -> None:
        intents = (intent(1, "A", "A", 100), intent(2, "a", "B", 200, state="answered"))
        rows = [attachment(id_, "a", "?", id_, created_at=None) for id_ in (8, 9)]
        found = settled(Past((), intents, sequence=1), *rows)
        assert {e.id: e.path for e in found.entries} == {8: "A", 9: "a"}

    def test_of_three_sends_and_two_that_came_at_one_time_nobody_knows_which_they_are(self) -> None:
        """One was answered, and one of the others came late, within the same second."""
        lost = [intent(n, "a", "AB"[n - 1], state="lost") for n in (1, 2)]
        rows = [attachment(id_, "a", "?", 100, created_at=NOW - 60) for id_ in (8, 9)]
        sent = (*lost, intent(3, "a", "C", state="answered"))
        found = settled(Past((), sent, sequence=1), *rows)
        assert {e.id: e.digest for e in found.entries} == {8: None, 9: None}

    def test_of_one_content_sent_twice_nothing_is_unsure(self) -> None:
        intents = (intent(1, "a", "A", state="lost"), intent(2, "a", "A"))
        (found,) = settled(Past((), intents, sequence=1), attachment(9, "a", "A", 100)).entries
        assert found.digest == digest("A")

    @pytest.mark.parametrize(
        ("sent", "seen", "ours"),
        [
            ("b", "theirs", False),
            ("b", "a.bak", False),
            ("b", "a.b", True),
            ("b.TXT", "b.txt", True),
            ("b.txt", "b (1).txt", True),
            ("a long name.txt", "a long", True),
            ("\u00fcb", "ub", True),
        ],
    )
    def test_on_a_server_that_keeps_names_another_one_is_somebody_elses(
        self, sent: str, seen: str, ours: bool
    ) -> None:
        past = Past((A,), (intent(2, sent, "B"),), sequence=1)
        found = settled(past, *shown(A), attachment(9, seen, "B", 100))
        assert (9 in roles(found)) is ours

    def test_a_name_before_a_rename_does_not_show_that_the_server_makes_others_of_them(
        self,
    ) -> None:
        name = Said("new", "old", former=("old",), put_at=NOW - 1)
        renamed = replace(A, path="new", name=name)
        past = Past((renamed,), (intent(2, "b", "B", state="lost", sent_at=NOW - 99),), sequence=1)
        rows = (attachment(1, "old", "A", 100), attachment(9, "theirs", "B", 100))
        assert 9 not in roles(settled(past, *rows))

    def test_nor_does_one_that_was_deleted_before_a_list_showed_its_new_name(self) -> None:
        gone = replace(entry(7, "new", role="tombstone"), name=Said("new", "old"), since=NOW)
        past = Past((A, gone), (intent(2, "b", "B", state="lost"),), sequence=1)
        rows = (*shown(A), attachment(9, "theirs", "B", 100))
        assert 9 not in roles(settled(past, *rows))

    @pytest.mark.parametrize(
        ("seen", "made", "ours"),
        [
            ("a.bak", NOW - 100, False),
            ("a.bak", NOW - 59, True),
            ("a.bak", None, True),
            ("A", NOW - 100, True),
        ],
    )
    def test_what_was_there_before_is_not_made_of_a_name_that_it_only_contains(
        self, seen: str, made: float | None, ours: bool
    ) -> None:
        row = attachment(9, seen, "A", 100, created_at=made)
        found = settled(Past((), (intent(1, "a", "A"),), sequence=1), row)
        assert (9 in roles(found)) is ours

    @pytest.mark.parametrize(
        ("made", "ours"),
        [
            (NOW - DAY / 2 + BELIEF - 9, True),
            (NOW - DAY / 2 + BELIEF + 9, False),
            (NOW + 9, True),
        ],
    )
    @pytest.mark.parametrize("state", ["answered", "lost"])
    def test_what_came_long_after_all_was_over_is_not_what_an_old_ledger_waits_for(
        self, state: str, made: float, ours: bool
    ) -> None:
        """Unless the server's times are not those of its `Date`: they lie in the future."""
        old = replace(
            intent(1, "a", "A", state=state), sent_at=NOW - DAY / 2, ended_at=NOW - DAY / 2
        )
        found = settled(Past((), (old,), sequence=1), attachment(9, "a", "A", 100, created_at=made))
        assert (9 in roles(found)) is ours

    @pytest.mark.parametrize(("made", "ours"), [(NOW - 100, False), (NOW - 59, True), (None, True)])
    def test_where_numbers_are_kept_one_with_another_number_that_was_there_before_is_no_fruit(
        self, made: float | None, ours: bool
    ) -> None:
        row = attachment(9, "b", "B", 7, created_at=made)
        past = Past((A,), (intent(2, "b", "B", state="answered"),), sequence=1)
        assert (9 in roles(settled(past, *shown(A), row))) is ours

    @pytest.mark.parametrize(("seen", "number"), [("b", 7), ("theirs", 100)])
    def test_what_was_adopted_shows_neither_that_names_are_kept_nor_numbers(
        self, seen: str, number: int
    ) -> None:
        name, order = Said("a", "a", kept=True, form="a"), Said(100, 100, kept=True, form=100)
        adopted = replace(A, name=name, order=order)
        row = attachment(9, seen, "B", number, created_at=NOW - 100 if seen == "b" else None)
        for ours, makes in ((adopted, True), (A, False)):
            past = Past((ours,), (intent(2, "b", "B", state="answered"),), sequence=1)
            assert (9 in roles(settled(past, *shown(ours), row))) is makes

    def test_a_doubtful_create_counts_when_it_is_found_and_an_answered_one_does_not_again(
        self,
    ) -> None:
        for state, count in (("doubtful", 1), ("answered", 0)):
            sent = intent(1, "a", "A", state=state)
            found = settled(Past(intents=(sent,), sequence=1), attachment(9, "a", "A", 100))
            assert sum(found.created.values()) == count

    def test_what_was_found_under_another_number_may_be_somebody_elses_and_a_late_twin_come(
        self,
    ) -> None:
        other = entry(5, "b", "B")
        rows = (*shown(other), attachment(8, "a", "A", 7))
        past = settled(Past((other,), (intent(1, "a", "A"),), sequence=1), *rows)
        assert [i.state for i in past.intents] == ["lost"]
        found = settled(past, *rows, attachment(9, "a", "A", 100))
        assert roles(found) == {5: "current", 8: "current", 9: "superseded"}

    def test_lost_ones_are_not_in_doubt(self) -> None:
        intents = (intent(1, "a", state="lost"), intent(2, "b"))
        assert [i.key for i in in_doubt(Past(intents=intents))] == [2]


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [("a", "a", True), ("\u00e9", "e\u0301", True), ("a", "A", False), ("a", "a ", False)],
)
def test_names_are_the_same_after_nfc(one: str, other: str, same: bool) -> None:
    assert same_name(one, other) is same
