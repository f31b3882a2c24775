"""What leaves the task, and what stays in it without a synced file. Pure.

An attachment is deleted because its file is gone, because a newer version of its file is in the
task, or (mirror) because no file belongs to it. All else stays.
"""

from __future__ import annotations

from collections.abc import Sequence

from syncd.core.adoption import Adoption
from syncd.core.matching import may_be_one_of
from syncd.core.plan import Delete
from syncd.core.snapshot import Snapshot
from syncd.model import Attachment
from syncd.task_state import LedgerEntry, Role


def replaced(s: Snapshot) -> list[LedgerEntry]:
    """Old versions of a file, each with the id of the entry that replaced it."""
    role: Role = "released" if s.rules.delete == "never" else "superseded"
    return [e._replace(role=role) for e in (*s.matches.superseded, *s.matches.replaced)]


def finished(s: Snapshot, replaced: Sequence[LedgerEntry]) -> list[Delete]:
    """Old versions whose newer version is in the task, and has a known content."""
    entries = s.state.entries
    unknown = {e.id for e, _ in s.matches.changed if e.digest is None and e.fingerprint is None}
    return [
        Delete(e.id, e.name.seen, e.size, "replaced", e.path)
        for e in replaced
        if e.role == "superseded" and not may_be_one_of(e, s.matches.undecided)
        if e.replaced_by is not None and e.replaced_by not in unknown
        if s.is_shown(e.replaced_by) or entries[e.replaced_by].role == "tombstone"
    ]


def detached(s: Snapshot) -> list[LedgerEntry]:
    """Attachments that stay although no file is synced to them."""
    kept = s.matches.gone if s.rules.delete == "never" else ()
    return [e._replace(role="detached") for e in (*s.matches.unsynced, *s.matches.waiting, *kept)]


def deletes(s: Snapshot, foreign: Sequence[Attachment], stuck: bool) -> list[Delete]:
    """Attachments whose file is gone, and (mirror) those of others.

    A foreign one may be the only copy of a file that could not be sent yet: none is deleted
    while an upload is put off (`stuck`).
    """
    if s.rules.delete == "never":
        return []
    found = [Delete(e.id, e.name.seen, e.size, "gone", e.path) for e in s.matches.gone]
    if s.rules.delete == "mirror" and not stuck:
        troubled = {p.path for p in s.folder.failed}
        strangers = (a for a in foreign if a.name not in troubled)
        found += [Delete(a.id, a.name, a.size, "foreign") for a in strangers]
    return found


def foreign(s: Snapshot, adoption: Adoption, replaced: Sequence[LedgerEntry]) -> list[Attachment]:
    """Attachments that are not ours, or not any more."""
    adopted = {entry.id for entry, _ in adoption.adopted}
    before = (e for e in s.state.entries.values() if e.role == "released")
    released = (*before, *(e for e in replaced if e.role == "released"))
    return [
        *(e.attachment for e in released if e.shown),
        *(a for a in s.state.strangers.values() if a.id not in adopted),
    ]
