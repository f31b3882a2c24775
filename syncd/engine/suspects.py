"""Choose which creates to send, so that a file that the server does not take is found soon."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Literal, NamedTuple

from syncd.core.plan import Create
from syncd.engine.blame import Blame, failed_before
from syncd.errors import ApiError, Doubtful
from syncd.model import LocalFile
from syncd.task_state import TaskState

REQUESTS = 8
"""What a run may take after the first upload that failed, the list at its end included."""
PARTS = {"refused": 2, "failed once": 3, "failed again": 3, "by chance": 1}
"""One part in so many is sent. After a failure (5xx) it is a smaller one, since each costs a list:
with halves some runs would end before any file is found."""


class Suspects(NamedTuple):
    """Files of an upload that was refused or failed, as far as they are not cleared.

    A part of them is sent. If it is accepted, a bad file is in the rest; if not, one is in this
    part, and the rest is as good as any file again.
    """

    paths: frozenset[str] = frozenset()
    why: Literal["refused", "failed once", "failed again", "by chance"] = "refused"
    """One failure may be nobody's fault: if a part is accepted then, it was by chance."""

    def part(self, creates: Sequence[Create]) -> tuple[Create, ...]:
        """Those of the creates to send next; none if no suspect is among them."""
        there = tuple(c for c in creates if c.file.path in self.paths)
        return there[: max(round(len(there) / PARTS[self.why]), 1)]

    def without(self, accepted: frozenset[str]) -> Suspects:
        """The suspects after some files were accepted."""
        is_chance = self.why == "failed once" and not accepted.isdisjoint(self.paths)
        return Suspects(self.paths - accepted, "by chance" if is_chance else self.why)


class Search:
    """The search of one run for the files that the server refuses or always fails on.

    A file is found when it is refused alone, or fails alone and not for the first time.
    """

    def __init__(self, blame: Blame) -> None:
        self._blame = blame
        self._suspects = Suspects()
        self._failed: list[tuple[Create, ...]] = []
        """Uploads that the server failed on, until a list tells which of their files are there."""
        self._spent: int | None = None
        """Requests after the first upload that failed; None = there was none."""

    def to_send(self, creates: Sequence[Create], state: TaskState) -> tuple[Create, ...]:
        """The creates to send now."""
        if not creates or not self.is_affordable:
            return ()
        if part := self._suspects.part(creates):
            return part
        if self._spent is not None and self._blame.refused and not self._blame.any_accepted:
            return (creates[-1],)  # one from elsewhere tells whether it is the files at all
        files = (create.file for create in creates)
        found = (failed_before(state, file.path, file) for file in files)
        waited = {r.subject: r.not_before for r in found if r is not None}
        others = tuple(c for c in creates if c.file.path not in waited)
        if others and not self._is_server_doubted(state):
            return others  # what failed in an earlier run goes last, and alone
        return (min(creates, key=lambda c: waited.get(c.file.path, -1.0)),)

    def accepted(self, batch: Sequence[Create]) -> None:
        """An upload was carried out."""
        self._blame.any_accepted = True
        self._suspects = self._suspects.without(_paths(batch))
        self._count()

    def refused(self, batch: Sequence[Create], error: ApiError) -> LocalFile | None:
        """An upload was refused; returns the file that is found by that."""
        self._blame.errors.append(error)
        if len(batch) > 1:
            self._suspects = Suspects(_paths(batch))
            self.spend(1)
            return None
        file = batch[0].file
        self._blame.refused[file.path] = file
        self._suspects = Suspects()
        self._count()
        return file

    def failed(self, batch: tuple[Create, ...], error: Doubtful) -> None:
        """The server failed on an upload; the list that tells what it did costs a request, too."""
        self._blame.upload_error = error
        self._failed.append(batch)
        self.spend(2)

    def found_failing(self, left: Sequence[Create], state: TaskState) -> list[LocalFile]:
        """After that list: the files found by it; `left` are the creates that are still to do."""
        if not self._failed:
            return []
        is_doubted = self._is_server_doubted(state)
        if is_doubted:
            self._spent = REQUESTS  # it does not work yet: no more is sent in this run
        found: list[LocalFile] = []
        for batch in self._failed:
            paths = _paths(batch) & _paths(left)
            files = [c.file for c in batch if c.file.path in paths]
            again = is_doubted or paths <= self._suspects.paths
            if len(files) == 1 and (again or failed_before(state, files[0].path, files[0])):
                found += files
                self._suspects = Suspects()
            else:
                self._suspects = Suspects(paths, "failed again" if again else "failed once")
        self._failed.clear()
        return found

    def spend(self, requests: int) -> None:
        """Count requests, from now on all; the first upload that failed is not one of them."""
        self._spent = (-1 if self._spent is None else self._spent) + requests

    @property
    def is_affordable(self) -> bool:
        """Whether one more upload, and the list at the end, keep to what a run may take."""
        return self._spent is None or self._spent < REQUESTS - 1

    def _count(self) -> None:
        """Count an upload, if there was one that failed: a file refused alone needs no search."""
        if self._spent is not None:
            self.spend(1)

    def _is_server_doubted(self, state: TaskState) -> bool:
        """Whether the server was to blame in the last run, and has accepted nothing since.

        One file is sent then, to see whether it works again.
        """
        unproven = (r for r in state.refusals.values() if not r.proven)
        return not self._blame.any_accepted and any(r.fingerprint for r in unproven)


def _paths(creates: Iterable[Create]) -> frozenset[str]:
    return frozenset(create.file.path for create in creates)
