"""Find the files that the server refuses or always fails on, without stopping the others."""

from __future__ import annotations

from collections.abc import Sequence

from syncd.core.plan import Create
from syncd.core.snapshot import retry_delay
from syncd.errors import ApiError
from syncd.model import LocalFile
from syncd.task_state import Refusal, TaskState

REQUESTS = 8
"""What sorting out a failed bulk may take in one run, the lists that follow included."""
TRIES = 3
"""Files refused alone, none accepted: then it is not the files."""


class FailedUploads:
    """What one run knows of creates that were refused or failed.

    A refused bulk holds at least one bad file. Half of it is sent: if it is accepted, the bad one
    is in the other half; if it is refused, it is in this one, and the other half is as good as
    any file again. Once it is found, the rest goes in bulk, if anything was accepted at all; else
    a few single files from elsewhere tell first whether it is the files.

    A bulk that the server failed on (5xx) may have failed by chance: once a part of it is
    accepted, the rest is sent as it is. Each such failure costs a list, too, so that a smaller
    part is sent at a time. A file is found when it has failed alone, and not for the first time.
    """

    def __init__(self) -> None:
        self._suspects: tuple[str, ...] = ()
        """Paths of which at least one is bad."""
        self._certain = True
        """They were refused, or have failed more than once."""
        self._part_accepted = False
        self._share = 2
        """The part of the suspects that is sent: one in so many."""
        self._unclear: list[tuple[Create, ...]] = []
        """Creates that the server failed on: the next list tells what became of them."""
        self.known: dict[str, float] = {}
        """Files that were refused or failed in an earlier run, and when they may go again: they
        go last, and alone."""
        self.cautious = False
        """The server failed on every upload of the last run: one file tells whether it does."""
        self._probed = False
        """That file has failed: no more is sent in this run."""
        self._spent: int | None = None
        """Requests since the first failed bulk."""
        self._errors: list[ApiError] = []
        self._found: dict[str, Create] = {}
        """Files that were refused alone."""
        self.any_accepted = False
        self.task_doubted = False
        """A 403 or 404 was the answer: the list that follows tells whether it is the task."""

    def allowed(self, creates: Sequence[Create]) -> tuple[Create, ...]:
        """The creates to send now."""
        if not self.is_affordable:
            return ()
        suspects = [c for c in creates if c.file.path in self._suspects]
        if suspects and self._part_accepted and not self._certain:
            return tuple(suspects)
        if suspects:
            return tuple(suspects[: max((len(suspects) + self._share - 2) // self._share, 1)])
        if self._spent is not None and self._found and not self.any_accepted:
            middle = len(creates) // 2
            return tuple(creates[-1:] if len(self._found) % 2 else creates[middle : middle + 1])
        unknown = tuple(c for c in creates if c.file.path not in self.known)
        if unknown and not (self.cautious and not self.any_accepted):
            return unknown
        first = sorted(creates, key=lambda c: self.known.get(c.file.path, -1.0))
        return tuple(first[:1])

    def accepted(self, batch: Sequence[Create]) -> None:
        """Creates were carried out by one request."""
        self.any_accepted = True
        self._count()
        paths = {c.file.path for c in batch}
        rest = tuple(p for p in self._suspects if p not in paths)
        self._part_accepted = self._part_accepted or rest != self._suspects
        self._suspects = rest

    def refused(self, batch: Sequence[Create], error: ApiError) -> Create | None:
        """A create was refused; returns the file, if it is found."""
        self._errors.append(error)
        self._count()
        paths = tuple(c.file.path for c in batch)
        if len(batch) == 1:
            self._suspects = ()
            self._found[paths[0]] = batch[0]
            return batch[0]
        self._spent = self._spent or 0
        self._suspects, self._certain = paths, True
        return None

    def failed(self, batch: Sequence[Create]) -> None:
        """The server failed on a create; the list that tells what became of it counts, too."""
        self._unclear.append(tuple(batch))
        self._spent = 1 if self._spent is None else self._spent + 2
        self._share = 3
        self._probed = self.cautious and not self.any_accepted

    def failed_alone(self, left: Sequence[Create]) -> list[Create]:
        """After the list: files of `left` that failed alone, and not for the first time."""
        found: list[Create] = []
        there = {c.file.path for c in left}
        for batch in self._unclear:
            still = [c for c in batch if c.file.path in there]
            paths = tuple(c.file.path for c in still)
            again = set(paths) <= {*self._suspects} or self._probed
            if len(still) == 1 and (again or paths[0] in self.known):
                found.append(still[0])
                self._suspects = ()
            else:
                self._suspects, self._certain, self._part_accepted = paths, again, False
        self._unclear.clear()
        return found

    def doubt_task(self) -> None:
        """An upload was refused as if it were for the task; the list that is to tell counts."""
        self.task_doubted = True
        self._spent = (self._spent or 0) + 1

    def alike(self, left: Sequence[Create]) -> tuple[ApiError, tuple[Create, ...]] | None:
        """The error and the files found, if every upload is refused alike.

        `left` is what is not sorted out. A refused bulk tells nothing of each file in it, so that
        three (or as many as there are, from two) must have been refused alone, none accepted, and
        nothing more be affordable that could tell otherwise.
        """
        if left and self.is_affordable:
            return None
        tries = min(TRIES, len(self._found) + len(left))
        if self.any_accepted or len(self._found) < max(tries, 2):
            return None
        if len({error.reason_key for error in self._errors}) != 1:
            return None
        return self._errors[0], tuple(self._found.values())

    @property
    def is_affordable(self) -> bool:
        """Whether one more try keeps to what sorting out may take."""
        return self._spent is None or (self._spent < REQUESTS - 1 and not self._probed)

    def _count(self) -> None:
        if self._spent is not None:
            self._spent += 1


def refusal(
    state: TaskState,
    subject: str,
    error: str,
    now: float,
    file: LocalFile | None = None,
    *,
    digest: str | None = None,
    whole: bool = False,
) -> Refusal:
    """The refusal to remember: each time in a row it is honoured twice as long."""
    fingerprint, attempts = file.fingerprint if file else None, 1
    before = state.refusals.get(subject)
    if before is not None and before.not_before <= now:
        same_bytes = bool(digest) and before.digest == digest
        if before.fingerprint == fingerprint or same_bytes:
            attempts = before.attempts + 1
    until = now + retry_delay(attempts)
    return Refusal(subject, error, fingerprint, attempts, until, whole, digest)


def unreadable(state: TaskState, file: LocalFile, reason: str, now: float) -> Refusal:
    """A file that twice could not be read to its end: left alone like a refused one."""
    return refusal(state, file.path, reason, now, file, digest="")
