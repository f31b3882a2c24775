"""The place of every file in the task: which numbers new ones get and which ones must move."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from hashlib import sha256

from syncd.core.books import in_doubt
from syncd.core.ordering import Slot, append, assign, wanted_sequence
from syncd.core.situation import Situation
from syncd.model import Attachment, LedgerEntry, LocalFile

ATTEMPTS = 2
"""How often the same sequence is changed in vain before it counts as the server's."""

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
    attempt: str | None = None
    """What these moves are to change, and into what: see `Past.attempt`."""
    untold: bool = False
    """Some would have to move, it seems; but what our last changes have made of the numbers on a
    server that counts itself, only a list can tell."""


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
    movable = [*bound, *kept]
    deviant = {e.path for e, _, a in movable if e.order.kept and a.display_order != e.order.sent}
    stuck = {e.path for e, _, _ in movable if e.path in deviant and s.put_back_too_often(e)}
    numbers = _fewest(s, movable, uploads, renamed, deviant)
    moved = _moved(numbers, movable, renamed)
    if not moved:
        return Places(numbers, frozenset(), ())
    if stuck:
        movable = [b for b in movable if b[0].path not in stuck]
        numbers = _fewest(s, movable, uploads, renamed, deviant)
        moved = _moved(numbers, movable, renamed)
    attempt = _attempt(s, movable)
    untold = bool(moved and s.counts_itself and s.only_told)
    in_vain = _in_vain(s, attempt, [b for b in movable if b[0].path in deviant & moved])
    if untold or in_vain:
        numbers = {path: number for path, number in numbers.items() if path not in moved}
        moved = set()
    return Places(numbers, frozenset(deviant & moved), tuple(sorted(stuck)), attempt, untold)


def _attempt(s: Situation, movable: Sequence[Bound]) -> str:
    """Tells which sequence is to become which, and what cannot be moved for now: numbers say
    nothing on a server that gives its own to all of them at every change."""
    shown = [a.id for _, _, a in sorted(movable, key=lambda b: (b[2].display_order, b[2].id))]
    ids = {file.path: a.id for _, file, a in movable}
    sequence = wanted_sequence([file for _, file, _ in movable], s.rules, s.folder.manifest)
    refused = [id_ for id_ in shown if s.change_refused(id_) is not None]
    return sha256(repr((shown, [ids[path] for path in sequence], refused)).encode()).hexdigest()


def _in_vain(s: Situation, attempt: str, by_people: Sequence[Bound]) -> bool:
    """Whether the server keeps to the sequence it shows, whatever it is told.

    What differs from a number that it kept once is a person's doing; but a small one, or one more
    than another, may have been met by chance where the server counts by itself.
    """
    numbers = {a.display_order for a in s.listing.attachments}
    sent = [entry.order.sent for entry, _, _ in by_people]
    chance = all(n <= s.counted_to or n - 1 in numbers for n in sent)
    return s.past.attempt == attempt and s.past.attempts >= ATTEMPTS and chance


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
    if s.counts_itself:
        top = max((a.display_order for a in s.listing.attachments), default=0)
        # Not to be met by chance, either: it counts no further than this.
        return append(slots, top + len(slots), s.rules.display_order_step)
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
