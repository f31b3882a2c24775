"""Folder, task and ledger in, plan out: the three-way comparison. Pure.

The ledger tells what folder and task last agreed on: where the folder differs from it, the
folder's user acted; where the task differs, somebody there did.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from syncd.core import leaving
from syncd.core.adoption import Adoption, adopt, candidates_of
from syncd.core.books import in_doubt
from syncd.core.matching import Pair, wanted_digests
from syncd.core.names import same_name
from syncd.core.ordering import MANIFEST, wanted_sequence
from syncd.core.places import Bound, Places, places
from syncd.core.plan import Create, Plan, Rename, Reorder
from syncd.core.situation import Situation
from syncd.model import LedgerEntry, LocalFile, Problem

Upload = tuple[LocalFile, LedgerEntry | None]
UNSEEN = "its attachment is not in the list yet"


def digests(s: Situation) -> frozenset[str]:
    """Paths to be read before `reconcile` can decide; ask again until there are none."""
    wanted = wanted_digests(s.folder, s.past, s.selects, s.unsettled)
    if wanted:
        return wanted
    new = s.matches.new
    unread = {
        file.path
        for file, candidates in zip(new, candidates_of(new, s.unknown), strict=True)
        if candidates and file.digest is None
    }
    # What is sent so soon after a change is read before: should the process die over it, its
    # fingerprint alone could not tell whether it changed once more.
    pending = (*new, *(file for _, file in s.matches.changed))
    unread |= {
        f.path
        for f in pending
        if f.digest is None
        and (
            f.size in s.sizes_under_way
            or s.may_be_refused(f)
            or s.was_unreadable(f)
            or f.fingerprint.racy_at(s.scanned_at)
        )
    }
    return frozenset(unread) - s.unsettled


def reconcile(s: Situation) -> Plan:
    """Decide what makes the task the same as the folder."""
    adoption = adopt(s)
    pairs = (*s.matches.unchanged, *s.matches.renamed, *adoption.adopted)
    entries = [s.bind(entry, file) for entry, file in pairs]
    bound = _shown(s, zip(entries, (file for _, file in pairs), strict=True))
    unseen = _unseen(s, pairs)
    unlisted = {e.digest for e in entries if e.id not in s.shown and e.size and e.digest}
    uploads = _uploads(s, adoption)
    pending = _pending(s, adoption, uploads, unseen)
    names = _renames(s, bound)
    at = places(s, bound, _shown(s, uploads.kept), uploads.ready, {r.path for r in names.wanted})
    renames = [_rename(s, w, at) for w in names.wanted]
    reorders, unmoved = _reorders(s, bound, at, {w.path for w in names.wanted})
    stuck = bool(uploads.waiting or uploads.failed or uploads.contested)
    deletes, undeleted = leaving.deletes(s, adoption, unlisted, stuck)
    keeps = s.rules.delete == "never"
    before = {e.id: e for e in s.past.entries}
    records = (*entries, *leaving.superseded(s), *leaving.detached(s))
    failed = (*s.folder.failed, *uploads.failed, *names.failed, *unmoved, *undeleted)
    return Plan(
        finish=() if keeps else leaving.finished(s, pending, unlisted),
        creates=_creates(s, uploads.ready, at),
        deletes=deletes,
        unsent=bool(uploads.ready),
        renames=tuple(renames),
        reorders=reorders,
        attempt=at.attempt,
        records=tuple(e for e in records if before.get(e.id) != e),
        forget=tuple(e.id for e in s.matches.surplus) if keeps else (),
        adopted=tuple(file.path for _, file in adoption.adopted),
        detached=tuple(sorted(e.path for e in leaving.detached(s))),
        foreign=leaving.foreign(s, adoption),
        contested=tuple(dict.fromkeys((*uploads.contested, *names.contested, *at.contested))),
        failed=failed,
        refused_alike=s.refused_alike,
        waiting=(*uploads.waiting, *(Problem(p, UNSEEN) for p, waits in unseen.items() if waits)),
        lagging=bool(in_doubt(s.past)) or any(unseen.values()),
        hints=_hints(s, adoption),
        needs_list=_needs_list(s, adoption, at),
    )


@dataclass(frozen=True)
class _Uploads:
    ready: tuple[Upload, ...]
    kept: tuple[Pair, ...]
    """Attachments that keep their old content for now."""
    failed: tuple[Problem, ...]
    waiting: tuple[Problem, ...]
    contested: tuple[str, ...]


def _uploads(s: Situation, adoption: Adoption) -> _Uploads:
    """Which new and changed files can be sent now, and why the others cannot."""
    ready: list[Upload] = []
    kept: list[Pair] = []
    failed: list[Problem] = []
    waiting: list[Problem] = []
    contested: list[str] = []
    changed: list[Upload] = [(file, entry) for entry, file in s.matches.changed]
    for file, entry in (*changed, *((file, None) for file in adoption.new)):
        refusal = s.upload_refused(file)
        if reason := s.why_not_now(file):
            waiting.append(Problem(file.path, reason))
        elif refusal is not None:
            if not refusal.whole:
                failed.append(Problem(file.path, refusal.error))
        elif s.created_too_often(file):
            contested.append(file.path)
        else:
            ready.append((file, entry))
            continue
        if entry is not None:
            kept.append((entry, file))
    return _Uploads(tuple(ready), tuple(kept), tuple(failed), tuple(waiting), tuple(contested))


def _shown(s: Situation, pairs: Iterable[Pair]) -> list[Bound]:
    """Only what the list shows can be renamed or moved; a lagging one comes later."""
    return [(e, f, s.believed(e)) for e, f in pairs if e.id in s.shown]


def _unseen(s: Situation, pairs: Iterable[Pair]) -> dict[str, bool]:
    """Paths of what only a 201 has told of; True: a list is waited for, since it has to be
    renamed, or what is to be deleted is an old version of it or has the same content."""
    replaced = [e for e in s.past.entries if e.role == "superseded"]
    old = {e.path for e in (*replaced, *s.matches.surplus)}
    going = (*replaced, *s.matches.surplus, *s.matches.gone)
    contents = {e.digest for e in going if e.size and e.digest}
    found = {f.path: False for e, f in s.matches.changed if e.id not in s.shown}
    for entry, file in pairs:
        if entry.id not in s.shown:
            named = same_name(entry.name.seen, file.path)
            found[file.path] = file.path in old or entry.digest in contents or not named
    return found


def _pending(
    s: Situation, adoption: Adoption, uploads: _Uploads, unseen: Collection[str]
) -> frozenset[str]:
    """Paths of which no version that could be the last one is seen in the task yet."""
    unknown = {f.path for e, f in s.matches.changed if not e.digest and not e.fingerprint}
    undecided = {f.path for f, _ in uploads.ready} | {p.path for p in uploads.waiting}
    unsent = undecided & ({f.path for f in adoption.new} | unknown)
    return frozenset(unsent | {e.path for e in s.matches.gone if e.id not in s.shown}).union(unseen)


def _creates(s: Situation, ready: Sequence[Upload], at: Places) -> tuple[Create, ...]:
    """Replacements first, then new files; both in the order in which they are to stand."""
    sequence = wanted_sequence([file for file, _ in ready], s.rules, s.folder.manifest)
    rank = {path: n for n, path in enumerate(sequence)}
    ordered = sorted(ready, key=lambda u: (u[1] is None, rank[u[0].path]))
    creates = []
    for file, entry in ordered:
        number = at.numbers.get(file.path)
        if number is None:
            assert entry is not None, "only a replacement has a number already"
            shown = s.shown.get(entry.id)
            number = shown.display_order if shown else entry.order.seen
        creates.append(Create(file, number, entry))
    return tuple(creates)


@dataclass(frozen=True)
class _Wish:
    path: str
    bound: Bound
    put_back: bool


@dataclass(frozen=True)
class _Names:
    wanted: tuple[_Wish, ...]
    contested: tuple[str, ...]
    failed: tuple[Problem, ...]


def _renames(s: Situation, bound: Sequence[Bound]) -> _Names:
    """Whose name is not its file's: renamed here, or renamed there and to be put back."""
    wanted: list[_Wish] = []
    contested: list[str] = []
    failed: list[Problem] = []
    for entry, file, attachment in bound:
        if s.names_itself(entry, attachment):
            continue
        put_back = same_name(entry.name.sent, file.path)
        refusal = s.change_refused(entry.id)
        if put_back and s.put_back_too_often(entry):
            contested.append(file.path)
        elif refusal is not None:
            failed.append(Problem(file.path, refusal.error))
        else:
            wanted.append(_Wish(file.path, (entry, file, attachment), put_back))
    return _Names(tuple(wanted), tuple(contested), tuple(failed))


def _rename(s: Situation, wish: _Wish, at: Places) -> Rename:
    entry, file, attachment = wish.bound
    here = attachment.display_order
    number = at.numbers.get(file.path, here if s.counts_itself else entry.order.along(here, s.now))
    return Rename(entry, attachment.name, here, file.path, number, wish.put_back)


def _reorders(
    s: Situation, bound: Sequence[Bound], at: Places, renamed: Collection[str]
) -> tuple[tuple[Reorder, ...], list[Problem]]:
    reorders: list[Reorder] = []
    failed: list[Problem] = []
    if any(p.path == MANIFEST for p in s.folder.failed):
        return (), failed  # Half a manifest is no order: nothing moves until it can be read.
    for entry, file, a in bound:
        number = at.numbers.get(file.path, a.display_order)
        if file.path in renamed or number == a.display_order:
            continue
        refusal = s.change_refused(entry.id)
        if refusal is not None:
            failed.append(Problem(file.path, refusal.error))
            continue
        # What the server or a person made of the name goes along as it is.
        named = same_name(a.name, file.path)
        name = file.path if named else entry.name.along(a.name, s.now)
        put_back = file.path in at.put_back
        reorders.append(Reorder(entry, name, a.display_order, number, put_back))
    # On a server that counts anew at every change only the order of the requests is sure.
    return tuple(sorted(reorders, key=lambda r: r.number)), failed


def _hints(s: Situation, adoption: Adoption) -> tuple[str, ...]:
    older = [
        f"{path}: an attachment with its name and size is older than the file; "
        "it counts as foreign, `syncd --once --adopt` claims it"
        for path in adoption.older
    ]
    unknown = [f".syncd-order: {line}: no such file" for line in s.folder.unknown_order_lines]
    return (*older, *unknown)


def _needs_list(s: Situation, adoption: Adoption, at: Places) -> str | None:
    if s.fresh:
        return None
    if at.untold:
        return "the server gives numbers of its own at every change"
    if adoption.adopted or adoption.older:
        return "an attachment that is not ours has a new file's name and size"
    return None
