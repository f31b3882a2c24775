"""What a person sees in a real terminal: colors, tables, the live status."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.commands import Shell
from tests.support.quirks import Quirks
from tests.support.terminal import Terminal

COLOR = "\x1b[32m"


@pytest.fixture
def shell(tmp_path: Path) -> Iterator[Shell]:
    with Shell(tmp_path) as shell:
        shell.write("a.txt")
        yield shell


def shown(shell: Shell, *argv: str, **env: str) -> tuple[int, str]:
    return Terminal(*argv, "-c", str(shell.config), **env).ended()


def test_a_run_is_told_in_color_and_without_log_lines(shell: Shell) -> None:
    code, text = shown(shell, "--once")
    assert code == 0
    assert f"{COLOR}created\x1b[0m   a.txt" in text
    assert "new file" not in text


@pytest.mark.parametrize("env", [{"NO_COLOR": "1"}, {"TERM": "dumb"}])
def test_nobody_gets_colors_who_wants_none(shell: Shell, env: dict[str, str]) -> None:
    code, text = shown(shell, "--once", **env)
    assert code == 0
    assert "created   a.txt" in text
    assert "\x1b[3" not in text


@pytest.mark.parametrize("columns", ["120", "40"])
def test_the_status_fits_the_terminal(shell: Shell, columns: str) -> None:
    shell.syncd("--once")
    code, text = shown(shell, "status", COLUMNS=columns)
    assert code == 75
    assert "landing" in text
    assert f"{COLOR}in sync" in text
    assert ("last cycle" in text) == (columns == "120")


def test_the_status_has_no_column_in_which_nothing_stands(shell: Shell) -> None:
    shell.syncd("--once")
    _, text = shown(shell, "status", COLUMNS="120")
    assert not {"pending", "held", "failed", "next"} & set(text.split())
    for name in ("a.txt", "b.txt"):
        shell.write(name)
    shell.syncd("--once")
    for name in ("a.txt", "b.txt"):
        (shell.root / name).unlink()
    shell.syncd("--once")
    _, text = shown(shell, "status", COLUMNS="120")
    (head,) = (line for line in text.splitlines() if "last cycle" in line)
    assert "held" in head
    assert "failed" not in head


def test_a_list_fits_a_narrow_terminal(shell: Shell) -> None:
    shell.write("日本語のファイル名.txt")
    shell.syncd("--once")
    code, text = shown(shell, "list", COLUMNS="40")
    assert code == 0
    lines = text.splitlines()
    assert "  日本語のファイル名.txt" in lines
    assert all(len(line) <= 40 for line in lines)


def test_the_live_status_follows_what_happens_until_ctrl_c(tmp_path: Path) -> None:
    with Shell(tmp_path, Quirks()) as shell:
        shell.write("a.txt")
        terminal = Terminal("status", "--watch", "-c", str(shell.config), COLUMNS="100")
        terminal.shows(lambda text: "never synced" in text)
        shell.syncd("--once")
        terminal.shows(lambda text: f"{COLOR}in sync" in text and "█░░ 27 of 30" in text)
        terminal.process.send_signal(signal.SIGINT)
        code, text = terminal.ended()
    assert code == 0
    assert "\x1b[?1049l" in text, "the alternate screen is left"


@pytest.mark.parametrize("more", [(), ("--json",), ("--html", "x.html")])
def test_the_live_status_is_for_a_terminal_alone(shell: Shell, more: tuple[str, ...]) -> None:
    said = shell.syncd("status", "--watch", *more)
    assert said.code == 2
    assert "--watch" in said.err
    assert len(said.err.splitlines()) == 1
