"""One verdict per file and per attachment, for `list` and `why` alike."""

from __future__ import annotations

from typing import Any

import pytest

from syncd.model import Problem, Rules
from syncd.overview.verdict import Kind, Verdicts
from tests.support.values import (
    NOW,
    attachment,
    created,
    entry,
    file,
    intent,
    put_back,
    refusal,
    snapshot,
)

A, B = file("a"), file("b", "other")
NEVER = Rules(delete="never")
UNREAD = {"failed": (Problem("a", "not readable"),), "occupied": frozenset({"a"})}
WHOLE = refusal("a", whole=True, digest=A.digest)

CASES: dict[str, tuple[dict[str, Any], Kind, str | None]] = {
    "a file with its attachment": ({"files": [A], "ours": [entry(1, "a")]}, Kind.IN_SYNC, "a"),
    "a file without one": ({"files": [A]}, Kind.NEW, "a"),
    "a file whose copy is in the task": (
        {"files": [A], "theirs": [attachment(9, "a")]},
        Kind.NEW,
        "a",
    ),
    "new content": ({"files": [A], "ours": [entry(1, "a", "old")]}, Kind.CHANGED, "a"),
    "a file that was renamed": ({"files": [A], "ours": [entry(1, "z")]}, Kind.RENAMED, "a"),
    "an attachment that is out of order": (
        {"files": [A, B], "ours": [entry(1, "a", number=9), entry(2, "b", "other", number=5)]},
        Kind.MOVED,
        "a",
    ),
    "a file that is gone": ({"ours": [entry(1, "a")]}, Kind.GONE, None),
    "a file that is gone, where nothing is deleted": (
        {"ours": [entry(1, "a")], "rules": NEVER},
        Kind.DETACHED,
        None,
    ),
    "the last of several files that are gone": (
        {"ours": [entry(1, "a"), entry(2, "b")]},
        Kind.HELD,
        None,
    ),
    "a file that is ignored now": (
        {"ours": [entry(1, "a")], "selects": lambda _: False},
        Kind.DETACHED,
        "a",
    ),
    "a file that cannot be read": ({"scan": UNREAD}, Kind.FAILED, None),
    "an attachment whose file cannot be read": (
        {"ours": [entry(1, "a")], "scan": UNREAD},
        Kind.FAILED,
        "a",
    ),
    "a link": ({"scan": {"skipped": (Problem("a", "symbolic link"),)}}, Kind.NOT_SYNCED, None),
    "a path that an include leaves out": ({"selects": lambda _: False}, Kind.NOT_SYNCED, None),
    "nothing at all": ({}, Kind.UNKNOWN, None),
    "a file that is still written": (
        {"files": [A], "unsettled": frozenset("a")},
        Kind.WAITING,
        "a",
    ),
    "an upload in doubt": (
        {"files": [A], "known": {"intents": [intent(1, "a")]}},
        Kind.WAITING,
        "a",
    ),
    "a refused file": ({"files": [A], "known": {"refusals": [refusal("a")]}}, Kind.REFUSED, "a"),
    "a file refused as all are": (
        {"files": [A], "known": {"refusals": [WHOLE]}},
        Kind.REFUSED,
        "a",
    ),
    "a refused delete": (
        {"ours": [entry(1, "a")], "known": {"refusals": [refusal("#1")]}},
        Kind.REFUSED,
        None,
    ),
    "a file that was uploaded twice today": (
        {"files": [A], "known": {"history": (created("a"), created("a"))}},
        Kind.CONTESTED,
        "a",
    ),
}


@pytest.mark.parametrize(("values", "kind", "path"), CASES.values(), ids=list(CASES))
def test_the_verdict_on_a_path(values: dict[str, Any], kind: Kind, path: str | None) -> None:
    verdict = Verdicts(snapshot(**values)).on_path("a")
    assert (verdict.kind, verdict.file) == (kind, path)


def test_a_name_that_a_person_keeps_changing_is_contested() -> None:
    from syncd.task_state import Attribute

    renamed = entry(1, "a", name=Attribute("a", "mine", kept=True))
    known = {"history": (put_back("1"), put_back("1"))}
    verdicts = Verdicts(snapshot([A], [renamed], known=known))
    assert verdicts.on_path("a").kind is verdicts.on_attachment(1).kind is Kind.CONTESTED


def test_a_refusal_tells_its_error_and_the_next_try() -> None:
    verdict = Verdicts(snapshot([A], known={"refusals": [refusal("a")]})).on_path("a")
    assert (verdict.error, verdict.next_try) == ("400", NOW + 60)


def test_the_old_path_of_a_renamed_file_leads_to_the_new_one() -> None:
    verdicts = Verdicts(snapshot([A], [entry(1, "z")]))
    assert verdicts.on_path("a").reason.startswith("it was z")
    assert verdicts.on_path("z").reason.startswith("it is a now")


def test_attachments_are_told_apart_by_their_id() -> None:
    old = entry(1, "a", "old", role="superseded", replaced_by=2)
    verdicts = Verdicts(snapshot([A], [old, entry(2, "a")], [attachment(3, "c")]))
    kinds = [verdicts.on_attachment(id_).kind for id_ in (1, 2, 3)]
    assert kinds == [Kind.OLD, Kind.IN_SYNC, Kind.FOREIGN]


def test_an_attachment_that_is_to_be_adopted_is_that_of_its_file() -> None:
    verdicts = Verdicts(snapshot([A], theirs=[attachment(9, "a")]))
    verdict = verdicts.on_attachment(9)
    assert verdict is verdicts.on_path("a")
    assert (verdict.entry, verdict.foreign) == (None, attachment(9, "a"))
