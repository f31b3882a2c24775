"""Where the key comes from, what is refused, and that it shows nowhere."""

from __future__ import annotations

import os
import sys
import time
import traceback
from pathlib import Path

import pytest

from syncd import secrets
from syncd.config import load_config
from syncd.errors import ConfigError
from syncd.secrets import KeySource
from syncd.text import redact, redact_pasted

KEY = "toggl_sk_" + "0123456789abcdef" * 2
TRACK_KEY = "0123456789abcdef" * 2


def key_file(tmp_path: Path, content: bytes = KEY.encode(), mode: int = 0o600) -> KeySource:
    file = tmp_path / "token"
    file.write_bytes(content)
    file.chmod(mode)
    return KeySource("token_file", (str(file),), str(tmp_path / "config.yaml"), 3)


def command(*words: str) -> KeySource:
    return KeySource("token_command", words, "/config.yaml", 3)


def refusal(source: KeySource) -> str:
    """What read() says; the key must be in no part of it, not even in the traceback."""
    with pytest.raises(ConfigError) as caught:
        source.read()
    (fault,) = caught.value.faults
    assert (fault.line, fault.key) == (3, f"api.{source.kind}")
    told = "".join(traceback.format_exception(caught.value)) + repr(source) + repr(fault)
    assert TRACK_KEY not in told
    return str(fault)


@pytest.mark.parametrize("content", [KEY, f"{KEY}\n", f"  {KEY} \r\n\n"])
def test_a_token_file_holds_the_key_and_perhaps_white_space(tmp_path: Path, content: str) -> None:
    assert key_file(tmp_path, content.encode()).read() == KEY


def test_a_key_of_another_form_is_not_judged(tmp_path: Path) -> None:
    assert key_file(tmp_path, b"a new kind of key").read() == "a new kind of key"


def test_the_file_is_read_anew_each_time(tmp_path: Path) -> None:
    source = key_file(tmp_path)
    assert source.read() == KEY
    key_file(tmp_path, b"another")
    assert source.read() == "another"


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "it is empty"),
        (b" \n", "it is empty"),
        (TRACK_KEY.encode(), "older product, Toggl Track"),
        (TRACK_KEY.upper().encode() + b"\n", "make a Focus key"),
        (f"{KEY}\nmore".encode(), "one line of printable ASCII"),
        (f"{KEY}\u00e9".encode(), "one line of printable ASCII"),
        (b"\xff\xfe" + KEY.encode(), "one line of printable ASCII"),
        (b"x" * 70_000, "larger than 64 KiB"),
    ],
)
def test_content_that_can_never_be_a_key_is_refused(
    tmp_path: Path, content: bytes, reason: str
) -> None:
    assert reason in refusal(key_file(tmp_path, content))


@pytest.mark.parametrize("mode", [0o644, 0o604, 0o444, 0o620, 0o660, 0o602, 0o666])
def test_a_file_that_others_may_read_or_anyone_else_may_write_is_refused(
    tmp_path: Path, mode: int
) -> None:
    source = key_file(tmp_path, mode=mode)
    assert f"mode {mode:04o}) (chmod 600" in refusal(source)
    assert len(source.faults()) == 1


@pytest.mark.parametrize("mode", [0o600, 0o400, 0o640, 0o440, 0o750])
def test_a_file_that_its_group_may_read_is_taken(tmp_path: Path, mode: int) -> None:
    """A mounted secret is 0440, and nobody can change that; so is a credential of systemd."""
    source = key_file(tmp_path, mode=mode)
    assert (source.faults(), source.read()) == ((), KEY)


def test_the_permission_is_that_of_the_opened_file(tmp_path: Path) -> None:
    source = key_file(tmp_path)
    assert source.faults() == ()
    os.chmod(source.location[0], 0o644)
    assert "mode 0644" in refusal(source)


def test_a_system_service_is_told_that_its_unit_may_hide_a_missing_file(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    gone = KeySource("token_file", ("/home/nobody here/token",), "/config.yaml", 3)
    assert "LoadCredential" not in refusal(gone)
    monkeypatch.setenv("STATE_DIRECTORY", "/var/lib/syncd/acme")
    assert "hand it over with LoadCredential= in the unit" in refusal(gone)


def test_a_file_that_is_missing_or_none_is_refused(tmp_path: Path) -> None:
    gone = KeySource("token_file", (str(tmp_path / "gone"),), "c", 3)
    assert "does not exist" in refusal(gone)
    assert "does not exist" in str(gone.faults()[0])
    os.mkfifo(tmp_path / "pipe", 0o600)
    for path in (tmp_path, tmp_path / "pipe"):
        source = KeySource("token_file", (str(path),), "c", 3)
        assert "is not a regular file" in str(source.faults()[0])
        assert "not a regular file" in refusal(source) or "directory" in refusal(source)


def test_a_variable_holds_the_key(monkeypatch: pytest.MonkeyPatch) -> None:
    source = KeySource("token_env", ("SYNCD_TEST_KEY",), "c", 3)
    monkeypatch.setenv("SYNCD_TEST_KEY", KEY)
    assert (source.read(), source.faults()) == (KEY, ())
    monkeypatch.setenv("SYNCD_TEST_KEY", TRACK_KEY)
    assert "Toggl Track" in refusal(source)
    monkeypatch.delenv("SYNCD_TEST_KEY")
    assert "SYNCD_TEST_KEY, which is not set" in refusal(source)
    assert len(source.faults()) == 1


def test_a_command_prints_the_key_on_its_first_line() -> None:
    assert command("printf", f"{KEY}\\nuser: me\\n").read() == KEY


def test_a_command_is_run_by_no_shell() -> None:
    assert command("printf", "%s", "$HOME;`id`").read() == "$HOME;`id`"


def test_a_command_may_stand_beside_the_config(tmp_path: Path) -> None:
    script = tmp_path / "get-key"
    script.write_text(f"#!/bin/sh\necho {KEY}\n")
    script.chmod(0o700)
    source = KeySource("token_command", ("./get-key",), str(tmp_path / "config.yaml"), 3)
    assert (source.faults(), source.read()) == ((), KEY)


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (
            ("sh", "-c", f"echo {TRACK_KEY} | tee /dev/stderr; exit 3"),
            "sh ended with exit code 3",
        ),
        (("sh", "-c", f"echo {TRACK_KEY}; kill -9 $$"), "sh was killed by signal 9"),
        (("sh", "-c", f"echo {TRACK_KEY}"), "Toggl Track"),
        (("no-such-command-at-all", TRACK_KEY), "no-such-command-at-all was not found"),
        (("true",), "it is empty"),
        (("yes", TRACK_KEY), "yes ended with exit code 1"),
    ],
)
def test_a_command_that_fails_is_named_and_its_words_are_not(
    words: tuple[str, ...], reason: str
) -> None:
    assert reason in refusal(command(*words))


def test_a_command_that_does_not_end_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(secrets, "COMMAND_SECONDS", 0.2)
    started = time.monotonic()
    for words in (
        ("sleep", "60"),
        (sys.executable, "-c", "import os,time;os.close(1);time.sleep(60)"),
    ):
        assert "did not end within" in refusal(command(*words))
    assert time.monotonic() - started < 10


@pytest.mark.parametrize("script", ["echo KEY; sleep 45 &", "sleep 45 & echo KEY", "exec >&- <&-"])
def test_a_command_has_ended_though_an_agent_that_it_left_behind_goes_on(script: str) -> None:
    """gpg-agent, ssh-agent and 1Password keep what their starter had open."""
    started = time.monotonic()
    source = command("sh", "-c", script.replace("KEY", KEY))
    if "KEY" in script:
        assert source.read() == KEY
    else:
        assert "it is empty" in refusal(source)
    assert time.monotonic() - started < 5


def test_all_that_a_command_prints_before_it_ends_is_read() -> None:
    """However late it comes, and though somebody else still holds the pipe."""
    words = f"sleep 45 & printf '%s' {KEY[:9]}; sleep 0.3; printf '%s' {KEY[9:]}"
    assert command("sh", "-c", words).read() == KEY


def test_a_source_shows_no_arguments() -> None:
    assert repr(command("echo", KEY)) == "KeySource(token_command echo …)"
    assert KEY not in repr(KeySource("token_file", (f"/{KEY}",)))


def test_redaction_takes_focus_keys_and_leaves_a_trace_id() -> None:
    assert redact(f"a {KEY} b") == "a toggl_sk_… b"
    assert redact(f"trace_id {TRACK_KEY}, toggl_sk_notes.md") == (
        f"trace_id {TRACK_KEY}, toggl_sk_notes.md"
    )


def test_text_from_a_config_loses_keys_of_both_products_and_nothing_else() -> None:
    assert redact_pasted(f"a {KEY} b") == "a toggl_sk_… b"
    assert redact_pasted(f"key={TRACK_KEY}.") == "key=…."
    assert redact_pasted("f" * 40 + " abc") == "f" * 40 + " abc"


@pytest.mark.parametrize(
    "api",
    [f"token_file: {KEY}", f"token_env: {KEY}", f"token: {KEY}", f"{KEY}: 1", f"timeout: {KEY}"],
)
def test_a_key_written_into_the_config_appears_in_no_fault(tmp_path: Path, api: str) -> None:
    file = tmp_path / "config.yaml"
    file.write_text(f"api:\n  organization_id: 1\n  workspace_id: 1\n  {api}\nfolders: []\n")
    with pytest.raises(ConfigError) as caught:
        load_config(str(file))
    assert KEY not in str(caught.value)
    assert KEY not in repr(caught.value.faults)


def test_loading_a_config_does_not_read_the_key(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    key_file(tmp_path)
    file = tmp_path / "config.yaml"
    file.write_text(
        "api: {organization_id: 1, workspace_id: 1, token_file: token}\n"
        "folders: [{path: a, task_id: 1}]"
    )

    def explode(self: KeySource) -> str:
        raise AssertionError("the key was read")

    monkeypatch.setattr(KeySource, "read", explode)
    source = load_config(str(file)).api.key_source
    assert source is not None
    assert source.location == (str(tmp_path / "token"),)
