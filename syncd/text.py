"""Makes text from outside (file names, server responses, config values) safe to print: without
keys, and escaped."""

from __future__ import annotations

import json
import re
from typing import Any
from unicodedata import category

_FOCUS_KEYS = re.compile(r"toggl_sk_[A-Za-z0-9_-]{16,}")
_BARE_KEYS = re.compile(r"(?<![0-9A-Za-z])[0-9A-Fa-f]{32}(?![0-9A-Za-z])")
_NOT_UTF8 = re.compile("[\ud800-\udfff]")
_NOT_ASCII = re.compile("[^\x00-\x7f]")
_NUMBERS = re.compile(r"trace_id \S+|\d+")
_ZERO_WIDTH_JOINERS = "\u200c\u200d"
"""Parts of letters and emoji: printed as they are."""
_ESCAPED_CATEGORIES = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
"""Control and format characters (bidi overrides included), surrogates, line separators."""


def redact(text: str) -> str:
    """The text without Focus keys. Everything that is printed or logged passes through here.

    32 hex digits stay: a trace_id looks so, and Toggl's support asks for it.
    """
    return _FOCUS_KEYS.sub("toggl_sk_…", text)


def redact_pasted(text: str) -> str:
    """Text from a config without keys, those of Toggl Track (32 hex digits) included."""
    return _BARE_KEYS.sub("…", redact(text))


def printable(text: str) -> str:
    """One line that cannot control a terminal.

    Control and invisible characters are escaped, and so are bytes that are not UTF-8 (`\\xff`).
    Escaping a result again changes nothing.
    """
    if text.isprintable():
        return text
    return "".join(map(_escaped, text))


def sanitized(text: str) -> str:
    """One line for people: redacted and escaped, in this order, else an escape could hide a key."""
    return printable(redact(text))


def shortened(text: str, limit: int = 80) -> str:
    """At most `limit` characters of the text, as `printable` shows them."""
    return printable(text if len(text) <= limit else text[: limit - 1] + "…")


def escaped_unless_utf8(name: str) -> str:
    """A file name as reports and JSON carry it: unchanged if it is UTF-8, else printable."""
    return name if is_utf8(name) else printable(name)


def without_numbers(message: str) -> str:
    """A message without what differs between two about the same error."""
    return _NUMBERS.sub("#", message)


def json_text(document: Any, indent: int | None = None) -> str:
    """One JSON document, redacted, in ASCII, so that any name survives any locale.

    A byte of a name that is not UTF-8 becomes `\\xff`, as in lines for people.
    """
    text = json.dumps(document, indent=indent, ensure_ascii=False)
    text = redact(_NOT_UTF8.sub(lambda byte: _in_json(printable(byte[0])), text))
    return _NOT_ASCII.sub(lambda char: _in_json(char[0]), text)


def _in_json(text: str) -> str:
    return json.dumps(text)[1:-1]


def is_utf8(name: str) -> bool:
    """Whether a name from the system is UTF-8; Python carries other bytes as lone surrogates."""
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True


def _escaped(char: str) -> str:
    if char in _ZERO_WIDTH_JOINERS or category(char) not in _ESCAPED_CATEGORIES:
        return char
    if "\udc80" <= char <= "\udcff":  # a byte that is not UTF-8
        return f"\\x{ord(char) - 0xDC00:02x}"
    return char.encode("unicode_escape").decode()
