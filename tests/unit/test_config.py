"""What a config means: a sentence per case."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from syncd.config import Config, find_config, load_config
from syncd.config.locations import default_state_dir
from syncd.errors import ConfigError
from syncd.model import Rules, TaskKey

Load = Callable[[str], Config]

SANDBOX = "api: {url: sandbox, organization_id: 1, workspace_id: 2}\n"
ONE = "folders: [{path: Landing, task_id: 789}]\n"


@pytest.fixture
def load(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Load:
    for variable in ("STATE_DIRECTORY", "XDG_STATE_HOME", "CREDENTIALS_DIRECTORY"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))

    def load_text(text: str) -> Config:
        file = tmp_path / "config.yaml"
        file.write_text(text)
        return load_config(str(file))

    return load_text


def test_the_smallest_config_has_the_documented_defaults(load: Load, tmp_path: Path) -> None:
    config = load(SANDBOX + ONE)
    api, (entry,) = config.api, config.entries
    assert config.file == str(tmp_path / "config.yaml")
    assert config.state_dir == str(tmp_path / "home/.local/state/syncd")
    assert (api.sandbox, api.timeout, api.connections, api.max_batch_bytes) == (
        True, 30.0, 2, 32 * 1024 * 1024,
    )  # fmt: skip
    assert (api.quota, api.quota_reserve, api.create_params) == (None, 5, "both")
    assert api.key_source is None
    assert (entry.kind, entry.name, entry.path) == ("path", "Landing", str(tmp_path / "Landing"))
    assert entry.task == TaskKey("sandbox", 1, 2, 789)
    assert entry.rules == Rules()
    assert (entry.settle, entry.rescan, entry.refresh) == (2.0, 60.0, 3600.0)


def test_settings_are_frozen(load: Load) -> None:
    with pytest.raises(AttributeError):
        load(SANDBOX + ONE).api.timeout = 1.0  # type: ignore[misc]


def test_without_url_the_real_api_is_meant(load: Load, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KEY", "toggl_sk_" + "0" * 32)
    config = load("api: {organization_id: 1, workspace_id: 2, token_env: KEY}\n" + ONE)
    assert (config.api.url, config.api.sandbox) == ("https://focus.toggl.com/api", False)


def test_a_folder_overrides_sync_and_sync_the_defaults(load: Load) -> None:
    config = load(
        SANDBOX
        + """
sync: {delete: mirror, settle: 1m, ignore: ["*.bak"], recursive: yes}
folders:
  - {path: a, task_id: 1, delete: never, ignore: [], refresh: 1.5h, organization_id: 7}
  - {path: b, task_id: 2, include: ["*.png", "!x.png"], max_file_size: 1GiB, max_files: 0}
""",
    )
    a, b = config.entries
    assert (a.rules.delete, a.rules.ignore, a.settle, a.refresh) == ("never", (), 60.0, 5400.0)
    assert a.task == TaskKey("sandbox", 7, 2, 1)
    assert (b.rules.delete, b.rules.ignore, b.rules.recursive) == ("mirror", ("*.bak",), True)
    assert (b.rules.include, b.rules.max_file_size) == (("*.png", "!x.png"), 1024**3)
    assert (a.rules.max_files, b.rules.max_files) == (1000, 0)


def test_each_has_no_task_of_its_own_but_all_rules(load: Load, tmp_path: Path) -> None:
    (entry,) = load(SANDBOX + "folders: [{each: ~/Focus, delete: never}]").entries
    assert (entry.kind, entry.task, entry.rules.delete) == ("each", None, "never")
    assert (entry.path, entry.name) == (str(tmp_path / "home/Focus"), "Focus")
    assert (entry.organization_id, entry.workspace_id) == (1, 2)


def test_api_needs_no_ids_where_each_folder_has_its_own(load: Load) -> None:
    text = "api: {url: sandbox}\nfolders: [{path: a, task_id: 1, organization_id: 5, "
    (entry,) = load(text + "workspace_id: 6}]").entries
    assert entry.task == TaskKey("sandbox", 5, 6, 1)


def test_a_section_whose_keys_are_all_commented_out_is_empty(load: Load) -> None:
    assert load(SANDBOX + "sync:\n  #order: name\n" + ONE).entries[0].rules == Rules()


@pytest.mark.parametrize(
    ("written", "seconds"),
    [("200ms", 0.2), ("2s", 2), ("1.5s", 1.5), ("1m", 60), ("1h", 3600), ('"2 s"', 2)],
)
def test_durations_become_seconds(load: Load, written: str, seconds: float) -> None:
    assert load(SANDBOX + f"sync: {{settle: {written}}}\n" + ONE).entries[0].settle == seconds


@pytest.mark.parametrize(
    ("written", "size"),
    [
        ("0", 0),
        ("12345", 12345),
        ('"77"', 77),
        ("500KB", 500_000),
        ("500kB", 500_000),
        ("32MiB", 32 * 1024**2),
        ("1.5GB", 1_500_000_000),
        ("2 KiB", 2048),
        ("7B", 7),
    ],
)
def test_sizes_become_bytes(load: Load, written: str, size: int) -> None:
    text = SANDBOX + f"sync: {{max_file_size: {written}}}\n" + ONE
    assert load(text).entries[0].rules.max_file_size == size


@pytest.mark.parametrize(
    ("written", "url"),
    [
        ("https://focus.toggl.com/api/", "https://focus.toggl.com/api"),
        ("HTTPS://Focus.Toggl.com:443/api", "https://focus.toggl.com/api"),
        ("http://127.0.0.1:8080", "http://127.0.0.1:8080"),
        ("http://127.9.9.9/", "http://127.9.9.9"),
        ("http://[::1]:80/x", "http://[::1]/x"),
        ("http://localhost:1/api", "http://localhost:1/api"),
        ("sandbox", "sandbox"),
    ],
)
def test_spellings_of_the_same_url_become_equal(load: Load, written: str, url: str) -> None:
    api = f"api: {{url: '{written}', organization_id: 1, workspace_id: 2, token_env: PATH}}\n"
    config = load(api + ONE)
    assert config.api.url == url
    assert config.entries[0].task == TaskKey(url, 1, 2, 789)


@pytest.mark.parametrize(
    ("written", "path"),
    [
        ("~/x", "{}/home/x"),
        ("'$ROOM/x'", "{}/room/x"),
        ("'${ROOM}x'", "{}/roomx"),
        ("x/./y//z/", "{}/x/y/z"),
        ("../x", "{}/../x"),
        ("/x/y", "/x/y"),
        ("'a$$b $5'", "{}/a$b $5"),
        ("./~x", "{}/~x"),
    ],
)
def test_paths_are_expanded_and_absolute(
    load: Load, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, written: str, path: str
) -> None:
    monkeypatch.setenv("ROOM", str(tmp_path / "room"))
    (entry,) = load(SANDBOX + f"folders: [{{path: {written}, task_id: 1}}]").entries
    assert entry.path == os.path.normpath(path.format(tmp_path))


def test_a_relative_path_starts_at_the_config_not_at_the_working_directory(
    load: Load, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir("/")
    assert load(SANDBOX + ONE).entries[0].path == str(tmp_path / "Landing")


def test_a_symlinked_folder_keeps_its_path_and_name(load: Load, tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "Landing").symlink_to("real")
    (entry,) = load(SANDBOX + ONE).entries
    assert (entry.path, entry.name) == (str(tmp_path / "Landing"), "Landing")


def test_dots_behind_a_link_are_left_to_the_system(load: Load, tmp_path: Path) -> None:
    (tmp_path / "far" / "room").mkdir(parents=True)
    (tmp_path / "near").symlink_to("far/room")
    (entry,) = load(SANDBOX + "folders: [{path: near/../x, task_id: 1}]").entries
    assert os.path.realpath(entry.path) == str(tmp_path / "far" / "x")


def test_a_missing_folder_is_no_fault_of_the_config(load: Load) -> None:
    assert load(SANDBOX + "folders: [{path: /no/such, task_id: 1}]").entries[0].path == "/no/such"


def test_anchors_and_merge_keys_may_be_used(load: Load) -> None:
    text = """
folders:
  - &first {path: a, task_id: 1, delete: never, ignore: &litter ["*.bak"]}
  - {<<: *first, path: b, task_id: 2}
  - {path: c, task_id: 3, ignore: *litter}
"""
    _, b, c = load(SANDBOX + text).entries
    assert (b.rules.delete, b.name, c.rules.ignore) == ("never", "b", ("*.bak",))


def test_a_name_that_looks_like_a_date_is_text(load: Load) -> None:
    text = "folders: [{path: a, task_id: 1, name: 2024-05-01}]"
    assert load(SANDBOX + text).entries[0].name == "2024-05-01"


def test_state_goes_where_systemd_or_xdg_say_unless_the_config_does(
    load: Load, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", "relative/is/ignored")
    assert load(SANDBOX + ONE).state_dir == str(tmp_path / "home/.local/state/syncd")
    monkeypatch.setenv("XDG_STATE_HOME", "/xdg")
    assert load(SANDBOX + ONE).state_dir == "/xdg/syncd"
    monkeypatch.setenv("STATE_DIRECTORY", "/var/lib/one:/var/lib/two")
    assert load(SANDBOX + ONE).state_dir == "/var/lib/one"
    assert load(SANDBOX + ONE + "state_dir: here").state_dir == str(tmp_path / "here")


class TestFindConfig:
    @pytest.fixture(autouse=True)
    def home(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("HOME", str(tmp_path))
        monkeypatch.delenv("SYNCD_CONFIG", raising=False)
        monkeypatch.delenv("XDG_CONFIG_HOME", raising=False)
        monkeypatch.setattr("syncd.config.locations.SYSTEM_CONFIG", str(tmp_path / "etc.yaml"))
        monkeypatch.chdir(tmp_path)

    def test_the_command_line_wins_over_the_environment_and_the_default_places(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        places = [tmp_path / n for n in ("etc.yaml", ".config/syncd/config.yaml", "env", "arg")]
        places[1].parent.mkdir(parents=True)
        for place in places:
            place.touch()
        assert find_config("arg") == str(places[3])
        monkeypatch.setenv("SYNCD_CONFIG", "env")
        assert find_config(None) == str(places[2])
        monkeypatch.delenv("SYNCD_CONFIG")
        assert find_config(None) == str(places[1])
        monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "nothing here"))
        assert find_config(None) == str(places[0])

    def test_a_config_that_is_named_must_exist(self, monkeypatch: pytest.MonkeyPatch) -> None:
        with pytest.raises(ConfigError, match=r"no such config file.*-c names it"):
            find_config("gone.yaml")
        monkeypatch.setenv("SYNCD_CONFIG", "gone.yaml")
        with pytest.raises(ConfigError, match=r"SYNCD_CONFIG names it"):
            find_config(None)

    def test_a_search_without_success_lists_the_places(self, tmp_path: Path) -> None:
        with pytest.raises(ConfigError) as caught:
            find_config(None)
        for place in ("-c", "$SYNCD_CONFIG", f"{tmp_path}/.config/syncd/config.yaml", "etc.yaml"):
            assert place in str(caught.value)


def test_importing_the_config_does_not_yet_import_yaml() -> None:
    code = (
        "import sys, syncd.config; assert not {'yaml', 'pathspec', 'pydantic'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.parametrize(
    ("config", "place"),
    [
        ("/etc/syncd/acme.yaml", "/var/lib/syncd/acme"),
        ("/etc/syncd/config.yaml", "/var/lib/syncd/config"),
        ("/etc/syncd/more/acme.yaml", "/xdg/syncd"),
        ("/etc/syncd/acme.yml", "/xdg/syncd"),
        ("/home/ann/etc/syncd/acme.yaml", "/xdg/syncd"),
    ],
)
def test_the_state_of_a_system_config_is_where_its_service_keeps_it(
    config: str, place: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("STATE_DIRECTORY", raising=False)
    monkeypatch.setenv("XDG_STATE_HOME", "/xdg")
    assert default_state_dir(config) == place
    monkeypatch.setenv("STATE_DIRECTORY", "/given/by/systemd")
    assert default_state_dir(config) == "/given/by/systemd"


class TestWithoutAHome:
    @pytest.fixture(autouse=True)
    def nobody_known(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.delenv("HOME", raising=False)
        monkeypatch.delenv("XDG_CONFIG_HOME", raising=False)
        monkeypatch.delenv("SYNCD_CONFIG", raising=False)
        monkeypatch.setattr(os, "getuid", lambda: 54321)

    def test_a_path_that_begins_with_a_tilde_is_refused(
        self, load: Load, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.delenv("HOME", raising=False)  # which `load` has set
        with pytest.raises(ConfigError) as caught:
            load(SANDBOX + 'folders: [{path: "~/a", task_id: 1}]\nstate_dir: "~"')
        assert [fault.key for fault in caught.value.faults] == ["folders[0].path", "state_dir"]
        assert all("a home directory that does not exist" in str(f) for f in caught.value.faults)

    def test_the_config_is_looked_for_where_there_is_a_place(self) -> None:
        with pytest.raises(ConfigError) as caught:
            find_config(None)
        assert "$SYNCD_CONFIG, /etc/syncd/config.yaml (" in str(caught.value)
