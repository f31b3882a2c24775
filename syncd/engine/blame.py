"""Remember what failed in one run, and judge at its end who is to blame: file, folder or server."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from syncd.core.plan import Create
from syncd.core.snapshot import retry_delay
from syncd.engine.advice import lacks_right
from syncd.engine.outcome import Decision
from syncd.engine.report import LATER, PARTLY, Trouble
from syncd.errors import ApiError, Doubtful
from syncd.model import HOUR, LocalFile
from syncd.task_state import Refusal, TaskState

ALIKE = 3
"""Files refused alone, none accepted: then it is not the files."""


class Blame:
    """What was refused or failed in one run, and what was carried out.

    What the server fails on (5xx, a lost connection) is set aside until the end, and all the rest
    is done: whether it is the file is not known until the server has accepted something else.
    """

    def __init__(self, *, once: bool) -> None:
        self._once = once
        self.any_accepted = False
        """An upload was carried out."""
        self.any_change = False
        """A rename, move or delete was carried out."""
        self.refused: dict[str, LocalFile] = {}
        """Files that were refused alone, by path."""
        self.errors: list[ApiError] = []
        """Why uploads were refused, alone or not."""
        self.upload_error: Doubtful | None = None
        """The server's last failure on an upload."""
        self.aside: dict[str, Refusal] = {}
        """Files that failed, and attachments whose rename, move or delete failed, by subject."""
        self._tries: Counter[str] = Counter()
        """Changes that failed, by subject."""

    @property
    def failed_changes(self) -> int:
        """How often the server failed to rename, move or delete something in this run."""
        return self._tries.total()

    def change_failed(self, found: Refusal) -> None:
        """Leave an attachment alone that the server failed to change."""
        self.aside[found.subject] = found
        self._tries[found.subject] += 1

    def try_again(self) -> bool:
        """All else is done: release the changes that failed once; whether there are any."""
        once = [subject for subject in self.aside if self._tries[subject] == 1]
        for subject in once:
            del self.aside[subject]
        return bool(once)

    def alike(self, left: Sequence[Create]) -> ApiError | None:
        """The error, if every upload is refused alike; `left` are those that were not sent alone.

        A refused bulk tells nothing of each file in it: three must have been refused alone, or as
        many as there are, from two.
        """
        enough = max(min(ALIKE, len(self.refused) + len(left)), 2)
        if self.any_accepted or len(self.refused) < enough:
            return None
        return self.errors[0] if len({e.reason_key for e in self.errors}) == 1 else None

    def not_sorted_out(self, count: int) -> Trouble:
        """So many uploads are left, since it is not clear yet which of them is bad."""
        if self.upload_error is not None and not self.any_accepted:
            return Trouble(LATER, str(self.upload_error), "server")
        text = f"{count} files of a refused or failed upload are not sorted out yet"
        return Trouble(LATER, text, "files")

    def verdict(
        self, left: Sequence[Create], state: TaskState, now: float, *, is_over: bool
    ) -> Decision:
        """What to remember, and the trouble if the folder or the server is to blame.

        `left` are creates to do; `is_over`: the run could not have tried any of them.
        """
        uploads = [r for r in self.aside.values() if r.fingerprint]
        changes = [r for r in self.aside.values() if not r.fingerprint]
        several = len(uploads) + len(left) > 1
        found = [self._judged(r, state, now, self.any_accepted, several) for r in uploads]
        several = len(changes) > 1
        found += [self._judged(r, state, now, self.any_change, several) for r in changes]
        of_server = [r.error for r in found if r.not_before <= now]
        trouble = Trouble(LATER, of_server[-1], "server") if of_server else None
        if is_over and (error := self.alike(left)):
            text = f"every upload is refused alike: {error}{lacks_right(error)}"
            trouble = Trouble(PARTLY, text, "files")
            files = (*self.refused.values(), *(c.file for c in left))
            alike = [refusal(state, f.path, text, now, f) for f in files]
            found += [r._replace(whole=True) for r in alike]
        return Decision(trouble, refusals=tuple(found))

    def _judged(
        self, failed: Refusal, state: TaskState, now: float, is_proven: bool, several: bool
    ) -> Refusal:
        """How long something that the server failed on waits, if it is to blame for that.

        It is (`is_proven`) if others of its kind were carried out, or if a file was proven to be
        before. Else it may be the server, and nothing waits if it failed on `several`, or for the
        first time in a run of its own (`--once`); what fails again waits for an hour at most.
        """
        before = failed_before(state, failed.subject, failed)
        if is_proven or (failed.fingerprint and before and before.proven):
            return failed._replace(not_before=now + retry_delay(failed.attempts))
        is_first = before is None or before.proven
        if several or (self._once and is_first and not self.any_change):
            return failed._replace(proven=False, not_before=now, attempts=failed.attempts - 1)
        wait = min(retry_delay(failed.attempts), HOUR)
        return failed._replace(proven=False, not_before=now + wait)


def refusal(
    state: TaskState,
    subject: str,
    error: str,
    now: float,
    file: LocalFile | None = None,
    digest: str | None = None,
) -> Refusal:
    """The refusal to remember: each time in a row it is honoured twice as long."""
    fingerprint, attempts = file.fingerprint if file else None, 1
    before = state.refusals.get(subject)
    if before is not None and before.not_before <= now:
        same_bytes = bool(digest) and before.digest == digest
        if before.fingerprint == fingerprint or same_bytes:
            attempts = before.attempts + 1
    until = now + retry_delay(attempts)
    return Refusal(subject, error, fingerprint, attempts, until, digest=digest)


def unreadable(state: TaskState, file: LocalFile, reason: str, now: float) -> Refusal:
    """A file that twice could not be read to its end: left alone like a refused one."""
    return refusal(state, file.path, reason, now, file, digest="")


def failed_before(state: TaskState, subject: str, version: LocalFile | Refusal) -> Refusal | None:
    """What is remembered of this version of something, if it was refused or failed by itself."""
    found = state.refusals.get(subject)
    if found is None or found.whole or found.unread:
        return None
    return found if found.fingerprint == version.fingerprint else None


def reconsidered(state: TaskState, now: float) -> tuple[list[str], list[Refusal]]:
    """An upload was accepted: subjects to forgive, and refusals that count as proven from now on.

    All that was refused with everything else is tried again, and so is what may have been the
    server's; if that fails once more, it is to blame.
    """
    alike = [r.subject for r in state.refusals.values() if r.whole]
    unproven = [r for r in state.refusals.values() if not r.proven]
    return alike, [r._replace(proven=True, attempts=0, not_before=now) for r in unproven]
