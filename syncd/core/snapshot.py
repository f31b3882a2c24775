"""All that one decision rests on: folder, list and ledger at one moment, and the rules."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from functools import cached_property
from typing import NamedTuple

from syncd.core.matching import Matches, match
from syncd.core.ordering import wanted_sequence
from syncd.model import DAY, HOUR, Attachment, FolderSnapshot, LocalFile, Rules
from syncd.task_state import Intent, LedgerEntry, Refusal, TaskState, same_name

TIMES_A_DAY = 2
"""How often unchanged bytes are created, and a person's change is put back, in 24 hours."""


def retry_delay(attempts: int) -> float:
    """Seconds until a refused request is tried again: a minute, doubled each time, up to a day."""
    return min(60.0 * 2.0 ** (attempts - 1), DAY)


def honoured(state: TaskState, now: float) -> dict[str, Refusal]:
    """Refusals that still hold, by subject; a clock set back makes none of them last longer."""
    return {
        subject: r
        for subject, r in state.refusals.items()
        if 0 < r.not_before - now <= retry_delay(r.attempts)
    }


def created_counts(state: TaskState, now: float) -> dict[tuple[str, str], int]:
    """(path, digest) -> creates in the last 24 hours.

    Only those since the path was deleted or created with other bytes.
    """
    counts: Counter[tuple[str, str]] = Counter()
    latest: dict[str, str | None] = {}
    for event in reversed(state.history):
        if event.what == "put back" or event.at <= now - DAY:
            continue
        digest = event.digest if event.what == "create" else None
        if latest.setdefault(event.subject, digest) == digest and digest is not None:
            counts[event.subject, digest] += 1
        else:
            latest[event.subject] = None
    return dict(counts)


def put_back_count(state: TaskState, subject: str, now: float) -> int:
    """How often an attachment's name, or the `order`, was put back in the last 24 hours."""
    of_subject = (e for e in state.history if e.what == "put back" and e.subject == subject)
    return sum(e.at > now - DAY for e in of_subject)


class _Observed(NamedTuple):
    """Times in seconds since the epoch."""

    folder: FolderSnapshot
    state: TaskState
    rules: Rules
    selects: Callable[[str], bool]
    now: float
    scanned_at: float
    fresh: bool = True
    """The list was taken in this run; False = it is remembered."""
    adopt_any_age: bool = False
    unsettled: frozenset[str] = frozenset()
    """Paths of files that are still being written."""


class Snapshot(_Observed):
    """What was observed, and what follows from it, each worked out when it is first asked for."""

    @cached_property
    def matches(self) -> Matches:
        return match(self.folder, self.state, self.selects, self.unsettled)

    @cached_property
    def rank(self) -> dict[str, int]:
        """Path -> place in the wanted sequence of all files of the folder."""
        sequence = wanted_sequence(self.folder.files, self.rules, self.folder.manifest)
        return {path: place for place, path in enumerate(sequence)}

    @cached_property
    def shown(self) -> dict[int, Attachment]:
        return self.state.shown

    def is_shown(self, id_: int) -> bool:
        """Whether the task holds an attachment, by the last list and our writes since."""
        entry = self.state.entries.get(id_)
        return id_ in self.state.strangers if entry is None else entry.is_shown

    @cached_property
    def created_counts(self) -> dict[tuple[str, str], int]:
        return created_counts(self.state, self.now)

    @property
    def deleted_lately(self) -> int:
        """Deletes of the last hour, which the guard counts."""
        return sum(e.what == "delete" and e.at > self.now - HOUR for e in self.state.history)

    @cached_property
    def _refusals(self) -> dict[str, Refusal]:
        return honoured(self.state, self.now)

    @cached_property
    def _doubtful_paths(self) -> frozenset[str]:
        return frozenset(i.path for i in self.state.in_doubt)

    @cached_property
    def moved_while_in_doubt(self) -> tuple[Intent, ...]:
        """Creates in doubt whose file is not at its path any more: perhaps renamed since."""
        doubtful = [i for i in self.state.in_doubt if i.digest and i.size]
        if not doubtful:
            return ()
        there = {f.path: f.fingerprint for f in self.folder.files}
        return tuple(i for i in doubtful if there.get(i.path) != i.fingerprint)

    @property
    def owed(self) -> int:
        """Requests that creates in doubt still need: a list, and a DELETE per replaced version."""
        replaced = sum(1 for _, file in self.matches.changed if file.path in self._doubtful_paths)
        return bool(self._doubtful_paths) + replaced

    @property
    def refused_alike(self) -> str | None:
        """The error, if every upload was refused alike lately and one of them is still to do."""
        files = self.folder.files if self._refusals else ()
        found = (self.upload_refused(file) for file in files)
        return next((r.error for r in found if r is not None and r.whole), None)

    def change_refused(self, entry_id: int) -> Refusal | None:
        """The refusal of a PUT or DELETE to this attachment, while it is to be honoured."""
        return self._refusals.get(f"#{entry_id}")

    def upload_refused(self, file: LocalFile) -> Refusal | None:
        """The refusal of these very bytes, while it is to be honoured."""
        refusal = self._refusals.get(file.path)
        if refusal is None:
            return None
        same = refusal.digest and refusal.digest == file.digest
        return refusal if same or refusal.fingerprint == file.fingerprint else None

    def may_be_refused(self, file: LocalFile) -> bool:
        """Whether only its digest tells if these are the bytes that were refused, or that could
        not be read to their end."""
        refusal = self.state.refusals.get(file.path)
        if refusal is None or refusal.fingerprint is None:
            return False
        if refusal.unread or refusal.fingerprint == file.fingerprint:
            return refusal.unread and refusal.fingerprint == file.fingerprint
        known = file.path in self._refusals and refusal.digest is not None
        return known and refusal.fingerprint.size == file.size

    def why_not_now(self, file: LocalFile) -> str | None:
        """Why a file cannot be uploaded yet."""
        if file.path in self.unsettled:
            return "still being written"
        if file.path in self.folder.downloading:
            return "empty until the download beside it (.part or .crdownload) is done"
        if file.path in self._doubtful_paths:
            return "an earlier upload of it may still arrive"
        if any(i.digest == file.digest for i in self.moved_while_in_doubt):
            return "an upload under its former name may still arrive"
        return None

    def created_too_often(self, file: LocalFile) -> bool:
        return self.created_counts.get((file.path, file.digest or ""), 0) >= TIMES_A_DAY

    def bind(self, entry: LedgerEntry, file: LocalFile) -> LedgerEntry:
        """The entry of an attachment that has the content of this file."""
        trusted = entry.fingerprint == file.fingerprint and not entry.racy
        if trusted and entry.role == "current" and entry.path == file.path:
            return entry
        stays = entry.role == "current" and (entry.path == file.path or not entry.listed)
        return entry._replace(
            role="current",
            since=entry.since if stays else self.now,
            path=file.path,
            size=file.size,
            digest=entry.digest if trusted else file.digest or entry.digest,
            fingerprint=file.fingerprint,
            racy=not trusted and file.fingerprint.racy_at(self.scanned_at),
            replaced_by=None,
        )

    def has_its_name(self, entry: LedgerEntry) -> bool:
        """Whether an attachment's name is its file's, or what the server always makes of that."""
        named = same_name(entry.name.current(self.now), entry.path)
        return named or entry.name.is_accepted(entry.path)
