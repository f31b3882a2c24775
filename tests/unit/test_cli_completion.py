"""`syncd completion`: the scripts do their work in real shells."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from syncd.cli.main import main
from tests.support.terminal import Terminal

LINES = {
    "syncd pro": "probe",
    "syncd probe --t": "--task",
    "syncd --log-format j": "json",
    "syncd -c other.yaml stat": "status",
    "syncd completion f": "fish",
    "syncd -c a": "a file.yaml",
    "syncd init --folder d": "directory",
    "syncd why a": "a file.yaml",
}
"""A line of which the last word is begun, and the only word that completes it."""
BASH = """
source "$1"
read -ra COMP_WORDS <<<"$2"
COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
function=$(complete -p syncd | sed 's/.*-F \\([^ ]*\\) .*/\\1/')
"$function" syncd "${COMP_WORDS[COMP_CWORD]}" "${COMP_WORDS[COMP_CWORD - 1]}"
printf '%s\\n' "${COMPREPLY[@]}"
"""


@pytest.fixture
def here(tmp_path: Path) -> Path:
    """A directory with a file and a directory."""
    (tmp_path / "a file.yaml").touch()
    (tmp_path / "directory").mkdir()
    return tmp_path


def script(shell: str, here: Path, capsys: pytest.CaptureFixture[str]) -> str:
    """Write the script of a shell into a file."""
    if shutil.which(shell) is None:
        pytest.skip(f"{shell} is not installed here")
    assert main(["completion", shell]) == 0
    out, err = capsys.readouterr()
    assert (err, out[-1:]) == ("", "\n")
    file = here.parent / f"script.{shell}"
    file.write_text(out)
    return str(file)


def test_bash_completes_commands_options_and_files(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = script("bash", here, capsys)
    for line, word in LINES.items():
        arguments = ["bash", "--norc", "-c", BASH, "bash", file, line]
        done = subprocess.run(arguments, cwd=here, capture_output=True, text=True)
        assert done.stdout.splitlines() == [word], (line, done.stderr)


def test_fish_completes_commands_options_and_files(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = script("fish", here, capsys)
    loop = "source $argv[1]; for line in $argv[2..]; complete -C $line; end"
    done = subprocess.run(
        ["fish", "--no-config", "-c", loop, file, *LINES],
        cwd=here,
        capture_output=True,
        text=True,
        env={**os.environ, "HOME": str(here.parent)},
    )
    found = [line.partition("\t")[0].rstrip("/") for line in done.stdout.splitlines()]
    assert found == list(LINES.values()), done.stderr


def test_zsh_completes_commands_options_and_files(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = script("zsh", here, capsys)
    functions = here.parent / "functions"
    functions.mkdir()
    shutil.copy(file, functions / "_syncd")
    for ready in (f"compinit -u -D; source {file}", f"fpath=({functions} $fpath); compinit -u -D"):
        terminal = Terminal(command=["zsh", "-f", "-i"], cwd=str(here))
        terminal.type(f"autoload -U compinit; {ready}; PS1='> '; clear\r")
        terminal.shows(lambda text: text.rstrip().endswith("> \x1b[K\x1b[?2004h"))
        for line, word in LINES.items():
            whole = f"{line.rpartition(' ')[0]} {word.replace(' ', chr(92) + ' ')}"
            terminal.type(f"{line}\t")
            terminal.shows(lambda text, whole=whole: whole in text, 5)  # type: ignore[misc]
            terminal.type("\x15")
        terminal.type("exit\r")
        assert terminal.ended()[0] == 0
