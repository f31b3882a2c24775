"""Stands between plan and apply: holds back what would delete too much. Pure.

What it holds stays undone until `syncd approve` names exactly that set; all else goes on.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from syncd.core.plan import Held, Plan
from syncd.core.snapshot import Snapshot

NOT_THE_SAME = "the folder is not the one it was (another inode or file system)"


class Permission(NamedTuple):
    """What a person permits, and what was deleted before."""

    approved: frozenset[int] = frozenset()
    """Attachment ids that `syncd approve` named; void if they are not exactly what is held."""
    allow_delete: bool = False
    """Release the two counts (`--allow-delete`)."""
    deleted: int = 0
    """Deletes already done in this run (service: in the last hour)."""


def guard(plan: Plan, s: Snapshot, permission: Permission) -> Plan:
    """Take out of a plan what has to wait for approval."""
    moved = s.state.identity not in (None, s.folder.identity)
    strange = moved and not _every_file_unchanged(plan, s)
    held = [*_held_deletes(plan, s, permission, strange)]
    if strange:
        replaced = (*s.matches.replaced, *(c.replaces for c in plan.creates if c.replaces))
        held += [Held(e.id, e.path, e.size, "replace", NOT_THE_SAME) for e in replaced]
    if held and _is_approved(held, s, permission):
        plan = plan._replace(mirror_approved=s.state.mirror_approved or plan.deletes_foreign)
        held, strange = [], False
    ids = {h.id for h in held}
    outnumbered = held and _more_than_half(plan, s, permission)
    return plan._replace(
        finish=tuple(d for d in plan.finish if d.id not in ids),
        records=tuple(e for e in plan.records if e.id not in ids),
        deletes=tuple(d for d in plan.deletes if d.id not in ids),
        creates=tuple(c for c in plan.creates if c.replaces is None or c.replaces.id not in ids),
        held=tuple(held),
        held_of=_voters(s) if outnumbered else None,
        identity=None if strange else s.folder.identity,
    )


def _held_deletes(plan: Plan, s: Snapshot, permission: Permission, strange: bool) -> Iterable[Held]:
    for_gone = for_foreign = _reason_for_all(plan, s, permission, strange)
    if not (for_gone or permission.allow_delete) and _more_than_half(plan, s, permission):
        for_gone = f"more than half of our {_voters(s) + permission.deleted} attachments would go"
    if not (for_foreign or s.state.mirror_approved):
        for_foreign = "`delete: mirror` deletes attachments here for the first time"
    for d in plan.deletes:
        if reason := for_foreign if d.reason == "foreign" else for_gone:
            yield Held(d.id, d.name, d.size, "delete", reason)


def _more_than_half(plan: Plan, s: Snapshot, permission: Permission) -> bool:
    gone = sum(1 for d in plan.deletes if d.reason == "gone")
    if not gone:
        return False
    total, all_ours = gone + permission.deleted, _voters(s) + permission.deleted
    return all_ours >= 4 and 2 * total > all_ours


def _voters(s: Snapshot) -> int:
    """What was ours when the hold began, if there is one: new files do not outvote it."""
    return min(_ours(s), s.state.held_of or _ours(s))


def _reason_for_all(plan: Plan, s: Snapshot, permission: Permission, strange: bool) -> str | None:
    """Why no delete at all may happen, foreign ones included."""
    if not plan.deletes:
        return None
    if strange:
        return NOT_THE_SAME
    if not s.folder.files and _ours(s) >= 2:
        return f"no synced file is left in the folder, but {_ours(s)} attachments are ours"
    total = len(plan.deletes) + permission.deleted
    if total > s.rules.max_delete and not permission.allow_delete:
        return f"{total} deletes are more than max_delete ({s.rules.max_delete})"
    return None


def _ours(s: Snapshot) -> int:
    """How many attachments of ours there are, without those that were replaced."""
    m = s.matches
    return sum(map(len, (m.unchanged, m.renamed, m.changed, m.gone, m.unsynced, m.waiting)))


def _every_file_unchanged(plan: Plan, s: Snapshot) -> bool:
    """Whether every attachment of ours that is not detached still finds its file as it was.

    Of what was sent and not listed since, nobody can say so: its file may have stayed behind.
    """
    unchanged = {entry.id for entry, _ in s.matches.unchanged}
    current = {e.id for e in s.state.entries.values() if e.role == "current"}
    gone = any(d.reason == "gone" for d in plan.deletes)
    return not (s.state.in_doubt or s.matches.waiting or gone) and unchanged >= current


def _is_approved(held: Iterable[Held], s: Snapshot, permission: Permission) -> bool:
    """Whether exactly this set was approved; what was done of it before, or is refused by the
    server for now, does not count."""
    ids = {h.id for h in held}
    others = (id_ for id_ in permission.approved - ids if s.change_refused(id_) is None)
    return ids <= permission.approved and not any(map(s.is_shown, others))
