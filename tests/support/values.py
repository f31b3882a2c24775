"""Named values for the pure tests: files, attachments, entries, and what is made of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from hashlib import sha256
from typing import Any, NamedTuple

from syncd.core.plan import Plan
from syncd.core.reconcile import reconcile
from syncd.core.snapshot import Snapshot
from syncd.model import Attachment, Fingerprint, FolderIdentity, FolderSnapshot, LocalFile, Rules
from syncd.task_state import Attribute, Event, Intent, LedgerEntry, Refusal, Role, TaskState

NOW = 1_700_000_000.0
LONG_AGO = NOW - 10_000.0
HOME = FolderIdentity(inode=1, file_system=1)
ELSEWHERE = FolderIdentity(inode=2, file_system=1)


def digest(content: str) -> str:
    return sha256(content.encode()).hexdigest()


def print_of(content: str, touched: float = LONG_AGO) -> Fingerprint:
    """What stat says of a file with this content; other content is another inode."""
    moment = int(touched * 1e9)
    return Fingerprint(len(content), moment, moment, int(digest(content)[:8], 16))


def file(
    path: str, content: str = "content", *, touched: float = LONG_AGO, read: bool = True
) -> LocalFile:
    """A file of the folder, read already unless told otherwise."""
    return LocalFile(path, print_of(content, touched), digest(content) if read else None)


def attachment(
    id_: int, name: str, content: str = "content", number: int | None = None, **more: Any
) -> Attachment:
    """A row of the list, made when its file was."""
    more.setdefault("created_at", NOW)
    number = id_ * 100 if number is None else number
    return Attachment(id_, name, number, len(content), **more)


def entry(
    id_: int,
    path: str,
    content: str = "content",
    number: int | None = None,
    *,
    role: Role = "current",
    touched: float = LONG_AGO,
    **more: Any,
) -> LedgerEntry:
    """An attachment of ours that the last list shows as we made it."""
    number = id_ * 100 if number is None else number
    more = {
        "name": Attribute(path, path, kept=True),
        "order": Attribute(number, number, kept=True),
        "shown": True,
        "listed": True,
        "since": LONG_AGO,
        "digest": digest(content),
        "fingerprint": print_of(content, touched),
    } | more
    return LedgerEntry(id=id_, role=role, path=path, size=len(content), **more)


def intent(key: int, path: str, content: str = "content", number: int = 100, **more: Any) -> Intent:
    """A create that was sent a minute ago and never answered."""
    more = {"sent_at": NOW - 60, "ended_at": NOW - 60, "state": "doubtful"} | more
    more = {"digest": digest(content), "fingerprint": print_of(content)} | more
    return Intent(key=key, path=path, number=number, size=len(content), **more)


def created(path: str, content: str = "content", ago: float = 60.0) -> Event:
    return Event(NOW - ago, "create", path, digest(content))


def put_back(subject: str, ago: float = 60.0) -> Event:
    """A name (of an attachment id) or the `order` that was put back."""
    return Event(NOW - ago, "put back", subject)


def deleted(path: str, ago: float = 60.0) -> Event:
    return Event(NOW - ago, "delete", path)


def refusal(subject: str, content: str | None = "content", **more: Any) -> Refusal:
    """A refusal that is to be honoured for another minute."""
    more = {"error": "400", "attempts": 1, "not_before": NOW + 60} | more
    more.setdefault("fingerprint", print_of(content) if content else None)
    return Refusal(subject, **more)


def folder(*files: LocalFile, **more: Any) -> FolderSnapshot:
    more.setdefault("identity", HOME)
    return FolderSnapshot(root="/folder", files=tuple(files), **more)


def state(
    ours: Iterable[LedgerEntry] = (),
    theirs: Iterable[Attachment] = (),
    intents: Iterable[Intent] = (),
    refusals: Iterable[Refusal] = (),
    **more: Any,
) -> TaskState:
    """What the ledger knows of a task that was listed just now."""
    return TaskState(
        entries={e.id: e for e in ours},
        strangers={a.id: a for a in theirs},
        intents={i.key: i for i in intents},
        refusals={r.subject: r for r in refusals},
        **{"identity": HOME, "listed_at": NOW} | more,
    )


def snapshot(
    files: Iterable[LocalFile] = (),
    ours: Iterable[LedgerEntry] = (),
    theirs: Iterable[Attachment] = (),
    *,
    rules: Rules | None = None,
    known: dict[str, Any] | None = None,
    scan: dict[str, Any] | None = None,
    selects: Callable[[str], bool] = lambda _: True,
    **more: Any,
) -> Snapshot:
    """A folder, what is ours in the task, and what is there besides.

    `known` is what else the ledger knows, `scan` what else the scan of the folder found.
    """
    return Snapshot(
        folder=folder(*files, **(scan or {})),
        state=state(ours, theirs, **(known or {})),
        rules=rules or Rules(),
        selects=selects,
        now=NOW,
        scanned_at=NOW,
        **more,
    )


def told(plan: Plan) -> list[str]:
    """A plan in words, in the order in which it is done."""
    return [
        *(f"finish {d.id}" for d in plan.finish),
        *(
            f"create {c.file.path}" + (f" for {c.replaces.id}" if c.replaces else "")
            for c in plan.creates
        ),
        *(f"delete {d.id}" + (" foreign" if d.reason == "foreign" else "") for d in plan.deletes),
        *(f"rename {r.entry.id} to {r.name}" for r in plan.renames),
        *(f"move {r.entry.id}" for r in plan.reorders),
        *(f"adopt {path}" for path in plan.adopted),
        *(f"detach {path}" for path in plan.detached),
        *(f"contest {path}" for path in plan.contested),
        *(f"wait {p.path}" for p in plan.waiting),
        *(f"fail {p.path}" for p in plan.failed),
    ]


def decided(*arguments: Any, **more: Any) -> list[str]:
    return told(reconcile(snapshot(*arguments, **more)))


class Case(NamedTuple):
    """One sentence of the specification of `reconcile`."""

    says: str
    files: list[LocalFile]
    ours: list[LedgerEntry]
    theirs: list[Attachment]
    plan: list[str]
    more: dict[str, Any] = {}  # noqa: RUF012

    @property
    def decided(self) -> list[str]:
        return decided(self.files, self.ours, self.theirs, **self.more)
