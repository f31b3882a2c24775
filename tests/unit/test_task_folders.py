"""`each:` finds the subfolders that are named by a task."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from syncd.errors import FolderError
from syncd.local.task_folders import find_task_folders

NAMED = {
    "4711": 4711,
    "4711 Logo": 4711,
    "4711-Logo": 4711,
    "4711_Logo": 4711,
    "0047 x": 47,
    "12 a\nb": 12,
    "4711 ": 4711,
}
NOT_NAMED = [
    "Logo",
    "4711Logo",
    "4711.5",
    ".4711",
    "-4711",
    " 4711",
    "٤٧١١",
    "0",
    "00 x",
    "4711\tx",
]


@pytest.mark.parametrize(("name", "task"), NAMED.items())
def test_digits_then_end_space_dash_or_underscore(tmp_path: Path, name: str, task: int) -> None:
    (tmp_path / name).mkdir()
    assert find_task_folders(str(tmp_path)) == [(task, name, str(tmp_path / name))]


@pytest.mark.parametrize("name", NOT_NAMED)
def test_names_that_do_not_begin_with_a_task_id_are_left_out(tmp_path: Path, name: str) -> None:
    (tmp_path / name).mkdir()
    assert find_task_folders(str(tmp_path)) == []


def test_natural_order_and_two_of_one_task(tmp_path: Path) -> None:
    for name in ("10 b", "9 c", "9 a"):
        (tmp_path / name).mkdir()
    assert [name for _, name, _ in find_task_folders(str(tmp_path))] == ["9 a", "9 c", "10 b"]


def test_files_do_not_count_and_links_to_folders_do(tmp_path: Path) -> None:
    target = tmp_path / "target"
    target.mkdir()
    (tmp_path / "1 file").touch()
    (tmp_path / "2 link to a file").symlink_to("1 file")
    (tmp_path / "3 link to a folder").symlink_to("target")
    (tmp_path / "4 link to nothing").symlink_to("gone")
    os.mkfifo(tmp_path / "5 pipe")
    found = find_task_folders(str(tmp_path))
    assert [task for task, _, _ in found] == [3, 4]
    assert found[0][2] == str(tmp_path / "3 link to a folder")


def test_a_name_that_is_not_utf8_is_printable_and_its_path_opens(tmp_path: Path) -> None:
    (tmp_path / os.fsdecode(b"7 \xff")).mkdir()
    ((task, name, path),) = find_task_folders(str(tmp_path))
    assert (task, name) == (7, "7 \\xff")
    assert os.path.isdir(path)


def test_a_missing_parent_a_file_and_nonsense_are_errors(tmp_path: Path) -> None:
    with pytest.raises(FolderError, match="/gone: no such folder; mount it, create it or mend"):
        find_task_folders(str(tmp_path / "gone"))
    (tmp_path / "file").touch()
    with pytest.raises(FolderError, match="/file: not a folder"):
        find_task_folders(str(tmp_path / "file"))
    for path in ("\0", "a" * 5000):
        with pytest.raises(FolderError, match="cannot be read"):
            find_task_folders(path)
