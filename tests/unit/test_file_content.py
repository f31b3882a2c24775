"""Reading content: never through a link, never half of two versions."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import pytest

from syncd.errors import FileProblem
from syncd.local.file_content import CHUNK, absolute_path, digest, open_file
from syncd.model import Fingerprint


def fails(root: Path, path: str, expected: Fingerprint | None = None) -> FileProblem:
    with pytest.raises(FileProblem) as caught:
        digest(str(root), path, expected)
    return caught.value


@pytest.mark.parametrize("size", [0, 1, CHUNK, 3 * CHUNK + 5])
def test_the_digest_is_sha256_and_progress_is_told(tmp_path: Path, size: int) -> None:
    content = os.urandom(size)
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub/a").write_bytes(content)
    chunks: list[int] = []
    before = Fingerprint.of((tmp_path / "sub/a").stat())
    found = digest(str(tmp_path), "sub/a", before, chunks.append)
    assert found == (hashlib.sha256(content).hexdigest(), before)
    assert sum(chunks) == size
    assert max(chunks, default=0) <= CHUNK


def test_odd_names_are_read(tmp_path: Path) -> None:
    for name in ("a\nb", "é", "-", os.fsdecode(b"\xff")):
        (tmp_path / name).write_bytes(b"x")
        assert digest(str(tmp_path), name)[0] == hashlib.sha256(b"x").hexdigest()


def test_a_file_with_another_fingerprint_than_expected_is_not_read(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"x")
    expected = Fingerprint.of((tmp_path / "a").stat())
    (tmp_path / "b").write_bytes(b"x")
    (tmp_path / "b").rename(tmp_path / "a")
    problem = fails(tmp_path, "a", expected)
    assert (problem.reason, problem.changed) == ("changed since it was scanned", True)


@pytest.mark.parametrize("change", ["grow", "shrink", "overwrite", "replace", "delete"])
def test_a_change_while_reading_is_noticed(tmp_path: Path, change: str) -> None:
    path = tmp_path / "a"
    path.write_bytes(b"x" * (2 * CHUNK))
    os.utime(path, ns=(1, 1))

    def act(_: int) -> None:
        if change == "grow":
            with path.open("ab") as file:
                file.write(b"y")
        elif change == "shrink":
            os.truncate(path, CHUNK)
        elif change == "overwrite":
            with path.open("r+b") as file:
                file.write(b"y")
            os.utime(path, ns=(1, 1))
        elif change == "replace":
            (tmp_path / "new").write_bytes(b"z")
            (tmp_path / "new").replace(path)
        elif path.exists():
            path.unlink()

    with pytest.raises(FileProblem, match="changed while it was read") as caught:
        digest(str(tmp_path), "a", None, act)
    assert caught.value.changed


def test_no_part_of_the_path_may_be_a_link(tmp_path: Path) -> None:
    (tmp_path / "secret").mkdir()
    (tmp_path / "secret/a").write_bytes(b"x")
    root = tmp_path / "root"
    (root / "sub").mkdir(parents=True)
    (root / "link").symlink_to(tmp_path / "secret/a")
    (root / "dir").symlink_to(tmp_path / "secret")
    (root / "sub/dir").symlink_to("../../secret")
    for path in ("link", "dir/a", "sub/dir/a"):
        problem = fails(root, path)
        assert problem.changed
        assert problem.reason == "is or lies behind a symbolic link now"


def test_a_pipe_a_folder_and_a_device_are_refused_at_once(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo")
    (tmp_path / "dir").mkdir()
    for name in ("fifo", "dir"):
        assert fails(tmp_path, name).reason == "no longer a regular file"
        assert fails(tmp_path, name).changed
    assert fails(Path("/dev"), "null").reason == "no longer a regular file"


@pytest.mark.parametrize(
    "path", ["gone", "gone/a", "../x", "a/../b", "/etc/passwd", "a\0", "", "."]
)
def test_a_path_that_leaves_the_folder_does_not_exist(tmp_path: Path, path: str) -> None:
    (tmp_path.parent / "x").write_text("x")
    (tmp_path / "a").mkdir()
    (tmp_path / "b").write_text("x")
    assert fails(tmp_path, path).changed


def test_a_vanished_root_is_a_problem_of_the_file(tmp_path: Path) -> None:
    assert fails(tmp_path / "gone", "a").reason == "no longer there"


def test_no_descriptor_is_left_open(tmp_path: Path) -> None:
    (tmp_path / "sub/deep").mkdir(parents=True)
    (tmp_path / "sub/deep/a").write_bytes(b"x")
    os.mkfifo(tmp_path / "sub/fifo")
    before = len(os.listdir("/proc/self/fd"))
    digest(str(tmp_path), "sub/deep/a")
    for path in ("sub/deep/gone", "sub/gone/a", "sub/fifo", "gone", "sub/deep"):
        fails(tmp_path, path)
    os.close(open_file(str(tmp_path), "sub/deep/a"))
    assert len(os.listdir("/proc/self/fd")) == before


def test_absolute_path_joins_root_and_path(tmp_path: Path) -> None:
    assert absolute_path("/r", "a/b c") == "/r/a/b c"
    assert absolute_path("/", "a") == "/a"


SECOND = 1_000_000_000


@pytest.mark.parametrize(
    ("mtime", "ctime", "racy"),
    [
        (0, 0, False),
        (97.9, 97.9, False),
        (98, 90, True),
        (90, 98, True),
        (100, 100, True),
        (101, 90, True),
        (90, 101, True),
        (90, 5000, True),
        (5000, 90, False),
        (-5, 90, False),
    ],
)
def test_a_fingerprint_taken_too_soon_is_racy(mtime: float, ctime: float, racy: bool) -> None:
    taken = Fingerprint(1, int(mtime * SECOND), int(ctime * SECOND), 1)
    assert taken.racy_at(100.0) is racy
