"""Which attachment is which file."""

from __future__ import annotations

from dataclasses import replace

import pytest

from syncd.core.matching import is_gone, live, match, same_content
from syncd.model import Past
from tests.support.values import NOW, entry, file, folder, print_of


@pytest.mark.parametrize(
    ("says", "gone", "path", "scanned", "occupied", "selected"),
    [
        ("nothing stands there", True, "a", [""], [], True),
        ("the rules would not sync it", False, "a", [""], [], False),
        ("something unsynced stands there", False, "a", [""], ["a"], True),
        ("its folder was read", True, "d/a", ["", "d"], [], True),
        ("its folder is gone", True, "d/a", [""], [], True),
        ("its folder's folder is gone", True, "d/e/a", [""], [], True),
        ("its folder could not be read", False, "d/a", [""], ["d"], True),
        ("its folder's folder could not be read", False, "d/e/a", [""], ["d"], True),
        ("another folder could not be read", True, "d/a", ["", "d"], ["e"], True),
        ("a name that begins alike is no folder", True, "d2/a", [""], ["d"], True),
    ],
    ids=lambda value: value if isinstance(value, str) and " " in value else "",
)
def test_gone(
    says: str, gone: bool, path: str, scanned: list[str], occupied: list[str], selected: bool
) -> None:
    snapshot = folder(scanned=frozenset(scanned), occupied=frozenset(occupied))
    assert is_gone(path, snapshot, lambda _: selected) == gone


A = entry(1, "a", "A")


@pytest.mark.parametrize(
    ("says", "ours", "there", "same"),
    [
        ("the same fingerprint", A, file("a", "A", read=False), True),
        ("a racy one tells nothing", replace(A, racy=True), file("a", "A", read=False), None),
        ("another size", A, file("a", "AA", read=False), False),
        ("another time, not read", A, file("a", "A", touched=NOW, read=False), None),
        ("another time, the same bytes", A, file("a", "A", touched=NOW), True),
        ("another time, other bytes", A, file("a", "Z", touched=NOW), False),
        (
            "a lost digest, the file untouched",
            replace(A, digest=None, racy=True),
            file("a", "A"),
            True,
        ),
        (
            "a lost digest, the file touched",
            replace(A, digest=None),
            file("a", "A", touched=NOW),
            False,
        ),
        (
            "nothing is nothing, whatever else was lost",
            replace(entry(1, "a", ""), digest=None),
            file("a", "", touched=NOW, read=False),
            True,
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_same_content(says: str, ours, there, same) -> None:  # type: ignore[no-untyped-def]
    assert same_content(ours, there) is same


def test_every_entry_and_every_file_stands_in_exactly_one_place() -> None:
    files = [file("a", "A"), file("b", "BB"), file("c", "E"), file("n", "N"), file("y", "D")]
    entries = [
        entry(1, "a", "A"),
        entry(2, "b", "B"),
        entry(3, "c", "C"),
        entry(4, "d", "D"),
        entry(5, "e", "E"),
        entry(6, "f", "F"),
        entry(7, "g", "G"),
    ]
    snapshot = folder(*files, occupied=frozenset({"g"}))
    found = match(snapshot, Past(entries=tuple(entries)), lambda _: True)
    placed = {
        "unchanged": [(e.id, f.path) for e, f in found.unchanged],
        "renamed": [(e.id, f.path) for e, f in found.renamed],
        "changed": [(e.id, f.path) for e, f in found.changed],
        "new": [f.path for f in found.new],
        "gone": [e.id for e in found.gone],
        "surplus": [e.id for e in found.surplus],
        "absent": [e.id for e in found.absent],
    }
    assert placed == {
        "unchanged": [(1, "a")],
        "renamed": [(4, "y"), (5, "c")],
        "changed": [(2, "b")],
        "new": ["n"],
        "gone": [6],
        "surplus": [3],
        "absent": [7],
    }


def test_of_two_entries_with_the_same_file_the_lower_id_has_it() -> None:
    twins = (entry(1, "a", "A"), entry(2, "a", "A"))
    found = match(folder(file("a", "A")), Past(entries=twins), lambda _: True)
    assert [e.id for e, _ in found.unchanged] == [1]
    assert [e.id for e in found.surplus] == [2]


def test_a_replaced_version_lives_only_where_nothing_else_stands_for_its_path() -> None:
    entries = (
        entry(1, "a", role="superseded"),
        entry(2, "a"),
        entry(3, "b", role="superseded"),
        entry(4, "b", role="tombstone"),
    )
    assert [e.id for e in live(Past(entries=entries))] == [2, 3]


@pytest.mark.parametrize("content", ["", "A"])
def test_an_old_version_with_what_its_file_holds_again_is_the_files(content: str) -> None:
    entries = (entry(1, "a", content, role="superseded"), entry(2, "a", "BB"))
    found = match(folder(file("a", content, touched=NOW)), Past(entries=entries), lambda _: True)
    assert [e.id for e, _ in found.unchanged] == [1]
    assert [e.id for e in found.surplus] == [2]


def test_the_fingerprint_of_a_fresh_file_may_hide_a_change() -> None:
    assert print_of("a", touched=NOW - 1.9).racy_at(NOW)
    assert not print_of("a", touched=NOW - 2.1).racy_at(NOW)
