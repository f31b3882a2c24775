"""Entries that get in each other's way, and syncd's own files in synced folders."""

from __future__ import annotations

from pathlib import Path

import pytest

from syncd.config import load_config
from syncd.errors import ConfigError
from tests.support.config_faults import API, Faults, only


class TestDuplicates:
    def test_two_folders_for_one_task_are_refused(self, faults: Faults) -> None:
        text = "folders:\n- {path: a, task_id: 1}\n- {path: b, task_id: 1}\n"
        fault = only(faults(API + text))
        assert (fault.line, fault.key) == (4, "folders[1].task_id")
        assert "task 1 is already that of folders[0] on line 3" in fault.message

    def test_the_same_number_in_another_workspace_is_another_task(self, faults: Faults) -> None:
        text = "folders:\n- {path: a, task_id: 1}\n- {path: b, task_id: 1, workspace_id: 9}\n"
        assert faults(API + text) == []

    @pytest.mark.parametrize("second", ["path: x/a", "path: b, name: a"])
    def test_two_folders_of_one_name_given_or_by_default_are_refused(
        self, faults: Faults, second: str
    ) -> None:
        text = f"folders:\n- {{path: a, task_id: 1}}\n- {{{second}, task_id: 2}}\n"
        fault = only(faults(API + text))
        assert (fault.line, fault.key) == (4, "folders[1].name")
        assert "give this folder a `name:`" in fault.hint

    def test_a_folder_with_a_name_of_its_own_is_accepted(self, faults: Faults) -> None:
        text = "folders:\n- {path: a, task_id: 1}\n- {path: x/a, task_id: 2, name: b}\n"
        assert faults(API + text) == []


@pytest.mark.parametrize(
    ("one", "two", "key"),
    [
        ("path: a, task_id: 1", "path: a/b, task_id: 2", None),
        ("path: a, task_id: 1, recursive: true", "path: a/b/c, task_id: 2", "folders[1].path"),
        ("path: a/b, task_id: 1", "path: a, task_id: 2, recursive: true", "folders[0].path"),
        ("path: a, task_id: 1, recursive: true", "path: ab, task_id: 2", None),
        ("path: a, task_id: 1, recursive: true", "path: link/b, task_id: 2", "folders[1].path"),
        ("path: a, task_id: 1, recursive: true", "each: a/f", "folders[1].each"),
        ("path: a, task_id: 1, recursive: true", "each: a", "folders[1].each"),
        ("path: a, task_id: 1", "each: a", None),
        ("each: f, recursive: true", "path: f/7 x/y, task_id: 2", "folders[1].path"),
        ("each: f", "path: f/7 x/y, task_id: 2", None),
        ("each: f, recursive: true", "path: f/other/y, task_id: 2", None),
        ("each: f", "path: f/7 x, task_id: 2", "folders[1].path"),
        ("each: f", "path: f/notes, task_id: 2", None),
        ("each: f", "each: f", "folders[1].each"),
        ("each: f, recursive: true", "each: f/7-x", "folders[1].each"),
        ("each: f", "each: f/7-x", None),
    ],
)
def test_a_folder_inside_another_is_refused_only_if_it_is_synced_twice(
    faults: Faults, tmp_path: Path, one: str, two: str, key: str | None
) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "link").symlink_to("a")
    found = faults(API + f"folders:\n- {{{one}}}\n- {{{two}}}\n")
    assert [fault.key for fault in found] == ([] if key is None else [key])
    assert all(fault.hint for fault in found)


class TestOwnFiles:
    """What syncd itself lives on must not be in a synced folder."""

    TOKEN = "api: {url: sandbox, organization_id: 1, workspace_id: 2, token_file: %s}\n"

    @pytest.mark.parametrize(
        ("folder", "state", "refused"),
        [
            ("path: a, task_id: 1", "a", True),
            ("path: a, task_id: 1", "a/deep/down", True),
            ("path: a, task_id: 1", "ab", False),
            ("path: a/b, task_id: 1", "a", False),
            ("each: a", "a", False),
            ("each: a", "a/state", False),
            ("each: a", "a/7 x", True),
            ("each: a", "a/7/state", True),
        ],
    )
    def test_a_state_dir_inside_a_synced_folder_is_refused(
        self, faults: Faults, folder: str, state: str, refused: bool
    ) -> None:
        found = faults(API + f"folders: [{{{folder}}}]\nstate_dir: {state}\n")
        assert [(f.line, f.key) for f in found] == ([(3, "state_dir")] if refused else [])

    def test_a_default_state_dir_is_reported_at_the_folder_around_it(self, faults: Faults) -> None:
        fault = only(faults(API + "folders: [{path: ~/.local, task_id: 1}]"))
        assert fault.key == "folders[0].path"
        assert "state_dir (by default" in fault.message

    @pytest.mark.parametrize(
        ("token", "refused"), [("a/deep/token", True), ("link", True), ("token", False)]
    )
    def test_a_token_file_inside_a_synced_folder_is_refused(
        self, faults: Faults, tmp_path: Path, token: str, refused: bool
    ) -> None:
        (tmp_path / "a/deep").mkdir(parents=True)
        for file in (tmp_path / "a/deep/token", tmp_path / "token"):
            file.touch(0o600)
        (tmp_path / "link").symlink_to("a/deep/token")
        found = faults(self.TOKEN % token + "folders: [{path: a, task_id: 1}]")
        assert [fault.key for fault in found] == (["api.token_file"] if refused else [])

    def test_a_config_inside_a_synced_folder_is_refused(self, faults: Faults) -> None:
        found = faults(API + "folders: [{path: ., task_id: 1}]\nstate_dir: /elsewhere")
        fault = only(found)
        assert (fault.key, fault.line) == ("folders[0].path", 2)
        assert "the config itself lies inside" in fault.message
        assert faults(API + "folders: [{each: .}]\nstate_dir: /elsewhere") == []


def test_an_each_parent_that_is_a_recursive_folder_is_a_fault_in_either_order(
    tmp_path: Path,
) -> None:
    entries = [f"- each: {tmp_path}/d", f"- {{path: {tmp_path}/d, task_id: 1, recursive: true}}"]
    for folders in (entries, entries[::-1]):
        file = tmp_path / "c.yaml"
        head = "api: {url: sandbox, organization_id: 1, workspace_id: 2}\nstate_dir: /nowhere/s\n"
        file.write_text(head + "folders:\n" + "\n".join(f"  {entry}" for entry in folders) + "\n")
        with pytest.raises(ConfigError, match="is synced already by"):
            load_config(str(file))


@pytest.mark.parametrize(
    ("outputs", "key", "told"),
    [
        ("status_page: .", "status_page", "is a directory"),
        ("metrics_file: .", "metrics_file", "is a directory"),
        ("status_page: x\nmetrics_file: ./x", "metrics_file", "is the file of status_page"),
        ("status_page: config.yaml", "status_page", "is the config itself"),
        ("metrics_file: token", "metrics_file", "is the file of api.token_file"),
    ],
)
def test_a_page_or_metrics_that_cannot_be_a_file_or_would_replace_another_are_refused(
    faults: Faults, tmp_path: Path, outputs: str, key: str, told: str
) -> None:
    (tmp_path / "token").touch(mode=0o600)
    text = "api: {organization_id: 1, workspace_id: 2, token_file: token}\n"
    fault = only(faults(f"{text}folders:\n- {{path: a, task_id: 1}}\n{outputs}\n"))
    assert fault.key == key
    assert fault.message.startswith(told)
