"""What the server always fails on (5xx, a lost connection): one file, one attachment, or all.

Whether it is the file is not known until the server has taken something else in the same run.
So what fails is set aside for the run, all the rest is done, and in the end it is judged: if
anything else was taken, it is named and left alone for a growing while; if not, it is the server.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from dataclasses import replace

from syncd.core.plan import Create
from syncd.core.situation import UNPROVEN
from syncd.engine.look import Look
from syncd.engine.outcome import Failure
from syncd.engine.refusals import Refusals, refusal
from syncd.engine.report import LATER, FolderReport
from syncd.engine.tools import Options, Tools
from syncd.errors import Doubtful
from syncd.model import Folder, LocalFile, Past, Refusal

log = logging.getLogger("syncd.cycle")

TROUBLES = 3
"""Failed renames, moves and deletes after which a run gives up on a folder."""
LONGEST_UNPROVEN = 3_600.0
"""Seconds for which a file is left alone at most, if it may as well be the server."""


class Failing:
    """Learns from answers that tell nothing, in one run of one folder."""

    def __init__(
        self,
        tools: Tools,
        options: Options,
        folder: Folder,
        look: Look,
        report: FolderReport,
        refusals: Refusals,
    ) -> None:
        self._tools = tools
        self._options = options
        self._folder = folder
        self._look = look
        self._report = report
        self._refusals = refusals
        self._uploads: dict[str, tuple[LocalFile, Doubtful]] = {}
        """Files that failed alone, and not for the first time."""
        self._changes: dict[int, Doubtful] = {}
        """Attachments whose rename, move or delete failed."""
        self._tried_again: set[int] = set()
        self._troubles = 0
        self._error: Doubtful | None = None
        """The last failure of an upload."""
        self.any_change = False
        """A rename, move or delete was carried out."""

    @property
    def any_upload(self) -> bool:
        """Whether the server failed on an upload."""
        return self._error is not None

    def learn(self, failure: Failure, error: Doubtful) -> bool:
        """Something failed: a list is to tell what became of it. False = no more of this run."""
        log.warning("%s: %s; looking whether it was done", self._folder.name, error)
        self._look.listing = None
        if failure.creates:
            self._error = error
            self._refusals.failed(failure.creates)
            return True
        assert failure.attachment_id is not None, "neither an upload nor a change"
        self._troubles += 1
        if self._troubles > TROUBLES:
            self._report.fails(LATER, str(error), "server")
            return False
        self._changes[failure.attachment_id] = error
        self._look.set_aside(f"#{failure.attachment_id}", error)
        self._tools.sleep(2.0 ** (self._troubles - 1))
        return True

    def sort_out(self, creates: Sequence[Create], past: Past) -> bool:
        """A list has come: sets the files aside that fail alone. True = plan without them."""
        self._refusals.known |= _failed_before(creates, past)
        self._refusals.cautious = any(
            r.subject.startswith(UNPROVEN) and r.fingerprint for r in past.refusals
        )
        found = self._refusals.failed_alone(creates)
        assert self._error is not None or not found
        for create in found:
            if self._error is not None:
                self._uploads[create.file.path] = (create.file, self._error)
                self._look.set_aside(create.file.path, self._error, create.file)
        return bool(found)

    def try_again(self) -> bool:
        """All else is done: changes that failed once are tried once more."""
        once = self._changes.keys() - self._tried_again
        for id_ in once:
            self._look.aside.pop(f"#{id_}", None)
            del self._changes[id_]
        self._tried_again |= once
        return bool(once)

    def tell_unsorted(self, count: int) -> None:
        """So many uploads are left over, since it is not clear yet which of them is to blame."""
        if self._error is not None and not self._refusals.any_accepted:
            self._report.fails(LATER, str(self._error), "server")
        else:
            text = f"{count} files of a refused or failed upload are not sorted out yet"
            self._report.fails(LATER, text, "files")

    def judge(self, left: Sequence[Create]) -> None:
        """The end of a run: remember what failed, or tell that it is the server."""
        past = self._tools.ledger.past(self._folder.task, self._tools.clock())
        blamed = {r.subject for r in past.refusals if not r.whole} & self._refusals.known.keys()
        taken = self._refusals.any_accepted
        alike = not taken and len(self._uploads) + len(left) > 1
        found = [
            self._remembered(past, path, file, error, proven=taken or path in blamed, alike=alike)
            for path, (file, error) in self._uploads.items()
        ]
        alike = len(self._changes) > 1
        found += [
            self._remembered(past, f"#{id_}", None, error, proven=self.any_change, alike=alike)
            for id_, error in self._changes.items()
        ]
        if found:
            self._tools.ledger.refuse(self._folder.task, found)
        now = self._tools.clock()
        servers = [r.error for r in found if r.not_before <= now]
        self._report.failed = [p for p in self._report.failed if p.reason not in servers]
        self._report.pending += len(servers)
        for text in servers:
            self._report.fails(LATER, text, "server")

    def _remembered(
        self,
        past: Past,
        subject: str,
        file: LocalFile | None,
        error: Doubtful,
        *,
        proven: bool,
        alike: bool,
    ) -> Refusal:
        """What to remember of a file or an attachment that failed alone.

        If nothing else of its kind was taken, it may be the server after all. Then it is not left
        alone; but by the service, and by `--once` if that is not the first run in which it failed.
        """
        now = self._tools.clock()
        content = self._look.content(file) if file else None
        if proven:
            return refusal(past, subject, file, str(error), now, digest=content)
        found = refusal(past, UNPROVEN + subject, file, str(error), now, digest=content)
        before = (r.fingerprint for r in past.refusals if r.subject == found.subject)
        first = self._options.once and found.fingerprint not in before and not self.any_change
        if alike or first:
            return replace(found, not_before=now, attempts=found.attempts - 1)
        return replace(found, not_before=min(found.not_before, now + LONGEST_UNPROVEN))

    def taken(self, past: Past) -> None:
        """An upload was taken: those that may not have been to blame are tried, too. One that
        fails once more is."""
        task, ledger, now = self._folder.task, self._tools.ledger, self._tools.clock()
        unproven = [r for r in past.refusals if r.subject.startswith(UNPROVEN)]
        alike = [r.subject for r in past.refusals if r.whole]
        if unproven or alike:
            ledger.forgive(task, [*alike, *(r.subject for r in unproven)])
            paths = ((r, r.subject.removeprefix(UNPROVEN)) for r in unproven)
            ledger.refuse(
                task, [replace(r, subject=p, attempts=0, not_before=now) for r, p in paths]
            )


def _failed_before(creates: Iterable[Create], past: Past) -> dict[str, float]:
    """Files that failed or were refused in an earlier run, as they are now, and until when they
    were left alone."""
    before = {r.subject.removeprefix(UNPROVEN): r for r in past.refusals if not r.whole}
    files = (create.file for create in creates)
    return {
        f.path: r.not_before
        for f in files
        if (r := before.get(f.path)) and r.fingerprint == f.fingerprint and not r.unread
    }
