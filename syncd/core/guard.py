"""Stands between plan and apply: holds back what would delete too much. Pure.

What it holds stays undone until `syncd approve` names exactly that set; all else goes on.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from syncd.core.books import in_doubt
from syncd.core.plan import Delete, Held, Plan
from syncd.core.situation import Situation
from syncd.model import LedgerEntry

NOT_THE_SAME = "the folder is not the one it was (another inode or file system)"


@dataclass(frozen=True)
class Leave:
    """What somebody permits, and what was deleted before."""

    approved: frozenset[int] = frozenset()
    """Attachment ids that `syncd approve` named; void if they are not exactly what is held."""
    allow_delete: bool = False
    """Release the two counts (`--allow-delete`)."""
    deleted: int = 0
    """Deletes already done in this run (service: in the last hour)."""


def guard(plan: Plan, s: Situation, leave: Leave) -> Plan:
    """Take out of a plan what has to wait for approval."""
    strange = s.past.identity is not None and s.past.identity != s.folder.identity
    proven = _every_file_unchanged(s)
    held = [*_held_deletes(plan, s, leave, strange and not proven)]
    if strange and not proven:
        replaced = (*s.matches.surplus, *(c.replaces for c in plan.creates if c.replaces))
        held += [_held_replace(entry) for entry in replaced]
    if held and _is_approved(held, s, leave):
        mirror = any(d.reason == "foreign" for d in plan.deletes)
        plan = replace(plan, mirror_approved=s.past.mirror_approved or mirror)
        held, proven = [], True
    ids = {h.id for h in held}
    outnumbered = held and _more_than_half(plan, s, leave)
    return replace(
        plan,
        finish=tuple(d for d in plan.finish if d.id not in ids),
        records=tuple(e for e in plan.records if e.role != "superseded" or e.id not in ids),
        deletes=tuple(d for d in plan.deletes if d.id not in ids),
        creates=tuple(c for c in plan.creates if c.replaces is None or c.replaces.id not in ids),
        held=tuple(held),
        held_of=_voters(s) if outnumbered else None,
        identity=s.folder.identity if not strange or proven else None,
    )


def _held_deletes(plan: Plan, s: Situation, leave: Leave, strange: bool) -> Iterable[Held]:
    gone = [d for d in plan.deletes if d.reason == "gone"]
    foreign = [d for d in plan.deletes if d.reason == "foreign"]
    for_all = _reason_for_all(plan, s, leave, strange)
    for_gone = for_all
    if for_all is None and not leave.allow_delete and _more_than_half(plan, s, leave):
        for_gone = f"more than half of our {_voters(s) + leave.deleted} attachments would go"
    for_foreign = for_all
    if foreign and for_all is None and not s.past.mirror_approved:
        for_foreign = "`delete: mirror` deletes attachments here for the first time"
    if for_gone:
        yield from (_held_delete(d, for_gone) for d in gone)
    if for_foreign:
        yield from (_held_delete(d, for_foreign) for d in foreign)


def _more_than_half(plan: Plan, s: Situation, leave: Leave) -> bool:
    gone = sum(1 for d in plan.deletes if d.reason == "gone")
    total, all_ours = gone + leave.deleted, _voters(s) + leave.deleted
    return gone > 0 and all_ours >= 4 and 2 * total > all_ours


def _voters(s: Situation) -> int:
    """What was ours when the hold began, if there is one: new files do not outvote it."""
    return min(_ours(s), s.past.held_of or _ours(s))


def _reason_for_all(plan: Plan, s: Situation, leave: Leave, strange: bool) -> str | None:
    """Why no delete at all may happen, foreign ones included."""
    if not plan.deletes:
        return None
    if strange:
        return NOT_THE_SAME
    if not s.folder.files and _ours(s) >= 2:
        return f"no synced file is left in the folder, but {_ours(s)} attachments are ours"
    total = len(plan.deletes) + leave.deleted
    if total > s.rules.max_delete and not leave.allow_delete:
        return f"{total} deletes are more than max_delete ({s.rules.max_delete})"
    return None


def _ours(s: Situation) -> int:
    """How many attachments of ours there are, without those that were replaced."""
    replaced = {e.id for e in s.matches.surplus}
    return sum(e.role in ("current", "detached") and e.id not in replaced for e in s.past.entries)


def _every_file_unchanged(s: Situation) -> bool:
    """Whether every attachment of ours still finds its file as it was.

    Of what was sent and not listed since, nobody can say so: its file may have stayed behind.
    """
    unchanged = {entry.id for entry, _ in s.matches.unchanged}
    current = (e.id for e in s.past.entries if e.role == "current")
    return not in_doubt(s.past) and unchanged.issuperset(current)


def _is_approved(held: Iterable[Held], s: Situation, leave: Leave) -> bool:
    """Whether exactly this set was approved; what was done of it before, or is refused by the
    server for now, does not count."""
    ids = {h.id for h in held}
    there = {a.id for a in s.listing.attachments if s.change_refused(a.id) is None}
    buried = {e.id for e in s.past.entries if e.role == "tombstone"}
    return ids == leave.approved & (ids | (there - buried))


def _held_delete(delete: Delete, reason: str) -> Held:
    return Held(delete.id, delete.name, delete.size, "delete", reason)


def _held_replace(entry: LedgerEntry) -> Held:
    return Held(entry.id, entry.path, entry.size, "replace", NOT_THE_SAME)
