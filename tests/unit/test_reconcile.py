"""Folder, task and ledger in, plan out: a sentence a case."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, NamedTuple

import pytest

from syncd.core.reconcile import digests, reconcile
from syncd.model import Attachment, LedgerEntry, Listing, LocalFile, Problem, Rules
from syncd.said import BELIEF, Said
from tests.support.values import (
    NOW,
    attachment,
    decided,
    entry,
    file,
    intent,
    refusal,
    situation,
)

NEVER, MIRROR = Rules(delete="never"), Rules(delete="mirror")


class Case(NamedTuple):
    says: str
    files: list[LocalFile]
    ours: list[LedgerEntry]
    theirs: list[Attachment]
    plan: list[str]
    more: dict[str, Any] = {}  # noqa: RUF012


A, B, C = entry(1, "a", "A"), entry(2, "b", "B"), entry(3, "c", "C")
FA, FB, FC = file("a", "A"), file("b", "B"), file("c", "C")
OLDER = {"created_at": NOW - 20_000}

CASES = [
    # -- nothing to do
    Case("nothing anywhere is nothing to do", [], [], [], []),
    Case("files in their places are nothing to do", [FA, FB], [A, B], [], []),
    Case("a touched file is nothing to do", [file("a", "A", touched=NOW)], [A], [], []),
    Case(
        "an empty file in its place is nothing to do", [file("a", "")], [entry(1, "a", "")], [], []
    ),
    Case("foreign attachments are nothing to do", [FA], [A], [attachment(9, "x")], []),
    Case("a tombstone is nothing to do", [], [entry(1, "a", role="tombstone")], [], []),
    # -- new
    Case("a file without an attachment is created", [FA], [], [], ["create a"]),
    Case("an empty file is created like others", [file("a", "")], [], [], ["create a"]),
    Case("a copy of a file is created", [FA, file("b", "A")], [A], [], ["create b"]),
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
    # -- changed
    Case("a changed file is created anew", [file("a", "AA")], [A], [], ["create a for 1"]),
    Case("one of the same size too", [file("a", "Z")], [A], [], ["create a for 1"]),
    Case("an emptied file too", [file("a", "")], [A], [], ["create a for 1"]),
    Case(
        "of two versions of ours the older is deleted",
        [file("a", "AA")],
        [A, entry(5, "a", "AA", 100)],
        [],
        ["finish 1"],
    ),
    Case(
        "with two stale versions the newer one is what is replaced",
        [file("a", "AAA")],
        [A, entry(5, "a", "AA", since=NOW)],
        [],
        ["finish 1", "create a for 5"],
    ),
    Case(
        "where the newer one's content is unknown, the older one waits",
        [file("a", "AA")],
        [A, replace(entry(5, "a", "AA", since=NOW), digest=None, fingerprint=None)],
        [],
        ["create a for 5"],
    ),
    Case(
        "an interrupted replacement is finished",
        [file("a", "AA")],
        [replace(A, role="superseded"), entry(5, "a", "AA")],
        [],
        ["finish 1"],
    ),
    Case(
        "a replaced version is no longer if its successor was lost and the file is it again",
        [FA],
        [replace(A, role="superseded")],
        [],
        [],
    ),
    Case(
        "a replaced version stands for its file if its successor was lost",
        [file("a", "AA")],
        [replace(A, role="superseded")],
        [],
        ["create a for 1"],
    ),
    # -- gone
    Case("an attachment whose file is gone is deleted", [FB], [A, B], [], ["delete 1"]),
    Case(
        "but not if its place is taken by what is no file",
        [FB],
        [A, B],
        [],
        ["detach a"],
        {"snapshot": {"occupied": frozenset({"a"})}},
    ),
    Case(
        "nor if today's rules would not sync it",
        [FB],
        [A, B],
        [],
        ["detach a"],
        {"selects": lambda path: path != "a"},
    ),
    Case(
        "nor if its folder could not be read",
        [FB],
        [entry(1, "d/a"), B],
        [],
        ["detach d/a"],
        {"snapshot": {"occupied": frozenset({"d"})}},
    ),
    Case("but if its folder is gone as well", [FB], [entry(1, "d/a"), B], [], ["delete 1"]),
    Case(
        "an attachment detached and now gone is deleted",
        [FB],
        [replace(A, role="detached"), B],
        [],
        ["delete 1"],
    ),
    # -- renamed
    Case(
        "a file of the same bytes takes over: renamed",
        [file("z", "A")],
        [A],
        [],
        ["rename 1 to z"],
    ),
    Case(
        "an empty one does not",
        [file("z", "", touched=1.0)],
        [entry(1, "a", "")],
        [],
        ["create z", "delete 1"],
    ),
    Case(
        "an empty one that kept its inode and its time does",
        [file("z", "")],
        [entry(1, "a", "")],
        [],
        ["rename 1 to z"],
    ),
    Case(
        "two that swapped names are two renames",
        [file("a", "B"), file("b", "A")],
        [A, B],
        [],
        ["rename 1 to b", "rename 2 to a"],
    ),
    Case(
        "three in a ring are three",
        [file("a", "C"), file("b", "A"), file("c", "B")],
        [A, B, C],
        [],
        ["rename 1 to b", "rename 2 to c", "rename 3 to a"],
    ),
    Case(
        "a backup on save is a rename and a new file",
        [file("a", "AA"), file("a.bak", "A")],
        [A],
        [],
        ["create a", "rename 1 to a.bak"],
    ),
    Case(
        "a file moved over another leaves that one's attachment to be deleted",
        [file("b", "A")],
        [A, B],
        [],
        ["finish 2", "rename 1 to b"],
    ),
    Case(
        "of two copies of what is gone one is renamed and one is new",
        [file("y", "A"), file("z", "A")],
        [A],
        [],
        ["create z", "rename 1 to y"],
    ),
    Case(
        "a detached one is not found by its bytes elsewhere while its rules hold it off",
        [file("z", "A")],
        [replace(A, role="detached")],
        [],
        ["create z", "detach a"],
        {"selects": lambda path: path != "a"},
    ),
    # -- adopted
    Case(
        "an attachment of a file's name and size is adopted",
        [FA],
        [],
        [attachment(9, "a", "A")],
        ["adopt a"],
    ),
    Case("one of another size is not", [FA], [], [attachment(9, "a", "AA")], ["create a"]),
    Case("one of another name is not", [FA], [], [attachment(9, "A", "A")], ["create a"]),
    Case("an older one is not", [FA], [], [attachment(9, "a", "A", **OLDER)], ["create a"]),
    Case(
        "unless it was asked for",
        [FA],
        [],
        [attachment(9, "a", "A", **OLDER)],
        ["adopt a"],
        {"adopt_any_age": True},
    ),
    Case(
        "one of unknown age is not",
        [FA],
        [],
        [attachment(9, "a", "A", created_at=None)],
        ["create a"],
    ),
    Case(
        "a changed file of ours adopts nothing",
        [file("a", "AA")],
        [A],
        [attachment(9, "a", "AA")],
        ["create a for 1"],
    ),
    # -- policies
    Case(
        "never: a gone file's attachment is detached",
        [FB],
        [A, B],
        [],
        ["detach a"],
        {"rules": NEVER},
    ),
    Case(
        "never: a changed file is created anew",
        [file("a", "AA")],
        [A],
        [],
        ["create a for 1"],
        {"rules": NEVER},
    ),
    Case(
        "never: its old version is let go",
        [file("a", "AA")],
        [A, entry(5, "a", "AA", 100)],
        [],
        [],
        {"rules": NEVER},
    ),
    Case(
        "mirror: foreign ones are deleted",
        [FA],
        [A],
        [attachment(9, "x")],
        ["delete 9 foreign"],
        {"rules": MIRROR},
    ),
    Case(
        "mirror: planned from the start, and due once every upload stands in the task",
        [FA, FB],
        [A],
        [attachment(9, "x")],
        ["create b", "delete 9 foreign"],
        {"rules": MIRROR},
    ),
    Case(
        "mirror: planned on a remembered list too, to be held, or to ask for another",
        [FA],
        [A],
        [attachment(9, "x")],
        ["delete 9 foreign"],
        {"rules": MIRROR, "fresh": False},
    ),
    Case(
        "mirror: not what has the name of a file that failed",
        [FA],
        [A],
        [attachment(9, "x")],
        ["fail x"],
        {"rules": MIRROR, "snapshot": {"failed": (Problem("x", "permission denied"),)}},
    ),
    Case(
        "mirror: detached ones stay",
        [],
        [A],
        [],
        ["detach a"],
        {"rules": MIRROR, "selects": lambda _: False},
    ),
    # -- doubt, refusals, counts
    Case(
        "a create in doubt is waited for",
        [FA],
        [],
        [],
        ["wait a"],
        {"past": {"intents": (intent(1, "a", "A"),)}},
    ),
    Case(
        "a lost one is not",
        [FA],
        [],
        [],
        ["create a"],
        {"past": {"intents": (intent(1, "a", "A", state="lost"),)}},
    ),
    Case(
        "a file still being written is waited for",
        [FA],
        [],
        [],
        ["wait a"],
        {"unsettled": frozenset({"a"})},
    ),
    Case(
        "a refused file fails for now",
        [FA],
        [],
        [],
        ["fail a"],
        {"past": {"refusals": (refusal("a", "A"),)}},
    ),
    Case(
        "with other bytes it is tried",
        [FA],
        [],
        [],
        ["create a"],
        {"past": {"refusals": (refusal("a", "other"),)}},
    ),
    Case(
        "after its delay it is tried",
        [FA],
        [],
        [],
        ["create a"],
        {"past": {"refusals": (refusal("a", "A", not_before=NOW - 1),)}},
    ),
    Case(
        "what was refused alike fails as a whole, not file by file",
        [FA],
        [],
        [],
        [],
        {"past": {"refusals": (refusal("a", "A", whole=True),)}},
    ),
    Case(
        "a refused delete fails for now",
        [FB],
        [A, B],
        [],
        ["fail a"],
        {"past": {"refusals": (refusal("#1", None),)}},
    ),
    Case(
        "a refused rename fails for now",
        [file("z", "A")],
        [A],
        [],
        ["fail z"],
        {"past": {"refusals": (refusal("#1", None),)}},
    ),
    Case(
        "a file renamed while its upload is in doubt waits for it",
        [file("z", "A")],
        [],
        [],
        ["wait z"],
        {"past": {"intents": (intent(1, "a", "A"),)}},
    ),
    Case(
        "a copy of a file whose upload is in doubt does not",
        [FA, file("z", "A")],
        [],
        [],
        ["create z", "wait a"],
        {"past": {"intents": (intent(1, "a", "A"),)}},
    ),
    Case(
        "one renamed before a list shows it waits for the list",
        [file("z", "A")],
        [A],
        [],
        ["wait z"],
        {"listing": Listing(())},
    ),
    Case(
        "the same bytes a third time a day are contested",
        [FA],
        [],
        [],
        ["contest a"],
        {"past": {"created": {("a", FA.digest): 2}}},
    ),
]


@pytest.mark.parametrize("case", CASES, ids=[case.says for case in CASES])
def test_plan(case: Case) -> None:
    assert decided(case.files, case.ours, case.theirs, **case.more) == case.plan


def test_what_was_renamed_to_a_path_is_the_latest_version_there() -> None:
    found = reconcile(situation([file("b", "A")], [replace(A, since=5.0)]))
    assert [(e.path, e.since) for e in found.records] == [("b", NOW)]


@pytest.mark.parametrize(
    ("since", "sent", "later"),
    [
        (NOW - 61, (NOW - 60,), True),
        (NOW - 59, (NOW - 60,), False),
        (NOW - 80, (NOW - 60, NOW - 99), True),
        (NOW - 61, (NOW + 9,), True),
    ],
    ids=["sent since", "sent before", "one of two since", "a clock set back"],
)
def test_a_version_that_came_back_is_later_than_what_was_sent_before(
    since: float, sent: tuple[float, ...], later: bool
) -> None:
    """Should that come to light, it is the older one of the two."""
    intents = tuple(intent(n, "a", "B", state="lost", sent_at=at) for n, at in enumerate(sent))
    found = reconcile(
        situation([file("a", "A")], [replace(A, since=since)], past={"intents": intents})
    )
    assert [e.since > max(sent) for e in found.records] == [True] * later


def test_an_old_version_keeps_its_age() -> None:
    """Should the latest be deleted, the next one of them stands in; what is one already must not
    look younger for having been found to be one again."""
    stale = [replace(A, since=5.0), replace(entry(5, "a", "AA"), since=9.0)]
    found = reconcile(situation([file("a", "AAA")], stale))
    assert [(e.id, e.role, e.since) for e in found.records] == [(1, "superseded", 5.0)]


def named(sent: str, seen: str, **more: Any) -> LedgerEntry:
    return replace(A, name=Said(sent, seen, **more))


@pytest.mark.parametrize(
    ("says", "ours", "puts", "plan"),
    [
        (
            "a name changed by a person is put back",
            named("a", "x", kept=True),
            0,
            ["rename 1 to a"],
        ),
        ("a second time too", named("a", "x", kept=True), 1, ["rename 1 to a"]),
        ("then it is contested", named("a", "x", kept=True), 2, ["contest a"]),
        ("a name the server made is tried once", named("a", "x"), 0, ["rename 1 to a"]),
        ("and then left in peace", named("a", "x", form="x"), 0, []),
        ("another one is a person's", named("a", "y", form="x"), 0, ["rename 1 to a"]),
        (
            "the name before a rename may be lag",
            named("a", "x", former=("x",), put_at=NOW - BELIEF + 1),
            0,
            [],
        ),
        (
            "but not for long",
            named("a", "x", former=("x",), put_at=NOW - BELIEF),
            0,
            ["rename 1 to a"],
        ),
        (
            "and what a person changed once more is told apart from it by nothing",
            named("a", "x", kept=True, former=("x",), put_at=NOW - 1),
            1,
            ["rename 1 to a"],
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_names(says: str, ours: LedgerEntry, puts: int, plan: list[str]) -> None:
    assert decided([FA], [ours], past={"put_back": {1: puts}}) == plan


def test_a_remembered_list_does_not_do_for_adoption() -> None:
    found = reconcile(situation([FA], [], [attachment(9, "a", "A")], fresh=False))
    assert found.needs_list
    assert reconcile(situation([FA], [], [attachment(9, "a", "A")])).needs_list is None


def test_an_older_match_is_told_with_what_to_do() -> None:
    found = reconcile(situation([FA], [], [attachment(9, "a", "A", **OLDER)]))
    assert "--adopt" in found.hints[0]


def test_unknown_lines_of_the_manifest_are_told() -> None:
    found = reconcile(situation([FA], [A], snapshot={"unknown_order_lines": ("nope",)}))
    assert ".syncd-order: nope" in found.hints[0]


def test_a_move_leaves_a_contested_name_as_it_is() -> None:
    stray = replace(entry(2, "b.txt", "B", 900), name=Said("b.txt", "theirs", kept=True))
    ours = [entry(1, "a.txt", "A"), stray, entry(3, "c.txt", "C"), entry(4, "d.txt", "D")]
    files = [file(f"{name}.txt", name.upper()) for name in "abcd"]
    found = reconcile(situation(files, ours, past={"put_back": {2: 2}}))
    assert (found.contested, [r.name for r in found.reorders]) == (("b.txt",), ["theirs"])


def test_but_not_one_that_a_lagging_list_still_shows() -> None:
    name = Said("b.txt", "theirs", kept=True, former=("theirs",), put_at=NOW - 1)
    ours = [entry(1, "a.txt", "A"), replace(entry(2, "b.txt", "B", 900), name=name)]
    ours += [entry(3, "c.txt", "C"), entry(4, "d.txt", "D")]
    files = [file(f"{name}.txt", name.upper()) for name in "abcd"]
    found = reconcile(situation(files, ours, past={"put_back": {2: 2}}))
    assert (found.contested, [r.name for r in found.reorders]) == (("b.txt",), ["b.txt"])


def test_a_rename_says_the_new_number_again_where_the_list_may_lag() -> None:
    moved = replace(B, order=Said(250, 200, former=(200,), put_at=NOW - 1))
    found = reconcile(situation([FA, file("z", "B")], [A, moved]))
    assert [(r.name, r.number) for r in found.renames] == [("z", 250)]


def test_a_rename_carries_its_new_place_along() -> None:
    found = reconcile(situation([FB, file("z", "A")], [A, B]))
    assert [(r.name, r.number > 200) for r in found.renames] == [("z", True)]
    assert found.reorders == ()


def test_a_replacement_takes_its_predecessors_number() -> None:
    found = reconcile(situation([file("a", "AA"), FB], [A, B]))
    assert [(c.file.path, c.number) for c in found.creates] == [("a", 100)]


@pytest.mark.parametrize(
    ("name", "sent_along"),
    [
        (Said("b.txt", "B.TXT", form="B.TXT"), "B.TXT"),
        (Said("b.txt", "b", former=("b",), put_at=NOW - 1), "b.txt"),
    ],
    ids=["the server's form", "a lagging list's former name"],
)
def test_a_move_sends_the_servers_form_of_a_name_along_and_nothing_else(
    name: Said[str], sent_along: str
) -> None:
    stray = replace(entry(2, "b.txt", "B", 900), name=name)
    ours = [entry(1, "a.txt", "A"), stray, entry(3, "c.txt", "C"), entry(4, "d.txt", "D")]
    files = [file(f"{name}.txt", name.upper()) for name in "abcd"]
    found = reconcile(situation(files, ours))
    assert [(r.entry.id, r.name) for r in found.reorders] == [(2, sent_along)]


def test_nothing_foreign_is_due_while_there_is_something_to_send() -> None:
    plan = reconcile(situation([FB], [A], [attachment(9, "x")], rules=MIRROR))
    assert [d.id for d in plan.deletes] == [1, 9]
    assert [d.id for d in plan.due] == [1]
    calm = reconcile(situation([FA], [A], [attachment(9, "x")], rules=MIRROR))
    assert [d.id for d in calm.due] == [9]


class TestDigests:
    """Which files must be read before it can be decided."""

    @pytest.mark.parametrize(
        ("says", "files", "ours", "theirs", "wanted"),
        [
            ("unchanged ones are not read", [FA], [A], [], []),
            ("nor new ones", [FA], [], [], []),
            ("nor those of another size", [file("a", "AA")], [A], [], []),
            ("touched ones are", [file("a", "A", touched=NOW)], [A], [], ["a"]),
            ("and new ones if one of their size is gone", [file("z", "A")], [A], [], ["z"]),
            ("or has changed", [file("a", "AA"), file("z", "A")], [A], [], ["z"]),
            ("but no empty ones", [file("z", "")], [entry(1, "a", "")], [], []),
            ("those to be adopted are", [FA], [], [attachment(9, "a", "A")], ["a"]),
        ],
        ids=lambda value: value if isinstance(value, str) else "",
    )
    def test_wanted(
        self,
        says: str,
        files: list[LocalFile],
        ours: list[LedgerEntry],
        theirs: list[Attachment],
        wanted: list[str],
    ) -> None:
        unread = [replace(f, digest=None) for f in files]
        assert digests(situation(unread, ours, theirs)) == frozenset(wanted)

    def test_a_racy_fingerprint_is_not_trusted_once(self) -> None:
        racy = replace(A, racy=True)
        assert digests(situation([replace(FA, digest=None)], [racy])) == {"a"}
        (bound,) = reconcile(situation([FA], [racy])).records
        assert not bound.racy

    def test_what_was_created_today_is_read_before_it_is_created_again(self) -> None:
        past = {"created": {("a", "0" * 64): 1}}
        assert digests(situation([replace(FA, digest=None)], [], past=past)) == {"a"}


def test_what_is_detached_keeps_its_age_so_that_a_later_version_is_told() -> None:
    old = entry(1, "a", "A", since=NOW - 99)
    (detached,) = reconcile(situation([], [old], selects=lambda _: False)).records
    assert (detached.role, detached.since) == ("detached", NOW - 99)
