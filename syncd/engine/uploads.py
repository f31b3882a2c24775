"""Send files, several requests at a time, and record what became of each.

The intents of a request are committed before it goes out: whatever happens then, the next list
shows what was made of it. Threads only send and return values; the ledger is the worker's alone.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait

from syncd.core.listing import entry_of
from syncd.core.plan import Create
from syncd.engine.actions import Action, of_create
from syncd.engine.context import Context
from syncd.engine.outcome import Failure, Outcome
from syncd.errors import ApiError, FileProblem, ShortRead, Stopped, SyncdError
from syncd.focus.uploads import Receipt, Upload
from syncd.local.file_content import absolute_path
from syncd.model import Attachment, LocalFile, TaskKey
from syncd.state.task_ledger import TaskLedger
from syncd.task_state import Intent, LedgerEntry, Role

Batch = tuple[Create, ...]


class Uploads:
    """The creates of one plan for one task."""

    def __init__(
        self,
        context: Context,
        task: TaskKey,
        ledger: TaskLedger,
        root: str,
        on_done: Callable[[Action], None],
        *,
        keeps_old: bool,
    ) -> None:
        """`keeps_old`: replaced versions stay (`delete: never`)."""
        self._context = context
        self._task = task
        self._ledger = ledger
        self._root = root
        self._on_done = on_done
        self._replaced: Role = "released" if keeps_old else "superseded"

    def run(self, outcome: Outcome, requests: Sequence[Batch]) -> None:
        """Send these requests; stop at the first failure, but wait for what is on its way."""
        if not requests:
            return
        files = [create.file for batch in requests for create in batch]
        self._context.progress.expect(len(files), sum(f.size for f in files))
        try:
            self._send_all(outcome, deque(requests))
        finally:
            self._context.progress.done()
        if outcome.stopped is not None:
            raise outcome.stopped

    def _send_all(self, outcome: Outcome, queue: deque[Batch]) -> None:
        running: dict[Future[Receipt], tuple[Batch, tuple[Intent, ...]]] = {}
        quota, connections = self._context.quota, self._context.connections
        with ThreadPoolExecutor(max_workers=connections) as pool, quota.parallel():
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
                    self._record(outcome, *running.pop(future), future)

    def _fits(self, under_way: int) -> bool:
        """Whether one more request fits, by the answers since the plan was made.

        Requests in flight are not in the quota headers yet, so one is kept for each.
        """
        left = self._context.quota.left(self._task.organization_id)
        return left is None or left - under_way > self._context.quota.reserve

    def _finished(self, running: Iterable[Future[Receipt]]) -> Iterable[Future[Receipt]]:
        """Uploads that are through; every one has its own time limits."""
        while True:
            done = wait(running, timeout=1.0, return_when=FIRST_COMPLETED).done
            self._context.pulse()
            if done:
                return done

    def _intend(self, batch: Batch) -> tuple[Intent, ...]:
        now = self._context.clock()
        return self._ledger.record_sending(
            [
                Intent(
                    key=0,
                    path=c.file.path,
                    number=c.number,
                    size=c.file.size,
                    fingerprint=c.file.fingerprint,
                    sent_at=now,
                    digest=c.file.digest,
                )
                for c in batch
            ]
        )

    def _send(self, batch: Batch) -> Receipt:
        uploads = [
            Upload(
                absolute_path(self._root, c.file.path), c.file.path, c.number, c.file.fingerprint
            )
            for c in batch
        ]
        sent = self._context.progress.sent
        if len(uploads) == 1:
            return self._context.remote.create(self._task, uploads[0], sent)
        return self._context.remote.create_bulk(self._task, uploads, sent)

    def _record(
        self,
        outcome: Outcome,
        batch: Batch,
        intents: tuple[Intent, ...],
        future: Future[Receipt],
    ) -> None:
        try:
            receipt = future.result()
        except Stopped as stopped:
            # Raised before the request went out; what is on its way is waited for.
            self._ledger.record_not_sent(intents)
            outcome.stopped = stopped
            return
        except (ApiError, FileProblem) as error:
            outcome.failures.append(Failure(error, creates=batch, file=self._culprit(error, batch)))
            if isinstance(error, ApiError) and error.doubtful:
                self._ledger.record_doubtful(intents)
            else:
                self._ledger.record_not_sent(intents)
            return
        sent = [i._replace(digest=s.digest) for i, s in zip(intents, receipt.sent, strict=True)]
        known = self._ledger.state.shown
        if receipt.attachments is None or any(a.id in known for a in receipt.attachments):
            self._ledger.record_answered(sent)
            outcome.unlisted = True
        else:
            self._ledger.record_created(sent, self._entries(batch, sent, receipt.attachments))
        outcome.sent.append((batch, receipt.sent))
        for create, attachment in zip(
            batch, receipt.attachments or (None,) * len(batch), strict=True
        ):
            action = of_create(create, attachment.id if attachment else None)
            outcome.done.append(action)
            self._on_done(action)

    def _entries(
        self, batch: Batch, intents: Sequence[Intent], attachments: Sequence[Attachment]
    ) -> Iterable[LedgerEntry]:
        """What the answer tells of the new attachments, and the versions that they replace."""
        now = self._context.clock()
        for create, intent, attachment in zip(batch, intents, attachments, strict=True):
            yield entry_of(intent, attachment, now)._replace(listed=False)
            if create.replaces is not None:
                yield create.replaces._replace(role=self._replaced, replaced_by=attachment.id)

    def _culprit(self, error: SyncdError, batch: Batch) -> LocalFile | None:
        """The file that could not be opened or read, if that was it."""
        if not isinstance(error, FileProblem | ShortRead):
            return None
        files = (create.file for create in batch)
        return next((f for f in files if absolute_path(self._root, f.path) == error.path), None)
