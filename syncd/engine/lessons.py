"""What failures mean for a run: try again, leave a file alone, or leave it all for later."""

from __future__ import annotations

import logging
import re
from dataclasses import replace
from datetime import datetime
from unicodedata import normalize

from syncd.core.books import DAY
from syncd.core.plan import Create
from syncd.core.room import holders
from syncd.engine.advice import about_task
from syncd.engine.failing import Failing
from syncd.engine.files import Files
from syncd.engine.look import Look
from syncd.engine.outcome import Failure
from syncd.engine.refusals import Refusals, refusal
from syncd.engine.report import KEY, LATER, PARTLY, Cause, FolderReport
from syncd.engine.tools import Options, Tools
from syncd.errors import (
    ApiError,
    Doubtful,
    FileProblem,
    KeyRefused,
    QuotaSpent,
    Refused,
    TaskRefused,
    Throttled,
    Unreachable,
)
from syncd.focus.upload import ShortRead
from syncd.model import Folder, Past, Refusal

log = logging.getLogger("syncd.cycle")

TROUBLES = 3
"""Failures after which a run gives up on a folder."""
PATIENCE = 30.0
"""Seconds that a run waits for a throttling server."""
_NAME_TAKEN = re.compile(r"unique|duplicate|already|exists|taken|in use", re.IGNORECASE)


class Lessons:
    """Learns from failures; every answer is whether another round is to follow."""

    def __init__(
        self, tools: Tools, options: Options, folder: Folder, look: Look, report: FolderReport
    ) -> None:
        self._tools = tools
        self._options = options
        self._folder = folder
        self._task = folder.task
        self._look = look
        self._report = report
        self._troubles = 0
        self._task_stands = False
        """The task was listed after an upload to it had been refused with 403 or 404."""
        self.files = Files(look)
        self.refusals = Refusals()
        self.failing = Failing(tools, options, folder, look, report, self.refusals)
        self.names_are_unique = False
        """The server seems to take each name only once."""
        self.told: str | None = None
        """Every upload was refused alike in an earlier run, and that is to be honoured."""
        self.left: tuple[Create, ...] = ()
        """What the last plan had to send."""

    def learn(self, failures: list[Failure]) -> bool:
        """What failures mean for the next round; False = there is none."""
        go_on = True
        for failure in failures:
            go_on = self._learn_one(failure) and go_on
        # Before anything else is sent, a list has told whether it is the task.
        self._task_stands = self.refusals.task_doubted
        return go_on

    def _learn_one(self, failure: Failure) -> bool:
        error = failure.error
        if isinstance(error, FileProblem | ShortRead):
            self.files.failed(error, failure)
            return True
        assert isinstance(error, ApiError)
        if isinstance(error, KeyRefused):
            return self._key_refused(error)
        if isinstance(error, QuotaSpent):
            return self.paused()
        if isinstance(error, Refused):
            return self._refused(error, failure)
        if isinstance(error, Doubtful) and error.retry_after is None:
            return self.failing.learn(failure, error)
        if isinstance(error, TaskRefused) and failure.creates:
            return self._upload_refused(error, failure)
        if isinstance(error, TaskRefused) and error.status == 403:
            self._report.fails(PARTLY, self._about_task(error), "task")
            return False
        if isinstance(error, TaskRefused) and failure.attachment_id is not None:
            self._tools.ledger.doubt(self._task, failure.attachment_id)
        if not isinstance(error, (Throttled, Unreachable)):
            self._look.listing = None
        return self._trouble(error)

    def _upload_refused(self, error: TaskRefused, failure: Failure) -> bool:
        """403 and 404 speak of the task; but what stands between may refuse a content so.

        A list tells; but one that shows nothing, not even ours, may be that of a task that is gone.
        """
        if self._task_stands:
            return self._refused(error, failure)
        listing = self._look.listing
        there = (listing is not None and listing.attachments) or self.refusals.any_accepted
        ours = self._tools.ledger.past(self._task, self._tools.clock()).entries
        if not there and (ours or error.status == 404):
            self._report.fails(PARTLY, self._about_task(error), "task")
            return False
        self.refusals.doubt_task()
        self._look.listing = None
        return True

    def _refused(self, error: Refused | TaskRefused, failure: Failure) -> bool:
        now = self._tools.clock()
        ledger = self._tools.ledger
        past = ledger.past(self._task, now)
        if not self.names_are_unique and self._name_is_taken(error, failure, past):
            self.names_are_unique = True
            return True
        if failure.creates:
            culprit = self.refusals.refused(failure.creates, error)
            if culprit is not None:
                path = culprit.file.path
                content = self._look.content(culprit.file)
                found = refusal(past, path, culprit.file, str(error), now, digest=content)
                ledger.refuse(self._task, [found])
            return True
        subject = f"#{failure.attachment_id}"
        ledger.refuse(self._task, [refusal(past, subject, None, str(error), now)])
        return True

    def _name_is_taken(self, error: ApiError, failure: Failure, past: Past) -> bool:
        """Whether it was refused for its name, which another attachment of ours has.

        The API documents no such refusal: 409 or its words are all there is to go by.
        """
        told = error.status == 409 or _NAME_TAKEN.search(error.description)
        if self._look.listing is None or not told:
            return False
        taken = holders(past, self._look.listing, self._tools.clock())
        names = [c.file.path for c in failure.creates] or [failure.name]
        found = (taken.get(normalize("NFC", name)) for name in names)
        return any(h is not None and h[0].id != failure.attachment_id for h in found)

    def judge(self) -> None:
        """Where everything was refused alike, the folder is in error, not its files."""
        self.failing.judge(self.left)
        alike = self.refusals.alike(self.left)
        if alike is None:
            if self.told is not None and not self.refusals.any_accepted:
                self._report.fails(PARTLY, self.told, "files")
            return
        error, found = alike
        now = self._tools.clock()
        past = self._tools.ledger.past(self._task, now)
        text = f"every upload is refused alike: {error}{_right(error)}"
        paths = {c.file.path for c in found}
        whole = [replace(r, whole=True, error=text) for r in past.refusals if r.subject in paths]
        whole += [refusal(past, c.file.path, c.file, text, now, whole=True) for c in self.left]
        self._tools.ledger.refuse(self._task, whole)
        self._report.failed = [p for p in self._report.failed if p.path not in paths]
        self._report.fails(PARTLY, text, "files")

    def list_failed(self, error: ApiError) -> bool:
        """The list, or a question about it, got no answer that can be planned on."""
        if isinstance(error, KeyRefused):
            return self._key_refused(error)
        if isinstance(error, QuotaSpent):
            return self.paused()
        if isinstance(error, Throttled):
            return self._trouble(error)
        if isinstance(error, (TaskRefused, Refused)):
            self._report.fails(PARTLY, self._about_task(error), "task")
        else:
            self._report.fails(LATER, str(error), _cause(error))
        return False

    def _key_refused(self, error: KeyRefused) -> bool:
        text = f"{error}: the key is wrong, revoked or expired; put a new one in place"
        self._report.fails(KEY, text, "key")
        return False

    def _about_task(self, error: ApiError) -> str:
        return (
            f"{about_task(error, self._task)} nothing of it was touched; "
            "if it is gone, take it out of the config"
        )

    def _trouble(self, error: ApiError) -> bool:
        """Back off and plan again, a few times; then leave it to a later run."""
        self._troubles += 1
        delay = error.retry_after or 2.0 ** (self._troubles - 1)
        if not self._options.once or self._troubles > TROUBLES or delay > PATIENCE:
            self._report.fails(LATER, str(error), _cause(error))
            self._report.resumes_at = self._tools.clock() + delay
            if isinstance(error, Throttled) and error.retry_after:
                until = self._tools.clock() + min(delay, DAY)
                self._tools.ledger.refuse(self._task, [Refusal("", str(error), None, 1, until)])
            return False
        log.warning("%s: %s; planning again in %.0f s", self._folder.name, error, delay)
        self._tools.sleep(delay)
        return True

    def paused(self, requests: int = 0) -> bool:
        """The quota is used up: sleep until it resets, or leave the rest to a later run."""
        now = self._tools.clock()
        meter, organization = self._tools.meter, self._task.organization_id
        # The header's seconds may have been rounded down.
        until = (meter.resumes_at(organization) or now + 60.0) + 1.0
        left = meter.left(organization)
        at = datetime.fromtimestamp(until).astimezone().strftime("%Y-%m-%d %H:%M:%S %Z")
        what = f"{requests} requests are left to do; " if requests else ""
        kept = f", {meter.reserve} kept back" if left else ""
        text = (
            f"{what}quota: {left if left is not None else 0} requests left{kept}; goes on at {at}"
        )
        if self._options.wait:
            log.warning("%s: %s", self._folder.name, text)
            self._tools.sleep(max(until - now, 0.0))
            self._look.listing = None
            return True
        self._report.resumes_at = until
        self._report.fails(LATER, text, "quota")
        return False


def _right(error: ApiError) -> str:
    return "; does your plan or role lack the right?" if error.status == 403 else ""


def _cause(error: ApiError) -> Cause:
    return "offline" if isinstance(error, Unreachable) else "server"
