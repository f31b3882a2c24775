"""Make room for names on a server that takes each name only once in a task. Pure.

Two attachments of ours may need one name for a moment: a new version beside the old one, two
names that are swapped. The one that has the name is renamed first. Only ours are ever renamed.
"""

from __future__ import annotations

from syncd.core.plan import Create, Plan, Put
from syncd.core.snapshot import Snapshot
from syncd.model import Problem
from syncd.task_state import LedgerEntry, nfc


def holders(s: Snapshot) -> dict[str, LedgerEntry]:
    """The attachments that we made and that are shown, by their current name after NFC.

    A released one has to give up its name, too: else its file could never have it again.
    """
    return {nfc(e.name.current(s.now)): e for e in s.state.entries.values() if e.is_shown}


def make_room(plan: Plan, s: Snapshot) -> Plan:
    """Put off what needs a name that another of ours has, and rename that one now.

    While the server refuses to rename that one, nothing can be done about the file.
    """
    taken = holders(s)
    free = tuple(r for r in plan.renames if _in_the_way(r, taken) is None)
    creates = tuple(c for c in plan.creates if _in_the_way(c, taken) is None)
    leaving = {r.entry.id for r in free} | {d.id for d in (*plan.finish, *plan.deletes)}
    wanting: list[Create | Put] = [*plan.creates, *plan.renames]
    found = (_in_the_way(action, taken) for action in wanting)
    in_the_way = {e.id: e for e in found if e is not None and e.id not in leaving}
    refused = {id_: r for id_ in in_the_way if (r := s.change_refused(id_)) is not None}
    failed = (Problem(in_the_way[id_].path, r.error) for id_, r in refused.items())
    aside = [_rename_aside(s, e) for e in in_the_way.values() if e.id not in refused]
    if len(creates) == len(plan.creates):
        # One name of a ring is enough: the others can follow it.
        aside = aside[:1]
    return plan._replace(creates=creates, renames=(*free, *aside), failed=(*plan.failed, *failed))


def _in_the_way(action: Create | Put, taken: dict[str, LedgerEntry]) -> LedgerEntry | None:
    """The other attachment that has the name which an action needs."""
    if isinstance(action, Create):
        return taken.get(nfc(action.file.path))
    holder = taken.get(nfc(action.name))
    return holder if holder is not None and holder.id != action.entry.id else None


def _rename_aside(s: Snapshot, entry: LedgerEntry) -> Put:
    old, number = entry.name.current(s.now), entry.order.current(s.now)
    stem, dot, ending = old.rpartition(".")
    name = f"{stem} (old {entry.id}).{ending}" if dot and stem else f"{old} (old {entry.id})"
    return Put(entry, old, number, name, number, put_back=False)
