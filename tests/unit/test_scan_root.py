"""The root of a scan, and what happens while a scan is under way."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from syncd.errors import FolderError
from syncd.local import scan as scan_module
from syncd.local.ignore import Selection
from syncd.local.task_folders import find_task_folders
from tests.support.folders import fill, look, names, told


class TestRoot:
    def test_a_missing_root_is_an_error(self, tmp_path: Path) -> None:
        with pytest.raises(FolderError, match="/gone: no such folder; mount it, create it"):
            look(tmp_path / "gone")

    @pytest.mark.parametrize("where", ["/home/nobody here/x", "/run/user/9/x", "/var/tmp/none"])
    def test_a_system_service_is_told_that_its_unit_may_hide_a_missing_one(
        self, where: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        with pytest.raises(FolderError, match="mount it, create it or mend its path"):
            look(Path(where))
        monkeypatch.setenv("STATE_DIRECTORY", "/var/lib/syncd/acme")
        with pytest.raises(FolderError, match=r"no such folder; .*BindReadOnlyPaths="):
            look(Path(where))
        with pytest.raises(FolderError, match=r"no such folder; .*BindReadOnlyPaths="):
            find_task_folders(where)
        with pytest.raises(FolderError, match="mount it, create it or mend its path"):
            look(Path("/srv/nobody here/x"))

    def test_a_root_that_is_a_file_is_an_error(self, tmp_path: Path) -> None:
        fill(tmp_path, "a")
        with pytest.raises(FolderError, match="/a: not a folder"):
            look(tmp_path / "a")

    def test_a_link_is_resolved_and_a_broken_one_names_its_target(self, tmp_path: Path) -> None:
        fill(tmp_path, "there/a")
        (tmp_path / "link").symlink_to("there")
        (tmp_path / "broken").symlink_to("gone")
        (tmp_path / "loop").symlink_to("loop")
        found = look(tmp_path / "link")
        assert found.root == str(tmp_path / "there")
        assert names(found) == ["a"]
        with pytest.raises(FolderError, match=r"/broken \(that is, .*/gone\): no such folder"):
            look(tmp_path / "broken")
        with pytest.raises(FolderError, match="/loop: not a folder"):
            look(tmp_path / "loop")

    @pytest.mark.parametrize("path", ["a\0b", "a" * 5000, "bad\udcff"])
    def test_an_impossible_path_is_an_error_in_one_line(self, path: str) -> None:
        with pytest.raises(FolderError) as caught:
            look("/tmp/" + path)
        str(caught.value).encode()
        assert "\n" not in str(caught.value)

    def test_the_identity_follows_a_rename_and_differs_for_a_new_folder_of_that_name(
        self, tmp_path: Path
    ) -> None:
        (tmp_path / "a").mkdir()
        first = look(tmp_path / "a").identity
        (tmp_path / "a").rename(tmp_path / "b")
        (tmp_path / "a").mkdir()
        assert look(tmp_path / "b").identity == first
        assert look(tmp_path / "a").identity != first


ActWhenSelecting = Callable[[str, Callable[[], object]], None]


@pytest.fixture
def act_when_selecting(monkeypatch: pytest.MonkeyPatch) -> ActWhenSelecting:
    """Make the scan run an action when it asks whether a path is selected."""

    def arrange(at: str, action: Callable[[], object]) -> None:
        class Acting(Selection):
            def selects(self, path: str) -> bool:
                if path == at:
                    action()
                return super().selects(path)

        monkeypatch.setattr("syncd.local.scan.selection", Acting)

    return arrange


class TestChangesDuringTheScan:
    def test_a_file_that_vanishes_for_good_is_not_there(
        self, tmp_path: Path, act_when_selecting: ActWhenSelecting
    ) -> None:
        fill(tmp_path, "a")
        act_when_selecting("a", (tmp_path / "a").unlink)
        found = look(tmp_path, recursive=True)
        assert (names(found), found.failed, found.occupied) == ([], (), frozenset())

    def test_a_file_that_comes_back_at_once_is_there(
        self,
        tmp_path: Path,
        monkeypatch: pytest.MonkeyPatch,
        act_when_selecting: ActWhenSelecting,
    ) -> None:
        fill(tmp_path, "a")
        act_when_selecting("a", lambda: (tmp_path / "a").rename(tmp_path / "b~"))
        whole = scan_module._Walk._retry_vanished

        def saved(walk: Any) -> None:
            fill(tmp_path, "a")
            whole(walk)

        monkeypatch.setattr(scan_module._Walk, "_retry_vanished", saved)
        assert names(look(tmp_path, recursive=True)) == ["a"]

    @pytest.mark.parametrize("successor", ["nothing", "link", "file"])
    def test_a_folder_that_vanishes_fails_and_is_not_scanned(
        self, tmp_path: Path, successor: str
    ) -> None:
        fill(tmp_path, "a", "sub/b", "other/c")

        def action() -> None:
            shutil.rmtree(tmp_path / "sub")
            if successor == "link":
                (tmp_path / "sub").symlink_to("other")
            elif successor == "file":
                fill(tmp_path, "sub")

        whole = scan_module._Walk._read_directory
        done: list[str] = []

        def read(walk: Any, directory: str) -> bool:
            if directory and not done:
                done.append(directory)
                action()
            return whole(walk, directory)

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(scan_module._Walk, "_read_directory", read)
            found = look(tmp_path, recursive=True)
        assert names(found) == ["a", "other/c"]
        word = "vanished" if successor == "nothing" else "was replaced"
        assert told(found.failed) == [("sub/", f"folder {word} during the scan")]
        assert found.scanned == {"", "other"}
        assert found.occupied == {"sub"}

    def test_a_root_that_is_swapped_is_an_error_and_no_empty_folder(
        self, tmp_path: Path, act_when_selecting: ActWhenSelecting
    ) -> None:
        root = tmp_path / "root"
        fill(root, "a")

        def swap() -> None:
            root.rename(tmp_path / "aside")
            root.mkdir()

        act_when_selecting("a", swap)
        with pytest.raises(FolderError, match="replaced during the scan"):
            look(root, recursive=True)

    def test_a_root_that_disappears_is_an_error(
        self, tmp_path: Path, act_when_selecting: ActWhenSelecting
    ) -> None:
        root = tmp_path / "root"
        fill(root, "a")
        act_when_selecting("a", lambda: root.rename(tmp_path / "aside"))
        with pytest.raises(FolderError, match="no such folder"):
            look(root, recursive=True)
