"""A mistyped command, option or value: one line says which was meant."""

from __future__ import annotations

import json

import pytest

from syncd.cli.arguments import parse


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("statsu", "there is no 'statsu': did you mean 'status'?"),
        ("--onec", "there is no option --onec: did you mean --once?"),
        ("status --jsno", "there is no option --jsno: did you mean --json?"),
        ("--once --foldr=x", "there is no option --foldr: did you mean --folder?"),
        ("--log-format jsn", "there is no 'jsn': did you mean 'json'?"),
        (
            "log --folder x",
            "--folder does not go with `log`, but with `approve`, `list`, `init`, --once",
        ),
        ("status --dry-run", "--dry-run does not go with `status`, but with `approve`, --once"),
        ("status --once", "--once goes without a command, not with `status`"),
        ("--watch", "--watch does not go without a command, but with `status`"),
        ("--offline check", "--offline goes after the command: `syncd check --offline`"),
        ("completion zhs", "there is no 'zhs': did you mean 'zsh'?"),
    ],
)
def test_what_was_meant_is_told_in_one_line(
    capsys: pytest.CaptureFixture[str], typed: str, meant: str
) -> None:
    with pytest.raises(SystemExit) as caught:
        parse(typed.split())
    assert caught.value.code == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.endswith(f": {meant}")


def test_what_looks_like_nothing_gets_the_usage(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        parse(["frobnicate"])
    said = capsys.readouterr().err
    assert said.startswith("usage: ")
    assert "invalid choice: 'frobnicate'" in said


@pytest.mark.parametrize("typed", ["--log-format json statsu", "list --log-format=json --port 1"])
def test_a_log_in_json_has_bad_usage_as_json(
    capsys: pytest.CaptureFixture[str], typed: str
) -> None:
    with pytest.raises(SystemExit) as caught:
        parse(typed.split())
    assert caught.value.code == 2
    assert json.loads(capsys.readouterr().err)["level"] == "error"
