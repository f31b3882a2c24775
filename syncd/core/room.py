"""Makes room for names on a server that takes each name only once. Pure.

Two attachments of ours may need one name for a moment: a new version beside the old one, two
names that are swapped. Where the server refuses that, the one that stands in the way is renamed
first. Only ours are ever moved; whoever else has a name keeps it.
"""

from __future__ import annotations

from dataclasses import replace
from unicodedata import normalize

from syncd.core.plan import Create, Plan, Rename
from syncd.core.situation import Situation
from syncd.model import Attachment, LedgerEntry, Listing, Past

Holder = tuple[LedgerEntry, Attachment]


def holders(past: Past, listing: Listing, now: float) -> dict[str, Holder]:
    """The attachments of ours that are shown, by their names after NFC: those that they have,
    also where a list that lags does not show it, and those that the server made these of."""
    entries = {e.id: e for e in past.entries if e.role != "tombstone"}
    found = [(entries[a.id], a) for a in listing.attachments if a.id in entries]
    sent = {normalize("NFC", e.name.sent): (e, a) for e, a in found if e.name.seen == a.name}
    return sent | {normalize("NFC", e.name.believed(a.name, now)): (e, a) for e, a in found}


def make_room(plan: Plan, s: Situation) -> Plan:
    """Put off what needs a name that another of ours has, and rename that one now."""
    taken = holders(s.past, s.listing, s.now)
    free = tuple(r for r in plan.renames if not _blocked(r, taken))
    creates = tuple(c for c in plan.creates if not _blocked(c, taken))
    wanting: list[Create | Rename] = [*plan.creates, *plan.renames]
    blocked = [action for action in wanting if _blocked(action, taken)]
    leaving = {r.entry.id for r in free} | {d.id for d in (*plan.finish, *plan.deletes)}
    in_the_way = {taken[_wanted(a)][0].id: taken[_wanted(a)] for a in blocked}
    moved = [_aside(s.now, *h) for id_, h in in_the_way.items() if id_ not in leaving]
    if len(creates) == len(plan.creates):
        # One of a ring of names is enough: once it is out of the way, the others follow.
        moved = moved[:1]
    return replace(plan, creates=creates, renames=(*free, *moved))


def _blocked(action: Create | Rename, taken: dict[str, Holder]) -> bool:
    holder = taken.get(_wanted(action))
    itself = isinstance(action, Rename) and holder is not None and holder[0].id == action.entry.id
    return holder is not None and not itself


def _wanted(action: Create | Rename) -> str:
    return normalize("NFC", action.file.path if isinstance(action, Create) else action.name)


def _aside(now: float, entry: LedgerEntry, a: Attachment) -> Rename:
    held = entry.name.believed(a.name, now)
    stem, dot, ending = held.rpartition(".")
    name = f"{stem} (old {a.id}).{ending}" if dot and stem else f"{held} (old {a.id})"
    return Rename(entry, a.name, a.display_order, name, a.display_order, put_back=False)
