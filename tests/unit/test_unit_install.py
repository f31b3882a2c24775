"""The user's unit: its text, installing it, and what `syncd check` says of it."""

from __future__ import annotations

import getpass
from collections.abc import Iterator
from pathlib import Path

import pytest

from syncd.cli import unit
from tests.support.commands import Shell, bare
from tests.support.systemd import Systemd

STEPS = [
    "systemctl --user daemon-reload",
    "systemctl --user enable --now syncd.service",
    "loginctl enable-linger",
]


@pytest.fixture
def shell(tmp_path: Path, new_user: None) -> Iterator[Shell]:
    with Shell(tmp_path) as shell:
        yield shell


@pytest.fixture
def systemd(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Systemd:
    monkeypatch.setattr(unit, "_LINGER", str(tmp_path / "linger"))
    return Systemd(monkeypatch, tmp_path)


@pytest.fixture
def program(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """The program as pipx puts it there."""
    program = tmp_path / ".local/bin/syncd"
    program.parent.mkdir(parents=True)
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    monkeypatch.setattr("sys.argv", [str(program)])
    return program


def service_line(shell: Shell) -> str:
    lines = shell.syncd("check", "--offline").out.splitlines()
    return next(line for line in lines if line[5:].startswith("service: "))


def test_the_packaged_unit_is_left_as_it_is_where_all_is_as_usual(
    shell: Shell, program: Path
) -> None:
    usual = shell.base / ".config/syncd/config.yaml"
    assert unit.unit_text(str(usual)) == (Path("systemd") / "syncd.service").read_text()


def test_another_program_and_another_config_stand_in_the_unit(
    shell: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = shell.base / "my 100% $venv/syncd"
    other.parent.mkdir()
    other.write_text("#!/bin/sh\n")
    other.chmod(0o755)
    monkeypatch.setattr("sys.argv", [str(other)])
    text = unit.unit_text("/etc/x.yaml")
    assert '\nExecStart="%h/my 100%% $$venv/syncd" -c /etc/x.yaml\n' in text


def test_the_service_is_installed_and_started(
    shell: Shell, systemd: Systemd, program: Path
) -> None:
    said = shell.syncd("init", "--service")
    assert said.code == 0, said.err
    assert systemd.asked == STEPS
    text = (shell.base / ".config/systemd/user/syncd.service").read_text()
    assert f"ExecStart=%h/.local/bin/syncd -c %h/{shell.config.name}\n" in text
    assert shell.requests() == 0
    again = shell.syncd("init", "--service")
    assert again.code == 0
    assert "is there already\n" in again.out


def test_a_unit_of_ones_own_is_left_as_it_is(shell: Shell, systemd: Systemd, program: Path) -> None:
    own = shell.base / ".config/systemd/user/syncd.service"
    own.parent.mkdir(parents=True)
    mine = f"ExecStart=/opt/syncd -c %h/{shell.config.name}\n# mine\n"
    own.write_text(mine)
    said = shell.syncd("init", "--service")
    assert said.code == 0
    assert "and left as it is" in said.out
    assert own.read_text() == mine


@pytest.mark.parametrize("start", ["/x/syncd", "/x/syncd -c /other.yaml"])
def test_a_unit_of_another_config_is_not_started_for_this_one(
    shell: Shell, systemd: Systemd, program: Path, start: str
) -> None:
    own = shell.base / ".config/systemd/user/syncd.service"
    own.parent.mkdir(parents=True)
    own.write_text(f"ExecStart={start}\n")
    said = shell.syncd("init", "--service")
    assert said.code == 1
    assert "runs another config, and is left as it is: copy it to syncd-config.service" in said.err
    assert systemd.asked == []


def test_who_lingers_already_needs_no_leave_for_it(
    shell: Shell, systemd: Systemd, program: Path
) -> None:
    (shell.base / "linger").mkdir()
    (shell.base / "linger" / getpass.getuser()).touch()
    systemd.answer(fails="linger")
    assert shell.syncd("init", "--service").code == 0
    assert systemd.asked == STEPS[:-1]


def test_a_step_that_fails_is_told_with_its_command_and_the_others_are_done(
    shell: Shell, systemd: Systemd, program: Path
) -> None:
    systemd.answer(fails="linger")
    said = shell.syncd("init", "--service")
    assert said.code == 1
    assert "it went wrong; by hand: sudo loginctl enable-linger " in said.err
    assert systemd.asked == STEPS


def test_without_a_systemd_of_the_user_the_way_by_hand_and_cron_are_told(
    shell: Shell, systemd: Systemd, program: Path
) -> None:
    systemd.answer(fails="show")
    said = shell.syncd("init", "--service")
    assert said.code == 1
    assert " && ".join(STEPS) in said.err
    assert f"*/15 * * * *  {program} --once -q -c {shell.config}" in said.err
    assert systemd.asked == []
    (systemd.bin / "systemctl").write_text("#!/nowhere/sh\n")
    assert "no systemd of this user answers here" in service_line(shell)


def test_init_installs_the_service_only_if_it_is_wanted(
    shell: Shell, systemd: Systemd, program: Path
) -> None:
    playground = ["-c", str(shell.base / "p/config.yaml"), "init", "--sandbox", "--yes"]
    assert bare(*playground).code == 0
    assert systemd.asked == []
    (shell.base / "p/config.yaml").unlink()
    assert bare(*playground, "--service").code == 0
    assert systemd.asked == STEPS


@pytest.mark.parametrize(
    ("answer", "text"),
    [
        ({"load": "not-found"}, "ok   service: it does not run; syncd.service is not installed"),
        ({"active": "failed"}, "has failed: journalctl --user -u syncd.service -n 20"),
        ({"active": "inactive"}, "is inactive: systemctl --user enable --now syncd.service"),
        ({"fails": "show"}, "ok   service: it does not run; no systemd of this user answers"),
    ],
)
def test_check_says_how_the_unit_stands_and_what_mends_it(
    shell: Shell, systemd: Systemd, answer: dict[str, str], text: str
) -> None:
    systemd.answer(**answer)
    assert text in service_line(shell)


@pytest.mark.parametrize(
    ("answer", "text"),
    [
        ({}, "it runs (pid 7) by syncd.service, until you log out: loginctl enable-linger"),
        ({"enabled": "disabled"}, "does not start by itself: systemctl --user enable syncd.ser"),
        ({"active": "inactive"}, "it runs (pid 7), but not by syncd.service, which is inactive"),
        ({"load": "not-found"}, "it runs (pid 7); syncd.service is not installed"),
    ],
)
def test_check_knows_a_service_that_runs_by_its_lock(
    shell: Shell,
    systemd: Systemd,
    monkeypatch: pytest.MonkeyPatch,
    answer: dict[str, str],
    text: str,
) -> None:
    from syncd.cli import check_surroundings

    systemd.answer(**answer)
    monkeypatch.setattr(check_surroundings, "running_service", lambda *_: 7)
    monkeypatch.setattr(unit, "_LINGER", str(shell.base))
    assert text in service_line(shell)


def test_the_config_of_a_system_instance_has_a_unit_of_the_machine(
    shell: Shell, systemd: Systemd, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(unit, "SYSTEM_CONFIG", str(shell.base / "config.yaml"))
    assert unit.unit_of(str(shell.config)).name == "syncd@config.service"
    said = shell.syncd("init", "--service")
    assert said.code == 2
    assert f"{shell.config} is for syncd@config.service; the top of " in said.err
    assert systemd.asked == []
