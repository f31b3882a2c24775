"""Decide after a failure whether to go on, to leave a file alone, or to stop the folder's run."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime
from unicodedata import normalize

from syncd.core.plan import Create
from syncd.core.snapshot import Snapshot
from syncd.core.unique_names import holders
from syncd.engine.advice import about_task, lacks_right
from syncd.engine.contents import Contents
from syncd.engine.context import Options
from syncd.engine.failed_uploads import FailedUploads, refusal, unreadable
from syncd.engine.outcome import AGAIN, LIST_AGAIN, Decision, Failure
from syncd.engine.quota import QuotaMeter
from syncd.engine.report import KEY, LATER, PARTLY, Cause, Trouble
from syncd.engine.server_failures import ServerFailures
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
from syncd.model import DAY, Fingerprint, Folder
from syncd.task_state import Refusal, TaskState

TRIES = 3
"""Failures of the server, or changes of files while they are sent, that a run puts up with."""
PATIENCE = 30.0
"""Seconds that a run waits for a throttling or failing server."""
_NAME_TAKEN = re.compile(r"unique|duplicate|already|exists|taken|in use", re.IGNORECASE)


class FailurePolicy:
    """What one run has learned from its failures."""

    def __init__(
        self, options: Options, folder: Folder, quota: QuotaMeter, contents: Contents
    ) -> None:
        self._options = options
        self._folder = folder
        self._quota = quota
        self._contents = contents
        self._server_failures = 0
        self._file_failures = 0
        self._broken_off: set[tuple[str, Fingerprint]] = set()
        """Versions of files that ended too early while they were sent."""
        self.uploads = FailedUploads()
        self.server = ServerFailures(self.uploads, contents, once=options.once)
        self.names_are_unique = False
        """The server takes each name only once, as it seems."""

    def after_list(self, error: ApiError, now: float) -> Decision:
        """The list, or a question about it, got no answer that can be planned on."""
        if isinstance(error, KeyRefused):
            return _key_refused(error)
        if isinstance(error, QuotaSpent):
            return self.out_of_quota(now)
        if isinstance(error, Throttled):
            return self._back_off(error, now)
        if isinstance(error, TaskRefused | Refused):
            return self._about_task(error)
        return Decision(Trouble(LATER, str(error), _cause(error)))

    def after_failure(self, failure: Failure, snapshot: Snapshot, state: TaskState) -> Decision:
        """An action failed; `state` is the ledger's by now."""
        error = failure.error
        if isinstance(error, FileProblem | ShortRead):
            return self._file_failed(error, failure, snapshot, state)
        assert isinstance(error, ApiError)
        if isinstance(error, KeyRefused):
            return _key_refused(error)
        if isinstance(error, QuotaSpent):
            return self.out_of_quota(snapshot.now)
        if isinstance(error, Refused):
            return self._refused(error, failure, snapshot, state)
        if isinstance(error, Doubtful) and error.retry_after is None:
            return self.server.after(failure, error, state, snapshot.now)
        if isinstance(error, TaskRefused) and failure.creates:
            return self._upload_refused(error, failure, snapshot, state)
        if isinstance(error, TaskRefused) and error.status == 403:
            return self._about_task(error)
        decision = self._back_off(error, snapshot.now)
        if isinstance(error, Throttled | Unreachable):
            return decision
        not_found = failure.attachment_id if isinstance(error, TaskRefused) else None
        return decision._replace(needs_list=True, not_found=not_found)

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

    def at_the_end(self, left: Sequence[Create], state: TaskState, now: float) -> Decision:
        """What to remember of uploads and changes that failed; `left` are creates to do.

        Where every upload was refused alike, the folder is in error, not its files; where the
        server accepted nothing else, it is the server.
        """
        found = self.server.at_the_end(left, state, now)
        of_server = [r.error for r in found if r.not_before <= now]
        trouble = Trouble(LATER, of_server[-1], "server") if of_server else None
        alike = self.uploads.alike(left)
        if alike is not None:
            error, creates = alike
            text = f"every upload is refused alike: {error}{lacks_right(error)}"
            trouble = Trouble(PARTLY, text, "files")
            found += [
                refusal(state, c.file.path, text, now, c.file, whole=True)
                for c in (*creates, *left)
            ]
        return Decision(trouble, refusals=tuple(found))

    def not_sorted_out(self, count: int) -> Decision:
        """So many uploads are left, since it is not clear yet which of them is bad."""
        if self.server.error is not None and not self.uploads.any_accepted:
            return Decision(Trouble(LATER, str(self.server.error), "server"))
        text = f"{count} files of a refused or failed upload are not sorted out yet"
        return Decision(Trouble(LATER, text, "files"))

    def _upload_refused(
        self, error: TaskRefused, failure: Failure, snapshot: Snapshot, state: TaskState
    ) -> Decision:
        """403 and 404 speak of the task; but a firewall may refuse a content so.

        A list tells; but one that shows nothing, not even ours, may be that of a task that is
        gone.
        """
        if self.uploads.task_doubted:
            return self._refused(error, failure, snapshot, state)
        there = snapshot.shown or self.uploads.any_accepted
        if not there and (state.entries or error.status == 404):
            return self._about_task(error)
        self.uploads.doubt_task()
        return LIST_AGAIN

    def _refused(
        self, error: Refused | TaskRefused, failure: Failure, snapshot: Snapshot, state: TaskState
    ) -> Decision:
        if not self.names_are_unique and _is_name_taken(error, failure, snapshot):
            self.names_are_unique = True
            return AGAIN
        if not failure.creates:
            subject = f"#{failure.attachment_id}"
            return Decision(refusals=(refusal(state, subject, str(error), snapshot.now),))
        culprit = self.uploads.refused(failure.creates, error)
        if culprit is None:
            return AGAIN
        file, now = culprit.file, snapshot.now
        digest = self._contents.of(snapshot.folder.root, file)
        found = refusal(state, file.path, str(error), now, file, digest=digest)
        return Decision(refusals=(found,))

    def _file_failed(
        self,
        error: FileProblem | ShortRead,
        failure: Failure,
        snapshot: Snapshot,
        state: TaskState,
    ) -> Decision:
        """A file could not be opened, was not the planned version, or ended too early.

        In the last case it is read once more, here: that costs no request.
        """
        file = failure.file
        assert file is not None, "no file of this upload is to blame"
        broken_off = isinstance(error, ShortRead)
        if isinstance(error, FileProblem) and not error.changed:
            return Decision(unreadable={file.path: error.reason})
        if broken_off or (isinstance(error, FileProblem) and error.unread):
            reason = self._contents.why_unreadable(snapshot.folder.root, file)
            version = (file.path, file.fingerprint)
            if reason is None and version in self._broken_off:
                reason = error.reason
            self._broken_off.add(version)
            if reason is not None:
                found = unreadable(state, file, reason, snapshot.now)
                return Decision(
                    needs_list=broken_off,
                    refusals=(found,),
                    unreadable={file.path: reason},
                )
        self._file_failures += 1
        unsettled = frozenset({file.path} if self._file_failures > TRIES else ())
        return Decision(needs_list=broken_off, unsettled=unsettled)

    def _back_off(self, error: ApiError, now: float) -> Decision:
        """Plan again after a while, a few times; then leave it to a later run."""
        self._server_failures += 1
        delay = error.retry_after or 2.0 ** (self._server_failures - 1)
        if self._options.once and self._server_failures <= TRIES and delay <= PATIENCE:
            return Decision(wait=delay, why=str(error))
        trouble = Trouble(LATER, str(error), _cause(error), resumes_at=now + delay)
        if isinstance(error, Throttled) and error.retry_after:
            pause = Refusal("", str(error), None, 1, now + min(delay, DAY))
            return Decision(trouble, refusals=(pause,))
        return Decision(trouble)

    def _about_task(self, error: ApiError) -> Decision:
        text = (
            f"{about_task(error, self._folder.task)} nothing of it was touched; "
            "if it is gone, take it out of the config"
        )
        return Decision(Trouble(PARTLY, text, "task"))


def _key_refused(error: KeyRefused) -> Decision:
    text = f"{error}: the key is wrong, revoked or expired; put a new one in place"
    return Decision(Trouble(KEY, text, "key"))


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
