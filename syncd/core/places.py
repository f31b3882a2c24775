"""The place of every file in the task: which numbers new ones get and which ones must move."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from syncd.core.books import in_doubt
from syncd.core.ordering import Slot, assign, wanted_sequence
from syncd.core.situation import Situation
from syncd.model import Attachment, LedgerEntry, LocalFile

Bound = tuple[LedgerEntry, LocalFile, Attachment]
"""An attachment of ours that is shown, with the file that it is."""


@dataclass(frozen=True)
class Places:
    """The numbers to give, by path; a path that is not in here keeps its number."""

    numbers: dict[str, int]
    put_back: frozenset[str]
    """Paths that a person moved in the task."""
    contested: tuple[str, ...]
    """Paths that a person keeps moving: left where they are."""


def places(
    s: Situation,
    bound: Sequence[Bound],
    kept: Sequence[Bound],
    uploads: Sequence[tuple[LocalFile, LedgerEntry | None]],
    renamed: Collection[str],
) -> Places:
    """Number new files and move as few others as possible into the wanted sequence.

    `bound` may be moved, and those in `renamed` at no cost, since they get a PUT anyway;
    `kept` are attachments whose own upload has to wait: they hold a place, too.
    """
    movable = [b for b in (*bound, *kept) if not _stays(s, b)]
    deviant = {e.path for e, _, a in movable if e.order.kept and a.display_order != e.order.sent}
    stuck = {e.path for e, _, _ in movable if e.path in deviant and s.put_back_too_often(e)}
    numbers = _fewest(s, movable, uploads, renamed, deviant)
    moved = _moved(numbers, movable, renamed)
    if not moved or not stuck:
        return Places(numbers, frozenset(deviant & moved), ())
    movable = [b for b in movable if b[0].path not in stuck]
    numbers = _fewest(s, movable, uploads, renamed, deviant)
    moved = _moved(numbers, movable, renamed)
    return Places(numbers, frozenset(deviant & moved), tuple(sorted(stuck)))


def _stays(s: Situation, b: Bound) -> bool:
    """Whether the server keeps to a number of its own for this attachment."""
    entry, _, attachment = b
    return s.stays(entry, entry.order, entry.order.sent, attachment.display_order)


def _fewest(
    s: Situation,
    movable: Sequence[Bound],
    uploads: Sequence[tuple[LocalFile, LedgerEntry | None]],
    renamed: Collection[str],
    deviant: Collection[str],
) -> dict[str, int]:
    """The cheapest numbering; where as cheap, the one that moves what a person moved."""
    plain = _number(s, movable, uploads, set(renamed))
    if not deviant:
        return plain
    favoured = _number(s, movable, uploads, set(renamed) | set(deviant))
    cost = len(_moved(favoured, movable, renamed))
    return favoured if cost <= len(_moved(plain, movable, renamed)) else plain


def _number(
    s: Situation,
    movable: Sequence[Bound],
    uploads: Sequence[tuple[LocalFile, LedgerEntry | None]],
    free: Collection[str],
) -> dict[str, int]:
    current: dict[str, int | None] = {file.path: None for file, _ in uploads}
    for file, predecessor in uploads:
        if predecessor is not None:
            shown = s.shown.get(predecessor.id)
            number = shown.display_order if shown else predecessor.order.seen
            current[file.path] = number
    files = [file for file, _ in uploads]
    for _, file, attachment in movable:
        current[file.path] = attachment.display_order
        files.append(file)
    awaited = {i.path: i.number for i in in_doubt(s.past)}
    for file in s.folder.files:
        if file.path in awaited and file.path not in current:
            # On its way with this number: others must find their places around it.
            current[file.path] = awaited[file.path]
            files.append(file)
    unbound = set(free) | {file.path for file, _ in uploads}
    sequence = wanted_sequence(files, s.rules, s.folder.manifest)
    slots = [Slot(path, current[path], path in unbound) for path in sequence]
    ours = {a.id for _, _, a in movable}
    others = {a.display_order for a in s.listing.attachments if a.id not in ours}
    others |= {i.number for i in s.past.intents if i.path not in current}
    replaced = {n for f, p in uploads if p is not None and (n := current[f.path]) is not None}
    return assign(slots, others - replaced, s.rules.display_order_step)


def _moved(numbers: dict[str, int], movable: Sequence[Bound], renamed: Collection[str]) -> set[str]:
    """Paths that get a PUT for their place alone."""
    return {
        f.path
        for _, f, a in movable
        if f.path not in renamed and numbers.get(f.path, a.display_order) != a.display_order
    }
