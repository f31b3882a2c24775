"""Deal with what the server always fails on (5xx, a lost connection): a file, a change, or all.

Whether it is the file is not known until the server has accepted something else in the same run.
So what fails is set aside for the run and all the rest is done. At the end it is judged: if
something else was accepted, it is named and left alone for a growing while; else it is the server.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from syncd.core.plan import Create
from syncd.core.snapshot import retry_delay
from syncd.engine.contents import Contents
from syncd.engine.failed_uploads import FailedUploads, refusal
from syncd.engine.outcome import Decision, Failure
from syncd.engine.report import LATER, Trouble
from syncd.errors import Doubtful
from syncd.task_state import Refusal, TaskState

TRIES = 3
"""Failed renames, moves and deletes after which a run gives up on a folder."""
LONGEST_UNPROVEN = 3_600.0
"""Seconds for which a file is left alone at most, if it may as well be the server."""


class ServerFailures:
    """What one run learns of them."""

    def __init__(self, uploads: FailedUploads, contents: Contents, *, once: bool) -> None:
        self._failed_uploads = uploads
        self._contents = contents
        self._once = once
        self._uploads: dict[str, Refusal] = {}
        """Files that failed alone, and not for the first time."""
        self._changes: dict[str, Refusal] = {}
        """Attachments whose rename, move or delete failed."""
        self._tried_again: set[str] = set()
        self._failed_changes = 0
        self.error: Doubtful | None = None
        """The last failure of an upload."""
        self.any_change = False
        """A rename, move or delete was carried out."""

    def after(self, failure: Failure, error: Doubtful, state: TaskState, now: float) -> Decision:
        """Something failed: a list is to tell what became of it."""
        why = f"{error}; looking whether it was done"
        if failure.creates:
            self.error = error
            self._failed_uploads.failed(failure.creates)
            return Decision(needs_list=True, why=why)
        self._failed_changes += 1
        if self._failed_changes > TRIES:
            return Decision(Trouble(LATER, str(error), "server"), needs_list=True)
        aside = refusal(state, f"#{failure.attachment_id}", str(error), now)
        self._changes[aside.subject] = aside
        wait = 2.0 ** (self._failed_changes - 1)
        return Decision(needs_list=True, wait=wait, why=why, aside=(aside,))

    def sort_out(
        self, creates: Sequence[Create], state: TaskState, root: str, now: float
    ) -> Decision | None:
        """A list has come: set the files aside that fail alone; None = there are none."""
        self._failed_uploads.known |= _failed_before(creates, state)
        unproven = (r for r in state.refusals.values() if not r.proven)
        self._failed_uploads.cautious = any(r.fingerprint for r in unproven)
        found = self._failed_uploads.failed_alone(creates)
        if not found or self.error is None:
            return None
        for file in (create.file for create in found):
            digest = self._contents.of(root, file)
            error = str(self.error)
            self._uploads[file.path] = refusal(state, file.path, error, now, file, digest=digest)
        return Decision(aside=tuple(self._uploads.values()))

    def try_again(self) -> Decision | None:
        """All else is done: changes that failed once are tried once more."""
        once = self._changes.keys() - self._tried_again
        for subject in once:
            del self._changes[subject]
        self._tried_again |= once
        return Decision(released=frozenset(once)) if once else None

    def at_the_end(self, left: Sequence[Create], state: TaskState, now: float) -> list[Refusal]:
        """What to remember; where it says that nothing is to wait, it is the server."""
        accepted = self._failed_uploads.any_accepted
        blamed = {r.subject for r in state.refusals.values() if r.proven and not r.whole}
        blamed &= self._failed_uploads.known.keys()
        uploads, changes = self._uploads.values(), self._changes.values()
        alike = not accepted and len(uploads) + len(left) > 1
        judged = [(r, accepted or r.subject in blamed, alike) for r in uploads]
        judged += [(r, self.any_change, len(changes) > 1) for r in changes]
        return [
            r._replace(not_before=now + retry_delay(r.attempts))
            if is_proven
            else self._unproven(r, state, now, alike=alike)
            for r, is_proven, alike in judged
        ]

    def _unproven(self, found: Refusal, state: TaskState, now: float, *, alike: bool) -> Refusal:
        """Nothing else of its kind was accepted: it may be the server after all.

        Then it is not left alone; but by the service, and by `--once` if that is not the first
        run in which it failed.
        """
        before = state.refusals.get(found.subject)
        known = before is not None and not before.proven and before.fingerprint == found.fingerprint
        if alike or (self._once and not known and not self.any_change):
            return found._replace(proven=False, not_before=now, attempts=found.attempts - 1)
        delay = min(retry_delay(found.attempts), LONGEST_UNPROVEN)
        return found._replace(proven=False, not_before=now + delay)


def reconsidered(state: TaskState, now: float) -> tuple[list[str], list[Refusal]]:
    """An upload was accepted: subjects to forgive, and refusals that count as proven from now on.

    All that was refused with everything else is tried again, and so is what may have been the
    server's; if that fails once more, it is to blame.
    """
    alike = [r.subject for r in state.refusals.values() if r.whole]
    unproven = [r for r in state.refusals.values() if not r.proven]
    return alike, [r._replace(proven=True, attempts=0, not_before=now) for r in unproven]


def _failed_before(creates: Iterable[Create], state: TaskState) -> dict[str, float]:
    """Files that failed or were refused in an earlier run, as they are now, and until when they
    were left alone."""
    files = (create.file for create in creates)
    return {
        f.path: r.not_before
        for f in files
        if (r := state.refusals.get(f.path)) and r.fingerprint == f.fingerprint
        if not r.whole and not r.unread
    }
