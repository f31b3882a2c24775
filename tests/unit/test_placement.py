"""Which display orders are given to new files, and which attachments are moved."""

from __future__ import annotations

from itertools import pairwise

import pytest

from syncd.core.plan import Plan
from syncd.core.reconcile import reconcile
from syncd.model import LocalFile, Problem, Rules
from syncd.task_state import Attribute, LedgerEntry
from tests.support.values import (
    NOW,
    attachment,
    entry,
    file,
    intent,
    put_back,
    refusal,
    snapshot,
)

NAMES = "abcde"
FILES = [file(name, f"is {name}") for name in NAMES]
IN_ORDER = (100, 200, 300, 400, 500)
STRAY = (100, 900, 300, 400, 500)
"""The second one stands at the end."""


def ours(*numbers: int) -> list[LedgerEntry]:
    return [
        entry(n, name, f"is {name}", number)
        for n, (name, number) in enumerate(zip(NAMES, numbers, strict=False), 1)
    ]


def plan_for(numbers: tuple[int, ...], files: list[LocalFile] = FILES, **more: object) -> Plan:
    return reconcile(snapshot(files, ours(*numbers), **more))  # type: ignore[arg-type]


def moves(plan: Plan) -> list[str]:
    return [r.entry.path for r in plan.reorders]


@pytest.mark.parametrize(
    ("says", "numbers", "moved"),
    [
        ("numbers that rise are left", IN_ORDER, []),
        ("gaps do not matter", (1, 2, 3, 4, 9999), []),
        ("zero and less are left at the start", (-7, 0, 3, 4, 5), []),
        ("the first at the end is one move", (600, 200, 300, 400, 500), ["a"]),
        ("the last at the front is one move", (100, 200, 300, 400, 50), ["e"]),
        ("a tie is one move", (100, 100, 300, 400, 500), ["b"]),
        ("two neighbours that swapped are one move each", (200, 100, 400, 300, 500), ["a", "c"]),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_moves(says: str, numbers: tuple[int, ...], moved: list[str]) -> None:
    assert len(moves(plan_for(numbers))) == len(moved)


def test_a_reversal_moves_all_but_one() -> None:
    assert len(moves(plan_for(IN_ORDER, rules=Rules(reverse=True)))) == 4


def test_moves_bring_about_the_wanted_sequence() -> None:
    plan = plan_for((300, 900, 100, 400, 50))
    numbers = {e.path: e.order.seen for e in ours(300, 900, 100, 400, 50)}
    numbers |= {r.entry.path: r.number for r in plan.reorders}
    assert all(numbers[one] < numbers[other] for one, other in pairwise(NAMES))


class TestNewFiles:
    def created(self, *files: LocalFile, **more: object) -> list[int]:
        plan = plan_for(IN_ORDER, [*FILES, *files], **more)
        assert plan.reorders == ()
        return [c.number for c in plan.creates]

    def test_a_new_file_gets_a_number_in_its_gap(self) -> None:
        (number,) = self.created(file("bb"))
        assert 200 < number < 300

    def test_an_empty_task_leaves_room_for_a_thousand_at_either_end(self) -> None:
        found = reconcile(snapshot(FILES)).creates
        assert [c.number for c in found] == [100_000, 100_100, 100_200, 100_300, 100_400]

    def test_a_replacement_gets_a_number_beside_its_predecessors(self) -> None:
        plan = plan_for(IN_ORDER, [FILES[0], file("b", "new"), *FILES[2:]])
        (create,) = plan.creates
        assert 100 < create.number < 300
        assert create.number != 200

    @pytest.mark.parametrize(
        ("says", "more"),
        [
            ("another attachment", {"theirs": [attachment(9, "x", number=250)]}),
            ("an attachment within the last day", {"known": {"retired": {250: NOW - 80_000}}}),
            ("a deleted attachment", {"gone": entry(9, "x", number=250, role="tombstone")}),
            ("a lost create", {"known": {"intents": (intent(1, "x", "X", 250, state="lost"),)}}),
            ("a create in doubt", {"known": {"intents": (intent(1, "x", "X", 250),)}}),
            (
                "an attachment that no list shows yet",
                {"gone": entry(9, "x", "X", 250, shown=False)},
            ),
        ],
        ids=lambda value: value if isinstance(value, str) else "",
    )
    def test_a_create_never_carries_the_number_of(self, says: str, more: dict[str, object]) -> None:
        gone = [more.pop("gone")] if "gone" in more else []
        s = snapshot([*FILES, file("bb")], [*ours(*IN_ORDER), *gone], **more)  # type: ignore
        (create,) = reconcile(s).creates
        assert (200 < create.number < 300, create.number != 250) == (True, True)

    def test_a_number_sent_but_not_kept_by_the_server_is_not_sent_again(self) -> None:
        entries = ours(1, 2, 3)
        entries[1] = entries[1]._replace(order=Attribute(4, 2))
        (create,) = reconcile(snapshot([*FILES[:3], file("d")], entries)).creates
        assert create.number not in (1, 2, 3, 4)

    def test_new_files_find_their_places_around_a_create_in_doubt(self) -> None:
        known = {"intents": (intent(1, "bb", "is bb", 230),)}
        assert self.created(file("bb", "is bb"), file("ba"), known=known)[0] < 230


class TestMovedByAPerson:
    def after(self, numbers: tuple[int, ...], puts: int, **known: object) -> Plan:
        sequence = plan_for(IN_ORDER).sequence
        history = (put_back("order"),) * puts
        kept = {"order_tried": sequence, "order_kept": True, "history": history}
        return plan_for(numbers, known=kept | known)

    def test_a_list_that_shows_the_sequence_is_told(self) -> None:
        assert plan_for(IN_ORDER).in_order
        assert not plan_for(STRAY).in_order

    def test_a_remembered_list_shows_nothing(self) -> None:
        assert not plan_for(IN_ORDER, fresh=False).in_order

    def test_a_put_since_the_list_shows_nothing(self) -> None:
        entries = ours(*IN_ORDER)
        entries[1] = entries[1]._replace(order=Attribute(200, 200, put_at=NOW + 1))
        assert not reconcile(snapshot(FILES, entries)).in_order

    @pytest.mark.parametrize("puts", [0, 1])
    def test_a_sequence_that_a_list_has_shown_is_put_back_twice_a_day(self, puts: int) -> None:
        plan = self.after(STRAY, puts)
        assert [(r.entry.path, r.put_back) for r in plan.reorders] == [("b", True)]

    def test_a_sequence_changed_a_third_time_is_contested(self) -> None:
        plan = self.after(STRAY, 2)
        assert (plan.contested, plan.reorders) == (("b",), ())

    def test_numbers_changed_within_the_sequence_are_nobodys_business(self) -> None:
        plan = self.after((100, 250, 300, 400, 500), 2)
        assert (plan.contested, plan.reorders) == ((), ())

    def test_a_sequence_wanted_anew_is_not_put_back(self) -> None:
        plan = self.after(STRAY, 2, order_tried="another")
        assert [(r.entry.path, r.put_back) for r in plan.reorders] == [("b", False)]

    def test_a_contested_sequence_stops_no_upload(self) -> None:
        history = (put_back("order"),) * 2
        known = {"order_tried": plan_for(IN_ORDER).sequence, "order_kept": True, "history": history}
        plan = plan_for(STRAY, [*FILES, file("f")], known=known)
        assert [c.file.path for c in plan.creates] == ["f"]
        assert plan.contested == ("b",)


class TestKeptByTheServer:
    def after(self, tries: int, files: list[LocalFile] = FILES, **more: object) -> Plan:
        known = {"order_tried": plan_for(STRAY).sequence, "order_tries": tries}
        return plan_for(STRAY, files, known=known, **more)

    def test_a_sequence_is_tried_twice(self) -> None:
        assert moves(self.after(1)) == ["b"]

    def test_a_sequence_that_two_tries_did_not_bring_about_is_left_with_a_hint(self) -> None:
        plan = self.after(2)
        assert (plan.reorders, plan.contested, len(plan.hints)) == ((), (), 1)

    def test_another_wanted_sequence_is_tried_anew(self) -> None:
        assert moves(self.after(2, rules=Rules(reverse=True))) != []

    def test_a_sequence_with_another_attachment_is_tried_anew(self) -> None:
        assert moves(self.after(2, FILES[:4])) == ["b"]

    def test_a_sequence_that_is_right_by_itself_needs_no_hint(self) -> None:
        known = {"order_tried": plan_for(IN_ORDER).sequence, "order_tries": 2}
        assert plan_for(IN_ORDER, known=known).hints == ()


def test_a_lagging_list_moves_nothing_again() -> None:
    entries = ours(*STRAY)
    entries[1] = entries[1]._replace(order=Attribute(200, 900, before=900, put_at=NOW - 1))
    assert moves(reconcile(snapshot(FILES, entries))) == []


def test_a_refused_move_fails() -> None:
    plan = plan_for((600, 200, 300, 400, 500), known={"refusals": (refusal("#1", None),)})
    assert ([p.path for p in plan.failed], plan.reorders) == (["a"], ())


def test_nothing_moves_while_the_manifest_cannot_be_read() -> None:
    failed = (Problem(".syncd-order", "permission denied"),)
    assert moves(plan_for(STRAY, scan={"failed": failed})) == []


def test_unknown_lines_of_the_manifest_are_told() -> None:
    plan = plan_for(IN_ORDER, scan={"unknown_order_lines": ("nope",)})
    assert plan.hints == (".syncd-order: nope: no such file",)


def test_an_attachment_that_no_list_shows_is_not_moved() -> None:
    entries = ours(*STRAY)
    entries[1] = entries[1]._replace(shown=False)
    assert moves(reconcile(snapshot(FILES, entries))) == []


def test_an_attachment_that_waits_for_its_new_version_is_not_moved() -> None:
    plan = plan_for(STRAY, [FILES[0], file("b", "new"), *FILES[2:]], unsettled=frozenset({"b"}))
    assert moves(plan) == []
