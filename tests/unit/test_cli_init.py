"""`syncd init`, from the command line against a real sandbox, its answers given as options."""

from __future__ import annotations

import errno
import os
import signal
import stat
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from syncd.config import Config, load_config
from syncd.config.load import load
from syncd.overview.status_file import Status, write_status
from syncd.state.lock import StateLock, make_state_dir
from tests.support.commands import KEY, Said, Shell, bare


@pytest.fixture
def shell(tmp_path: Path, new_user: None) -> Iterator[Shell]:
    with Shell(tmp_path) as shell:
        shell.config.unlink()
        yield shell


def address(shell: Shell) -> str:
    return shell.sandbox.url.replace("/api", "/123/workspaces/456/list?task=789")


def init(shell: Shell, *options: str) -> Said:
    """Everything given, into the config of the shell."""
    given = ["--address", address(shell), "--folder", str(shell.root)]
    return shell.syncd("init", *given, "--token-file", str(shell.token), *options)


def loaded(shell: Shell) -> Config:
    return load_config(str(shell.config))


def test_without_a_terminal_what_is_missing_is_named_and_nothing_asked(shell: Shell) -> None:
    said = bare("init")
    assert said.code == 2
    assert said.err == (
        "syncd: missing: --address (or --organization and --workspace), --task, "
        "--folder (or --each), --token-file; nothing is asked without a terminal\n"
    )
    said = bare("init", "--organization", "1", "--each", str(shell.root))
    assert "missing: --workspace, --token-file;" in said.err
    assert not (shell.base / ".config").exists()


def test_with_everything_given_a_config_is_written_checked_and_planned(shell: Shell) -> None:
    shell.write("a.txt")
    said = init(shell)
    assert said.code == 0, said.err
    config = loaded(shell)
    assert config.api.url == shell.sandbox.url
    assert (config.api.organization_id, config.api.workspace_id) == (123, 456)
    assert [(e.path, e.task and e.task.task_id) for e in config.entries] == [(str(shell.root), 789)]
    assert config.state_dir == str(shell.base / ".local/state/syncd")
    assert stat.S_IMODE(shell.config.stat().st_mode) == 0o600
    text = shell.config.read_text()
    assert "token_file: ~/token" in text
    assert "# What holds for all folders." in text
    assert "ok   key: accepted by the server" in said.out
    assert "create    a.txt (new file: 1 request)" in said.out
    assert "Nothing was sent yet. `syncd --once -c" in said.out
    assert {entry.method for entry in shell.server.log} == {"GET"}
    assert shell.requests() == 2


def test_yes_makes_the_first_run_too(shell: Shell) -> None:
    shell.write("a.txt")
    assert init(shell, "--yes").code == 0
    assert [row.name for row in shell.server.rows((123, 456, 789))] == ["a.txt"]


def test_it_goes_where_syncd_looks_for_it(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    options = ["init", "--sandbox", "--folder", str(shell.root)]
    assert bare(*options).code == 0
    assert (shell.base / ".config/syncd/config.yaml").is_file()
    monkeypatch.setenv("SYNCD_CONFIG", str(shell.base / "b/c.yaml"))
    assert bare(*options).code == 0
    assert (shell.base / "b/c.yaml").is_file()


def test_a_playground_needs_no_answer_and_lies_beside_its_config(shell: Shell) -> None:
    said = shell.syncd("init", "--sandbox", "--yes")
    assert said.code == 0
    assert "created   hello.txt" in said.out
    assert (shell.base / "syncd-playground/hello.txt").is_file()
    assert loaded(shell).state_dir == str(shell.base / ".syncd-sandbox")
    assert not (shell.base / ".local").exists()
    assert shell.json("--once")["folders"][0]["in_sync"]
    assert shell.requests() == 0
    again = shell.syncd("init", "--sandbox")
    assert again.code == 2
    assert "is there already, a playground" in again.err
    own = init(shell)
    assert own.code == 2
    assert f"mv {shell.config} {shell.config}.playground" in own.err
    (shell.base / "more").mkdir()
    assert shell.syncd("init", "--task", "790", "--folder", str(shell.base / "more")).code == 0
    assert len(loaded(shell).entries) == 2


def test_a_config_beside_the_usual_one_gets_a_state_of_its_own(shell: Shell) -> None:
    assert bare("init", "--sandbox").code == 0
    assert init(shell).code == 0
    assert loaded(shell).state_dir == str(shell.base / ".local/state/syncd-config")


def test_each_takes_the_parent_of_folders_and_no_task(shell: Shell) -> None:
    (shell.root / "4711 Logo").mkdir()
    options = ["--organization", "123", "--workspace", "456", "--token-file", str(shell.token)]
    url = ["--address", shell.sandbox.url]
    said = shell.syncd("init", *options, *url, "--each", str(shell.root))
    assert said.code == 0, said.err
    assert "-> task 4711" in said.out
    assert loaded(shell).entries[0].kind == "each"
    assert "name: landing-page" not in shell.config.read_text()
    said = shell.syncd("init", "--each", str(shell.root), "--task", "1")
    assert said.code == 2


@pytest.mark.parametrize(
    ("options", "text"),
    [
        (["--organization", "5"], "--organization 5, but --address says 123"),
        (["--task", "5"], "--task 5, but --address says 789"),
        (["--address", "https://track.toggl.com/1"], "is no address of Focus"),
        (["--sandbox"], "--sandbox goes without --address"),
        (["--folder", "nowhere"], "not there: make it, or let --yes make it"),
        (["--folder", "token"], "token is no folder"),
        (["--folder", ""], "no such path"),
    ],
)
def test_options_that_make_no_sense_are_told_before_anything_is_written(
    shell: Shell, monkeypatch: pytest.MonkeyPatch, options: list[str], text: str
) -> None:
    monkeypatch.chdir(shell.base)
    said = init(shell, *options)
    assert said.code == 2
    assert text in said.err
    assert not shell.config.exists()
    assert shell.requests() == 0


def test_yes_makes_a_folder_that_is_not_there(shell: Shell) -> None:
    said = init(shell, "--folder", str(shell.base / "new/deep"), "--yes")
    assert said.code == 0, said.err
    assert (shell.base / "new/deep").is_dir()


@pytest.mark.parametrize("key", [None, "", "0123456789abcdef0123456789abcdef", "x y\nz"])
def test_a_key_that_cannot_work_is_78_and_nothing_is_written(shell: Shell, key: str | None) -> None:
    shell.token.unlink()
    if key is not None:
        shell.token.touch(0o600)
        shell.token.write_text(key)
    said = init(shell)
    assert said.code == 78
    assert "api.token_file" in said.err
    assert key is None or len(key) < 9 or key not in said.err + said.out
    assert not shell.config.exists()
    assert shell.requests() == 0


def test_a_key_that_others_may_read_is_78(shell: Shell) -> None:
    shell.token.chmod(0o644)
    said = init(shell)
    assert said.code == 78
    assert "chmod 600" in said.err


def test_a_key_or_config_inside_the_folder_is_refused_and_the_new_folder_taken_away(
    shell: Shell,
) -> None:
    said = init(shell, "--folder", str(shell.base))
    assert said.code == 78
    assert "the key would be uploaded" in said.err
    assert not shell.config.exists()


def test_a_refused_key_is_77_and_the_config_stays_for_the_next_one(shell: Shell) -> None:
    shell.quirks.key = "another"
    said = init(shell, "--yes")
    assert said.code == 77
    assert "make a new key" in said.err
    assert f"mend that, then: `syncd check -c {shell.config}`" in said.err
    assert shell.config.exists()
    assert shell.requests() == 1


def test_a_task_that_is_not_there_is_1_and_nothing_is_run(shell: Shell) -> None:
    shell.quirks.task_gone = 404
    assert init(shell, "--yes").code == 1
    assert shell.requests() == 1


def test_a_spent_quota_is_75_and_nothing_is_run(shell: Shell) -> None:
    shell.quirks.quota = 0
    assert init(shell, "--yes").code == 75
    assert shell.requests() == 1


def test_a_second_folder_leaves_every_other_byte_and_mode_and_link_as_they_were(
    shell: Shell,
) -> None:
    init(shell)
    real = shell.base / "dotfiles.yaml"
    shell.config.rename(real)
    shell.config.symlink_to(real)
    real.chmod(0o640)
    before = real.read_bytes()
    (shell.base / "two $1").mkdir()
    said = shell.syncd("init", "--task", "790", "--folder", str(shell.base / "two $1"))
    assert said.code == 0, said.err
    assert shell.config.is_symlink()
    assert stat.S_IMODE(real.stat().st_mode) == 0o640
    after = real.read_bytes()
    new = b'  - path: "~/two $$1"\n    task_id: 790\n'
    assert after.count(new) == 1
    assert after.replace(new, b"") == before
    assert after.index(new) > after.index(b"#workspace_id")
    assert [entry.path for entry in loaded(shell).entries][1] == str(shell.base / "two $1")
    assert sum("task 789" in line for line in said.out.splitlines()) == 0, "only the new one"


def test_a_second_folder_of_the_same_name_gets_a_name_of_its_own(shell: Shell) -> None:
    init(shell)
    same = shell.base / "2026" / shell.root.name
    said = shell.syncd("init", "--task", "790", "--folder", str(same), "--yes")
    assert said.code == 0, said.err
    names = [entry.name for entry in loaded(shell).entries]
    assert names == [shell.root.name, f"2026-{shell.root.name}"]
    again = shell.syncd("init", "--task", "791", "--folder", str(same))
    assert again.code == 2
    assert f"{same} is in {shell.config} already" in again.err


def test_a_task_of_a_subfolder_of_each_is_taken(shell: Shell) -> None:
    parent = shell.base / "each"
    (parent / "4711 Logo").mkdir(parents=True)
    init(shell)
    assert shell.syncd("init", "--each", str(parent)).code == 0
    said = shell.syncd("init", "--task", "4711", "--folder", str(shell.base / "x"), "--yes")
    assert said.code == 2
    assert f"task 4711 is already that of {parent / '4711 Logo'}" in said.err


def test_a_service_that_runs_is_told_instead_of_a_run_of_its_own(shell: Shell) -> None:
    init(shell)
    (shell.base / "two").mkdir()
    state = loaded(shell).state_dir
    make_state_dir(state)
    write_status(state, Status(pid=os.getpid()))
    heard: list[int] = []
    before = signal.signal(signal.SIGHUP, lambda number, _: heard.append(number))
    folder = ["--folder", str(shell.base / "two"), "--task"]
    try:
        with StateLock(state):
            said = shell.syncd("init", *folder, "790")
            assert said.code == 0, said.err
            assert f"reads the config again after: kill -HUP {os.getpid()}" in said.out
            assert heard == []
            more = ["--folder", str(shell.base / "three"), "--task", "791", "--yes"]
            assert shell.syncd("init", *more).code == 0
    finally:
        signal.signal(signal.SIGHUP, before)
    assert heard == [signal.SIGHUP]
    assert {entry.method for entry in shell.server.log} == {"GET"}


def test_another_workspace_stands_in_the_entry(shell: Shell) -> None:
    init(shell)
    (shell.base / "two").mkdir()
    folder = ["--folder", str(shell.base / "two"), "--task", "790"]
    assert shell.syncd("init", *folder, "--workspace", "9").code == 0
    assert "    task_id: 790\n    workspace_id: 9\n" in shell.config.read_text()
    assert shell.server.log[-1].path.startswith("/organizations/123/workspaces/9/tasks/790")


@pytest.mark.parametrize(
    ("options", "code", "text"),
    [
        (["--task", "789", "--folder", "two"], 2, "task 789 is already that of "),
        (["--task", "790", "--folder", "landing"], 2, "already: name another folder"),
        (["--task", "790", "--folder", "landing/in"], 78, "is synced already by folders[0]"),
        (["--task", "790"], 2, "missing: --folder (or --each);"),
        (["--task", "790", "--folder", "two", "--token-file", "x"], 2, "names its key already"),
        (["--address", "https://focus.toggl.com/1/workspaces/2"], 2, "name another with -c"),
        (["--sandbox"], 2, "is there already, your own"),
    ],
)
def test_what_does_not_go_with_the_config_is_told_and_changes_nothing(
    shell: Shell, monkeypatch: pytest.MonkeyPatch, options: list[str], code: int, text: str
) -> None:
    init(shell)
    for name in ("two", "landing/in"):
        (shell.base / name).mkdir(parents=True)
    content = shell.config.read_text().replace("#recursive: false", "recursive: true")
    shell.config.write_text(content)
    monkeypatch.chdir(shell.base)
    said = shell.syncd("init", *options)
    assert said.code == code, said.err
    assert text in said.err
    assert shell.config.read_text() == content


def test_a_config_that_an_entry_would_disturb_gets_none_but_the_lines_are_told(
    shell: Shell,
) -> None:
    shell.configure()
    text = shell.config.read_text().replace(
        f"folders:\n  - {{path: {shell.root}, task_id: 789}}",
        f"folders: [{{path: {shell.root}, task_id: 789}}]",
    )
    shell.config.write_text(text)
    (shell.base / "two").mkdir()
    said = shell.syncd("init", "--task", "790", "--folder", str(shell.base / "two"))
    assert said.code == 78
    assert "add by hand: - path: ~/two; task_id: 790" in said.err
    assert shell.config.read_text() == text


def test_a_place_that_cannot_be_written_to_is_78(shell: Shell) -> None:
    said = bare("init", "--sandbox", "-c", f"{shell.token}/config.yaml")
    assert said.code == 78
    assert "nothing was written (name another place with -c)" in said.err


def test_a_config_whose_directory_cannot_be_written_is_named_itself(
    shell: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    init(shell)

    def refuse(**_: object) -> None:
        raise PermissionError(errno.EACCES, "Permission denied", "/.draft")

    monkeypatch.setattr(tempfile, "mkstemp", refuse)
    said = shell.syncd("init", "--task", "790", "--folder", str(shell.base / "two"), "--yes")
    assert said.code == 78
    assert f"syncd: {shell.config}: cannot be written (Permission denied)" in said.err
    assert not (shell.base / "two").exists()


def test_a_config_with_faults_is_mended_first(shell: Shell) -> None:
    shell.config.write_text("nonsense: 1\n")
    said = shell.syncd("init", "--task", "1", "--folder", str(shell.root))
    assert said.code == 78
    assert "nonsense" in said.err


def test_no_hint_and_no_file_but_its_own_holds_the_key(shell: Shell) -> None:
    said = init(shell, "--yes")
    assert KEY not in said.out + said.err
    assert KEY not in shell.config.read_text()
    load(str(shell.config), with_key=True)
