"""Compare folder, list and ledger, and plan what makes the task the same as the folder. Pure.

The ledger tells what folder and task last agreed on: where the folder differs from it, somebody
changed the folder; where the task differs, somebody changed the task.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import NamedTuple

from syncd.core import removal
from syncd.core.adoption import Adoption, adopt, candidates_of
from syncd.core.matching import Pair
from syncd.core.ordering import MANIFEST
from syncd.core.placement import Placement, place
from syncd.core.plan import Create, Delete, Plan, Put
from syncd.core.snapshot import TIMES_A_DAY, Snapshot, put_back_count
from syncd.model import LocalFile, Problem
from syncd.task_state import LedgerEntry, same_name

Upload = tuple[LocalFile, LedgerEntry | None]
"""A file to send, and the attachment that it replaces."""


def paths_to_read(s: Snapshot) -> frozenset[str]:
    """Paths of files to be read before `reconcile` can decide; ask again until there are none.

    A file is read if its fingerprint is not the one that its entry has, if it may be what an
    attachment without a file, an old version, a doubtful create or a refusal was, if it was
    created within the last day, or if it is to be adopted.
    """
    m = s.matches
    if unsure := m.unsure.difference(s.unsettled):
        return unsure
    pending = [f for f in (*m.new, *(f for _, f in m.changed)) if f.digest is None]
    before = (*m.gone, *m.waiting, *m.superseded, *m.replaced, *(e for e, _ in m.changed))
    sizes = {e.size for e in before if e.size and e.digest}
    sizes |= {i.size for i in s.moved_while_in_doubt}
    found = candidates_of(m.new, s.state.strangers.values())
    wanted = {file.path for file, candidates in found if candidates}
    wanted |= {path for path, _ in s.created_counts}
    # A file that changed just now is read before it is sent: after a crash its fingerprint
    # alone could not tell whether it changed once more.
    return frozenset(
        f.path
        for f in pending
        if f.path not in s.unsettled
        if f.path in wanted
        or f.size in sizes
        or s.may_be_refused(f)
        or f.fingerprint.racy_at(s.scanned_at)
    )


class _Undone(NamedTuple):
    """What is not done in this cycle, and why; grows while the plan is made."""

    failed: list[Problem]
    waiting: list[Problem]
    contested: list[str]


def reconcile(s: Snapshot) -> Plan:
    """The plan for one snapshot; the guard and the quota may take some of it out."""
    undone = _Undone([*s.folder.failed], [], [])
    adoption = adopt(s)
    uploads, put_off = _uploads(s, adoption, undone)
    pairs = (*s.matches.unchanged, *s.matches.renamed, *adoption.adopted)
    bound = [(s.bind(entry, file), file) for entry, file in pairs]
    shown = [pair for pair in bound if pair[0].is_shown]
    misnamed = _misnamed(s, shown, undone)
    renamed = {file.path for _, file in misnamed}
    kept = [(entry, file) for file, entry in put_off if entry is not None and entry.is_shown]
    at = place(s, [*shown, *kept], [file for file, _ in uploads], renamed)
    reorders = _reorders(s, shown, at, renamed, undone)
    replaced, detached = removal.replaced(s), removal.detached(s)
    foreign = removal.foreign(s, adoption, replaced)
    finish = _permitted(s, removal.finished(s, replaced), undone)
    deletes = _permitted(s, removal.deletes(s, foreign, stuck=bool(put_off)), undone)
    unseen = _unseen(bound, replaced)
    needs_list = not s.fresh and (adoption.adopted or adoption.older)
    records = (*(entry for entry, _ in bound), *replaced, *detached)
    return Plan(
        finish=finish,
        creates=_creates(s, uploads, at),
        deletes=deletes,
        renames=tuple(_rename(s, *pair, at) for pair in misnamed),
        reorders=reorders,
        sequence=at.sequence,
        in_order=at.in_order,
        records=tuple(e for e in records if s.state.entries.get(e.id) != e),
        adopted=tuple(file.path for _, file in adoption.adopted),
        detached=tuple(sorted(e.path for e in detached)),
        foreign=tuple(a.name for a in foreign),
        contested=tuple(dict.fromkeys((*undone.contested, *at.contested))),
        failed=tuple(undone.failed),
        refused_alike=s.refused_alike,
        waiting=(*undone.waiting, *unseen),
        lagging=bool(s.state.in_doubt or unseen),
        hints=_hints(s, adoption, at),
        needs_list="an attachment has a new file's name and size" if needs_list else None,
    )


def _uploads(s: Snapshot, adoption: Adoption, undone: _Undone) -> tuple[list[Upload], list[Upload]]:
    """Which new and changed files can be sent now, and which cannot."""
    ready: list[Upload] = []
    put_off: list[Upload] = []
    changed: list[Upload] = [(file, entry) for entry, file in s.matches.changed]
    for file, entry in (*changed, *((file, None) for file in adoption.new)):
        refusal = s.upload_refused(file)
        if reason := s.why_not_now(file):
            undone.waiting.append(Problem(file.path, reason))
        elif refusal is not None:
            if not refusal.whole:
                undone.failed.append(Problem(file.path, refusal.error))
        elif s.created_too_often(file):
            undone.contested.append(file.path)
        else:
            ready.append((file, entry))
            continue
        put_off.append((file, entry))
    return ready, put_off


def _unseen(bound: Iterable[Pair], replaced: Iterable[LedgerEntry]) -> list[Problem]:
    """Files whose attachment a list must show before a rename, or the delete of an old version."""
    waited_for = {e.replaced_by for e in replaced}
    return [
        Problem(file.path, "its attachment is not in the list yet")
        for entry, file in bound
        if not entry.is_shown
        if entry.id in waited_for or not same_name(entry.name.seen, file.path)
    ]


def _permitted(s: Snapshot, found: Iterable[Delete], undone: _Undone) -> tuple[Delete, ...]:
    """Those whose DELETE is not refused for now."""
    refusals = {d: s.change_refused(d.id) for d in found}
    undone.failed.extend(Problem(d.name, r.error) for d, r in refusals.items() if r is not None)
    return tuple(d for d, refusal in refusals.items() if refusal is None)


def _creates(s: Snapshot, uploads: Sequence[Upload], at: Placement) -> tuple[Create, ...]:
    """Replacements first, then new files; both in the order in which they are to stand."""
    ordered = sorted(uploads, key=lambda u: (u[1] is None, s.rank[u[0].path]))
    return tuple(Create(file, at.numbers[file.path], entry) for file, entry in ordered)


def _misnamed(s: Snapshot, shown: Iterable[Pair], undone: _Undone) -> list[Pair]:
    """Attachments whose name is not their file's: renamed here, or changed in the task."""
    found: list[Pair] = []
    for entry, file in shown:
        if s.has_its_name(entry):
            continue
        put_back = same_name(entry.name.sent, file.path)
        if put_back and put_back_count(s.state, str(entry.id), s.now) >= TIMES_A_DAY:
            undone.contested.append(file.path)
        elif (refusal := s.change_refused(entry.id)) is not None:
            undone.failed.append(Problem(file.path, refusal.error))
        else:
            found.append((entry, file))
    return found


def _rename(s: Snapshot, entry: LedgerEntry, file: LocalFile, at: Placement) -> Put:
    name, number = entry.name.current(s.now), entry.order.current(s.now)
    put_back = same_name(entry.name.sent, file.path)
    return Put(entry, name, number, file.path, at.numbers.get(file.path, number), put_back)


def _reorders(
    s: Snapshot,
    shown: Iterable[Pair],
    at: Placement,
    renamed: Collection[str],
    undone: _Undone,
) -> tuple[Put, ...]:
    """Moves of their own; half a manifest is no order: nothing moves until it can be read."""
    if not at.numbers or any(p.path == MANIFEST for p in s.folder.failed):
        return ()
    reorders: list[Put] = []
    for entry, file in shown:
        if file.path in renamed or file.path not in at.numbers:
            continue
        if (refusal := s.change_refused(entry.id)) is not None:
            undone.failed.append(Problem(file.path, refusal.error))
            continue
        name, number = entry.name.current(s.now), entry.order.current(s.now)
        # What the server or a person made of the name goes along as it is.
        reorders.append(Put(entry, name, number, name, at.numbers[file.path], at.put_back))
    return tuple(sorted(reorders, key=lambda r: r.number))


def _hints(s: Snapshot, adoption: Adoption, at: Placement) -> tuple[str, ...]:
    older = [
        f"{path}: an attachment with its name and size is older than the file; "
        "it counts as foreign, `syncd --once --adopt` claims it"
        for path in adoption.older
    ]
    unknown = [f".syncd-order: {line}: no such file" for line in s.folder.unknown_order_lines]
    order = ["the server keeps an order of its own; it is left until the order here changes"]
    return (*older, *unknown, *(order if at.given_up else ()))
