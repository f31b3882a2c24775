"""Between plan and apply: which deletes and replacements wait for approval, and which go."""

from __future__ import annotations

from typing import Any

import pytest

from syncd.core.guard import Permission, guard
from syncd.core.plan import Plan
from syncd.core.reconcile import reconcile
from syncd.model import DeletePolicy, LocalFile, Rules
from syncd.task_state import LedgerEntry
from tests.support.values import ELSEWHERE, attachment, entry, file, intent, refusal, snapshot

ALL = 30
ENTRIES = [entry(n, f"{n:02}", f"content {n:02}") for n in range(1, ALL + 1)]
FILES = [file(f"{n:02}", f"content {n:02}") for n in range(1, ALL + 1)]


def guarded(
    files: list[LocalFile], ours: int, permission: Permission | None = None, **more: Any
) -> Plan:
    s = snapshot(files, ENTRIES[:ours], **more)
    return guard(reconcile(s), s, permission or Permission())


def after_removing(gone: int, ours: int, permission: Permission | None = None, **more: Any) -> Plan:
    return guarded(FILES[gone:ours], ours, permission, **more)


@pytest.mark.parametrize(
    ("ours", "gone", "permission", "is_held"),
    [
        (30, 10, Permission(), False),
        (30, 11, Permission(), True),
        (30, 5, Permission(deleted=5), False),
        (30, 5, Permission(deleted=6), True),
        (30, 11, Permission(allow_delete=True), False),
        (8, 4, Permission(), False),
        (8, 5, Permission(), True),
        (8, 5, Permission(allow_delete=True), False),
        (4, 3, Permission(), True),
        (3, 2, Permission(), False),
        (6, 2, Permission(deleted=2), False),
        (6, 3, Permission(deleted=4), True),
        (1, 1, Permission(), False),
        (2, 2, Permission(), True),
        (2, 2, Permission(allow_delete=True), True),
    ],
)
def test_deletes_are_held_above_max_delete_above_half_and_where_nothing_is_left(
    ours: int, gone: int, permission: Permission, is_held: bool
) -> None:
    found = after_removing(gone, ours, permission)
    assert len(found.held) == (gone if is_held else 0)
    assert len(found.deletes) == (0 if is_held else gone)


def test_replaced_versions_do_not_count_as_ours() -> None:
    old = [e._replace(id=e.id + 50, since=0.0) for e in ENTRIES[:2]]
    s = snapshot(FILES[:2], [*old, *ENTRIES[:5]])
    plan = guard(reconcile(s), s, Permission())
    assert {h.id for h in plan.held} == {3, 4, 5}
    assert {d.id for d in plan.finish} == {51, 52}


def test_replacements_do_not_count_as_deletes() -> None:
    changed = [file(f.path, "changed") for f in FILES[:20]]
    plan = guarded(changed, 20)
    assert (len(plan.creates), plan.held) == (20, ())


def test_detached_attachments_are_no_deletes() -> None:
    plan = guarded([], 20, selects=lambda _: False)
    assert (len(plan.detached), plan.deletes, plan.held) == (20, (), ())


def test_all_else_goes_on_while_deletes_are_held() -> None:
    changed = [file("01", "changed"), file("new"), *FILES[1:5]]
    plan = guarded(changed, 12)
    assert len(plan.held) == 7
    assert [c.file.path for c in plan.creates] == ["01", "new"]


def test_new_files_do_not_outvote_a_hold() -> None:
    assert len(after_removing(4, 6).held) == 4
    assert after_removing(4, 6).held_of == 6
    assert len(after_removing(4, 12, known={"held_of": 6}).held) == 4
    assert not after_removing(3, 12, known={"held_of": 6}).held
    assert after_removing(3, 12, known={"held_of": 6}).held_of is None


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
        ({1, 2, 3, 4, 99}, True),  # 99 was deleted before
        ({1, 2, 3, 4, 5}, False),
        ({1, 2, 3}, False),
        (set(), False),
    ],
)
def test_an_approval_is_of_exactly_that_set(approved: set[int], goes: bool) -> None:
    found = after_removing(4, 6, Permission(approved=frozenset(approved)))
    assert (len(found.deletes), len(found.held)) == ((4, 0) if goes else (0, 4))


def test_an_attachment_whose_delete_is_refused_does_not_void_an_approval() -> None:
    approval = Permission(approved=frozenset({1, 2, 3, 4}))
    plan = after_removing(4, 6, approval, known={"refusals": (refusal("#1", None),)})
    assert ({d.id for d in plan.deletes}, plan.held) == ({2, 3, 4}, ())


class TestAnotherFolder:
    """The folder is not the one it was: another inode, or another file system."""

    def elsewhere(
        self,
        files: list[LocalFile],
        ours: list[LedgerEntry],
        permission: Permission | None = None,
        scan: dict[str, Any] | None = None,
        **more: Any,
    ) -> Plan:
        s = snapshot(files, ours, scan={"identity": ELSEWHERE} | (scan or {}), **more)
        return guard(reconcile(s), s, permission or Permission())

    def test_another_folder_is_recorded_if_every_file_is_unchanged(self) -> None:
        found = self.elsewhere(FILES[:5], ENTRIES[:5])
        assert (found.identity, found.held) == (ELSEWHERE, ())

    def test_a_gone_file_is_held(self) -> None:
        found = self.elsewhere(FILES[1:5], ENTRIES[:5])
        assert (found.identity, [h.id for h in found.held]) == (None, [1])

    def test_a_gone_file_of_a_detached_attachment_is_held(self) -> None:
        detached = ENTRIES[0]._replace(role="detached")
        found = self.elsewhere(FILES[1:5], [detached, *ENTRIES[1:5]])
        assert (found.identity, [h.id for h in found.held]) == (None, [1])

    def test_a_gone_file_that_may_have_been_renamed_proves_nothing(self) -> None:
        detached = ENTRIES[0]._replace(role="detached")
        unreadable = {"undecided": {"z": detached.size}}
        ours = [detached, *ENTRIES[1:5]]
        assert self.elsewhere(FILES[1:5], ours, scan=unreadable).identity is None

    def test_an_attachment_detached_by_the_rules_says_nothing_of_the_folder(self) -> None:
        detached = ENTRIES[0]._replace(role="detached")
        found = self.elsewhere(
            FILES[1:5], [detached, *ENTRIES[1:5]], selects=lambda path: path != "01"
        )
        assert found.identity == ELSEWHERE

    def test_replacements_are_held_and_new_files_go(self) -> None:
        files = [file("01", "changed"), *FILES[1:5], file("new")]
        found = self.elsewhere(files, ENTRIES[:5])
        assert [(h.id, h.action) for h in found.held] == [(1, "replace")]
        assert [c.file.path for c in found.creates] == ["new"]

    @pytest.mark.parametrize("policy", ["owned", "never"])
    def test_a_replacement_by_a_renamed_file_is_held(self, policy: DeletePolicy) -> None:
        files = [FILES[0]._replace(path="02"), *FILES[2:5]]
        found = self.elsewhere(files, ENTRIES[:5], rules=Rules(delete=policy))
        assert [(h.id, h.action) for h in found.held] == [(2, "replace")]
        assert found.finish == ()
        assert {e.role for e in found.records} == {"current"}

    def test_an_approval_releases_and_records_it(self) -> None:
        approval = Permission(approved=frozenset({1}))
        found = self.elsewhere(FILES[1:5], ENTRIES[:5], approval)
        assert (found.identity, len(found.deletes)) == (ELSEWHERE, 1)

    def test_allow_delete_does_not_release_it(self) -> None:
        assert self.elsewhere(FILES[1:5], ENTRIES[:5], Permission(allow_delete=True)).held

    def test_a_replacement_begun_before_is_finished(self) -> None:
        begun = entry(50, "01")._replace(role="superseded", replaced_by=1)
        found = self.elsewhere(FILES[:5], [*ENTRIES[:5], begun])
        assert [d.id for d in found.finish] == [50]

    def test_a_create_in_doubt_proves_nothing(self) -> None:
        known = {"intents": (intent(1, "sent", state="answered"),)}
        assert self.elsewhere(FILES[:5], ENTRIES[:5], known=known).identity is None

    def test_a_folder_seen_for_the_first_time_is_recorded(self) -> None:
        found = self.elsewhere(FILES[:1], [], known={"identity": None})
        assert found.identity == ELSEWHERE


class TestMirror:
    def mirrored(self, permission: Permission | None = None, **known: Any) -> Plan:
        s = snapshot(
            FILES[:5],
            ENTRIES[:5],
            [attachment(90, "theirs")],
            rules=Rules(delete="mirror"),
            known=known,
        )
        return guard(reconcile(s), s, permission or Permission())

    def test_foreign_deletes_are_held_the_first_time(self) -> None:
        found = self.mirrored()
        assert ([h.id for h in found.held], found.deletes) == ([90], ())

    def test_an_approval_is_for_good(self) -> None:
        assert self.mirrored(Permission(approved=frozenset({90}))).mirror_approved
        assert [d.id for d in self.mirrored(mirror_approved=True).deletes] == [90]

    def test_foreign_deletes_count_against_max_delete(self) -> None:
        found = self.mirrored(Permission(deleted=10), mirror_approved=True)
        assert [h.id for h in found.held] == [90]

    def test_allow_delete_does_not_release_the_first_time(self) -> None:
        assert [h.id for h in self.mirrored(Permission(allow_delete=True)).held] == [90]

    def test_foreign_deletes_do_not_wait_for_half_of_ours(self) -> None:
        s = snapshot(
            FILES[:2],
            ENTRIES[:5],
            [attachment(90, "theirs")],
            rules=Rules(delete="mirror"),
            known={"mirror_approved": True},
        )
        plan = guard(reconcile(s), s, Permission())
        assert ([d.id for d in plan.deletes], len(plan.held)) == ([90], 3)
