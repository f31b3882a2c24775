"""Does what a plan says and records each confirmed action; never improvises.

The first answer that is not the documented success ends it: what became of the rest is for
a new cycle to plan from the truth.
"""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Iterable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field, replace

from syncd.core.books import entry_of
from syncd.core.plan import Create, Delete, Limits, Plan, Rename, Reorder, batches
from syncd.engine.report import FolderReport, counts_as_deleted
from syncd.engine.tools import Tools
from syncd.errors import ApiError, FileProblem, Stopped, SyncdError
from syncd.local.digest import absolute
from syncd.model import (
    Attachment,
    Folder,
    Intent,
    LedgerEntry,
    Listing,
    Past,
    Receipt,
    Said,
    Sent,
    Upload,
)

log = logging.getLogger("syncd.apply")


@dataclass(frozen=True)
class Failure:
    """What ended an apply: the error, and what was being done."""

    error: SyncdError
    creates: tuple[Create, ...] = ()
    attachment_id: int | None = None
    name: str = ""


@dataclass
class Outcome:
    """What an apply leaves behind."""

    listing: Listing
    """The list as the confirmed actions have changed it."""
    unlisted: bool = False
    """Something was created of which only the next list tells the id."""
    failures: list[Failure] = field(default_factory=list)
    stopped: Stopped | None = None
    sent: list[tuple[tuple[Create, ...], tuple[Sent, ...]]] = field(default_factory=list)
    """The creates that were carried out, with what went over the wire."""

    @property
    def ended(self) -> bool:
        return bool(self.failures) or self.stopped is not None


class Apply:
    """One plan for one folder. Uploads run in parallel, all else one by one, in the worker."""

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

    def run(self, plan: Plan, listing: Listing, limits: Limits) -> Outcome:
        """In the order of what matters most; nothing is sent after a failure."""
        outcome = Outcome(listing)
        self._change(outcome, plan.finish)
        if not outcome.failures:
            self._creates(outcome, batches(plan.creates, limits))
        if not outcome.failures:
            self._change(outcome, (*plan.deletes, *plan.renames, *plan.reorders))
        self._tools.meter.save()
        return outcome

    def _change(self, outcome: Outcome, actions: Iterable[Delete | Rename | Reorder]) -> None:
        """One by one, up to the first failure."""
        for action in actions:
            try:
                if isinstance(action, Delete):
                    self._delete(outcome, action)
                else:
                    self._put(outcome, action)
            except ApiError as error:
                outcome.failures.append(_failure(error, action))
                return
            self._tools.meter.save()

    def _delete(self, outcome: Outcome, delete: Delete) -> None:
        self._tools.client.delete(self._task, delete.id)
        counted = counts_as_deleted(delete)
        self._tools.ledger.put(
            self._task,
            [_tombstone(delete, self._entry(delete.id), self._tools.clock())],
            deleted=(delete.path or delete.name) if counted else None,
        )
        rest = (a for a in outcome.listing.attachments if a.id != delete.id)
        outcome.listing = replace(outcome.listing, attachments=tuple(rest))
        if counted:
            self._report.deleted.append(delete.name)
        reasons = {
            "gone": "its file is gone",
            "replaced": "old version",
            "foreign": "not ours, mirror",
        }
        size = f"{delete.size} bytes"
        self._tell("deleted", delete.name, f"{reasons[delete.reason]}, {size}", delete.id)

    def _put(self, outcome: Outcome, action: Rename | Reorder) -> None:
        entry, name, number = action.entry, action.name, action.number
        shown = next(a for a in outcome.listing.attachments if a.id == entry.id)
        self._tools.client.update(self._task, entry.id, name, number)
        entry = self._entry(entry.id) or entry
        self._tools.ledger.put(
            self._task,
            [
                replace(
                    entry,
                    name=entry.name.put(name, over=shown.name),
                    order=entry.order.put(number, over=shown.display_order),
                )
            ],
            put_back=entry.id if action.put_back else None,
        )
        changed = replace(shown, name=name, display_order=number)
        outcome.listing = _with(outcome.listing, [changed])
        back = ", put back" if action.put_back else ""
        if isinstance(action, Rename):
            self._report.renamed.append((action.old_name, name))
            self._tell("renamed", name, f"was {action.old_name!r}{back}", entry.id)
        else:
            self._report.reordered.append(entry.path)
            self._tell("moved", name, f"{action.old_number} -> {number}{back}", entry.id)

    def _creates(self, outcome: Outcome, requests: Sequence[tuple[Create, ...]]) -> None:
        if not requests:
            return
        files = [create.file for batch in requests for create in batch]
        self._tools.progress.expect(len(files), sum(f.size for f in files))
        try:
            self._send_all(outcome, deque(requests))
        finally:
            self._tools.progress.done()
        if outcome.stopped is not None:
            raise outcome.stopped

    def _send_all(self, outcome: Outcome, queue: deque[tuple[Create, ...]]) -> None:
        running: dict[Future[Receipt], tuple[tuple[Create, ...], tuple[Intent, ...]]] = {}
        with ThreadPoolExecutor(max_workers=self._tools.connections) as pool:
            while queue or running:
                while queue and len(running) < self._tools.connections and not outcome.ended:
                    batch = queue.popleft()
                    intents = self._intend(batch)
                    running[pool.submit(self._send, batch)] = (batch, intents)
                if not running:
                    return
                for future in self._finished(running):
                    batch, intents = running.pop(future)
                    self._sent(outcome, batch, intents, future)
                    self._tools.meter.save()

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
            outcome.failures.append(Failure(error, creates=batch))
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
        if receipt.attachments is None:
            self._tools.ledger.update_intents(self._task, known, answered=True)
            outcome.unlisted = True
        else:
            self._created(outcome, known, receipt.attachments, now)
        self._tools.ledger.forgive(self._task, [i.path for i in intents if i.path in self._refused])
        ids = receipt.attachments or (None,) * len(batch)
        for create, attachment in zip(batch, ids, strict=True):
            self._tell_created(create, attachment)

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
        outcome.listing = _with(outcome.listing, attachments)

    def _tell_created(self, create: Create, attachment: Attachment | None) -> None:
        id_ = attachment.id if attachment else None
        path, size = create.file.path, f"{create.file.size} bytes"
        if create.replaces is None:
            self._report.created.append(path)
            self._tell("created", path, f"new file, {size}", id_)
        else:
            self._report.replaced.append(path)
            self._tell("created", path, f"new content, {size}", id_)

    def _entry(self, id_: int) -> LedgerEntry | None:
        return next((e for e in self._past.entries if e.id == id_), None)

    def _tell(self, what: str, name: str, reason: str, id_: int | None) -> None:
        """One line per write: folder, file, action, reason, id, quota left."""
        left = self._tools.meter.left(self._task.organization_id)
        notes = [reason]
        notes += [f"id {id_}"] if id_ is not None else []
        notes += [f"{left} requests left"] if left is not None else []
        log.info("%s: %s %s (%s)", self._folder.name, what, name, ", ".join(notes))


def _failure(error: ApiError, action: Delete | Rename | Reorder) -> Failure:
    if isinstance(action, Delete):
        return Failure(error, attachment_id=action.id, name=action.path or action.name)
    return Failure(error, attachment_id=action.entry.id, name=action.entry.path)


def _with(listing: Listing, attachments: Iterable[Attachment]) -> Listing:
    """The list with these in place of the ones of the same id."""
    rows = {a.id: a for a in listing.attachments} | {a.id: a for a in attachments}
    return replace(listing, attachments=tuple(rows.values()))


def _tombstone(delete: Delete, entry: LedgerEntry | None, now: float) -> LedgerEntry:
    """What is left of a deleted attachment for a day, so that no lagging list revives it."""
    if entry is None:
        entry = LedgerEntry(
            id=delete.id,
            role="tombstone",
            path=delete.name,
            size=delete.size,
            name=Said(delete.name, delete.name),
            order=Said(0, 0),
        )
    return replace(entry, role="tombstone", since=now)
