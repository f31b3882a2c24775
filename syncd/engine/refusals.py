"""What refusals teach a run: which file it is, and for how long to leave it alone."""

from __future__ import annotations

from collections.abc import Sequence

from syncd.core.plan import Create
from syncd.errors import ApiError
from syncd.model import Past, Refusal

REQUESTS = 8
"""What sorting out a refused bulk may take in one cycle, the list that follows included."""
FIRST_DELAY, LONGEST_DELAY = 60.0, 86_400.0


class Refusals:
    """Finds the files that a server refuses, without letting them stop the others.

    A refused bulk holds at least one bad file. Half of it is sent: accepted, the bad one is
    in the other half; refused, it is in this one, and the other half is as good as any file
    again. Once it is found, the rest goes in bulk.
    """

    def __init__(self) -> None:
        self._suspects: tuple[str, ...] = ()
        """Paths of which at least one is refused."""
        self._spent: int | None = None
        """Requests since the first refused bulk."""
        self._errors: list[ApiError] = []
        self._found: dict[str, Create] = {}
        self._unsorted: dict[str, Create] = {}
        self._accepted = False

    def allowed(self, creates: Sequence[Create]) -> tuple[Create, ...]:
        """The creates to send now: half of the suspects while there are any."""
        if not self._affordable():
            return ()
        suspects = [c for c in creates if c.file.path in self._suspects]
        if not suspects:
            return tuple(creates)
        return tuple(suspects[: max(len(suspects) // 2, 1)])

    def accepted(self, batch: Sequence[Create]) -> None:
        """A create was carried out."""
        self._accepted = True
        self._count()
        paths = {c.file.path for c in batch}
        self._suspects = tuple(p for p in self._suspects if p not in paths)
        for path in paths:
            self._unsorted.pop(path, None)

    def refused(self, batch: Sequence[Create], error: ApiError) -> Create | None:
        """A create was refused; returns the file, if it is found."""
        self._errors.append(error)
        self._count()
        paths = tuple(c.file.path for c in batch)
        if len(batch) == 1:
            self._suspects = ()
            self._unsorted.pop(paths[0], None)
            self._found[paths[0]] = batch[0]
            return batch[0]
        self._spent = self._spent or 0
        self._suspects = paths
        self._unsorted |= {c.file.path: c for c in batch}
        return None

    def alike(self) -> tuple[ApiError, tuple[Create, ...]] | None:
        """The error and the files, if two or more were refused alike and none was accepted."""
        tried = (*self._found.values(), *self._unsorted.values())
        if self._accepted or not self._found or len(tried) < 2:
            return None
        if len({error.likeness for error in self._errors}) != 1:
            return None
        return self._errors[0], tried

    def _affordable(self) -> bool:
        return self._spent is None or self._spent < REQUESTS - 1

    def _count(self) -> None:
        if self._spent is not None:
            self._spent += 1


def refusal(
    past: Past, subject: str, create: Create | None, error: ApiError, now: float, *, whole: bool
) -> Refusal:
    """The refusal to remember: each time in a row it is honoured twice as long."""
    fingerprint = create.file.fingerprint if create else None
    before = next((r for r in past.refusals if r.subject == subject), None)
    again = before is not None and before.fingerprint == fingerprint and before.not_before <= now
    attempts = before.attempts + 1 if before is not None and again else 1
    delay = min(FIRST_DELAY * 2 ** (attempts - 1), LONGEST_DELAY)
    return Refusal(subject, str(error), fingerprint, attempts, now + delay, whole)
