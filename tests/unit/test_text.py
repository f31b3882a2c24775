"""Text of others, made fit for one line of a terminal."""

from __future__ import annotations

import os

import pytest

from syncd.text import printable


@pytest.mark.parametrize(
    "text", ["a.png", "", "Größe 10 €.pdf", "写真.jpg", "👩‍💻.md", "a\u202fb\u00a0c"]
)
def test_letters_and_emoji_stay_unchanged(text: str) -> None:
    assert printable(text) == text


@pytest.mark.parametrize(
    ("text", "seen"),
    [
        ("a\nb\r", "a\\nb\\r"),
        ("\x1b[2J", "\\x1b[2J"),
        ("\x9b31m", "\\x9b31m"),
        ("a\x7f\x00", "a\\x7f\\x00"),
        ("gnp\u202e.exe", "gnp\\u202e.exe"),
        ("\u2066a\u2069", "\\u2066a\\u2069"),
        ("a\u2028b\u2029", "a\\u2028b\\u2029"),
        ("\ud800", "\\ud800"),
        ("\ufeffa", "\\ufeffa"),
    ],
)
def test_characters_that_control_a_terminal_are_escaped(text: str, seen: str) -> None:
    assert printable(text) == seen


def test_a_byte_that_is_not_utf8_is_shown_as_that_byte() -> None:
    assert printable(os.fsdecode(b"caf\xe9.txt")) == "caf\\xe9.txt"


def test_escaping_twice_changes_nothing() -> None:
    text = "".join(map(chr, range(0x3000))) + "\ud800\udcff"
    once = printable(text)
    assert printable(once) == once
    once.encode()
    assert once.splitlines() == [once]
