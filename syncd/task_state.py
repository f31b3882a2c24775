"""What the ledger knows of one task, as frozen values."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Generic, Literal, NamedTuple, TypeVar
from unicodedata import normalize

from syncd.model import NOTHING, Attachment, Fingerprint, FolderIdentity

T = TypeVar("T")

BELIEF = 600.0
"""Seconds for which a confirmed write is believed while a list still shows the value before it."""

Role = Literal["current", "superseded", "detached", "released", "tombstone"]
"""current: of a synced file · superseded: replaced, to be deleted · detached: its file is not
synced any more · released: replaced under `delete: never`, foreign from now on · tombstone:
deleted by us within the last day."""


class Attribute(NamedTuple, Generic[T]):
    """One attribute of an attachment, its name or its display order: what we sent, what lists
    show."""

    sent: T
    """The value of our last create or PUT."""
    seen: T
    """The value that the last list showed, or that we have put since."""
    kept: bool = False
    """A list has shown the sent value: if it differs later, a person changed it."""
    retried: T | None = None
    """The server's value that we replaced by sending `sent` a second time."""
    accepted: T | None = None
    """The value that the server makes of `sent`, shown again after the second try."""
    before: T | None = None
    """The value before our last PUT: a lagging list still shows it."""
    put_at: float = 0.0
    """When that PUT was confirmed, in seconds since the epoch."""

    def listed(self, value: T) -> Attribute[T]:
        """The attribute after a list showed `value`."""
        if value == self.sent:
            if self.kept and self.seen == value:
                return self
            return self._replace(seen=value, kept=True, retried=None, accepted=None)
        if not self.kept and value == self.retried:
            return self._replace(seen=value, accepted=value)
        return self._replace(seen=value)

    def put(self, value: T, now: float) -> Attribute[T]:
        """The attribute after a PUT of `value` was confirmed."""
        current = self.current(now)
        if value == current:
            return self
        if value == self.sent:
            return self._replace(seen=value, retried=current, put_at=now)
        return Attribute(value, value, before=current, put_at=now)

    def current(self, now: float) -> T:
        """The value in the task: a list may be older than our last PUT."""
        if self.kept or self.seen != self.before:
            return self.seen
        return self.sent if 0 <= now - self.put_at < BELIEF else self.seen

    def is_accepted(self, wanted: T) -> bool:
        """Whether the value in the task is what the server always makes of `wanted`."""
        return self.sent == wanted and self.accepted == self.seen


class LedgerEntry(NamedTuple):
    """An attachment that is ours: what folder and task last agreed on."""

    id: int
    role: Role
    path: str
    size: int
    name: Attribute[str]
    order: Attribute[int]
    digest: str | None = None
    fingerprint: Fingerprint | None = None
    """Without fingerprint and digest the content is unknown."""
    racy: bool = False
    """The fingerprint was read within 2 s of a change: the file is read once more."""
    shown: bool = False
    """The last list shows it, or a 201 since then."""
    listed: bool = False
    """A list has shown it; until then its 201 is believed, for ten minutes."""
    since: float = 0.0
    """When it got its path, or was deleted, in seconds since the epoch."""
    replaced_by: int | None = None
    """Of a superseded entry: the id of the newer version of its file."""

    @property
    def is_shown(self) -> bool:
        """Whether the task holds it, by the last list and our writes since."""
        return self.shown and self.role != "tombstone"

    @property
    def attachment(self) -> Attachment:
        """As the last list shows it."""
        return Attachment(self.id, self.name.seen, self.order.seen, self.size)

    @classmethod
    def of_stranger(cls, a: Attachment) -> LedgerEntry:
        """The entry of an attachment that is not ours."""
        name, order = Attribute(a.name, a.name), Attribute(a.display_order, a.display_order)
        return cls(a.id, "released", "", a.size, name, order)


class Intent(NamedTuple):
    """A create request for one file, committed before it is sent."""

    key: int
    """Row number in the ledger; 0 = not stored yet."""
    path: str
    number: int
    """The display order it carries, which no other attachment or create of the task has."""
    size: int
    fingerprint: Fingerprint
    sent_at: float
    digest: str | None = None
    state: Literal["open", "answered", "doubtful", "lost"] = "open"
    """open: on its way · answered: 201 without ids · doubtful: no answer, or not a documented
    one · lost: a later list lacks it; kept for a day, in case it is carried out late."""
    ended_at: float | None = None
    """When it was answered or failed."""


class Refusal(NamedTuple):
    """A request that failed for a reason of its own, not to be repeated before `not_before`."""

    subject: str
    """The path of a file; `#id` of an attachment; empty: the server asked for a pause (429)."""
    error: str
    fingerprint: Fingerprint | None
    attempts: int
    not_before: float
    whole: bool = False
    """Every upload failed alike: it is the folder's error, not the file's."""
    digest: str | None = None
    """Of the refused bytes; empty: the file could not be read to its end, and was not sent."""
    proven: bool = True
    """False: the server failed, and accepted nothing else meanwhile: it may be the server."""

    @property
    def unread(self) -> bool:
        return self.digest == ""


class Event(NamedTuple):
    """Something that is counted for an hour or a day."""

    at: float
    what: Literal["create", "put back", "delete"]
    subject: str
    """The path of a file; of what was put back the attachment's id, or `order`."""
    digest: str | None = None


class TaskState(NamedTuple):
    """All that the ledger knows of one task."""

    entries: Mapping[int, LedgerEntry] = NOTHING
    """By attachment id."""
    intents: Mapping[int, Intent] = NOTHING
    """By key, in the order of sending."""
    strangers: Mapping[int, Attachment] = NOTHING
    """Attachments of others that the last list shows, by id."""
    retired: Mapping[int, float] = NOTHING
    """Display orders that attachments gave up within the last day -> when."""
    refusals: Mapping[str, Refusal] = NOTHING
    """By subject."""
    history: tuple[Event, ...] = ()
    """Of the last day, oldest first."""
    identity: FolderIdentity | None = None
    mirror_approved: bool = False
    held_of: int | None = None
    """While more than half are held back: how many were ours when that began."""
    order_tried: str | None = None
    """The wanted sequence that was shown or tried last, as text to compare."""
    order_tries: int = 0
    """Cycles that moved attachments to bring it about, before a list showed it."""
    order_kept: bool = False
    """A list has shown it: if it differs later, a person changed it."""
    listed_at: float | None = None
    """When the last list was taken, in seconds since the epoch; None = never."""
    clock_skew: float = 0.0
    """Of that list; not stored."""

    @property
    def attached_paths(self) -> frozenset[str]:
        """Paths of the files that have an attachment of ours, synced or detached."""
        return frozenset(e.path for e in self.entries.values() if e.role in ("current", "detached"))

    @property
    def in_doubt(self) -> tuple[Intent, ...]:
        """Creates of which no list has told yet whether they were carried out."""
        return tuple(i for i in self.intents.values() if i.state != "lost")

    @property
    def shown(self) -> dict[int, Attachment]:
        """What the task holds by the last list and our writes since, by id."""
        ours = (e for e in self.entries.values() if e.is_shown)
        return {e.id: e.attachment for e in ours} | dict(self.strangers)


def same_name(one: str, other: str) -> bool:
    """Whether two names are equal after NFC: a server may normalize what it stores."""
    return one == other or nfc(one) == nfc(other)


def nfc(name: str) -> str:
    """A name as it is compared."""
    return normalize("NFC", name)
