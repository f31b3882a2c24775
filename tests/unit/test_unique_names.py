"""Making room for names on a server that takes each name once in a task."""

from __future__ import annotations

import pytest

from syncd.core.reconcile import reconcile
from syncd.core.unique_names import holders, make_room
from syncd.model import LocalFile
from syncd.task_state import BELIEF, Attribute, LedgerEntry
from tests.support.values import NOW, attachment, entry, file, snapshot, told

A, B = entry(1, "a.txt", "A"), entry(2, "b.txt", "B")


def planned(files: list[LocalFile], ours: list[LedgerEntry]) -> list[str]:
    s = snapshot(files, ours)
    return told(make_room(reconcile(s), s))


@pytest.mark.parametrize(
    ("says", "files", "ours", "plan"),
    [
        ("a free name is taken at once", [file("z.txt", "A")], [A], ["rename 1 to z.txt"]),
        (
            "an old version is renamed before the new one is sent",
            [file("a.txt", "AA")],
            [A],
            ["rename 1 to a (old 1).txt"],
        ),
        (
            "other creates are sent meanwhile",
            [file("a.txt", "AA"), file("n.txt", "N")],
            [A],
            ["create n.txt", "rename 1 to a (old 1).txt"],
        ),
        (
            "a swap begins with one name set aside",
            [file("a.txt", "B"), file("b.txt", "A")],
            [A, B],
            ["rename 2 to b (old 2).txt"],
        ),
        (
            "a chain begins at its free end",
            [file("b.txt", "A"), file("c.txt", "B")],
            [A, B],
            ["rename 2 to c.txt"],
        ),
        (
            "a name that is about to be deleted is waited for",
            [file("b.txt", "A")],
            [A, B],
            ["finish 2"],
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_plan(says: str, files: list[LocalFile], ours: list[LedgerEntry], plan: list[str]) -> None:
    assert planned(files, ours) == plan


def test_a_name_without_an_ending_is_set_aside_too() -> None:
    assert planned([file("a", "AA")], [entry(1, "a", "A")]) == ["rename 1 to a (old 1)"]


def test_an_attachment_of_others_is_never_renamed() -> None:
    s = snapshot([file("a.txt", "A")], [], [attachment(9, "a.txt", "other")])
    assert told(make_room(reconcile(s), s)) == ["create a.txt"]


@pytest.mark.parametrize(("age", "taken"), [(1, {"new"}), (BELIEF, {"old"})])
def test_a_name_given_up_is_free_though_a_lagging_list_shows_it(
    age: float, taken: set[str]
) -> None:
    name = Attribute("new", "old", before="old", put_at=NOW - age)
    assert set(holders(snapshot([], [A._replace(name=name)]))) == taken
