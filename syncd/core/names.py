"""When two names are the same. Pure."""

from __future__ import annotations

from unicodedata import normalize


def same_name(one: str, other: str) -> bool:
    """Whether two names are equal after NFC: a server may normalize what it stores."""
    return one == other or nfc(one) == nfc(other)


def nfc(name: str) -> str:
    """A name as it is compared."""
    return normalize("NFC", name)
