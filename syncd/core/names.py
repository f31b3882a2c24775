"""When two names are one: what a server may make of a name that it is sent. Pure."""

from __future__ import annotations

import re
from unicodedata import normalize

_PLAIN = re.compile(r"[A-Za-z0-9][A-Za-z0-9 ._-]*")
_NUMBERED = re.compile(r" ?\(\d+\)(?=\.[^.]*\Z|\Z)")
"""What a server that takes each name once appends to the second of them."""


def same_name(one: str, other: str) -> bool:
    """Whether two names are equal after NFC: a server may normalize what it stores."""
    return one == other or normalize("NFC", one) == normalize("NFC", other)


def form_of(name: str) -> str:
    """What is left of a name whose case, punctuation and number in brackets do not count."""
    bare = _NUMBERED.sub("", name)
    return "".join(filter(str.isalnum, normalize("NFC", bare).casefold()))


def resembles(shown: str, sent: str) -> bool:
    """Whether a server may have folded, trimmed, cut or extended a name that was sent."""
    short, long = sorted((form_of(shown), form_of(sent)), key=len)
    return long.startswith(short) or long.endswith(short)


def is_plain(name: str) -> bool:
    """Nothing in it that a server might have to transcribe."""
    return _PLAIN.fullmatch(name) is not None
