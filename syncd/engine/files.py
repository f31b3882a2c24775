"""Files that cannot be opened or read, found while they were sent: failed, or planned again."""

from __future__ import annotations

from syncd.engine.look import Look
from syncd.engine.outcome import Failure
from syncd.errors import FileProblem
from syncd.focus.upload import ShortRead
from syncd.model import Fingerprint

TRIES = 3
"""Times that a run plans a changing file again before it leaves it for later."""


class Files:
    """What one run learns of the files that it could not send."""

    def __init__(self, look: Look) -> None:
        self._look = look
        self._tries = 0
        self._broke_off: set[tuple[str, Fingerprint]] = set()
        """Files that did not come to their end while they were sent."""

    def failed(self, problem: FileProblem | ShortRead, failure: Failure) -> None:
        """A file could not be opened, was not the planned one, or did not come to its end.

        In the last case it is read once more, here: that costs no request.
        """
        file = failure.file
        assert file is not None, "no file of this upload is to blame"
        if isinstance(problem, ShortRead):
            self._look.listing = None
        elif not problem.changed:
            self._look.unreadable[file.path] = problem.reason
            return
        if isinstance(problem, ShortRead) or problem.unread:
            reason = self._look.unread(file)
            if reason is None and (file.path, file.fingerprint) in self._broke_off:
                reason = problem.reason
            self._broke_off.add((file.path, file.fingerprint))
            if reason is not None:
                self._look.cannot_be_read(file, reason)
                return
        self._tries += 1
        if self._tries > TRIES:
            self._look.unsettled.add(file.path)
