"""Names that differ from their files': whose doing it is, and what a PUT carries."""

from __future__ import annotations

import pytest

from syncd.core.plan import Plan
from syncd.core.reconcile import reconcile
from syncd.task_state import BELIEF, Attribute, LedgerEntry
from tests.support.values import NOW, decided, entry, file, put_back, refusal, snapshot

FILES = [file(f"{name}.txt", name) for name in "abcd"]
OURS = [entry(n, f"{name}.txt", name) for n, name in enumerate("abcd", 1)]
CHANGED = Attribute("a.txt", "x", kept=True)
"""A list has shown the name, and now shows another."""
REWRITTEN = Attribute("a.txt", "x")
"""The first list after the create shows another name."""


@pytest.mark.parametrize(
    ("says", "name", "puts", "plan"),
    [
        ("a name changed by a person is put back", CHANGED, 0, ["rename 1 to a.txt"]),
        ("a name is put back twice a day", CHANGED, 1, ["rename 1 to a.txt"]),
        ("a name changed a third time is contested", CHANGED, 2, ["contest a.txt"]),
        ("a name that the server made is sent again", REWRITTEN, 0, ["rename 1 to a.txt"]),
        ("a name that the server makes again is accepted", REWRITTEN._replace(accepted="x"), 0, []),
        (
            "a change of an accepted name is put back",
            Attribute("a.txt", "y", accepted="x"),
            0,
            ["rename 1 to a.txt"],
        ),
        (
            "a list that may lag asks for no rename",
            Attribute("a.txt", "x", before="x", put_at=NOW - BELIEF + 1),
            0,
            [],
        ),
        (
            "a list lags for ten minutes at most",
            Attribute("a.txt", "x", before="x", put_at=NOW - BELIEF),
            0,
            ["rename 1 to a.txt"],
        ),
        ("a name that differs before NFC only is right", Attribute("a.txt", "a.txt"), 0, []),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_names(says: str, name: Attribute[str], puts: int, plan: list[str]) -> None:
    known = {"history": (put_back("1"),) * puts}
    assert decided(FILES[:1], [OURS[0]._replace(name=name)], known=known) == plan


@pytest.mark.parametrize("form", ["\u00e9.txt", "e\u0301.txt"])
def test_a_name_is_right_in_either_unicode_form(form: str) -> None:
    ours = entry(1, "\u00e9.txt", "A", name=Attribute("\u00e9.txt", form, kept=True))
    assert decided([file("\u00e9.txt", "A")], [ours]) == []


def test_a_rename_here_is_not_counted_as_put_back() -> None:
    known = {"history": (put_back("1"), put_back("1"))}
    plan = reconcile(snapshot([file("z.txt", "a")], OURS[:1], known=known))
    assert [(r.name, r.put_back) for r in plan.renames] == [("z.txt", False)]


def test_put_backs_of_more_than_a_day_ago_are_not_counted() -> None:
    known = {"history": (put_back("1", 86_401), put_back("1"))}
    plan = reconcile(snapshot(FILES[:1], [OURS[0]._replace(name=CHANGED)], known=known))
    assert [r.put_back for r in plan.renames] == [True]


def test_a_contested_name_that_is_refused_fails_no_file() -> None:
    known = {"history": (put_back("1"),) * 2, "refusals": (refusal("#1", None),)}
    plan = reconcile(snapshot(FILES[:1], [OURS[0]._replace(name=CHANGED)], known=known))
    assert (plan.contested, plan.failed) == (("a.txt",), ())


def moved(name: Attribute[str], puts: int = 0) -> Plan:
    """The second of four has this name, and stands at the end."""
    order = Attribute(900, 900, kept=True)
    ours: list[LedgerEntry] = [*OURS]
    ours[1] = ours[1]._replace(name=name, order=order)
    return reconcile(snapshot(FILES, ours, known={"history": (put_back("2"),) * puts}))


@pytest.mark.parametrize(
    ("says", "name", "puts", "sent"),
    [
        ("the file's name", Attribute("b.txt", "b.txt", kept=True), 0, "b.txt"),
        ("the server's form of it", Attribute("b.txt", "B.TXT", accepted="B.TXT"), 0, "B.TXT"),
        ("a contested name", Attribute("b.txt", "theirs", kept=True), 2, "theirs"),
        (
            "the new name while the list shows the former",
            Attribute("b.txt", "b", before="b", put_at=NOW - 1),
            0,
            "b.txt",
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_move_sends_along(says: str, name: Attribute[str], puts: int, sent: str) -> None:
    assert [(r.entry.id, r.name) for r in moved(name, puts).reorders] == [(2, sent)]


def test_a_rename_carries_its_new_place_along() -> None:
    plan = reconcile(snapshot([FILES[1], file("z.txt", "a")], OURS[:2]))
    assert [(r.name, r.number > 200) for r in plan.renames] == [("z.txt", True)]
    assert plan.reorders == ()
