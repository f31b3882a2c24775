"""What stands between plan and apply: which deletes wait for approval, and which go."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from syncd.core.guard import Leave, guard
from syncd.core.plan import Plan
from syncd.core.reconcile import reconcile
from syncd.model import LocalFile, Rules
from tests.support.values import ELSEWHERE, attachment, entry, file, intent, situation

ALL = 30
ENTRIES = [entry(n, f"{n:02}", f"content {n:02}") for n in range(1, ALL + 1)]
FILES = [file(f"{n:02}", f"content {n:02}") for n in range(1, ALL + 1)]


def guarded(files: list[LocalFile], ours: int, leave: Leave | None = None, **more: Any) -> Plan:
    s = situation(files, ENTRIES[:ours], **more)
    return guard(reconcile(s), s, leave or Leave())


def after_removing(gone: int, ours: int, leave: Leave | None = None, **more: Any) -> Plan:
    return guarded(FILES[gone:ours], ours, leave, **more)


@pytest.mark.parametrize(
    ("ours", "gone", "leave", "is_held"),
    [
        (30, 10, Leave(), False),
        (30, 11, Leave(), True),
        (30, 5, Leave(deleted=5), False),
        (30, 5, Leave(deleted=6), True),
        (30, 11, Leave(allow_delete=True), False),
        (8, 4, Leave(), False),
        (8, 5, Leave(), True),
        (8, 5, Leave(allow_delete=True), False),
        (4, 3, Leave(), True),
        (3, 2, Leave(), False),
        (6, 2, Leave(deleted=2), False),
        (6, 3, Leave(deleted=4), True),
        (1, 1, Leave(), False),
        (2, 2, Leave(), True),
        (2, 2, Leave(allow_delete=True), True),
    ],
)
def test_deletes(ours: int, gone: int, leave: Leave, is_held: bool) -> None:
    found = after_removing(gone, ours, leave)
    assert len(found.held) == (gone if is_held else 0)
    assert len(found.deletes) == (0 if is_held else gone)


def test_what_was_replaced_does_not_outvote_one_either() -> None:
    """Its replacement has just been found, and it stands in the ledger as ours still."""
    old = [replace(e, id=e.id + 50, since=0.0) for e in ENTRIES[:2]]
    s = situation(FILES[:2], [*old, *ENTRIES[:5]])
    plan = guard(reconcile(s), s, Leave())
    assert {h.id for h in plan.held} == {3, 4, 5}
    assert {d.id for d in plan.finish} == {51, 52}


def test_new_files_do_not_outvote_a_hold() -> None:
    assert len(after_removing(4, 6).held) == 4
    assert after_removing(4, 6).held_of == 6
    assert len(after_removing(4, 12, past={"held_of": 6}).held) == 4
    assert not after_removing(3, 12, past={"held_of": 6}).held
    assert after_removing(3, 12, past={"held_of": 6}).held_of is None


def test_max_delete_is_the_folders_own() -> None:
    assert len(after_removing(3, 30, rules=Rules(max_delete=2)).held) == 3
    assert not after_removing(2, 30, rules=Rules(max_delete=2)).held
    assert after_removing(1, 30, rules=Rules(max_delete=0)).held


def test_the_reason_names_the_numbers() -> None:
    (reason,) = {h.reason for h in after_removing(11, 30).held}
    assert "11" in reason
    assert "max_delete (10)" in reason
    (reason,) = {h.reason for h in after_removing(3, 4).held}
    assert "more than half of our 4" in reason


@pytest.mark.parametrize(
    ("approved", "goes"),
    [
        ({1, 2, 3, 4}, True),
        ({1, 2, 3, 4, 99}, True),  # 99 is not in the task any more: done before
        ({1, 2, 3, 4, 5}, False),
        ({1, 2, 3}, False),
        (set(), False),
    ],
)
def test_an_approval_is_of_exactly_that_set(approved: set[int], goes: bool) -> None:
    found = after_removing(4, 6, Leave(approved=frozenset(approved)))
    assert (len(found.deletes), len(found.held)) == ((4, 0) if goes else (0, 4))


class TestAnotherIdentity:
    def test_is_recorded_if_every_file_is_unchanged(self) -> None:
        found = guarded(FILES[:5], 5, snapshot={"identity": ELSEWHERE})
        assert (found.identity, found.held) == (ELSEWHERE, ())

    def test_is_not_if_one_is_gone(self) -> None:
        found = after_removing(1, 5, snapshot={"identity": ELSEWHERE})
        assert (found.identity, [h.id for h in found.held]) == (None, [1])

    def test_holds_replacements_but_not_new_files(self) -> None:
        files = [file("01", "changed"), *FILES[1:5], file("new")]
        found = guarded(files, 5, snapshot={"identity": ELSEWHERE})
        assert [(h.id, h.action) for h in found.held] == [(1, "replace")]
        assert [c.file.path for c in found.creates] == ["new"]

    def test_holds_what_a_renamed_file_would_replace(self) -> None:
        files = [replace(FILES[0], path="02"), *FILES[2:5]]
        found = guarded(files, 5, snapshot={"identity": ELSEWHERE})
        assert [(h.id, h.action) for h in found.held] == [(2, "replace")]
        assert found.finish == ()
        assert "superseded" not in {e.role for e in found.records}

    def test_once_approved_it_is_recorded(self) -> None:
        leave = Leave(approved=frozenset({1}))
        found = after_removing(1, 5, leave, snapshot={"identity": ELSEWHERE})
        assert (found.identity, len(found.deletes)) == (ELSEWHERE, 1)

    def test_allow_delete_does_not_release_it(self) -> None:
        leave = Leave(allow_delete=True)
        assert after_removing(1, 5, leave, snapshot={"identity": ELSEWHERE}).held

    def test_a_replacement_begun_before_is_finished(self) -> None:
        begun = replace(entry(50, "01"), role="superseded")
        s = situation(FILES[:5], [*ENTRIES[:5], begun], snapshot={"identity": ELSEWHERE})
        assert [d.id for d in guard(reconcile(s), s, Leave()).finish] == [50]

    def test_is_not_while_something_sent_has_not_been_listed(self) -> None:
        """Its file may have stayed behind in the folder that was."""
        sent = intent(1, "sent", state="answered")
        past = {"intents": (sent,)}
        found = guarded(FILES[:5], 5, past=past, snapshot={"identity": ELSEWHERE})
        assert found.identity is None

    def test_the_first_cycle_records_it(self) -> None:
        found = guarded(FILES[:1], 0, past={"identity": None})
        assert found.identity is not None


class TestMirror:
    def mirrored(self, leave: Leave | None = None, **past: Any) -> Plan:
        s = situation(
            FILES[:5],
            ENTRIES[:5],
            [attachment(90, "theirs")],
            rules=Rules(delete="mirror"),
            past=past,
        )
        return guard(reconcile(s), s, leave or Leave())

    def test_the_first_time_is_held(self) -> None:
        found = self.mirrored()
        assert ([h.id for h in found.held], found.deletes) == ([90], ())

    def test_an_approval_is_for_good(self) -> None:
        assert self.mirrored(Leave(approved=frozenset({90}))).mirror_approved
        assert [d.id for d in self.mirrored(mirror_approved=True).deletes] == [90]

    def test_foreign_ones_count_against_max_delete(self) -> None:
        found = self.mirrored(Leave(deleted=10), mirror_approved=True)
        assert [h.id for h in found.held] == [90]
