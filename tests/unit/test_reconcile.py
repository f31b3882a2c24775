"""Folder, task and ledger in, plan out: what a cycle does when nothing goes wrong."""

from __future__ import annotations

import pytest

from syncd.core.reconcile import reconcile
from syncd.model import Problem, Rules
from tests.support.values import NOW, Case, attachment, entry, file, snapshot

NEVER, MIRROR = Rules(delete="never"), Rules(delete="mirror")
A, B, C = entry(1, "a", "A"), entry(2, "b", "B"), entry(3, "c", "C")
FA, FB, FC = file("a", "A"), file("b", "B"), file("c", "C")
OLD_A = A._replace(role="superseded", replaced_by=5)
OLDER = {"created_at": NOW - 20_000}
UNKNOWN = {"digest": None, "fingerprint": None}

UNCHANGED = [
    Case("an empty folder and an empty task are in sync", [], [], [], []),
    Case("files in their places are in sync", [FA, FB], [A, B], [], []),
    Case("a touched file costs nothing", [file("a", "A", touched=NOW)], [A], [], []),
    Case("an empty file in its place costs nothing", [file("a", "")], [entry(1, "a", "")], [], []),
    Case("foreign attachments are left alone", [FA], [A], [attachment(9, "x")], []),
    Case("a tombstone asks for nothing", [], [entry(1, "a", role="tombstone")], [], []),
]
NEW = [
    Case("a file without an attachment is created", [FA], [], [], ["create a"]),
    Case("an empty file is created like others", [file("a", "")], [], [], ["create a"]),
    Case("a copy of a file is created", [FA, file("b", "A")], [A], [], ["create b"]),
    Case(
        "a file whose attachment was deleted in the task is created again",
        [FA],
        [entry(1, "a", "A", role="tombstone")],
        [],
        ["create a"],
    ),
    Case(
        "new files are created in their order",
        [file("10"), file("9"), file("b")],
        [],
        [],
        ["create 9", "create 10", "create b"],
    ),
    Case(
        "replacements come before new files",
        [file("b", "new B"), FA],
        [B],
        [],
        ["create b for 2", "create a"],
    ),
]
CHANGED = [
    Case("a changed file is created anew", [file("a", "AA")], [A], [], ["create a for 1"]),
    Case("a change of equal size counts too", [file("a", "Z")], [A], [], ["create a for 1"]),
    Case("an emptied file is created anew", [file("a", "")], [A], [], ["create a for 1"]),
    Case(
        "an attachment of unknown content is replaced",
        [FA],
        [entry(1, "a", "A", **UNKNOWN)],
        [],
        ["create a for 1"],
    ),
    Case(
        "an old version is deleted once the new one is in the task",
        [file("a", "AA")],
        [OLD_A, entry(5, "a", "AA")],
        [],
        ["finish 1"],
    ),
    Case(
        "an old version stays while no list shows the new one",
        [file("a", "AA")],
        [OLD_A, entry(5, "a", "AA", shown=False, listed=False)],
        [],
        ["wait a"],
    ),
    Case(
        "an old version stays while the content of the new one is unknown",
        [file("a", "AA")],
        [OLD_A, entry(5, "a", "AA", **UNKNOWN)],
        [],
        ["create a for 5"],
    ),
    Case(
        "an old version stands for its file again if the new one was lost",
        [file("a", "AA")],
        [OLD_A],
        [],
        ["create a for 1"],
    ),
    Case("a change taken back before it arrived costs nothing", [FA], [OLD_A], [], []),
    Case(
        "a change taken back after it arrived is no upload",
        [FA],
        [OLD_A, entry(5, "a", "AA")],
        [],
        ["finish 5"],
    ),
    Case(
        "both versions go when the file is gone",
        [FB],
        [OLD_A, entry(5, "a", "AA"), B],
        [],
        ["finish 1", "delete 5"],
    ),
    Case(
        "an old version goes after the new one was deleted with its file",
        [FB],
        [OLD_A, entry(5, "a", "AA", role="tombstone"), B],
        [],
        ["finish 1"],
    ),
    Case(
        "two attachments of one file are made one",
        [FA],
        [A, entry(5, "a", "A")],
        [],
        ["finish 5"],
    ),
    Case(
        "an upload replaces the latest of several versions",
        [file("a", "AAA")],
        [A, entry(5, "a", "AA", since=NOW)],
        [],
        ["finish 1", "create a for 5"],
    ),
]
GONE = [
    Case("an attachment whose file is gone is deleted", [FB], [A, B], [], ["delete 1"]),
    Case(
        "an attachment whose directory is gone is deleted",
        [FB],
        [entry(1, "d/a"), B],
        [],
        ["delete 1"],
    ),
    Case(
        "a path taken by something that is no file is detached",
        [FB],
        [A, B],
        [],
        ["detach a"],
        {"scan": {"occupied": frozenset({"a"})}},
    ),
    Case(
        "a path that the rules no longer sync is detached",
        [FB],
        [A, B],
        [],
        ["detach a"],
        {"selects": lambda path: path != "a"},
    ),
    Case(
        "a path in a directory that cannot be read is detached",
        [FB],
        [entry(1, "d/a"), B],
        [],
        ["detach d/a"],
        {"scan": {"occupied": frozenset({"d"})}},
    ),
    Case(
        "a detached attachment whose path comes back is ours again",
        [FA],
        [A._replace(role="detached")],
        [],
        [],
    ),
    Case(
        "a detached attachment whose path comes back with other bytes is replaced",
        [file("a", "AA")],
        [A._replace(role="detached")],
        [],
        ["create a for 1"],
    ),
    Case(
        "a detached attachment whose file proves to be gone is deleted",
        [FB],
        [A._replace(role="detached"), B],
        [],
        ["delete 1"],
    ),
]
RENAMED = [
    Case("a file under a new path is one rename", [file("z", "A")], [A], [], ["rename 1 to z"]),
    Case(
        "an empty file that kept its inode and its time is renamed",
        [file("z", "")],
        [entry(1, "a", "")],
        [],
        ["rename 1 to z"],
    ),
    Case(
        "another empty file is created",
        [file("z", "", touched=1.0)],
        [entry(1, "a", "")],
        [],
        ["create z", "delete 1"],
    ),
    Case(
        "a swap is two renames",
        [file("a", "B"), file("b", "A")],
        [A, B],
        [],
        ["rename 1 to b", "rename 2 to a"],
    ),
    Case(
        "a ring of three is three renames",
        [file("a", "C"), file("b", "A"), file("c", "B")],
        [A, B, C],
        [],
        ["rename 1 to b", "rename 2 to c", "rename 3 to a"],
    ),
    Case(
        "a chain is a rename each and one new file",
        [file("a", "N"), file("b", "A"), file("c", "B")],
        [A, B],
        [],
        ["create a", "rename 1 to b", "rename 2 to c"],
    ),
    Case(
        "a backup on save is a rename and a new file",
        [file("a", "AA"), file("a.bak", "A")],
        [A],
        [],
        ["create a", "rename 1 to a.bak"],
    ),
    Case(
        "a file moved over another makes the other's attachment an old version",
        [file("b", "A")],
        [A, B],
        [],
        ["finish 2", "rename 1 to b"],
    ),
    Case(
        "two copies of a gone file are a rename and a new file",
        [file("y", "A"), file("z", "A")],
        [A],
        [],
        ["create z", "rename 1 to y"],
    ),
    Case(
        "an old version whose content comes back elsewhere is renamed",
        [file("a", "AA"), file("z", "A")],
        [OLD_A, entry(5, "a", "AA")],
        [],
        ["rename 1 to z"],
    ),
    Case(
        "a detached attachment is not renamed to a copy of its file",
        [file("z", "A")],
        [A._replace(role="detached")],
        [],
        ["create z", "detach a"],
        {"selects": lambda path: path != "a"},
    ),
]
ADOPTED = [
    Case(
        "an attachment with a new file's name and size is adopted",
        [FA],
        [],
        [attachment(9, "a", "A")],
        ["adopt a"],
    ),
    Case("another size is foreign", [FA], [], [attachment(9, "a", "AA")], ["create a"]),
    Case("another name is foreign", [FA], [], [attachment(9, "A", "A")], ["create a"]),
    Case("an older match is foreign", [FA], [], [attachment(9, "a", "A", **OLDER)], ["create a"]),
    Case(
        "an older match is adopted with --adopt",
        [FA],
        [],
        [attachment(9, "a", "A", **OLDER)],
        ["adopt a"],
        {"adopt_any_age": True},
    ),
    Case(
        "a match of unknown age is foreign",
        [FA],
        [],
        [attachment(9, "a", "A", created_at=None)],
        ["create a"],
    ),
    Case(
        "a changed file adopts nothing",
        [file("a", "AA")],
        [A],
        [attachment(9, "a", "AA")],
        ["create a for 1"],
    ),
]
POLICIES = [
    Case(
        "with `never` the attachment of a gone file is detached",
        [FB],
        [A, B],
        [],
        ["detach a"],
        {"rules": NEVER},
    ),
    Case(
        "with `never` a changed file is created anew",
        [file("a", "AA")],
        [A],
        [],
        ["create a for 1"],
        {"rules": NEVER},
    ),
    Case(
        "with `never` an old version stays",
        [file("a", "AA")],
        [OLD_A, entry(5, "a", "AA")],
        [],
        [],
        {"rules": NEVER},
    ),
    Case(
        "a released version is not adopted",
        [FA],
        [entry(1, "a", "A", role="released")],
        [],
        ["create a"],
    ),
    Case(
        "a released version is not deleted",
        [FB],
        [entry(1, "a", "A", role="released"), B],
        [],
        [],
    ),
    Case(
        "with `mirror` foreign attachments are deleted",
        [FA],
        [A],
        [attachment(9, "x")],
        ["delete 9 foreign"],
        {"rules": MIRROR},
    ),
    Case(
        "with `mirror` released versions are deleted",
        [FB],
        [entry(1, "a", "A", role="released"), B],
        [],
        ["delete 1 foreign"],
        {"rules": MIRROR},
    ),
    Case(
        "with `mirror` an attachment named like a failed file stays",
        [FA],
        [A],
        [attachment(9, "x")],
        ["fail x"],
        {"rules": MIRROR, "scan": {"failed": (Problem("x", "permission denied"),)}},
    ),
    Case(
        "with `mirror` no foreign attachment goes while an upload waits",
        [FA],
        [],
        [attachment(9, "x")],
        ["wait a"],
        {"rules": MIRROR, "unsettled": frozenset({"a"})},
    ),
    Case(
        "with `mirror` detached attachments stay",
        [],
        [A],
        [],
        ["detach a"],
        {"rules": MIRROR, "selects": lambda _: False},
    ),
]
CASES = [*UNCHANGED, *NEW, *CHANGED, *GONE, *RENAMED, *ADOPTED, *POLICIES]


@pytest.mark.parametrize("case", CASES, ids=[case.says for case in CASES])
def test_plan(case: Case) -> None:
    assert case.decided == case.plan


def test_a_replaced_version_knows_its_successor() -> None:
    plan = reconcile(snapshot([FA], [A, entry(5, "a", "A")]))
    assert [(e.id, e.role, e.replaced_by) for e in plan.records] == [(5, "superseded", 1)]


def test_with_never_a_replaced_version_is_released_and_foreign() -> None:
    plan = reconcile(snapshot([FA], [A, entry(5, "a", "A")], rules=NEVER))
    assert [(e.id, e.role) for e in plan.records] == [(5, "released")]
    assert plan.foreign == ("a",)


def test_foreign_attachments_are_reported_by_name() -> None:
    assert reconcile(snapshot([FA], [A], [attachment(9, "x")])).foreign == ("x",)


def test_foreign_attachments_go_only_when_every_upload_is_in_the_task() -> None:
    plan = reconcile(snapshot([FA, FB], [A], [attachment(9, "x")], rules=MIRROR))
    assert ([d.id for d in plan.deletes], [d.id for d in plan.due]) == ([9], [])
    calm = reconcile(snapshot([FA], [A], [attachment(9, "x")], rules=MIRROR))
    assert [d.id for d in calm.due] == [9]


def test_adoption_asks_for_a_list_of_this_run() -> None:
    assert reconcile(snapshot([FA], [], [attachment(9, "a", "A")], fresh=False)).needs_list
    assert reconcile(snapshot([FA], [], [attachment(9, "a", "A")])).needs_list is None


def test_an_older_match_is_told_with_the_option_that_claims_it() -> None:
    plan = reconcile(snapshot([FA], [], [attachment(9, "a", "A", **OLDER)]))
    assert "--adopt" in plan.hints[0]


def test_a_renamed_attachment_gets_its_path_and_the_time() -> None:
    plan = reconcile(snapshot([file("b", "A")], [A]))
    assert [(e.path, e.since) for e in plan.records] == [("b", NOW)]


def test_a_touched_file_is_recorded_with_its_new_fingerprint() -> None:
    touched = file("a", "A", touched=NOW - 100)
    (record,) = reconcile(snapshot([touched], [A])).records
    assert (record.fingerprint, record.digest) == (touched.fingerprint, A.digest)
