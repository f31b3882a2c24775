"""Which attachment of ours is which file: by content first, by path second."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from syncd.model import Fingerprint, FolderSnapshot, LedgerEntry, LocalFile, Past

Pair = tuple[LedgerEntry, LocalFile]


@dataclass(frozen=True)
class Matches:
    """The outcome of matching; every live entry and every file stands in exactly one place."""

    unchanged: tuple[Pair, ...]
    renamed: tuple[Pair, ...]
    changed: tuple[Pair, ...]
    new: tuple[LocalFile, ...]
    gone: tuple[LedgerEntry, ...]
    surplus: tuple[LedgerEntry, ...]
    """Ours, but the file at their path belongs to another entry: replaced, to be deleted."""
    absent: tuple[LedgerEntry, ...]
    """No file to sync, but not gone either: detached."""
    waiting: tuple[LedgerEntry, ...] = ()
    """Gone, but a file of their size cannot be decided about: it may be that one, renamed."""
    undecided: Mapping[str, int | None] = field(default_factory=dict)
    """Files that cannot be decided about: path -> size, None where it is not known."""

    def may_have_moved(self, entry: LedgerEntry) -> bool:
        """Whether the content of an attachment may have another path now."""
        others = (size for path, size in self.undecided.items() if path != entry.path)
        return any(size in (None, entry.size) for size in others)


def live(past: Past) -> tuple[LedgerEntry, ...]:
    """The entries that stand for a file, in the order of their ids.

    A replaced version stands for its file again if the one that replaced it was lost: it
    may be the only one left in the task.
    """
    entries = [e for e in past.entries if e.role in ("current", "detached")]
    standing = {e.path for e in entries}
    entries += [e for e in past.entries if e.role == "superseded" and e.path not in standing]
    return tuple(sorted(entries, key=lambda e: e.id))


def is_gone(path: str, folder: FolderSnapshot, selects: Callable[[str], bool]) -> bool:
    """Whether a path without a file is truly gone.

    Today's rules would sync it, its directory was scanned without an error (or is itself
    gone from a directory that was), and nothing unsynced stands in its place.
    """
    if not selects(path):
        return False
    parts = path.split("/")
    for depth in range(1, len(parts)):
        parent = "/".join(parts[:depth])
        if parent in folder.occupied:
            return False
        if parent not in folder.scanned:
            return True
    return path not in folder.occupied


def same_content(entry: LedgerEntry, file: LocalFile) -> bool | None:
    """Whether a file still has the content of an attachment; None = only its digest can tell."""
    if entry.fingerprint == file.fingerprint and not entry.racy:
        return True
    if entry.size != file.size:
        return False
    if file.size == 0:
        return True
    if file.digest is None:
        return None
    if entry.digest is None:
        # A create whose digest was lost in a crash: the file it was read from is untouched.
        return entry.fingerprint == file.fingerprint
    return entry.digest == file.digest


def wanted_digests(
    folder: FolderSnapshot,
    past: Past,
    selects: Callable[[str], bool],
    unsettled: Collection[str] = (),
) -> frozenset[str]:
    """Paths that must be read before matching can decide; ask again until there are none.

    A file is read only if its entry's fingerprint fails, if an entry without a file or an old
    version has its size (it may be that one), or if it was created before in the last day.
    """
    entries = live(past)
    by_path = {file.path: file for file in folder.files}
    unsure = {
        entry.path
        for entry in entries
        if entry.path in by_path and same_content(entry, by_path[entry.path]) is None
    }
    if unsure := unsure.difference(unsettled):
        return frozenset(unsure)
    matches = match(folder, past, selects, unsettled)
    replaced = [e for e in past.entries if e.role == "superseded"]
    going = (*matches.gone, *matches.waiting, *matches.surplus, *replaced)
    sizes = {e.size for e in going if e.size and e.digest}
    sizes |= {e.size for e, _ in matches.changed if e.size and e.digest}
    created = {path for path, _ in past.created}
    pending = (*matches.new, *(file for _, file in matches.changed))
    return frozenset(
        f.path
        for f in pending
        if f.digest is None and f.path not in unsettled and (f.size in sizes or f.path in created)
    )


def match(
    folder: FolderSnapshot,
    past: Past,
    selects: Callable[[str], bool],
    unsettled: Collection[str] = (),
) -> Matches:
    """Pair entries and files: same path and content, then same content (of old versions, too),
    then same path. Files that are `unsettled` are not read yet."""
    by_path = {file.path: file for file in folder.files}
    taken: set[str] = set()
    unchanged, rest = _in_place(live(past), by_path, taken)
    searched = [e for e in rest if e.path in by_path or is_gone(e.path, folder, selects)]
    found = {e.id for e in searched}
    absent = [e for e in rest if e.id not in found]
    renamed, searched = _same_digest(searched, folder.files, taken)
    # An old version that is still there, and whose content has come back, is not sent again.
    ours = {e.id for e in live(past)}
    old = [e for e in past.entries if e.role == "superseded" and e.id not in ours]
    come_back, old = _in_place(old, by_path, taken)
    unchanged += come_back
    renamed += _same_digest(old, folder.files, taken)[0]
    undecided = {
        f.path: f.size
        for f in folder.files
        if f.path in unsettled and f.digest is None and f.path not in taken
    }
    changed: list[Pair] = []
    gone: list[LedgerEntry] = []
    surplus: list[LedgerEntry] = []
    for entry in sorted(searched, key=lambda e: (e.since, e.id), reverse=True):
        # Newest first: of two versions the later one is what an upload replaces.
        file = by_path.get(entry.path)
        if file is None:
            gone.append(entry)
        elif file.path in taken:
            surplus.append(entry)
        else:
            changed.append((entry, file))
            taken.add(file.path)
    settled = Matches(
        unchanged=tuple(unchanged),
        renamed=tuple(renamed),
        changed=tuple(changed),
        new=tuple(file for file in folder.files if file.path not in taken),
        gone=tuple(gone),
        surplus=tuple(surplus),
        absent=tuple(absent),
        undecided={**folder.undecided, **undecided},
    )
    waiting = tuple(e for e in gone if settled.may_have_moved(e))
    return replace(settled, gone=tuple(e for e in gone if e not in waiting), waiting=waiting)


def _in_place(
    entries: Iterable[LedgerEntry], by_path: Mapping[str, LocalFile], taken: set[str]
) -> tuple[list[Pair], list[LedgerEntry]]:
    """Those whose path holds a file with their content, and the others."""
    unchanged: list[Pair] = []
    rest: list[LedgerEntry] = []
    for entry in entries:
        file = by_path.get(entry.path)
        if file is not None and file.path not in taken and same_content(entry, file):
            unchanged.append((entry, file))
            taken.add(file.path)
        else:
            rest.append(entry)
    return unchanged, rest


def _mark(digest: str | None, fingerprint: Fingerprint | None) -> object:
    """What tells that a file is the one that had another name; None = nothing does."""
    if fingerprint is not None and fingerprint.size == 0:
        return fingerprint.inode, fingerprint.mtime_ns
    return digest


def _same_digest(
    entries: Sequence[LedgerEntry], files: Iterable[LocalFile], taken: set[str]
) -> tuple[list[Pair], list[LedgerEntry]]:
    """Find renamed files by digest; an empty one by what a rename leaves as it was, since its
    content says nothing about where it came from."""
    pool: dict[object, list[LocalFile]] = defaultdict(list)
    for file in files:
        if file.path not in taken and (mark := _mark(file.digest, file.fingerprint)):
            pool[mark].append(file)
    renamed: list[Pair] = []
    rest: list[LedgerEntry] = []
    for entry in entries:
        candidates = pool.get(_mark(entry.digest, entry.fingerprint))
        if candidates:
            file = candidates.pop(0)
            renamed.append((entry, file))
            taken.add(file.path)
        else:
            rest.append(entry)
    return renamed, rest
