"""Names that look the same and are not: equal after NFC, in other bytes."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from unicodedata import is_normalized, normalize


def twins(paths: Sequence[str], known: Collection[str]) -> dict[str, str]:
    """Of paths that are equal after NFC one goes on: the attached one (`known`), else the first
    by bytes. The others, each with the reason why it does not."""
    forms: dict[str, list[str]] = {}
    for path in paths:
        if not path.isascii():
            forms.setdefault(normalize("NFC", path), []).append(path)
    for path in paths:  # the Kelvin sign's NFC is a plain K
        if path.isascii() and path in forms:
            forms[path].append(path)
    dropped: dict[str, str] = {}
    for form in forms.values():
        first, *others = sorted(form, key=lambda path: (path not in known, path))
        for path in others:
            dropped[path] = f"same name as {_spelled(first)} in another Unicode form"
    return dropped


def _spelled(path: str) -> str:
    """The twin, told apart from a name that looks the same."""
    form = "NFC" if is_normalized("NFC", path) else "not NFC"
    return f"{path} ({form})"
