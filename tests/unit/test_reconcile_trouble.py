"""Folder, task and ledger in, plan out: creates in doubt, refusals, and files in motion."""

from __future__ import annotations

import pytest

from syncd.core.reconcile import paths_to_read, reconcile
from syncd.model import Attachment, LocalFile
from syncd.task_state import LedgerEntry
from tests.support.values import (
    NOW,
    Case,
    attachment,
    created,
    deleted,
    entry,
    file,
    intent,
    print_of,
    refusal,
    snapshot,
)

A, B = entry(1, "a", "A"), entry(2, "b", "B")
FA, FB = file("a", "A"), file("b", "B")
UNSEEN_A = A._replace(shown=False, listed=False)


def refused(subject: str, content: str | None = "A", **more: object) -> dict[str, object]:
    return {"known": {"refusals": (refusal(subject, content, **more),)}}


def in_doubt(**more: object) -> dict[str, object]:
    return {"known": {"intents": (intent(1, "a", "A", **more),)}}


DOUBT = [
    Case("a create in doubt is waited for", [FA], [], [], ["wait a"], in_doubt()),
    Case("a lost create is sent again", [FA], [], [], ["create a"], in_doubt(state="lost")),
    Case(
        "a create answered without ids is waited for",
        [FA],
        [],
        [],
        ["wait a"],
        in_doubt(state="answered"),
    ),
    Case(
        "a file renamed while its create is in doubt waits",
        [file("z", "A")],
        [],
        [],
        ["wait z"],
        in_doubt(),
    ),
    Case(
        "a copy of a file whose create is in doubt does not wait",
        [FA, file("z", "A")],
        [],
        [],
        ["create z", "wait a"],
        in_doubt(),
    ),
    Case(
        "a file with a create in doubt adopts nothing",
        [FA],
        [],
        [attachment(9, "a", "A")],
        ["wait a"],
        in_doubt(),
    ),
    Case(
        "a rename waits until a list shows the attachment",
        [file("z", "A")],
        [UNSEEN_A],
        [],
        ["wait z"],
    ),
    Case("an attachment that no list shows yet is not created again", [FA], [UNSEEN_A], [], []),
]
REFUSED = [
    Case("a refused file fails until its delay is over", [FA], [], [], ["fail a"], refused("a")),
    Case("other bytes are tried at once", [FA], [], [], ["create a"], refused("a", "other")),
    Case(
        "a refused file that was touched is still refused",
        [file("a", "A", touched=NOW - 100)],
        [],
        [],
        ["fail a"],
        refused("a", digest=FA.digest),
    ),
    Case(
        "a refused file is tried again after its delay",
        [FA],
        [],
        [],
        ["create a"],
        refused("a", not_before=NOW - 1),
    ),
    Case(
        "a clock set back makes no delay longer",
        [FA],
        [],
        [],
        ["create a"],
        refused("a", not_before=NOW + 9999),
    ),
    Case(
        "a refused file does not stop the others",
        [FA, FB],
        [],
        [],
        ["create b", "fail a"],
        refused("a"),
    ),
    Case(
        "a refused new version leaves the old one",
        [file("a", "AA")],
        [A],
        [],
        ["fail a"],
        refused("a", "AA"),
    ),
    Case("a refusal of everything blames no file", [FA], [], [], [], refused("a", whole=True)),
    Case("a refused delete fails", [FB], [A, B], [], ["fail a"], refused("#1", None)),
    Case("a refused rename fails", [file("z", "A")], [A], [], ["fail z"], refused("#1", None)),
    Case(
        "a refused delete of an old version fails",
        [FA],
        [A, entry(5, "a", "A")],
        [],
        ["fail a"],
        refused("#5", None),
    ),
]
COUNTED = [
    Case(
        "the same bytes are created twice a day and then contested",
        [FA],
        [],
        [],
        ["contest a"],
        {"known": {"history": (created("a", "A"), created("a", "A"))}},
    ),
    Case(
        "a create of more than a day ago is not counted",
        [FA],
        [],
        [],
        ["create a"],
        {"known": {"history": (created("a", "A", 86_401), created("a", "A"))}},
    ),
    Case(
        "other bytes in between start the count again",
        [FA],
        [],
        [],
        ["create a"],
        {"known": {"history": (created("a", "A"), created("a", "A"), created("a", "Z"))}},
    ),
    Case(
        "a file that was gone in between starts the count again",
        [FA],
        [],
        [],
        ["create a"],
        {"known": {"history": (created("a", "A"), created("a", "A"), deleted("a"))}},
    ),
]
MOVING = [
    Case(
        "a file still being written waits",
        [FA],
        [],
        [],
        ["wait a"],
        {"unsettled": frozenset({"a"})},
    ),
    Case(
        "a neighbour of a file still being written goes out",
        [FA, FB],
        [],
        [],
        ["create b", "wait a"],
        {"unsettled": frozenset({"a"})},
    ),
    Case(
        "an empty file waits for the download beside it",
        [file("a", "")],
        [],
        [],
        ["wait a"],
        {"scan": {"downloading": frozenset({"a"})}},
    ),
    Case(
        "an attachment of a gone file stays while an unread file of its size is being written",
        [file("z", "A", read=False)],
        [A],
        [],
        ["detach a", "wait z"],
        {"unsettled": frozenset({"z"})},
    ),
    Case(
        "an attachment of a gone file stays while a file of its size cannot be read",
        [FB],
        [A, B],
        [],
        ["detach a"],
        {"scan": {"undecided": {"z": 1}}},
    ),
    Case(
        "an attachment of a gone file stays while a file of unknown size cannot be read",
        [FB],
        [A, B],
        [],
        ["detach a"],
        {"scan": {"undecided": {"z": None}}},
    ),
    Case(
        "an unreadable file of another size delays no delete",
        [FB],
        [A, B],
        [],
        ["delete 1"],
        {"scan": {"undecided": {"z": 2}}},
    ),
    Case(
        "an old version stays while a file of its size cannot be read",
        [FA],
        [A, entry(5, "a", "B")],
        [],
        [],
        {"scan": {"undecided": {"z": 1}}},
    ),
]
CASES = [*DOUBT, *REFUSED, *COUNTED, *MOVING]


@pytest.mark.parametrize("case", CASES, ids=[case.says for case in CASES])
def test_plan(case: Case) -> None:
    assert case.decided == case.plan


def test_a_refusal_of_everything_is_the_folders_error() -> None:
    s = snapshot([FA], known={"refusals": (refusal("a", "A", whole=True),)})
    assert reconcile(s).refused_alike == "400"


def test_a_later_list_tells_of_a_create_in_doubt() -> None:
    assert reconcile(snapshot([FA], known={"intents": (intent(1, "a", "A"),)})).lagging
    assert not reconcile(snapshot([FA], [A])).lagging


def test_creates_in_doubt_owe_a_list_and_a_delete_for_each_replaced_version() -> None:
    intents = (intent(1, "a", "AA"), intent(2, "n", "N"))
    s = snapshot([file("a", "AA"), file("n", "N")], [A], known={"intents": intents})
    assert s.owed == 2


@pytest.mark.parametrize(
    ("says", "files", "ours", "theirs", "wanted"),
    [
        ("an unchanged file is not read", [FA], [A], [], []),
        ("a new file is not read before its upload", [FA], [], [], []),
        ("a file of another size is not read", [file("a", "AA")], [A], [], []),
        ("a touched file is read", [file("a", "A", touched=NOW - 100)], [A], [], ["a"]),
        ("a racy file is read once more", [FA], [A._replace(racy=True)], [], ["a"]),
        ("a new file is read if a gone one has its size", [file("z", "A")], [A], [], ["z"]),
        (
            "a new file is read if a changed one had its size",
            [file("a", "AA"), file("z", "A")],
            [A],
            [],
            ["z"],
        ),
        (
            "a new file is read if an old version has its size",
            [file("a", "AA"), file("z", "A")],
            [A._replace(role="superseded", replaced_by=5), entry(5, "a", "AA")],
            [],
            ["z"],
        ),
        ("an empty file is not read", [file("z", "")], [entry(1, "a", "")], [], []),
        ("a file to be adopted is read", [FA], [], [attachment(9, "a", "A")], ["a"]),
        ("a new file that changed just now is read", [file("z", touched=NOW)], [], [], ["z"]),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_paths_to_read(
    says: str,
    files: list[LocalFile],
    ours: list[LedgerEntry],
    theirs: list[Attachment],
    wanted: list[str],
) -> None:
    unread = [f._replace(digest=None) for f in files]
    assert paths_to_read(snapshot(unread, ours, theirs)) == frozenset(wanted)


@pytest.mark.parametrize(
    ("says", "known"),
    [
        ("its path was created within the last day", {"history": (created("a", "Z"),)}),
        ("a create in doubt of its size has lost its file", {"intents": (intent(1, "n", "A"),)}),
        (
            "its bytes were refused and it was touched since",
            {"refusals": (refusal("a", "A", fingerprint=print_of("A", 5.0), digest=FA.digest),)},
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_new_file_is_read_if(says: str, known: dict[str, object]) -> None:
    assert paths_to_read(snapshot([FA._replace(digest=None)], known=known)) == {"a"}


def test_a_new_file_is_read_if_a_gone_one_of_its_size_waits_for_another() -> None:
    files = [file("y", "Z", read=False), file("z", "A", read=False)]
    assert paths_to_read(snapshot(files, [A], unsettled=frozenset({"y"}))) == {"z"}


def test_a_file_still_being_written_is_not_read() -> None:
    touched = file("a", "A", touched=NOW - 100, read=False)
    assert paths_to_read(snapshot([touched], [A], unsettled=frozenset({"a"}))) == frozenset()


def test_a_racy_fingerprint_is_trusted_after_the_file_was_read() -> None:
    (record,) = reconcile(snapshot([FA], [A._replace(racy=True)])).records
    assert not record.racy
