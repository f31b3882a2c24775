"""Make room for names on a server that takes each name only once in a task. Pure.

Two attachments of ours may need one name for a moment: a new version beside the old one, two
names that are swapped. The one that has the name is renamed first. Only ours are ever renamed.
"""

from __future__ import annotations

from unicodedata import normalize

from syncd.core.plan import Create, Plan, Rename
from syncd.core.snapshot import Snapshot
from syncd.model import Attachment
from syncd.task_state import LedgerEntry

Holder = tuple[LedgerEntry, Attachment]


def holders(s: Snapshot) -> dict[str, Holder]:
    """The attachments that we made and that are shown, by their current name after NFC.

    A released one has to give up its name, too: else its file could never have it again.
    """
    ours = (e for e in s.state.entries.values() if e.role != "tombstone")
    found = [(e, s.current(e)) for e in ours if e.id in s.shown]
    return {normalize("NFC", a.name): (e, a) for e, a in found}


def make_room(plan: Plan, s: Snapshot) -> Plan:
    """Put off what needs a name that another of ours has, and rename that one now."""
    taken = holders(s)
    free = tuple(r for r in plan.renames if not _is_blocked(r, taken))
    creates = tuple(c for c in plan.creates if not _is_blocked(c, taken))
    wanting: list[Create | Rename] = [*plan.creates, *plan.renames]
    blocked = [action for action in wanting if _is_blocked(action, taken)]
    leaving = {r.entry.id for r in free} | {d.id for d in (*plan.finish, *plan.deletes)}
    in_the_way = {taken[_wanted(a)][0].id: taken[_wanted(a)] for a in blocked}
    aside = [_rename_aside(*h) for id_, h in in_the_way.items() if id_ not in leaving]
    if len(creates) == len(plan.creates):
        # One name of a ring is enough: the others can follow it.
        aside = aside[:1]
    return plan._replace(creates=creates, renames=(*free, *aside))


def _is_blocked(action: Create | Rename, taken: dict[str, Holder]) -> bool:
    holder = taken.get(_wanted(action))
    itself = isinstance(action, Rename) and holder is not None and holder[0].id == action.entry.id
    return holder is not None and not itself


def _wanted(action: Create | Rename) -> str:
    return normalize("NFC", action.file.path if isinstance(action, Create) else action.name)


def _rename_aside(entry: LedgerEntry, a: Attachment) -> Rename:
    stem, dot, ending = a.name.rpartition(".")
    name = f"{stem} (old {a.id}).{ending}" if dot and stem else f"{a.name} (old {a.id})"
    return Rename(entry, a.name, a.display_order, name, a.display_order, put_back=False)
