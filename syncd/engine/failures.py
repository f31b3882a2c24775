"""Decide after a failure whether to go on, to leave a file alone, or to stop the folder's run."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime
from unicodedata import normalize

from syncd.core.plan import Create
from syncd.core.snapshot import Snapshot
from syncd.core.unique_names import holders
from syncd.engine.advice import about_task
from syncd.engine.blame import Blame, refusal, unreadable
from syncd.engine.contents import Contents
from syncd.engine.context import Options
from syncd.engine.outcome import AGAIN, LIST_AGAIN, Decision, Failure
from syncd.engine.quota import QuotaMeter
from syncd.engine.report import KEY, LATER, PARTLY, Cause, Trouble
from syncd.engine.suspects import Search
from syncd.errors import (
    ApiError,
    Doubtful,
    FileProblem,
    KeyRefused,
    QuotaSpent,
    Refused,
    ShortRead,
    TaskRefused,
    Throttled,
    Unreachable,
)
from syncd.model import DAY, Fingerprint, Folder, LocalFile
from syncd.state.task_ledger import TaskLedger
from syncd.task_state import Refusal

TRIES = 3
"""Failures of the server, or changes of files while they are sent, that a run puts up with."""
PATIENCE = 30.0
"""Seconds that a run waits for a throttling or failing server."""
_NAME_TAKEN = re.compile(r"unique|duplicate|already|exists|taken|in use", re.IGNORECASE)


class FailurePolicy:
    """What follows from each error of one run."""

    def __init__(
        self,
        options: Options,
        folder: Folder,
        ledger: TaskLedger,
        quota: QuotaMeter,
        contents: Contents,
    ) -> None:
        self._options = options
        self._folder = folder
        self._ledger = ledger
        self._quota = quota
        self._contents = contents
        self.blame = Blame(once=options.once)
        self.search = Search(self.blame)
        self.names_are_unique = False
        """The server takes each name only once, as it seems."""
        self._is_task_asked = False
        """A list was taken to see whether an upload was refused for the task."""
        self._file_failures = 0
        self._broken_off: set[tuple[str, Fingerprint]] = set()
        """Versions of files that ended too early while they were sent."""
        self._pauses = 0

    def after_list(self, error: ApiError, now: float) -> Decision:
        """The list, or a question about it, got no answer that can be planned on."""
        match error:
            case KeyRefused() | QuotaSpent() | Throttled():
                return self._pause(error, now)
            case TaskRefused() | Refused():
                return self._about_task(error)
            case _:
                return Decision(Trouble(LATER, str(error), _cause(error)))

    def after_failure(self, failure: Failure, s: Snapshot) -> Decision:
        """An action failed that was planned on this snapshot."""
        error = failure.error
        match error:
            case FileProblem() | ShortRead():
                return self._file_failed(error, failure, s)
            case KeyRefused() | QuotaSpent() | Throttled() | Unreachable():
                return self._pause(error, s.now)
            case Refused():
                return self._refused(error, failure, s)
            case TaskRefused() if failure.creates:
                return self._refused_for_task(error, failure, s)
            case TaskRefused(status=403):
                return self._about_task(error)
            case TaskRefused():
                pause = self._pause(error, s.now)
                return pause._replace(needs_list=True, not_found=failure.attachment_id)
            case Doubtful(retry_after=None):
                return self._server_failed(error, failure, s)
            case _:
                return self._pause(error, s.now)._replace(needs_list=True)

    def sort_out(self, creates: Sequence[Create], s: Snapshot) -> Decision | None:
        """A new plan has these creates: set aside those that fail; None = there are none."""
        found = self.search.found_failing(creates, self._ledger.state)
        for file in found:
            aside = self._of_file(file, str(self.blame.upload_error), s)
            self.blame.aside[aside.subject] = aside
        return AGAIN if found else None

    def at_the_end(self, left: Sequence[Create], now: float) -> Decision:
        """What the failures of the run come to; `left` are creates to do."""
        is_over = not left or not self.search.is_affordable
        return self.blame.verdict(left, self._ledger.state, now, is_over=is_over)

    def out_of_quota(self, now: float, requests: int = 0) -> Decision:
        """The quota is used up: wait until it resets, or leave the rest to a later run."""
        quota, organization = self._quota, self._folder.task.organization_id
        # The header's seconds may have been rounded down.
        until = (quota.resumes_at(organization) or now + 60.0) + 1.0
        left = quota.left(organization) or 0
        at = datetime.fromtimestamp(until).astimezone().strftime("%Y-%m-%d %H:%M:%S %Z")
        what = f"{requests} requests are left to do; " if requests else ""
        kept = f", {quota.reserve} kept back" if left else ""
        text = f"{what}quota: {left} requests left{kept}; goes on at {at}"
        if self._options.wait:
            return Decision(needs_list=True, wait=max(until - now, 0.0), why=text)
        return Decision(Trouble(LATER, text, "quota", resumes_at=until))

    def _pause(self, error: ApiError, now: float) -> Decision:
        """Nothing else would be answered now, either: plan again after a while, a few times; then
        leave it to a later run."""
        if isinstance(error, KeyRefused):
            text = f"{error}: the key is wrong, revoked or expired; put a new one in place"
            return Decision(Trouble(KEY, text, "key"))
        if isinstance(error, QuotaSpent):
            return self.out_of_quota(now)
        self._pauses += 1
        delay = error.retry_after or 2.0 ** (self._pauses - 1)
        if self._options.once and self._pauses <= TRIES and delay <= PATIENCE:
            return Decision(wait=delay, why=str(error))
        trouble = Trouble(LATER, str(error), _cause(error), resumes_at=now + delay)
        if isinstance(error, Throttled) and error.retry_after:
            asked = Refusal("", str(error), None, 1, now + min(delay, DAY))
            return Decision(trouble, refusals=(asked,))
        return Decision(trouble)

    def _about_task(self, error: ApiError) -> Decision:
        text = (
            f"{about_task(error, self._folder.task)} nothing of it was touched; "
            "if it is gone, take it out of the config"
        )
        return Decision(Trouble(PARTLY, text, "task"))

    def _refused_for_task(self, error: TaskRefused, failure: Failure, s: Snapshot) -> Decision:
        """403 and 404 speak of the task; but a firewall may refuse a content so.

        A list tells; but one that shows nothing, not even ours, may be that of a task that is
        gone.
        """
        if self._is_task_asked:
            return self._refused(error, failure, s)
        there = s.shown or self.blame.any_accepted
        if not there and (self._ledger.state.entries or error.status == 404):
            return self._about_task(error)
        self._is_task_asked = True
        self.search.spend(2)
        return LIST_AGAIN

    def _refused(self, error: Refused | TaskRefused, failure: Failure, s: Snapshot) -> Decision:
        if not self.names_are_unique and _is_name_taken(error, failure, s):
            self.names_are_unique = True
            return AGAIN
        if not failure.creates:
            return Decision(refusals=(self._of_change(failure, s),))
        file = self.search.refused(failure.creates, error)
        return Decision(refusals=(self._of_file(file, str(error), s),)) if file else AGAIN

    def _server_failed(self, error: Doubtful, failure: Failure, s: Snapshot) -> Decision:
        """An upload or a change failed: a list is to tell whether it was done."""
        why = f"{error}; looking whether it was done"
        if failure.creates:
            self.search.failed(failure.creates, error)
            return Decision(needs_list=True, why=why)
        if self.blame.failed_changes == TRIES:
            return Decision(Trouble(LATER, str(error), "server"), needs_list=True)
        self.blame.change_failed(self._of_change(failure, s))
        return Decision(needs_list=True, wait=2.0 ** (self.blame.failed_changes - 1), why=why)

    def _of_change(self, failure: Failure, s: Snapshot) -> Refusal:
        subject, error = f"#{failure.attachment_id}", str(failure.error)
        return refusal(self._ledger.state, subject, error, s.now)

    def _of_file(self, file: LocalFile, error: str, s: Snapshot) -> Refusal:
        """With its digest: a touch does not make it another file."""
        digest = self._contents.of(s.folder.root, file)
        return refusal(self._ledger.state, file.path, error, s.now, file, digest)

    def _file_failed(
        self, error: FileProblem | ShortRead, failure: Failure, s: Snapshot
    ) -> Decision:
        """A file could not be opened, was not the planned version, or ended too early.

        In the last case it is read once more, here: that costs no request. A second time counts,
        even if it can be read then.
        """
        file = failure.file
        assert file is not None, "no file of this upload is to blame"
        if isinstance(error, FileProblem) and not error.changed:
            return Decision(unreadable={file.path: error.reason})
        needs_list = isinstance(error, ShortRead)
        if isinstance(error, ShortRead) or error.unread:
            version = (file.path, file.fingerprint)
            reason = self._contents.why_unreadable(s.folder.root, file)
            if version in self._broken_off:
                reason = reason or error.reason
            self._broken_off.add(version)
            if reason is not None:
                found = unreadable(self._ledger.state, file, reason, s.now)
                unread = {file.path: reason}
                return Decision(needs_list=needs_list, refusals=(found,), unreadable=unread)
        self._file_failures += 1
        unsettled = frozenset({file.path} if self._file_failures > TRIES else ())
        return Decision(needs_list=needs_list, unsettled=unsettled)


def _is_name_taken(error: ApiError, failure: Failure, snapshot: Snapshot) -> bool:
    """Whether it was refused for its name, which another attachment of ours has.

    The API documents no such refusal: 409 or its words are all there is to go by.
    """
    if error.status != 409 and not _NAME_TAKEN.search(error.description):
        return False
    taken = holders(snapshot)
    names = [c.file.path for c in failure.creates] or [failure.name]
    found = (taken.get(normalize("NFC", name)) for name in names)
    return any(h is not None and h.id != failure.attachment_id for h in found)


def _cause(error: ApiError) -> Cause:
    return "offline" if isinstance(error, Unreachable) else "server"
