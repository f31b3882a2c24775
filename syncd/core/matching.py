"""Match attachments of ours with files: by content first, by path second. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import NamedTuple, TypeVar

from syncd.model import Fingerprint, FolderSnapshot, LocalFile
from syncd.task_state import LedgerEntry, TaskState

T = TypeVar("T")
Pair = tuple[LedgerEntry, LocalFile]


class Matches(NamedTuple):
    """Every live entry and every file, each in exactly one place."""

    unchanged: Sequence[Pair]
    renamed: Sequence[Pair]
    changed: Sequence[Pair]
    new: Sequence[LocalFile]
    gone: Sequence[LedgerEntry]
    replaced: Sequence[LedgerEntry]
    """Old versions of a file, `replaced_by` the entry that has the file now."""
    superseded: Sequence[LedgerEntry]
    """Old versions that were replaced in an earlier cycle."""
    unsynced: Sequence[LedgerEntry]
    """Their path is not synced any more, or cannot be looked at."""
    waiting: Sequence[LedgerEntry]
    """Their file is gone, but may be one of the `undecided`, renamed."""
    undecided: Mapping[str, int | None]
    """Files whose content cannot be known yet: path -> size, None where it is not known either."""
    unsure: frozenset[str]
    """Paths of files of which only the digest tells whether they have changed."""


def live(state: TaskState) -> tuple[list[LedgerEntry], list[LedgerEntry]]:
    """The entries that stand for a file, and the old versions of files, both by id.

    A superseded one stands for its file again if the version that replaced it was lost.
    """
    entries = state.entries

    def is_live(entry: LedgerEntry) -> bool:
        by = entries.get(entry.replaced_by or 0)
        # What somebody else deleted is a tombstone that is not `listed`.
        lost = by is None or (by.role == "tombstone" and not by.listed)
        return entry.role != "superseded" or lost

    ours = (e for _, e in sorted(entries.items()) if e.role not in ("released", "tombstone"))
    return _split(ours, is_live)


def is_gone(path: str, folder: FolderSnapshot, selects: Callable[[str], bool]) -> bool:
    """Whether a path that has no file is gone, and not only out of sight.

    Today's rules would sync it, its directory was scanned without an error (or is gone from a
    directory that was), and nothing that is not synced stands in its place.
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
    """Whether a file has the content of an attachment; None = only its digest can tell."""
    if entry.fingerprint == file.fingerprint and not entry.racy:
        return True
    if entry.size != file.size:
        return False
    if file.size == 0:
        return True
    if file.digest is None:
        return None
    if entry.digest is None:
        # A crash lost the digest of a create: the file it was read from is unchanged.
        return entry.fingerprint == file.fingerprint
    return entry.digest == file.digest


def match(
    folder: FolderSnapshot,
    state: TaskState,
    selects: Callable[[str], bool],
    unsettled: Collection[str] = (),
) -> Matches:
    """Pair entries and files: same path and content, then same content, then same path."""
    files = _Files(folder.files)
    standing, old = live(state)
    unchanged, rest = files.in_place(standing)
    unsure = (e.path for e in rest if (f := files.at(e)) and same_content(e, f) is None)
    searched, unsynced = _split(rest, lambda e: files.at(e) or is_gone(e.path, folder, selects))
    renamed, searched = files.same_digest(searched)
    # The content of an old version that is still in the task may have come back.
    come_back, old = files.in_place(old)
    renamed_too, old = files.same_digest(old)
    here, absent = _split(searched, files.at)
    unread = (f for f in files.free() if f.path in unsettled and f.digest is None)
    undecided = {**folder.undecided, **{f.path: f.size for f in unread}}
    waiting, gone = _split(absent, lambda e: may_be_one_of(e, undecided))
    changed, replaced = files.same_path(here)
    return Matches(
        unchanged=unchanged + come_back,
        renamed=renamed + renamed_too,
        changed=changed,
        new=files.free(),
        gone=gone,
        replaced=replaced,
        superseded=old,
        unsynced=unsynced,
        waiting=waiting,
        undecided=undecided,
        unsure=frozenset(unsure),
    )


def may_be_one_of(entry: LedgerEntry, undecided: Mapping[str, int | None]) -> bool:
    """Whether an undecided file may have the content of an attachment."""
    others = (size for path, size in undecided.items() if path != entry.path)
    return any(size in (None, entry.size) for size in others)


class _Files:
    """The files of a folder, and which entries were found to have them."""

    def __init__(self, files: Sequence[LocalFile]) -> None:
        self._files = files
        self._by_path = {file.path: file for file in files}
        self._holders: dict[str, LedgerEntry] = {}

    def at(self, entry: LedgerEntry) -> LocalFile | None:
        """The file at the path of an entry."""
        return self._by_path.get(entry.path)

    def free(self) -> list[LocalFile]:
        """Files that no entry has."""
        return [file for file in self._files if file.path not in self._holders]

    def in_place(self, entries: Iterable[LedgerEntry]) -> tuple[list[Pair], list[LedgerEntry]]:
        """Those whose path holds a file with their content, and the others."""
        unchanged: list[Pair] = []
        rest: list[LedgerEntry] = []
        for entry in entries:
            file = self._by_path.get(entry.path)
            if file and entry.path not in self._holders and same_content(entry, file):
                unchanged.append((entry, file))
                self._holders[entry.path] = entry
            else:
                rest.append(entry)
        return unchanged, rest

    def same_digest(self, entries: Sequence[LedgerEntry]) -> tuple[list[Pair], list[LedgerEntry]]:
        """Those whose content stands under another path, and the others."""
        pool: dict[object, list[LocalFile]] = defaultdict(list)
        for file in self.free() if entries else ():
            if mark := _mark(file.digest, file.fingerprint):
                pool[mark].append(file)
        renamed: list[Pair] = []
        rest: list[LedgerEntry] = []
        for entry in entries:
            if candidates := pool.get(_mark(entry.digest, entry.fingerprint)):
                renamed.append((entry, candidates.pop(0)))
                self._holders[renamed[-1][1].path] = entry
            else:
                rest.append(entry)
        return renamed, rest

    def same_path(self, entries: Iterable[LedgerEntry]) -> tuple[list[Pair], list[LedgerEntry]]:
        """The latest version of each changed file, and the older ones with what replaced them."""
        changed: list[Pair] = []
        replaced: list[LedgerEntry] = []
        for entry in sorted(entries, key=lambda e: (e.since, e.id), reverse=True):
            holder = self._holders.setdefault(entry.path, entry)
            if holder is entry:
                changed.append((entry, self._by_path[entry.path]))
            else:
                replaced.append(entry._replace(replaced_by=holder.id))
        return changed, replaced


def _split(items: Iterable[T], holds: Callable[[T], object]) -> tuple[list[T], list[T]]:
    """Those for which a condition holds, and the others."""
    those: list[T] = []
    others: list[T] = []
    for item in items:
        (those if holds(item) else others).append(item)
    return those, others


def _mark(digest: str | None, fingerprint: Fingerprint | None) -> object:
    """What a renamed file keeps: its digest; of an empty file its inode and mtime."""
    if fingerprint is not None and fingerprint.size == 0:
        return fingerprint.inode, fingerprint.mtime_ns
    return digest
