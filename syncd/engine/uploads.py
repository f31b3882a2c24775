"""Send files, several requests at a time, and record what became of each.

The intents of a request are committed before it goes out: whatever happens then, the next list
shows what was made of it. Threads only send and return values; the ledger is the worker's alone.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait

from syncd.core.listing import entry_of
from syncd.core.plan import Create
from syncd.engine.actions import of_create
from syncd.engine.outcome import Failure, Outcome
from syncd.engine.run import Run
from syncd.errors import ApiError, FileProblem, ShortRead, Stopped, SyncdError
from syncd.focus.uploads import Receipt, Upload
from syncd.local.file_content import absolute_path
from syncd.model import Attachment, LocalFile
from syncd.task_state import Intent, LedgerEntry, Role

Batch = tuple[Create, ...]
Sending = tuple[Batch, tuple[Intent, ...]]


class Uploads:
    """The creates of one plan."""

    def __init__(self, run: Run, outcome: Outcome, root: str) -> None:
        self._run = run
        self._outcome = outcome
        self._root = root
        self._known = set(run.ledger.state.shown)
        """Attachments that an answer cannot have made."""

    def send(self, requests: Sequence[Batch]) -> None:
        """Send these requests; stop at the first failure, but wait for what is on its way."""
        context = self._run.context
        files = [create.file for batch in requests for create in batch]
        context.progress.expect(len(files), sum(f.size for f in files))
        running: dict[Future[Receipt], Sending] = {}
        try:
            with context.quota.parallel():
                self._send_all(deque(requests), running)
        finally:
            wait(running)
            context.progress.done()
        if self._outcome.stopped is not None:
            raise self._outcome.stopped

    def _send_all(self, queue: deque[Batch], running: dict[Future[Receipt], Sending]) -> None:
        run = self._run
        while True:
            while queue and len(running) < run.context.connections and not self._outcome.ended:
                # Requests in flight are not in the quota headers yet, so one is kept for each.
                if not run.affords(1 + len(running) + run.context.quota.reserve):
                    break
                batch = queue.popleft()
                # One transaction with the outcomes recorded since the last.
                intents = self._intend(batch)
                running[run.context.upload_threads.submit(self._send, batch)] = (batch, intents)
            run.ledger.write()
            if not running:
                return
            for future in self._finished(running):
                self._record(*running.pop(future), future)

    def _finished(self, running: Iterable[Future[Receipt]]) -> Iterable[Future[Receipt]]:
        """Uploads that are through; every one has its own time limits."""
        while True:
            done = wait(running, timeout=1.0, return_when=FIRST_COMPLETED).done
            self._run.context.pulse()
            if done:
                return done

    def _intend(self, batch: Batch) -> tuple[Intent, ...]:
        now = self._run.context.clock()
        return self._run.ledger.record_sending(
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
        task, remote = self._run.folder.task, self._run.context.remote
        on_bytes = self._run.context.progress.sent
        if len(uploads) == 1:
            return remote.create(task, uploads[0], on_bytes)
        return remote.create_bulk(task, uploads, on_bytes)

    def _record(self, batch: Batch, intents: tuple[Intent, ...], future: Future[Receipt]) -> None:
        outcome, ledger = self._outcome, self._run.ledger
        try:
            receipt = future.result()
        except Stopped as stopped:
            # Raised before the request went out; what is on its way is waited for.
            ledger.record_not_sent(intents)
            outcome.stopped = stopped
            return
        except (ApiError, FileProblem) as error:
            outcome.failures.append(Failure(error, creates=batch, file=self._culprit(error, batch)))
            if isinstance(error, ApiError) and error.doubtful:
                ledger.record_doubtful(intents)
            else:
                ledger.record_not_sent(intents)
            return
        sent = [i._replace(digest=s.digest) for i, s in zip(intents, receipt.sent, strict=True)]
        made = receipt.attachments
        if made is None or any(a.id in self._known for a in made):
            ledger.record_answered(sent)
            outcome.unlisted = True
        else:
            ledger.record_created(sent, self._entries(batch, sent, made))
            self._known.update(a.id for a in made)
        outcome.sent.append((batch, receipt.sent))
        ids = [a.id for a in made] if made else [None] * len(batch)
        done = [of_create(create, id_) for create, id_ in zip(batch, ids, strict=True)]
        outcome.done += done
        self._run.note_done(done)
        self._run.context.progress.uploaded(len(done))

    def _entries(
        self, batch: Batch, intents: Sequence[Intent], attachments: Sequence[Attachment]
    ) -> Iterable[LedgerEntry]:
        """What the answer tells of the new attachments, and the versions that they replace."""
        now = self._run.context.clock()
        role: Role = "released" if self._run.limits.keeps_old else "superseded"
        for create, intent, attachment in zip(batch, intents, attachments, strict=True):
            yield entry_of(intent, attachment, now)._replace(listed=False)
            if create.replaces is not None:
                yield create.replaces._replace(role=role, replaced_by=attachment.id)

    def _culprit(self, error: SyncdError, batch: Batch) -> LocalFile | None:
        """The file that could not be opened or read, if that was it."""
        if not isinstance(error, FileProblem | ShortRead):
            return None
        files = (create.file for create in batch)
        return next((f for f in files if absolute_path(self._root, f.path) == error.path), None)
