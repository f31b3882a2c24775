"""What a probe has found out; its keys are those of `syncd probe --json`."""

from __future__ import annotations

from collections.abc import Sequence
from operator import attrgetter
from typing import NamedTuple

from syncd.model import Attachment

PLACES = ("query", "form", "file")
"""Where a create may say a name."""


class Findings(NamedTuple):
    """None = it could not be told."""

    create_answers_with_ids: bool | None = None
    bulk_answers_with_ids: bool | None = None
    name_from: str | None = None
    """query | form | file | other"""
    order_from: str | None = None
    """query | form | other"""
    names: str | None = None
    """kept | changed"""
    orders: str | None = None
    """kept | renumbered | ignored"""
    names_unique: bool | None = None
    update_keeps_other_field: bool | None = None
    view_shows_deleted: bool | None = None
    list_lags: bool | None = None
    quota_headers: bool | None = None


class Label(NamedTuple):
    """What a create said of one file."""

    names: Sequence[str]
    """In the query, in the form, and of the file."""
    orders: Sequence[int]
    """In the query and in the form."""


def name_from(label: Label, stored: str) -> str:
    """Where the server read a name, as stored: exactly, or changed a little."""
    for place, name in zip(PLACES, label.names, strict=True):
        if stored == name:
            return place
    found = [place for place in PLACES if f"-{place}" in stored.casefold()]
    return found[0] if len(found) == 1 else "other"


def names(labels: Sequence[Label], stored: Sequence[str]) -> str:
    """Whether names are stored as one of the places said."""
    kept = all(name in label.names for label, name in zip(labels, stored, strict=True))
    return "kept" if kept else "changed"


def orders(labels: Sequence[Label], rows: Sequence[Attachment]) -> tuple[str | None, str | None]:
    """`order_from` and `orders`, by the numbers, else by the sequence of all three attachments."""
    seen = list(zip(labels, rows, strict=True))
    differ = all(label.orders[0] != label.orders[1] for label in labels)
    if differ and all(row.display_order in label.orders for label, row in seen):
        label, row = seen[0]
        return PLACES[label.orders.index(row.display_order)], "kept"
    said = [{label.orders[at] for label in labels} for at in (0, 1)]
    if any(len(numbers) < 3 for numbers in (*said, {row.display_order for row in rows})):
        return None, None
    sequence = sorted(rows, key=attrgetter("display_order"))
    for at, place in enumerate(PLACES[:2]):
        wanted = [row for _, row in sorted(seen, key=lambda pair: pair[0].orders[at])]
        if sequence == wanted:
            return place, "renumbered"
    return "other", "ignored"
