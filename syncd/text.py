"""Text that others wrote (file names, answers of a server), made fit to be printed."""

from __future__ import annotations

from unicodedata import category

_JOINERS = "\u200c\u200d"
"""Zero-width joiners belong to letters and emoji; without them these fall apart."""
_STEERING = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
"""Control characters, invisible ones (bidi overrides among them), surrogates, line breaks."""


def printable(text: str) -> str:
    """One line that steers no terminal: what is not to be seen is escaped, as is a byte
    that is not UTF-8 (`\\xff`). To escape twice changes nothing."""
    if text.isprintable():
        return text
    return "".join(map(_visible, text))


def _visible(char: str) -> str:
    if char in _JOINERS or category(char) not in _STEERING:
        return char
    if "\udc80" <= char <= "\udcff":  # how Python carries a byte that is not UTF-8
        return f"\\x{ord(char) - 0xDC00:02x}"
    return char.encode("unicode_escape").decode()
