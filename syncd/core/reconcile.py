"""Compare folder, list and ledger, and plan what makes the task the same as the folder. Pure.

The ledger tells what folder and task last agreed on: where the folder differs from it, somebody
changed the folder; where the task differs, somebody changed the task.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field

from syncd.core import removal
from syncd.core.adoption import Adoption, adopt, candidates_of
from syncd.core.matching import Pair, unread_paths
from syncd.core.names import same_name
from syncd.core.ordering import MANIFEST
from syncd.core.placement import Bound, Placement, place
from syncd.core.plan import Create, Plan, Rename, Reorder
from syncd.core.snapshot import Snapshot
from syncd.model import LocalFile, Problem
from syncd.task_state import LedgerEntry

Upload = tuple[LocalFile, LedgerEntry | None]
"""A file to send, and the attachment that it replaces."""
UNSEEN = "its attachment is not in the list yet"


def paths_to_read(s: Snapshot) -> frozenset[str]:
    """Paths of files to be read before `reconcile` can decide; ask again until there are none."""
    created = (path for path, _ in s.created_counts)
    wanted = unread_paths(s.folder, s.state, created, s.selects, s.unsettled)
    if wanted:
        return wanted
    new = s.matches.new
    found = zip(new, candidates_of(new, s.state.strangers.values()), strict=True)
    adoptable = {file.path for file, candidates in found if candidates}
    # A file that changed just now is read before it is sent: after a crash its fingerprint
    # alone could not tell whether it changed once more.
    return frozenset(
        f.path
        for f in (*new, *(file for _, file in s.matches.changed))
        if f.digest is None and f.path not in s.unsettled
        if (
            f.path in adoptable
            or f.size in s.sizes_in_doubt
            or s.may_be_refused(f)
            or s.was_unreadable(f)
            or f.fingerprint.racy_at(s.scanned_at)
        )
    )


def reconcile(s: Snapshot) -> Plan:
    """The plan for one snapshot; the guard and the quota may take some of it out."""
    adoption = adopt(s)
    pairs = (*s.matches.unchanged, *s.matches.renamed, *adoption.adopted)
    bound_pairs = [(s.bind(entry, file), file) for entry, file in pairs]
    bound = _shown(s, bound_pairs)
    uploads = _uploads(s, adoption)
    names = _names(s, bound)
    renamed = {file.path for _, file, _ in names.wrong}
    at = place(s, [*bound, *_shown(s, uploads.kept)], [f for f, _ in uploads.ready], renamed)
    reorders, unmoved = _reorders(s, bound, at, renamed)
    stuck = bool(uploads.waiting or uploads.failed or uploads.contested)
    finish, unfinished = removal.without_refused(s, removal.finished(s))
    deletes, undeleted = removal.without_refused(s, removal.deletes(s, adoption, stuck))
    unseen = _unseen(s, pairs)
    detached = removal.detached(s)
    records = (*(e for e, _ in bound_pairs), *removal.replaced(s), *detached)
    return Plan(
        finish=finish,
        creates=_creates(s, uploads.ready, at),
        deletes=deletes,
        renames=tuple(_rename(b, at) for b in names.wrong),
        reorders=reorders,
        sequence=at.sequence,
        in_order=at.in_order,
        records=tuple(e for e in records if s.state.entries.get(e.id) != e),
        adopted=tuple(file.path for _, file in adoption.adopted),
        detached=tuple(sorted(e.path for e in detached)),
        foreign=tuple(a.name for a in removal.foreign(s, adoption)),
        contested=tuple(dict.fromkeys((*uploads.contested, *names.contested, *at.contested))),
        failed=(
            *(*s.folder.failed, *uploads.failed, *names.failed),
            *(*unmoved, *unfinished, *undeleted),
        ),
        refused_alike=s.refused_alike,
        waiting=(*uploads.waiting, *unseen),
        lagging=bool(s.state.in_doubt or unseen),
        hints=_hints(s, adoption, at),
        needs_list=_needs_list(s, adoption),
    )


@dataclass
class _Uploads:
    """Which new and changed files can be sent now, and why the others cannot."""

    ready: list[Upload] = field(default_factory=list)
    kept: list[Pair] = field(default_factory=list)
    """Attachments that keep their old content for now."""
    failed: list[Problem] = field(default_factory=list)
    waiting: list[Problem] = field(default_factory=list)
    contested: list[str] = field(default_factory=list)


def _uploads(s: Snapshot, adoption: Adoption) -> _Uploads:
    found = _Uploads()
    changed: list[Upload] = [(file, entry) for entry, file in s.matches.changed]
    for file, entry in (*changed, *((file, None) for file in adoption.new)):
        refusal = s.upload_refused(file)
        if reason := s.why_not_now(file):
            found.waiting.append(Problem(file.path, reason))
        elif refusal is not None:
            if not refusal.whole:
                found.failed.append(Problem(file.path, refusal.error))
        elif s.created_too_often(file):
            found.contested.append(file.path)
        else:
            found.ready.append((file, entry))
            continue
        if entry is not None:
            found.kept.append((entry, file))
    return found


def _shown(s: Snapshot, pairs: Iterable[Pair]) -> list[Bound]:
    """Only what the list shows can be renamed or moved."""
    return [(e, f, s.current(e)) for e, f in pairs if e.id in s.shown]


def _unseen(s: Snapshot, pairs: Iterable[Pair]) -> list[Problem]:
    """Files whose attachment a list has to show before it can be renamed, or its old version
    deleted."""
    waited_for = {e.replaced_by for e in removal.replaced(s)}
    return [
        Problem(file.path, UNSEEN)
        for entry, file in pairs
        if entry.id not in s.shown
        if entry.id in waited_for or not same_name(entry.name.seen, file.path)
    ]


def _creates(s: Snapshot, ready: Sequence[Upload], at: Placement) -> tuple[Create, ...]:
    """Replacements first, then new files; both in the order in which they are to stand."""
    ordered = sorted(ready, key=lambda u: (u[1] is None, s.rank[u[0].path]))
    return tuple(Create(file, at.numbers[file.path], entry) for file, entry in ordered)


@dataclass
class _Names:
    """Attachments whose name is not their file's: renamed here, or changed in the task."""

    wrong: list[Bound] = field(default_factory=list)
    contested: list[str] = field(default_factory=list)
    failed: list[Problem] = field(default_factory=list)


def _names(s: Snapshot, bound: Iterable[Bound]) -> _Names:
    found = _Names()
    for entry, file, attachment in bound:
        if s.has_its_name(entry):
            continue
        if same_name(entry.name.sent, file.path) and s.put_back_too_often(entry):
            found.contested.append(file.path)
        elif (refusal := s.change_refused(entry.id)) is not None:
            found.failed.append(Problem(file.path, refusal.error))
        else:
            found.wrong.append((entry, file, attachment))
    return found


def _rename(bound: Bound, at: Placement) -> Rename:
    entry, file, a = bound
    number = at.numbers.get(file.path, a.display_order)
    put_back = same_name(entry.name.sent, file.path)
    return Rename(entry, a.name, a.display_order, file.path, number, put_back)


def _reorders(
    s: Snapshot, bound: Sequence[Bound], at: Placement, renamed: Collection[str]
) -> tuple[tuple[Reorder, ...], list[Problem]]:
    reorders: list[Reorder] = []
    failed: list[Problem] = []
    if any(p.path == MANIFEST for p in s.folder.failed):
        return (), failed  # Half a manifest is no order: nothing moves until it can be read.
    for entry, file, a in bound:
        number = at.numbers.get(file.path, a.display_order)
        if file.path in renamed or number == a.display_order:
            continue
        if (refusal := s.change_refused(entry.id)) is not None:
            failed.append(Problem(file.path, refusal.error))
            continue
        # What the server or a person made of the name goes along as it is.
        name = file.path if same_name(a.name, file.path) else a.name
        reorders.append(Reorder(entry, name, a.display_order, number, at.put_back))
    return tuple(sorted(reorders, key=lambda r: r.number)), failed


def _hints(s: Snapshot, adoption: Adoption, at: Placement) -> tuple[str, ...]:
    older = [
        f"{path}: an attachment with its name and size is older than the file; "
        "it counts as foreign, `syncd --once --adopt` claims it"
        for path in adoption.older
    ]
    unknown = [f".syncd-order: {line}: no such file" for line in s.folder.unknown_order_lines]
    order = ["the server keeps an order of its own; it is left until the order here changes"]
    return (*older, *unknown, *(order if at.given_up else ()))


def _needs_list(s: Snapshot, adoption: Adoption) -> str | None:
    if not s.fresh and (adoption.adopted or adoption.older):
        return "an attachment that is not ours has a new file's name and size"
    return None
