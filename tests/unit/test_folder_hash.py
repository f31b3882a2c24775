"""folder_hash() on real folders: what changes it, and what does not."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from syncd.local.folder_hash import folder_hash
from syncd.model import Rules
from tests.support.folders import fill

DEEP = Rules(recursive=True)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    path = tmp_path / "folder"
    path.mkdir()
    fill(path, "a", "b", "sub/c", "sub/deep/d", ".git/e")
    return path


def save_as_before(folder: Path) -> None:
    """Same size, same mtime."""
    before = (folder / "a").stat()
    (folder / "a").write_bytes(b"z")
    os.utime(folder / "a", ns=(before.st_atime_ns, before.st_mtime_ns))


def replace_folder(folder: Path) -> None:
    shutil.copytree(folder, folder.parent / "copy", symlinks=True)
    shutil.rmtree(folder)
    (folder.parent / "copy").rename(folder)


CHANGES: dict[str, Callable[[Path], object]] = {
    "a file is made": lambda folder: fill(folder, "new"),
    "a file is deleted": lambda folder: (folder / "a").unlink(),
    "a file is renamed": lambda folder: (folder / "a").rename(folder / "z"),
    "two files are swapped": lambda folder: swap(folder / "a", folder / "b"),
    "a file is saved with the same size and time": save_as_before,
    "a file becomes unreadable": lambda folder: (folder / "a").chmod(0),
    "a file grows": lambda folder: (folder / "b").write_text("longer"),
    "a file far below is saved": lambda folder: (folder / "sub" / "deep" / "d").write_text("xy"),
    "a subfolder is made": lambda folder: (folder / "sub" / "new").mkdir(),
    "another folder takes its place": replace_folder,
}


def swap(one: Path, other: Path) -> None:
    one.rename(one.parent / "between")
    other.rename(one)
    (one.parent / "between").rename(other)


@pytest.mark.parametrize("change", CHANGES)
def test_a_hash_changes_with_every_change_that_a_scan_sees(change: str, folder: Path) -> None:
    before = folder_hash(str(folder), DEEP)
    CHANGES[change](folder)
    assert before is not None
    assert folder_hash(str(folder), DEEP) not in (None, before)


def test_a_hash_stays_while_files_are_only_read(folder: Path) -> None:
    before = folder_hash(str(folder), DEEP)
    assert (folder / "a").read_bytes()
    assert list(folder.rglob("*"))
    assert folder_hash(str(folder), DEEP) == before


def test_a_hash_does_not_depend_on_what_no_scan_reads(folder: Path) -> None:
    flat, deep = folder_hash(str(folder), Rules()), folder_hash(str(folder), DEEP)
    (folder / ".git" / "e").write_text("xyz")
    assert folder_hash(str(folder), DEEP) == deep
    (folder / "sub" / "c").write_text("xyz")
    assert folder_hash(str(folder), Rules()) == flat


def test_a_link_to_the_folder_that_leads_elsewhere_is_noticed(folder: Path) -> None:
    link, other = folder.parent / "link", folder.parent / "other"
    other.mkdir()
    link.symlink_to(folder)
    before = folder_hash(str(link), DEEP)
    link.unlink()
    link.symlink_to(other)
    assert folder_hash(str(link), DEEP) != before


def test_a_folder_that_is_missing_has_none(tmp_path: Path) -> None:
    assert folder_hash(str(tmp_path / "missing"), DEEP) is None
    assert folder_hash("nul\0", DEEP) is None
