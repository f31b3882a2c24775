"""The requests of a probe: counted, recorded before they make something, and cleaned up after."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from time import sleep, time

from syncd.errors import (
    ApiError,
    Doubtful,
    InvalidResponse,
    StateError,
    SyncdError,
    Unreachable,
)
from syncd.focus.probing import Labels, ProbingClient
from syncd.focus.uploads import Receipt, Upload
from syncd.model import Attachment, QuotaReading, TaskKey
from syncd.probe.findings import Findings
from syncd.probe.record import Probe, Record, Sent

REQUESTS = 14
"""At most; announced beforehand."""
LOOKS = (2.0, 8.0, 20.0)
"""Seconds between looks for what a list does not show yet."""
LOST = 5.0
"""Seconds after which a list tells whether a create without an answer was carried out."""


class Spent(SyncdError):
    """No request may be sent any more."""

    exit_code = 1


class Session:
    """One probe of one task, and what earlier ones have left in it."""

    def __init__(self, record: Record, task: TaskKey, connect: Callable[[Session], ProbingClient]):
        self.task = task
        self.record = record
        self.client = connect(self)
        self.requests = 0
        self.findings = Findings()
        self.errors: list[ApiError] = []
        """Answers that left something open."""
        self.cleaning_errors: list[SyncdError] = []
        self.notes: dict[str, str] = {}
        """Why a finding is open, or more about it, by its key."""
        self.probe = Probe.new(task, time())
        self.lag = 0.0
        """Seconds until a list showed the first that was made."""
        self.probes: dict[str, Probe] = {}
        """This one and earlier ones as they are now, by their tokens."""
        self.suspects: tuple[Attachment, ...] = ()
        """What an earlier probe may have left, though nothing proves that."""
        self.listed: frozenset[int] = frozenset()
        """The ids that the last list has shown."""
        self.ever_listed: set[int] = set()
        """The ids that any of its lists has shown."""

    def on_request(self, _task: TaskKey, _call: str) -> None:
        """Count a request that is about to be sent."""
        if self.requests >= REQUESTS:
            raise Spent(f"all {REQUESTS} requests of a probe are sent")
        self.requests += 1

    def on_answer(self, _organization: int, status: int | None, quota: QuotaReading) -> None:
        """Note whether answers tell what is left of the quota."""
        if status is not None and not self.findings.quota_headers:
            self.found(quota_headers=quota.remaining is not None)

    def wait(self, seconds: float) -> None:
        sleep(seconds)

    def found(self, **values: bool | str | None) -> None:
        self.findings = self.findings._replace(**values)  # type: ignore[arg-type]

    def affords(self, requests: int, files: int = 0) -> bool:
        """Whether these are left, beside one list and the deletes; `files` are made by them."""
        pending = sum(probe.pending for probe in self.record.of(self.task))
        return REQUESTS - self.requests - requests > pending + files

    def listing(self) -> Sequence[Attachment]:
        """All attachments; asked for once more if an answer is lost."""
        try:
            return self.list_once()
        except (Doubtful, InvalidResponse, Unreachable):
            if not self.affords(1):
                raise
            return self.list_once()

    def list_once(self) -> Sequence[Attachment]:
        rows = self.client.list(self.task, 0).attachments
        self.listed = frozenset(row.id for row in rows)
        self.ever_listed |= self.listed
        return rows

    def create(self, uploads: Sequence[Upload], query: Labels, form: Labels) -> Receipt | None:
        """Create files; None = no answer came. Raises ApiError if they were not created."""
        orders = [(q, f) for (_, q), (_, f) in zip(query, form, strict=True)]
        before = self.probe.sent
        new = [Sent(o, u.fingerprint.size) for o, u in zip(orders, uploads, strict=True)]
        try:
            self.keep(self.probe._replace(sent=(*before, *new)))
        except StateError:
            with suppress(StateError):
                self.keep(self.probe._replace(sent=before))
            raise
        try:
            receipt = self.client.create_diverging(self.task, uploads, query, form)
        except ApiError as error:
            if error.doubtful:
                self.errors.append(error)
                return None
            self.keep(self.probe._replace(sent=before))
            raise
        made = receipt.attachments
        old = self.probe.before
        ids = [row.id if row.id not in old else None for row in made or ()] or [None] * len(new)
        new = [s._replace(id=i, answered=True) for s, i in zip(new, ids, strict=True)]
        self.keep(self.probe._replace(sent=(*before, *new)))
        return receipt

    def look(self) -> Sequence[Attachment]:
        """List until all that was made is there, or seems not to be; returns the last list."""
        if self.lag:
            self.wait(self.lag)
        rows, waited = self.listing(), self.lag
        self.keep(self.probe.seen(rows, by_size=True))
        self._compare(rows)
        for pause in LOOKS:
            missing = [s for s in self.probe.sent if s.id is None and not s.missed]
            answered = any(s.answered for s in missing)
            if not missing or not (answered or waited < LOST) or not self.affords(1):
                break
            self.wait(pause if answered else LOST)
            waited += pause if answered else LOST
            self.lag = waited if answered else self.lag
            rows = self.listing()
            self.keep(self.probe.seen(rows, by_size=True))
        sent = (s if s.answered or s.id else s._replace(missed=True) for s in self.probe.sent)
        self.keep(self.probe._replace(sent=tuple(sent)))
        return rows

    def _compare(self, rows: Sequence[Attachment]) -> None:
        """Whether a list shows what was made just before."""
        answered = [s.id for s in self.probe.sent if s.answered]
        if not set(answered) <= {row.id for row in rows}:
            self.found(list_lags=True)
        elif answered and self.findings.list_lags is None:
            self.found(list_lags=False)

    @property
    def left_behind(self) -> tuple[int, ...]:
        """The ids of what probes have made in this task and not deleted."""
        return tuple(id_ for probe in self.record.of(self.task) for id_ in probe.ids)

    @property
    def lost(self) -> bool:
        """Whether something is in the task whose id no list has told."""
        return any(s.answered and s.id is None for s in self.probe.sent)

    def keep(self, probe: Probe) -> None:
        self.probes[probe.token] = probe
        if probe.token == self.probe.token:
            self.probe = probe
        self.record.keep(probe)
