"""Finds paths that are equal after Unicode normalization (NFC) though their bytes differ."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from unicodedata import is_normalized, normalize


def find_collisions(paths: Sequence[str], attached: Collection[str]) -> dict[str, str]:
    """The paths that are not synced because another is equal after NFC -> the reason.

    Of equal paths the attached one is synced, else the first by bytes.
    """
    by_form: dict[str, list[str]] = {}
    for path in paths:
        if not path.isascii():
            by_form.setdefault(normalize("NFC", path), []).append(path)
    for path in (
        paths if by_form else ()
    ):  # NFC turns some characters into ASCII: the Kelvin sign into K
        if path.isascii() and path in by_form:
            by_form[path].append(path)
    dropped: dict[str, str] = {}
    for equal in by_form.values():
        synced, *others = sorted(equal, key=lambda path: (path not in attached, path))
        form = "NFC" if is_normalized("NFC", synced) else "not NFC"
        for path in others:
            dropped[path] = f"same name as {synced} ({form}) in another Unicode form"
    return dropped
