"""Which attachment of ours is which file."""

from __future__ import annotations

import pytest

from syncd.core.matching import Matches, is_gone, live, match, same_content
from syncd.model import FolderSnapshot
from syncd.task_state import LedgerEntry
from tests.support.values import NOW, entry, file, folder, print_of, state


@pytest.mark.parametrize(
    ("says", "gone", "path", "scanned", "occupied", "selected"),
    [
        ("no file is there", True, "a", [""], [], True),
        ("the rules would not sync it", False, "a", [""], [], False),
        ("something unsynced is there", False, "a", [""], ["a"], True),
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
    scan = folder(scanned=frozenset(scanned), occupied=frozenset(occupied))
    assert is_gone(path, scan, lambda _: selected) == gone


A = entry(1, "a", "A")


def matched(scan: FolderSnapshot, *entries: LedgerEntry) -> Matches:
    return match(scan, state(entries), lambda _: True)


@pytest.mark.parametrize(
    ("says", "ours", "there", "same"),
    [
        ("the same fingerprint", A, file("a", "A", read=False), True),
        ("a racy one tells nothing", A._replace(racy=True), file("a", "A", read=False), None),
        ("another size", A, file("a", "AA", read=False), False),
        ("another time, not read", A, file("a", "A", touched=NOW, read=False), None),
        ("another time, the same bytes", A, file("a", "A", touched=NOW), True),
        ("another time, other bytes", A, file("a", "Z", touched=NOW), False),
        (
            "a lost digest, the file untouched",
            A._replace(digest=None, racy=True),
            file("a", "A"),
            True,
        ),
        (
            "a lost digest, the file touched",
            A._replace(digest=None),
            file("a", "A", touched=NOW),
            False,
        ),
        (
            "an empty file, whatever was lost",
            entry(1, "a", "")._replace(digest=None),
            file("a", "", touched=NOW, read=False),
            True,
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_same_content(says: str, ours, there, same) -> None:  # type: ignore[no-untyped-def]
    assert same_content(ours, there) is same


def test_every_entry_and_every_file_is_in_exactly_one_place() -> None:
    files = [file("a", "A"), file("b", "BB"), file("c", "E"), file("n", "N"), file("y", "D")]
    entries = [
        entry(1, "a", "A"),
        entry(2, "b", "B"),
        entry(3, "c", "C"),
        entry(4, "d", "D"),
        entry(5, "e", "E"),
        entry(6, "f", "F"),
        entry(7, "g", "G"),
        entry(8, "h", "four"),
    ]
    found = matched(folder(*files, occupied=frozenset({"g"}), undecided={"u": 4}), *entries)
    placed = {
        "unchanged": [(e.id, f.path) for e, f in found.unchanged],
        "renamed": [(e.id, f.path) for e, f in found.renamed],
        "changed": [(e.id, f.path) for e, f in found.changed],
        "new": [f.path for f in found.new],
        "gone": [e.id for e in found.gone],
        "replaced": [(e.id, e.replaced_by) for e in found.replaced],
        "unsynced": [e.id for e in found.unsynced],
        "waiting": [e.id for e in found.waiting],
    }
    assert placed == {
        "unchanged": [(1, "a")],
        "renamed": [(4, "y"), (5, "c")],
        "changed": [(2, "b")],
        "new": ["n"],
        "gone": [6],
        "replaced": [(3, 5)],
        "unsynced": [7],
        "waiting": [8],
    }


def test_the_lower_id_of_two_attachments_with_the_same_file_has_it() -> None:
    found = matched(folder(file("a", "A")), entry(1, "a", "A"), entry(2, "a", "A"))
    assert [e.id for e, _ in found.unchanged] == [1]
    assert [(e.id, e.replaced_by) for e in found.replaced] == [(2, 1)]


def test_a_replaced_version_stands_for_its_file_if_its_successor_is_lost() -> None:
    entries = [
        entry(1, "a", role="superseded", replaced_by=2),
        entry(2, "a"),
        entry(3, "b", role="superseded", replaced_by=9),
        entry(4, "c", role="superseded", replaced_by=5),
        entry(5, "c", role="tombstone"),
        entry(6, "d", role="released"),
        entry(7, "e", role="detached"),
    ]
    standing, old = live(state(entries))
    assert ([e.id for e in standing], [e.id for e in old]) == ([2, 3, 7], [1, 4])


@pytest.mark.parametrize("content", ["", "A"])
def test_an_old_version_with_the_files_content_is_the_current_one_again(content: str) -> None:
    old = entry(1, "a", content, role="superseded", replaced_by=2)
    found = matched(folder(file("a", content, touched=NOW)), old, entry(2, "a", "BB"))
    assert [e.id for e, _ in found.unchanged] == [1]
    assert [(e.id, e.replaced_by) for e in found.replaced] == [(2, 1)]


class TestUndecided:
    """Files whose content cannot be known: each may be one that had another name before."""

    @pytest.mark.parametrize(
        ("says", "undecided", "waits"),
        [
            ("a file of its size", {"z": 1}, True),
            ("a file of unknown size", {"z": None}, True),
            ("a file of another size", {"z": 2}, False),
            ("nothing", {}, False),
        ],
        ids=lambda value: value if isinstance(value, str) else "",
    )
    def test_a_gone_file_may_be(
        self, says: str, undecided: dict[str, int | None], waits: bool
    ) -> None:
        found = matched(folder(undecided=undecided), A)
        assert ([e.id for e in found.waiting], [e.id for e in found.gone]) == (
            ([1], []) if waits else ([], [1])
        )

    @pytest.mark.parametrize(("read", "waits"), [(False, True), (True, False)])
    def test_a_file_still_being_written_is_undecided_until_it_was_read(
        self, read: bool, waits: bool
    ) -> None:
        files = folder(file("z", "B", read=read))
        found = match(files, state([A]), lambda _: True, {"z"})
        assert bool(found.waiting) is waits


def test_the_fingerprint_of_a_fresh_file_may_hide_a_change() -> None:
    assert print_of("a", touched=NOW - 1.9).racy_at(NOW)
    assert not print_of("a", touched=NOW - 2.1).racy_at(NOW)
