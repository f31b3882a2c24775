"""scan() on real folders with everything that can lie in them."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from syncd.errors import FileProblem, FolderError
from syncd.local.file_content import digest
from syncd.local.ignore import Selection
from syncd.model import FolderSnapshot
from tests.support.folders import fill, look, names, told, unprivileged


@pytest.fixture
def public() -> Iterator[Path]:
    """A folder that any user can reach."""
    folder = Path(tempfile.mkdtemp(prefix="syncd-scan-", dir="/tmp"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


class TestFiles:
    def test_an_empty_folder_is_a_snapshot_too(self, tmp_path: Path) -> None:
        found = look(tmp_path)
        assert found == FolderSnapshot(str(tmp_path), found.identity, ())

    def test_fingerprints_are_those_of_stat(self, tmp_path: Path) -> None:
        fill(tmp_path, "a")
        (file,) = look(tmp_path).files
        status = (tmp_path / "a").stat()
        assert (file.size, file.fingerprint.mtime_ns) == (1, status.st_mtime_ns)
        assert file.fingerprint.ctime_ns == status.st_ctime_ns
        assert file.fingerprint.inode == status.st_ino
        assert file.digest is None

    def test_each_file_costs_one_stat(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        fill(tmp_path, *(f"{number}/{number}" for number in range(20)), "x.tmp")
        asked: Counter[object] = Counter()
        honest = os.stat

        def stat(path: Any, *args: Any, **settings: Any) -> os.stat_result:
            asked[path] += 1
            return honest(path, *args, **settings)

        monkeypatch.setattr(os, "stat", stat)
        monkeypatch.delattr(os, "access")  # of our own files the mode tells
        found = look(tmp_path, recursive=True)
        assert len(found.files) == 20
        assert asked == {str(tmp_path): 1} | {str(number): 1 for number in range(20)}

    def test_names_with_special_characters_are_unchanged_and_sorted_by_bytes(
        self, tmp_path: Path
    ) -> None:
        odd = ["a\nb", " ", 'q"', "%22", "\x1b[31m", "é", "😀", "ｚ", "x" * 255, "-rf", "\\", "Z"]
        fill(tmp_path, *odd)
        assert names(look(tmp_path)) == sorted(odd, key=str.encode)

    def test_ignored_files_are_not_mentioned(self, tmp_path: Path) -> None:
        fill(tmp_path, "a", ".b", "c.tmp", ".git/d", "e.log")
        found = look(tmp_path, ignore=("*.log",))
        assert names(found) == ["a"]
        assert (found.skipped, found.failed, found.occupied) == ((), (), frozenset())

    def test_too_large_files_are_skipped_and_occupy_their_path(self, tmp_path: Path) -> None:
        fill(tmp_path, "four", "a")
        found = look(tmp_path, max_file_size=3)
        assert names(found) == ["a"]
        assert told(found.skipped) == [("four", "too large (4 bytes, max_file_size is 3)")]
        assert found.occupied == {"four"}
        assert names(look(tmp_path, max_file_size=4)) == ["a", "four"]

    def test_an_empty_file_beside_its_own_download_is_told_apart(self, tmp_path: Path) -> None:
        fill(tmp_path, "a.part", "s/b.crdownload", "d.part", "e.Part", "f.txt.part", "d", "b")
        for name in ("a", "s/b", "c", "e", "f"):
            (tmp_path / name).touch()
        found = look(tmp_path, recursive=True)
        assert names(found) == ["a", "b", "c", "d", "e", "f", "s/b"]
        assert found.downloading == {"a", "s/b"}

    def test_as_many_as_max_files_are_taken_and_one_more_is_an_error(self, tmp_path: Path) -> None:
        fill(tmp_path, "a", "b", "c/d", "c/large", "e.tmp", ".f")
        (tmp_path / "link").symlink_to("a")
        limits: dict[str, Any] = {"recursive": True, "max_file_size": 3, "max_files": 3}
        assert names(look(tmp_path, **limits)) == ["a", "b", "c/d"]
        fill(tmp_path, "g")
        with pytest.raises(FolderError) as caught:
            look(tmp_path, **limits)
        assert str(caught.value).startswith(
            f"{tmp_path}: more than 3 files to sync, and max_files is 3: nothing of its task"
        )
        assert len(look(tmp_path, **limits | {"max_files": 0}).files) == 4

    def test_a_scan_stops_at_the_first_file_beyond_max_files(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        for folder in range(30):
            fill(tmp_path, *(f"{folder}/{number}" for number in range(30)))
        asked = []

        class Asking(Selection):
            def selects(self, path: str) -> bool:
                asked.append(path)
                return super().selects(path)

        monkeypatch.setattr("syncd.local.scan.selection", Asking)
        with pytest.raises(FolderError, match="max_files is 20"):
            look(tmp_path, recursive=True, max_files=20)
        assert len(asked) == 21


class TestNoFiles:
    def test_links_pipes_and_sockets_are_skipped_without_a_touch(self, tmp_path: Path) -> None:
        fill(tmp_path, "real")
        (tmp_path / "link").symlink_to("real")
        (tmp_path / "broken").symlink_to("nowhere")
        (tmp_path / "loop").symlink_to("loop")
        (tmp_path / "dirlink").symlink_to(tmp_path)
        os.mkfifo(tmp_path / "fifo")
        with socket.socket(socket.AF_UNIX) as server:
            server.bind(str(tmp_path / "sock"))
            found = look(tmp_path, recursive=True)
        assert names(found) == ["real"]
        assert told(found.skipped) == [
            ("broken", "symbolic link"),
            ("dirlink", "symbolic link"),
            ("fifo", "named pipe"),
            ("link", "symbolic link"),
            ("loop", "symbolic link"),
            ("sock", "socket"),
        ]
        assert found.occupied == {"broken", "dirlink", "fifo", "link", "loop", "sock"}
        assert found.failed == ()

    def test_devices_are_skipped(self, tmp_path: Path) -> None:
        try:
            os.mknod(tmp_path / "null", 0o600 | 0o020000, os.makedev(1, 3))
        except OSError:
            pytest.skip("making a device takes rights that this machine does not give")
        assert told(look(tmp_path).skipped) == [("null", "device")]

    def test_an_ignored_link_is_not_mentioned(self, tmp_path: Path) -> None:
        (tmp_path / ".link").symlink_to("x")
        (tmp_path / "a.tmp").symlink_to("x")
        assert look(tmp_path).skipped == ()


class TestFolders:
    def test_without_recursive_each_subfolder_is_reported_once(self, tmp_path: Path) -> None:
        fill(tmp_path, "a", "sub/b", "sub/deep/c", ".git/x", "old/y")
        (tmp_path / "empty").mkdir()
        found = look(tmp_path, ignore=("old/",))
        assert names(found) == ["a"]
        why = "subfolder (recursive is off)"
        assert told(found.skipped) == [("empty/", why), ("sub/", why)]
        assert found.scanned == {""}
        assert found.occupied == {"empty", "sub"}

    def test_with_recursive_all_subfolders_but_the_ignored_are_read(self, tmp_path: Path) -> None:
        fill(tmp_path, "a", "sub/b", "sub/deep/c", ".git/x", "sub/old/y", "z/q.pdf")
        found = look(tmp_path, recursive=True, ignore=("old/",))
        assert names(found) == ["a", "sub/b", "sub/deep/c", "z/q.pdf"]
        assert found.scanned == {"", "sub", "sub/deep", "z"}
        assert (found.skipped, found.failed, found.occupied) == ((), (), frozenset())

    def test_a_very_deep_tree_needs_few_descriptors(self, tmp_path: Path) -> None:
        deep = os.open(tmp_path, os.O_RDONLY)
        for _ in range(2000):  # beyond any path that the system takes in one piece
            os.mkdir("a" * 9, dir_fd=deep)
            inner = os.open("a" * 9, os.O_RDONLY, dir_fd=deep)
            os.close(deep)
            deep = inner
        os.close(os.open("file", os.O_CREAT | os.O_WRONLY, dir_fd=deep))
        os.close(deep)
        before = len(os.listdir("/proc/self/fd"))
        found = look(tmp_path, recursive=True)
        after = len(os.listdir("/proc/self/fd"))
        subprocess.run(["rm", "-rf", tmp_path / ("a" * 9)], check=True)  # pytest itself cannot
        assert len(found.scanned) == 2001
        assert names(found) == ["/".join(["a" * 9] * 2000 + ["file"])]
        assert after <= before  # one of an earlier test may be closed meanwhile

    def test_a_nested_mount_is_skipped(self, tmp_path: Path) -> None:
        fill(tmp_path, "a", "disk/below", "sub/b")
        mount = ["mount", "-t", "tmpfs", "-o", "size=64k", "syncd-test", str(tmp_path / "disk")]
        if subprocess.run(mount, check=False, capture_output=True).returncode:
            pytest.skip("this machine does not let a test mount")
        try:
            fill(tmp_path, "disk/on-it")
            found = look(tmp_path, recursive=True)
        finally:
            subprocess.run(["umount", tmp_path / "disk"], check=True)
        assert names(found) == ["a", "sub/b"]
        assert told(found.skipped) == [("disk/", "another file system")]
        assert found.scanned == {"", "sub"}
        assert found.occupied == {"disk"}
        assert found.identity == look(tmp_path, recursive=True).identity

    def test_a_mount_over_the_root_is_another_folder(self, tmp_path: Path) -> None:
        before = look(tmp_path).identity
        mount = ["mount", "-t", "tmpfs", "-o", "size=64k", "syncd-test", str(tmp_path)]
        if subprocess.run(mount, check=False, capture_output=True).returncode:
            pytest.skip("this machine does not let a test mount")
        try:
            assert look(tmp_path).identity != before
        finally:
            subprocess.run(["umount", tmp_path], check=True)


class TestRights:
    def test_an_unreadable_file_fails_and_occupies_its_path(self, public: Path) -> None:
        fill(public, "a", "locked")
        (public / "locked").chmod(0o000)
        found = unprivileged(lambda: look(public))
        assert names(found) == ["a"]
        assert told(found.failed) == [("locked", "permission denied")]
        assert found.occupied == {"locked"}

    def test_an_unreadable_file_is_refused_with_the_systems_error_text(self, public: Path) -> None:
        fill(public, "locked")
        (public / "locked").chmod(0o000)
        with pytest.raises(FileProblem) as caught:
            unprivileged(lambda: digest(str(public), "locked"))
        assert (caught.value.reason, caught.value.changed) == ("permission denied", False)

    @pytest.mark.parametrize("mode", [0o000, 0o444, 0o111])
    def test_a_folder_that_cannot_be_read_fails_and_the_rest_goes_on(
        self, public: Path, mode: int
    ) -> None:
        fill(public, "a", "locked/b", "open/c")
        (public / "locked").chmod(mode)
        found = unprivileged(lambda: look(public, recursive=True))
        (public / "locked").chmod(0o755)
        assert names(found) == ["a", "open/c"]
        assert told(found.failed) == [("locked/", "folder cannot be read: permission denied")]
        assert found.scanned == {"", "open"}
        assert found.occupied == {"locked"}

    @pytest.mark.parametrize("mode", [0o000, 0o444, 0o111])
    def test_a_root_that_cannot_be_read_is_an_error(self, public: Path, mode: int) -> None:
        fill(public, "a")
        public.chmod(mode)
        with pytest.raises(FolderError, match="not readable; give syncd's user the rights r and x"):
            unprivileged(lambda: look(public))
        public.chmod(0o755)


class TestNames:
    def test_a_name_that_is_not_utf8_fails_in_escaped_form(self, tmp_path: Path) -> None:
        fill(tmp_path, "good")
        (tmp_path / os.fsdecode(b"bad\xff.txt")).touch()
        (tmp_path / os.fsdecode(b"dir\xff")).mkdir()
        (tmp_path / os.fsdecode(b".hidden\xff")).touch()
        for recursive in (False, True):
            found = look(tmp_path, recursive=recursive)
            assert names(found) == ["good"]
            assert told(found.failed) == [
                ("bad\\xff.txt", "name is not UTF-8"),
                ("dir\\xff/", "name is not UTF-8"),
            ]
            assert found.occupied == frozenset()

    def test_the_first_by_bytes_of_two_unicode_forms_is_synced(self, tmp_path: Path) -> None:
        fill(tmp_path, "e\u0301", "\u00e9")
        found = look(tmp_path)
        assert names(found) == ["e\u0301"]
        why = "same name as e\u0301 (not NFC) in another Unicode form"
        assert told(found.failed) == [("\u00e9", why)]
        assert found.occupied == {"\u00e9"}

    def test_the_attached_one_of_two_unicode_forms_is_synced(self, tmp_path: Path) -> None:
        fill(tmp_path, "e\u0301", "\u00e9")
        found = look(tmp_path, known=("\u00e9", "other"))
        assert names(found) == ["\u00e9"]
        assert [problem.path for problem in found.failed] == ["e\u0301"]

    def test_unicode_forms_are_compared_by_the_whole_path(self, tmp_path: Path) -> None:
        fill(tmp_path, "e\u0301/a", "\u00e9/a", "\u00e9/b")
        found = look(tmp_path, recursive=True)
        assert names(found) == ["e\u0301/a", "\u00e9/b"]
        assert [problem.path for problem in found.failed] == ["\u00e9/a"]

    def test_an_ascii_name_may_equal_another_after_nfc(self, tmp_path: Path) -> None:
        fill(tmp_path, "K", "\u212a")
        found = look(tmp_path)
        assert names(found) == ["K"]
        assert [problem.path for problem in found.failed] == ["\u212a"]
