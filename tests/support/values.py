"""Named values for the pure tests: files, attachments, entries, and what is made of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from hashlib import sha256
from typing import Any

from syncd.core.plan import Plan
from syncd.core.reconcile import reconcile
from syncd.core.situation import Situation
from syncd.model import (
    Attachment,
    Fingerprint,
    FolderIdentity,
    FolderSnapshot,
    Intent,
    LedgerEntry,
    Listing,
    LocalFile,
    Past,
    Refusal,
    Role,
    Rules,
)
from syncd.said import Said

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
    return Attachment(id_, name, number or id_ * 100, len(content), **more)


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
    """An attachment of ours that a list has shown as we made it."""
    number = number or id_ * 100
    more.setdefault("name", Said(path, path, kept=True))
    more.setdefault("listed", True)
    return LedgerEntry(
        id=id_,
        role=role,
        path=path,
        size=len(content),
        order=Said(number, number, kept=True),
        digest=digest(content),
        fingerprint=print_of(content, touched),
        since=more.pop("since", LONG_AGO),
        **more,
    )


def intent(key: int, path: str, content: str = "content", number: int = 100, **more: Any) -> Intent:
    """A create that was sent after list 1 and of which no answer came, a minute ago."""
    more = {"sequence": 1, "sent_at": NOW - 60, "ended_at": NOW - 60, "state": "doubtful"} | more
    more.setdefault("digest", digest(content))
    return Intent(
        key=key,
        path=path,
        name=path,
        number=number,
        size=len(content),
        fingerprint=print_of(content),
        **more,
    )


def refusal(subject: str, content: str | None = "content", **more: Any) -> Refusal:
    """A refusal that is to be honoured for another minute."""
    more = {"error": "400", "attempts": 1, "not_before": NOW + 60} | more
    return Refusal(subject, fingerprint=print_of(content) if content else None, **more)


def folder(*files: LocalFile, **more: Any) -> FolderSnapshot:
    more.setdefault("identity", HOME)
    return FolderSnapshot(root="/folder", files=tuple(files), **more)


def shown(*entries: LedgerEntry) -> tuple[Attachment, ...]:
    """The attachments of these entries, as the list shows them."""
    return tuple(
        Attachment(e.id, e.name.seen, e.order.seen, e.size, created_at=NOW) for e in entries
    )


def situation(
    files: Iterable[LocalFile] = (),
    ours: Iterable[LedgerEntry] = (),
    theirs: Iterable[Attachment] = (),
    *,
    rules: Rules | None = None,
    past: dict[str, Any] | None = None,
    snapshot: dict[str, Any] | None = None,
    selects: Callable[[str], bool] = lambda _: True,
    listing: Listing | None = None,
    **more: Any,
) -> Situation:
    """A folder, what is ours and shown in the task, and what is there besides."""
    entries = tuple(ours)
    rows = (*shown(*(e for e in entries if e.role != "tombstone")), *theirs)
    return Situation(
        folder=folder(*files, **(snapshot or {})),
        listing=listing or Listing(rows),
        past=replace(Past(entries=entries, identity=HOME), **(past or {})),
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
    return told(reconcile(situation(*arguments, **more)))
