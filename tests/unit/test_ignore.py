"""What is synced and what is not, a sentence per row."""

from __future__ import annotations

import subprocess
import sys
import time

import pytest

from syncd.local.ignore import (
    BUILT_IN,
    Selection,
    _built_in,
    compile_pattern,
    pattern_fault,
    selection,
)
from syncd.model import Rules

DEEP = {"recursive": True}


def chosen(path: str, **rules: object) -> bool:
    return Selection(Rules(**rules)).selects(path)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "name",
    [
        *(".hidden", ".DS_Store", "a.tmp", "a.temp", "a.part", "a.partial", "a.crdownload"),
        *("a.download", ".a.swp", "a.swp", "a.swx", "a~", ".#a", "#a#", "##", "~$a.docx"),
        *(".~lock.a.odt#", "4913", ".goutputstream-X1", ".nfs0001", ".fuse_hidden0001"),
        *("Thumbs.db", "desktop.ini", ".syncd-order"),
        *("~a~k3.idlk", "a.prlock", "a.dwl", "a.dwl2", "a.lck", "a.laccdb", "a.filepart"),
        *("a.!ut", "a.aria2", "a.docx.sb-1a2b3c4d-Xy9ZqW"),
        *("THUMBS.DB", "thumbs.db", "a.TMP", "a.Part", "Desktop.INI", "~$A.DOCX", ".NFS0001"),
    ],
)
def test_litter_is_ignored_at_every_level(name: str) -> None:
    assert not chosen(name)
    assert not chosen(f"a/b/{name}", **DEEP)
    assert Selection(Rules()).reason(name).startswith("not synced: ")


@pytest.mark.parametrize(
    "name",
    [
        *("a", "a.txt", "#a", "a#", "#", "!a", "tmp", "a.tmp.txt", "14913", "a.sb-1-2"),
        *("@eaDir", "#recycle", "a.tmſp", "a.\u212aey", "eaDir", "lck"),
        *("a\n", "a\nb", "~a", "Thumbs.db\n", "a.tmp\n", " ", "é", "a[1].txt", "\\"),
    ],
)
def test_names_that_only_look_like_litter_are_synced(name: str) -> None:
    assert chosen(name)
    assert chosen(f"a/b\n/{name}", **DEEP)


@pytest.mark.parametrize("folder", ["@eaDir", "#recycle", "@EADIR", "#Recycle"])
def test_folders_that_a_nas_keeps_for_itself_are_ignored_with_all_below(folder: str) -> None:
    assert not chosen(f"{folder}/a.txt", **DEEP)
    assert not chosen(f"b/{folder}/c/a.txt", **DEEP)
    assert Selection(Rules(recursive=True)).ignores(folder, directory=True)


PATTERNS = {
    "ignore is added to the built-in list": (["*.log"], [], "a.log", False),
    "other names are synced": (["*.log"], [], "a.txt", True),
    "a built-in pattern is taken back": (["!.*"], [], ".env", True),
    "a single hidden name is taken back": (["!.env"], [], ".env", True),
    "other hidden names stay hidden": (["!.env"], [], ".envrc", False),
    "a pattern of the user is taken back": (["*.log", "!keep.log"], [], "keep.log", True),
    "the last match wins": (["!keep.log", "*.log"], [], "keep.log", False),
    "the manifest is never synced": (["!.*", "!.syncd-order"], [], ".syncd-order", False),
    "an ignored folder hides all below": (["old/"], [], "old/a/b.txt", False),
    "a folder's pattern spares a file": (["old/"], [], "a/old", True),
    "a name without slash counts at every level": (["old"], [], "a/old/b.txt", False),
    "a leading slash binds to the root": (["/old"], [], "a/old/b.txt", True),
    "an inner slash binds to the root": (["a/old"], [], "b/a/old", True),
    "two stars reach every level": (["**/a/old"], [], "b/a/old", False),
    "a trailing /** takes what lies below": (["old/**"], [], "old/a/b", False),
    "a trailing /** spares the name itself": (["old/**"], [], "old", True),
    "a star does not cross a slash": (["a/*.log"], [], "a/b/c.log", True),
    "inner stars cross slashes": (["a/**/c.log"], [], "a/b/b/c.log", False),
    "nothing returns from an ignored folder": (["old/", "!old/a.txt"], [], "old/a.txt", False),
    "nothing returns by its bare name": (["node_modules", "!.env"], [], "node_modules/.env", False),
    "a hidden folder can be let in": (["!.config/"], [], ".config/a.txt", True),
    "hidden names in it stay hidden": (["!.config/"], [], ".config/.a", False),
    "single files return from a folder whose content is ignored": (
        ["old/*", "!old/a.txt"],
        [],
        "old/a.txt",
        True,
    ),
    "case matters": (["*.LOG"], [], "a.log", True),
    "case matters where a built-in pattern is taken back": (["!a.tmp"], [], "A.TMP", False),
    "a built-in pattern is taken back in its own case": (["!*.TMP"], [], "A.TMP", True),
    "an escaped hash is a hash": ([r"\#a"], [], "#a", False),
    "an escaped bang is a bang": ([r"\!a"], [], "!a", False),
    "a comment and a blank do nothing": (["#a", "", " "], [], "#a", True),
    "a class of characters works": (["[ab].txt"], [], "b.txt", False),
    "a class takes all but the named": (["a[!b]c"], [], "axc", False),
    "a class does not match a slash": (["a[!b]c"], [], "a/c", True),
    "a class in a path does not match a slash": (["x/a[!b]c"], [], "x/a/c", True),
    "a star ignores everything": (["*"], [], "a/b", False),
    "a star and a slash spare the root": (["*/"], [], "a", True),
    "two stars ignore everything": (["**"], [], "a", False),
    "include limits": ([], ["*.pdf"], "a.txt", False),
    "include lets in": ([], ["*.pdf"], "a/b.pdf", True),
    "an included folder is included whole": ([], ["docs/"], "docs/a/b.txt", True),
    "nothing beside an included folder is synced": ([], ["docs/"], "a.txt", False),
    "include takes something out again": ([], ["docs/", "!docs/drafts/"], "docs/drafts/a", False),
    "include takes something out by its name": ([], ["docs/", "!*.bak"], "docs/a.bak", False),
    "the deepest level decides": ([], ["*.pdf", "!docs/"], "docs/a.pdf", True),
    "nothing but exceptions means all the rest": ([], ["!*.bak"], "a.txt", True),
    "the exceptions are out": ([], ["!*.bak"], "a.bak", False),
    "ignore beats include": (["a.pdf"], ["*.pdf"], "a.pdf", False),
    "built-in beats include": ([], [".env"], ".env", False),
    "include does not need what ignore gave back": (["!.env"], [".env"], ".env", True),
}


@pytest.mark.parametrize(("ignore", "include", "path", "synced"), PATTERNS.values(), ids=PATTERNS)
def test_patterns(ignore: list[str], include: list[str], path: str, synced: bool) -> None:
    rules = Rules(recursive=True, ignore=tuple(ignore), include=tuple(include))
    found = Selection(rules)
    assert found.selects(path) is synced
    assert found.reason(path).startswith("synced: " if synced else "not synced: ")


def test_without_recursive_only_the_root_is_synced() -> None:
    assert chosen("a")
    assert not chosen("b/a")
    assert chosen("b/a", **DEEP)


def test_a_folder_that_no_include_matches_is_not_ignored() -> None:
    deep = Selection(Rules(recursive=True, ignore=("old/",), include=("docs/*.pdf",)))
    found = [deep.ignores(d, directory=True) for d in ("docs", "a/old", ".git", "a/b")]
    assert found == [False, True, True, False]


@pytest.mark.parametrize("text", BUILT_IN)
def test_a_built_in_pattern_means_what_it_means_in_git(text: str) -> None:
    """It is matched without pathspec, which takes long to import."""
    ours, gits = _built_in(text), compile_pattern(text, "ignore")
    assert gits
    assert (ours.negated, ours.by_name) == (gits.negated, gits.by_name)
    names = ["x", "4913", "~$x", ".~lock.x#", "a.sb-12345678-abcdef"]
    names += [t.strip("!/\\").replace("*", star) for t in BUILT_IN for star in ("", "a", ".b")]
    for name in (*names, *(f"{name}/" for name in names)):
        assert ours.matches(name, name) == gits.matches(name, name), name


def test_a_folder_without_patterns_of_its_own_needs_no_pathspec() -> None:
    code = (
        "import sys; from syncd.local.ignore import Selection; from syncd.model import Rules; "
        "Selection(Rules()).selects('a'); assert 'pathspec' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


REASONS = {
    ".env": "not synced: the built-in pattern `.*` ignores it",
    "a/.git/b/c": "not synced: the built-in pattern `.*` ignores the folder a/.git/"
    " and all below it",
    "a.log": "not synced: the ignore pattern `*.log` ignores it",
    "keep.log": "synced: the include pattern `keep.log` matches it",
    "a.pdf": "synced: the include pattern `*.pdf` matches it",
    "b.pdf": "not synced: the include pattern `!b.pdf` leaves it out",
    "a.txt": "not synced: no include matches it",
    ".syncd-order": "not synced: .syncd-order tells the order and is never synced itself",
}


@pytest.mark.parametrize(("path", "sentence"), REASONS.items())
def test_reason_names_the_pattern(path: str, sentence: str) -> None:
    include = ("*.pdf", "keep.log", "!b.pdf")
    rules = Rules(recursive=True, ignore=("*.log", "!keep.log"), include=include)
    assert Selection(rules).reason(path) == sentence


def test_reason_without_include() -> None:
    found = Selection(Rules(ignore=("!.env",)))
    assert found.reason("a") == "synced: no pattern ignores it"
    assert (
        found.reason(".env") == "synced: the ignore pattern `!.env` takes it out of what is ignored"
    )
    assert found.reason("a/b") == "not synced: it lies in the subfolder a/ and recursive is off"


def test_a_pattern_that_cannot_match_has_a_fault() -> None:
    assert pattern_fault("*.pdf") is None
    assert "it is a comment" in str(pattern_fault("#a"))
    assert all(pattern_fault(text) for text in ("", "  ", "!", "/", "[z-a]", "a\\"))
    assert all(pattern_fault(text) is None for text in BUILT_IN)


@pytest.mark.parametrize(
    ("text", "ok"),
    [
        ("*a*b*c*d*e*f", True),
        ("*a*b*c*d*e*f*", False),
        ("**/" * 6 + "a", True),
        ("**/" * 7 + "a", False),
        ("a" * 1000, True),
        ("a" * 1001, False),
    ],
    ids=lambda value: str(value)[:12],
)
def test_stars_and_length_of_a_pattern_are_bounded(text: str, ok: bool) -> None:
    assert (pattern_fault(text) is None) is ok


def test_a_pattern_within_the_bounds_is_matched_in_no_time() -> None:
    found = Selection(Rules(ignore=("*a*a*a*a*a*b",)))
    start = time.perf_counter()
    assert found.selects("a" * 255)
    assert time.perf_counter() - start < 1.0


def test_equal_rules_share_one_selection() -> None:
    assert selection(Rules(ignore=("a",))) is selection(Rules(ignore=("a",)))


def test_a_name_with_other_bytes_is_judged_too() -> None:
    assert chosen("bad\udcff.txt")
    assert not chosen("bad\udcff.tmp")
