"""Names and numbers: odd ones, and servers that make something else of them."""

from __future__ import annotations

import os
from unicodedata import normalize

import pytest

from tests.fault.conftest import NewWorld
from tests.support.faults import Fault
from tests.support.witness import Witness
from tests.support.world import World

ODD = [
    'say "hi".txt',
    "per%cent%22.txt",
    "a+b & c=d;e.txt",
    "new\nline.txt",
    "tab\tand\x01bell",
    "back\\slash",
    "Grüße & Küsse.pdf",
    "日本語 書類.docx",
    "🎈🧑‍🚀.png",
    " leading and trailing ",
    "names[0]",
    "-rf",
    "#hash?query",
    "x" * 200,
    "ü" * 120,
    "a'b`c$d",
    ";semi;colon;",
]


def fill(world: World, names: list[str]) -> Witness:
    witness = Witness(world)
    for number, name in enumerate(names):
        world.write(name, f"content {number}")
    witness.note()
    return witness


@pytest.mark.parametrize("where", ["both", "query", "form"])
@pytest.mark.parametrize("alone", [False, True], ids=["in bulk", "alone"])
def test_odd_names_arrive_as_they_are(new_world: NewWorld, where: str, alone: bool) -> None:
    world = new_world(create_params=where, params=where)
    if alone:
        world.max_batch_bytes = 1
    witness = fill(world, ODD)
    report = world.run()
    assert (report.exit_code, report.renamed) == (0, [])
    witness.assert_settled()
    world.run()
    assert world.calls() == ["GET list"]


@pytest.mark.parametrize("params", ["query", "form"])
def test_with_both_the_server_may_read_where_it_likes(new_world: NewWorld, params: str) -> None:
    world = new_world(params=params)
    witness = fill(world, ODD)
    assert world.run().in_sync
    witness.assert_settled()


def test_paths_of_a_recursive_folder_are_names(new_world: NewWorld) -> None:
    world = new_world(rules={"recursive": True})
    witness = fill(world, ["a/b/c.txt", "a/b.txt", "a.txt", "b/c.txt"])
    assert world.run().in_sync
    witness.assert_settled()


REWRITES = {
    "lower case": str.lower,
    "NFC": lambda name: normalize("NFC", name),
    "NFD": lambda name: normalize("NFD", name),
    "no spaces": lambda name: name.replace(" ", "_"),
    "cut at 8": lambda name: name[:8],
    "all alike": lambda name: "attachment",
}


@pytest.mark.parametrize("rewrite", REWRITES)
@pytest.mark.parametrize("ids", ["none", "array"])
def test_a_name_that_the_server_rewrites_is_accepted_after_one_try(
    new_world: NewWorld, rewrite: str, ids: str
) -> None:
    world = new_world(rewrite_name=REWRITES[rewrite], ids_in_201=ids)
    names = ["Grüße One.txt", "Ångström Two.txt", normalize("NFD", "Äpfel.txt"), "ANNEX OF IT"]
    fill(world, names)
    assert world.run().exit_code == 0
    tries = world.calls().count("PUT one")
    assert tries <= len(names)
    world.run()
    tries += world.calls().count("PUT one")
    assert tries <= len(names)
    for _ in range(2):
        report = world.run()
        assert (world.calls(), report.exit_code) == (["GET list"], 0)
    assert len(world.rows()) == len(names)


@pytest.mark.parametrize("change", ["content", "name", "place", "gone"])
def test_files_under_a_rewritten_name_are_followed_like_others(
    new_world: NewWorld, change: str
) -> None:
    world = new_world(rewrite_name=str.lower, rules={"order": "manifest"})
    fill(world, ["Aaa", "Bbb", "Ccc"])
    world.write(".syncd-order", "Aaa\nBbb\nCcc")
    for _ in range(2):
        world.run()
    assert world.calls() == ["GET list"]
    match change:
        case "content":
            world.write("Bbb", "changed")
        case "name":
            (world.root / "Bbb").rename(world.root / "Abb")
        case "place":
            world.write(".syncd-order", "Bbb\nAaa\nCcc")
        case "gone":
            (world.root / "Bbb").unlink()
    assert world.run().exit_code == 0
    puts = world.calls().count("PUT one")
    world.run()
    puts += world.calls().count("PUT one")
    # A rename is a PUT, and its new form is tried once, too.
    assert puts == {"content": 1, "name": 2, "place": 1, "gone": 0}[change]
    world.run()
    assert world.calls() == ["GET list"]
    assert (
        world.names()
        == {
            "content": ["aaa", "bbb", "ccc"],
            "name": ["aaa", "ccc", "abb"],
            "place": ["bbb", "aaa", "ccc"],
            "gone": ["aaa", "ccc"],
        }[change]
    )


@pytest.mark.parametrize("orders", ["ignored", "renumbered"])
@pytest.mark.parametrize("ids", ["none", "array"])
def test_a_server_with_numbers_of_its_own_is_left_in_peace_soon(
    new_world: NewWorld, orders: str, ids: str
) -> None:
    world = new_world(orders=orders, ids_in_201=ids)
    witness = fill(world, list("acegik"))
    world.run()
    for name in "bf":
        world.write(name, f"new {name}")
    (world.root / "g").unlink()
    world.write("c", "changed")
    witness.note()
    total = 0
    for _ in range(3):
        world.run()
        total += world.calls().count("PUT one")
    assert total <= 12
    report = world.run()
    assert (world.calls(), report.exit_code) == (["GET list"], 0)
    assert not witness.wrongs
    assert {r.name: r.sha256 for r in world.rows()} == witness.folder()
    assert len(world.rows()) == len(witness.folder())


class TestUniqueNames:
    """A server on which two attachments of a task cannot have one name."""

    @pytest.mark.parametrize("kind", ["suffix", "refuse"])
    def test_a_replaced_file(self, new_world: NewWorld, kind: str) -> None:
        world = new_world(unique_names=kind)
        witness = fill(world, list("abc"))
        world.run()
        world.write("b", "changed")
        witness.note()
        for _ in range(3):
            world.run()
            world.ahead += 61
        witness.assert_settled()
        world.run()
        assert world.calls() == ["GET list"]

    @pytest.mark.parametrize("kind", ["suffix", "refuse"])
    @pytest.mark.parametrize("names", ["ab", "bcd"], ids=["swap", "chain"])
    def test_names_going_round(self, new_world: NewWorld, kind: str, names: str) -> None:
        world = new_world(unique_names=kind)
        witness = fill(world, list("abcde"))
        world.run()
        for name in names:
            (world.root / name).rename(world.root / f".#{name}")
        for name, target in zip(names, names[1:] + names[0], strict=True):
            (world.root / f".#{name}").rename(world.root / target)
        witness.note()
        for _ in range(4):
            world.run()
            world.ahead += 200
        witness.assert_settled()
        world.run()
        assert world.calls() == ["GET list"]

    @pytest.mark.parametrize("kind", ["suffix", "refuse"])
    def test_a_backup_on_save(self, new_world: NewWorld, kind: str) -> None:
        world = new_world(unique_names=kind)
        witness = fill(world, list("abc"))
        world.run()
        (world.root / "b").rename(world.root / "b.bak")
        world.write("b", "saved anew")
        witness.note()
        for _ in range(3):
            world.run()
            world.ahead += 61
        witness.assert_settled()

    @pytest.mark.parametrize("status", [400, 500])
    def test_one_that_cannot_be_renamed_out_of_the_way_fails_and_ends_the_run(
        self, new_world: NewWorld, status: int
    ) -> None:
        world = new_world(unique_names="refuse")
        witness = fill(world, list("abc"))
        world.run()
        world.write("a", "changed")
        witness.note()
        world.server.faults.append(Fault("status_before", status=status, method="PUT", times=None))
        report = world.run()
        assert len(world.calls()) <= 10
        assert report.exit_code == (1 if status == 400 else 75)
        assert status != 400 or "a" in {p.path for p in report.failed}
        assert len(world.rows()) == 3
        world.server.faults.clear()
        for _ in range(3):
            world.ahead += 3_601
            world.run()
        witness.assert_settled()

    def test_a_foreign_attachment_has_the_name(self, new_world: NewWorld) -> None:
        world = new_world(unique_names="refuse")
        witness = Witness(world)
        witness.seed("a", b"theirs and longer")
        world.write("a", "ours")
        world.write("b", "ours too")
        report = world.run()
        assert [p.path for p in report.failed] == ["a"]
        assert report.exit_code == 1
        witness.assert_foreign_untouched()

    @pytest.mark.parametrize("kind", ["suffix", "refuse"])
    def test_nothing_is_ever_lost(self, new_world: NewWorld, kind: str) -> None:
        world = new_world(unique_names=kind)
        witness = fill(world, list("abc"))
        world.run()
        world.write("a", "changed")
        (world.root / "b").rename(world.root / ".#b")
        (world.root / "c").rename(world.root / "b")
        (world.root / ".#b").rename(world.root / "c")
        witness.note()
        for _ in range(3):
            world.run()
            world.ahead += 61
            assert not witness.wrongs
            assert len(world.rows()) >= 3


def test_too_long_a_name_is_refused_and_stops_no_other(new_world: NewWorld) -> None:
    world = new_world(name_limit=50)
    fill(world, ["short", "l" * 60, "fine"])
    report = world.run()
    assert [p.path for p in report.failed] == ["l" * 60]
    assert sorted(world.names()) == ["fine", "short"]


def test_numbers_above_the_servers_limit_do_no_harm(new_world: NewWorld) -> None:
    world = new_world()
    witness = Witness(world)
    witness.seed("huge", order=2**31 - 1)
    fill(world, list("abc"))
    assert world.run().exit_code == 0
    assert [r.name for r in world.rows()] == ["a", "b", "c", "huge"]


def test_two_names_equal_after_nfc(new_world: NewWorld) -> None:
    world = new_world()
    nfc, nfd = normalize("NFC", "é"), normalize("NFD", "é")
    world.write(nfd, "attached first")
    world.run()
    world.write(nfc, "the twin")
    report = world.run()
    assert [p.path for p in report.failed] == [nfc]
    assert world.names() == [nfd]
    assert os.path.exists(world.root / nfc)


def test_a_name_that_is_not_utf8_is_told_in_escaped_form(new_world: NewWorld) -> None:
    world = new_world()
    world.write("good", "good")
    with open(os.fsencode(world.root) + b"/bad\xff", "wb"):
        pass
    report = world.run()
    assert (report.exit_code, world.names()) == (1, ["good"])
    report.failed[0].path.encode()
    assert "bad" in report.failed[0].path


def test_a_touch_that_moves_nothing_is_no_new_sequence_to_try(new_world: NewWorld) -> None:
    world = new_world(orders="ignored", rules={"order": "modified"})
    for number, name in enumerate("abc"):
        world.write(name, name)
        os.utime(world.root / name, (1e9 + number, 1e9 + number))
    world.run()
    os.utime(world.root / "a", (2e9, 2e9))
    for _ in range(3):
        world.run()
    assert world.calls() == ["GET list"], "the server keeps a sequence of its own"
    os.utime(world.root / "a", (2e9 + 5, 2e9 + 5))
    assert (world.run().exit_code, world.calls()) == (0, ["GET list"])
