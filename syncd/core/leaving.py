"""What leaves the task, and what stays in it though no file is synced to it. Pure."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

from syncd.core.adoption import Adoption
from syncd.core.matching import live
from syncd.core.plan import Delete
from syncd.core.situation import Situation
from syncd.model import LedgerEntry, Problem


def superseded(s: Situation) -> list[LedgerEntry]:
    """Ours whose file belongs to another attachment by now: to be deleted.

    Of several old versions the latest may yet have to stand in; so each keeps its age.
    """
    if s.rules.delete == "never":
        return []
    return [replace(e, role="superseded") for e in s.matches.surplus]


def finished(
    s: Situation, pending: Collection[str], unlisted: Collection[str]
) -> tuple[Delete, ...]:
    """Old versions whose replacement stands in the task, and is seen there.

    `pending` are the paths of files of which that is not so; `unlisted` are the contents of
    those of which only a 201 says that they are in the task.
    """
    paired = (*s.matches.unchanged, *s.matches.renamed)
    standing = {e.id for e in live(s.past)} | {e.id for e, _ in paired}
    old = [e for e in s.past.entries if e.role == "superseded" and e.id not in standing]
    return tuple(
        Delete(e.id, e.name.seen, e.size, "replaced", e.path)
        for e in (*old, *s.matches.surplus)
        if s.change_refused(e.id) is None and e.path not in pending and e.digest not in unlisted
        if not s.matches.may_have_moved(e)
    )


def detached(s: Situation) -> list[LedgerEntry]:
    """Ours without a file to sync, and not because the file is gone: left in peace.

    Each keeps its age: another version of its path that comes to light may be the later one.
    """
    absent = [*s.matches.absent, *s.matches.waiting]
    if s.rules.delete == "never":
        absent += s.matches.gone
    return [replace(e, role="detached") for e in absent]


def deletes(
    s: Situation, adoption: Adoption, unlisted: Collection[str], stuck: bool
) -> tuple[tuple[Delete, ...], list[Problem]]:
    """Attachments whose file is gone, and (mirror) what is not ours.

    A foreign attachment may be the only copy of a file that could not be sent yet: none is
    deleted while one waits or fails (`stuck`), nor before every upload stands in the task
    (`Plan.due`).
    """
    if s.rules.delete == "never":
        return (), []
    found = [
        Delete(e.id, s.shown[e.id].name if e.id in s.shown else e.name.seen, e.size, "gone", e.path)
        for e in s.matches.gone
        if e.digest not in unlisted
    ]
    if s.rules.delete == "mirror" and not stuck and s.refused_alike is None:
        adopted = {entry.id for entry, _ in adoption.adopted}
        troubled = {p.path for p in s.folder.failed}
        found += [
            Delete(a.id, a.name, a.size, "foreign")
            for a in s.unknown
            if a.id not in adopted and a.name not in troubled
        ]
    refused = {d.id: r for d in found if (r := s.change_refused(d.id))}
    old = (e for e in s.past.entries if e.role == "superseded")
    return (
        tuple(d for d in found if d.id not in refused),
        [
            *(Problem(d.name, refused[d.id].error) for d in found if d.id in refused),
            *(Problem(e.path, r.error) for e in old if (r := s.change_refused(e.id))),
        ],
    )


def foreign(s: Situation, adoption: Adoption) -> tuple[str, ...]:
    """The names of what is not ours, or not any more."""
    adopted = {entry.id for entry, _ in adoption.adopted}
    released = s.matches.surplus if s.rules.delete == "never" else ()
    return (
        *(a.name for a in s.unknown if a.id not in adopted),
        *(e.name.seen for e in released),
    )
