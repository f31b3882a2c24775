"""Sends files, several requests at a time, and records what became of each.

An intent is committed before its request goes out: whatever happens then, the next list finds
what was made of it. Threads only send and return values; the ledger is the worker's alone.
"""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Iterable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import replace

from syncd.core.books import entry_of
from syncd.core.plan import Create
from syncd.engine.outcome import Failure, Outcome
from syncd.engine.report import FolderReport
from syncd.engine.tools import Tools
from syncd.errors import ApiError, FileProblem, Stopped, SyncdError
from syncd.focus.sending import Receipt, Upload
from syncd.focus.upload import ShortRead
from syncd.local.digest import absolute
from syncd.model import Attachment, Folder, Intent, LocalFile, Past

log = logging.getLogger("syncd.apply")


class Uploads:
    """The creates of one plan for one folder."""

    def __init__(
        self, tools: Tools, folder: Folder, root: str, past: Past, report: FolderReport
    ) -> None:
        self._tools = tools
        self._folder = folder
        self._task = folder.task
        self._root = root
        self._past = past
        self._report = report
        self._refused = {r.subject for r in past.refusals}

    def run(self, outcome: Outcome, requests: Sequence[tuple[Create, ...]]) -> None:
        """Send these requests; stop at the first failure, but wait for what is on its way."""
        if not requests:
            return
        files = [create.file for batch in requests for create in batch]
        self._tools.progress.expect(len(files), sum(f.size for f in files))
        try:
            self._send_all(outcome, deque(requests))
        finally:
            self._tools.progress.done()
            rank = {file.path: n for n, file in enumerate(files)}
            for told in (self._report.created, self._report.replaced):
                told.sort(key=lambda path: rank.get(path, -1))
        if outcome.stopped is not None:
            raise outcome.stopped

    def _send_all(self, outcome: Outcome, queue: deque[tuple[Create, ...]]) -> None:
        running: dict[Future[Receipt], tuple[tuple[Create, ...], tuple[Intent, ...]]] = {}
        meter, connections = self._tools.meter, self._tools.connections
        with ThreadPoolExecutor(max_workers=connections) as pool, meter.parallel():
            while queue or running:
                if not self._fits(0):
                    queue.clear()
                while (
                    queue
                    and len(running) < connections
                    and not outcome.ended
                    and self._fits(len(running))
                ):
                    batch = queue.popleft()
                    intents = self._intend(batch)
                    running[pool.submit(self._send, batch)] = (batch, intents)
                if not running:
                    return
                for future in self._finished(running):
                    batch, intents = running.pop(future)
                    self._sent(outcome, batch, intents, future)
                    meter.save()

    def _fits(self, under_way: int) -> bool:
        """Whether one more fits, by the answers since the plan: it may not have known of a limit.

        What is `under_way` may not be counted yet: where only so much is left, it is waited for.
        """
        left = self._tools.meter.left(self._task.organization_id)
        return left is None or left - under_way > self._tools.meter.reserve

    def _finished(self, running: Iterable[Future[Receipt]]) -> Iterable[Future[Receipt]]:
        """Uploads that are through; every one has its own time limits."""
        while True:
            done = wait(running, timeout=1.0, return_when=FIRST_COMPLETED).done
            self._tools.pulse()
            if done:
                return done

    def _intend(self, batch: Sequence[Create]) -> tuple[Intent, ...]:
        """Committed before the request goes out, so that a crash cannot make two of one."""
        now = self._tools.clock()
        return self._tools.ledger.intend(
            self._task,
            (
                Intent(
                    key=0,
                    path=c.file.path,
                    name=c.file.path,
                    number=c.number,
                    size=c.file.size,
                    fingerprint=c.file.fingerprint,
                    sequence=self._past.sequence,
                    sent_at=now,
                    digest=c.file.digest,
                )
                for c in batch
            ),
        )

    def _send(self, batch: Sequence[Create]) -> Receipt:
        uploads = [
            Upload(absolute(self._root, c.file.path), c.file.path, c.number, c.file.fingerprint)
            for c in batch
        ]
        sent = self._tools.progress.sent
        if len(uploads) == 1:
            return self._tools.client.create(self._task, uploads[0], sent)
        return self._tools.client.create_bulk(self._task, uploads, sent)

    def _sent(
        self,
        outcome: Outcome,
        batch: tuple[Create, ...],
        intents: tuple[Intent, ...],
        future: Future[Receipt],
    ) -> None:
        now = self._tools.clock()
        try:
            receipt = future.result()
        except Stopped as stopped:
            # Raised before the request went out; what is on its way is waited for.
            self._tools.ledger.drop_intents(self._task, intents)
            outcome.stopped = stopped
            return
        except (ApiError, FileProblem) as error:
            outcome.failures.append(Failure(error, creates=batch, file=self._culprit(error, batch)))
            if isinstance(error, ApiError) and error.doubtful:
                doubtful = (replace(i, state="doubtful", ended_at=now) for i in intents)
                self._tools.ledger.update_intents(self._task, doubtful)
            else:
                self._tools.ledger.drop_intents(self._task, intents)
            return
        outcome.sent.append((batch, receipt.sent))
        known = [
            replace(i, state="answered", ended_at=now, digest=sent.digest)
            for i, sent in zip(intents, receipt.sent, strict=True)
        ]
        before = {a.id for a in outcome.listing.attachments}
        if receipt.attachments is None or not before.isdisjoint(a.id for a in receipt.attachments):
            self._tools.ledger.update_intents(self._task, known, answered=True)
            outcome.unlisted = True
        else:
            self._created(outcome, known, receipt.attachments, now)
        self._tools.ledger.forgive(self._task, [i.path for i in intents if i.path in self._refused])
        ids = receipt.attachments or (None,) * len(batch)
        for create, attachment in zip(batch, ids, strict=True):
            self._tell_created(create, attachment)

    def _culprit(self, error: SyncdError, batch: Iterable[Create]) -> LocalFile | None:
        """The file that could not be opened or read, if that was it."""
        if not isinstance(error, FileProblem | ShortRead):
            return None
        files = (create.file for create in batch)
        return next((f for f in files if absolute(self._root, f.path) == error.path), None)

    def _created(
        self,
        outcome: Outcome,
        intents: Sequence[Intent],
        attachments: Sequence[Attachment],
        now: float,
    ) -> None:
        """The answer carried the objects: no list is needed to know them."""
        entries = [
            replace(entry_of(i, a, now), listed=False)
            for i, a in zip(intents, attachments, strict=True)
        ]
        self._tools.ledger.put(
            self._task,
            entries,
            created=[(i.path, i.digest) for i in intents if i.digest],
            closed=[i.key for i in intents],
        )
        outcome.shows(attachments)

    def _tell_created(self, create: Create, attachment: Attachment | None) -> None:
        id_ = attachment.id if attachment else None
        path, size = create.file.path, f"{create.file.size} bytes"
        if create.replaces is None:
            self._report.created.append(path)
            tell_write(self._tools, self._folder, "created", path, f"new file, {size}", id_)
        else:
            self._report.replaced.append(path)
            tell_write(self._tools, self._folder, "created", path, f"new content, {size}", id_)


def tell_write(
    tools: Tools, folder: Folder, what: str, name: str, reason: str, id_: int | None
) -> None:
    """One line per write: folder, file, action, reason, id, quota left."""
    left = tools.meter.left(folder.task.organization_id)
    notes = [reason]
    notes += [f"id {id_}"] if id_ is not None else []
    notes += [f"{left} requests left"] if left is not None else []
    log.info("%s: %s %s (%s)", folder.name, what, name, ", ".join(notes))
