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
    replaced: Sequence[tuple[LedgerEntry, LedgerEntry]]
    """Old versions of a file, each with the entry that has the file now."""
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

    def may_have_moved(self, entry: LedgerEntry) -> bool:
        """Whether an undecided file may have the content of an attachment."""
        return _may_be_one_of(entry, self.undecided)


def live(state: TaskState) -> tuple[list[LedgerEntry], list[LedgerEntry]]:
    """The entries that stand for a file, and the old versions of files, both by id.

    A superseded one stands for its file again if the version that replaced it was lost.
    """
    ours = (e for _, e in sorted(state.entries.items()) if e.role in _LIVE)
    return _split(ours, lambda e: e.role != "superseded" or not _is_there(e.replaced_by, state))


_LIVE = frozenset({"current", "detached", "superseded"})


def _is_there(id_: int | None, state: TaskState) -> bool:
    """Whether an entry was not lost. What somebody else deleted is a tombstone that is not
    `listed`."""
    entry = state.entries.get(id_ or 0)
    return entry is not None and (entry.role != "tombstone" or entry.listed)


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
    by_path = {file.path: file for file in folder.files}
    holders: dict[str, LedgerEntry] = {}
    standing, old = live(state)
    unchanged, rest = _in_place(standing, by_path, holders)
    unsure = {
        e.path for e in rest if e.path in by_path and same_content(e, by_path[e.path]) is None
    }
    searched, unsynced = _split(
        rest, lambda e: e.path in by_path or is_gone(e.path, folder, selects)
    )
    renamed, searched = _same_digest(searched, folder.files, holders)
    # The content of an old version that is still in the task may have come back.
    come_back, old = _in_place(old, by_path, holders)
    renamed_too, old = _same_digest(old, folder.files, holders)
    here, absent = _split(searched, lambda e: e.path in by_path)
    unread = (f for f in folder.files if f.path in unsettled and f.digest is None)
    undecided = {**folder.undecided, **{f.path: f.size for f in unread if f.path not in holders}}
    waiting, gone = _split(absent, lambda e: _may_be_one_of(e, undecided))
    changed, replaced = _same_path(here, by_path, holders)
    return Matches(
        unchanged=unchanged + come_back,
        renamed=renamed + renamed_too,
        changed=changed,
        new=[file for file in folder.files if file.path not in holders],
        gone=gone,
        replaced=replaced,
        superseded=old,
        unsynced=unsynced,
        waiting=waiting,
        undecided=undecided,
        unsure=frozenset(unsure),
    )


def _split(items: Iterable[T], holds: Callable[[T], bool]) -> tuple[list[T], list[T]]:
    """Those for which a condition holds, and the others."""
    those: list[T] = []
    others: list[T] = []
    for item in items:
        (those if holds(item) else others).append(item)
    return those, others


def _may_be_one_of(entry: LedgerEntry, undecided: Mapping[str, int | None]) -> bool:
    others = (size for path, size in undecided.items() if path != entry.path)
    return any(size in (None, entry.size) for size in others)


def _in_place(
    entries: Iterable[LedgerEntry],
    by_path: Mapping[str, LocalFile],
    holders: dict[str, LedgerEntry],
) -> tuple[list[Pair], list[LedgerEntry]]:
    """Those whose path holds a file with their content, and the others."""
    unchanged: list[Pair] = []
    rest: list[LedgerEntry] = []
    for entry in entries:
        file = by_path.get(entry.path)
        if file is not None and file.path not in holders and same_content(entry, file):
            unchanged.append((entry, file))
            holders[file.path] = entry
        else:
            rest.append(entry)
    return unchanged, rest


def _same_digest(
    entries: Sequence[LedgerEntry], files: Iterable[LocalFile], holders: dict[str, LedgerEntry]
) -> tuple[list[Pair], list[LedgerEntry]]:
    """Those whose content stands under another path, and the others."""
    if not entries:
        return [], []
    pool: dict[object, list[LocalFile]] = defaultdict(list)
    for file in files:
        if file.path not in holders and (mark := _mark(file.digest, file.fingerprint)):
            pool[mark].append(file)
    renamed: list[Pair] = []
    rest: list[LedgerEntry] = []
    for entry in entries:
        candidates = pool.get(_mark(entry.digest, entry.fingerprint))
        if candidates:
            file = candidates.pop(0)
            renamed.append((entry, file))
            holders[file.path] = entry
        else:
            rest.append(entry)
    return renamed, rest


def _same_path(
    entries: Iterable[LedgerEntry],
    by_path: Mapping[str, LocalFile],
    holders: dict[str, LedgerEntry],
) -> tuple[list[Pair], list[tuple[LedgerEntry, LedgerEntry]]]:
    """The latest version of each changed file, and the older versions with what replaced them."""
    changed: list[Pair] = []
    replaced: list[tuple[LedgerEntry, LedgerEntry]] = []
    for entry in sorted(entries, key=lambda e: (e.since, e.id), reverse=True):
        if entry.path in holders:
            replaced.append((entry, holders[entry.path]))
        else:
            changed.append((entry, by_path[entry.path]))
            holders[entry.path] = entry
    return changed, replaced


def _mark(digest: str | None, fingerprint: Fingerprint | None) -> object:
    """What a renamed file keeps: its digest; of an empty file its inode and mtime."""
    if fingerprint is not None and fingerprint.size == 0:
        return fingerprint.inode, fingerprint.mtime_ns
    return digest
