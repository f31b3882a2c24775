"""Ledgers of every older format, with all that they may hold, are read as they were meant."""

from __future__ import annotations

import json
import os
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from syncd.model import Attachment, Fingerprint, FolderIdentity, TaskKey
from syncd.state import schema
from syncd.state.ledger import Ledger
from syncd.task_state import Attribute, Event, Intent, LedgerEntry, Refusal, TaskState
from tests.support.values import NOW

OLD_FORMATS = range(1, 5)
"""Those whose rows had another form; later ones have more tables."""
TASK = TaskKey("https://focus.toggl.com/api", 1, 2, 3)
OTHER = TaskKey("https://focus.toggl.com/api", 1, 2, 4)
PRINT = Fingerprint(7, 1_699_990_000_123_456_789, 1_699_990_000_000_000_000, 2**64 - 3)
IDENTITY = FolderIdentity(2**63 + 5, 14_784_296_017_075_228_068)
"""Half of all file systems have an id that is too large for SQLite."""
LATE = 2**64
"""Nanoseconds: a file that is dated after 2262."""


def old_attribute(version: int, sent: Any, seen: Any, kept: bool, form: Any = None) -> str:
    """Before format 4 without what the server made of it."""
    if version < 4:
        return json.dumps([sent, seen, kept, None])
    return json.dumps([sent, seen, kept, False, form, 0.0, []])


def old_ledger(path: Path, version: int) -> None:
    """Two tasks, written as a syncd of that format would have."""
    db = sqlite3.connect(path)
    for number in range(version):
        db.executescript(f"{schema.MIGRATIONS[number]} PRAGMA user_version = {number + 1};")

    def insert(table: str, **values: object) -> None:
        marks = ", ".join("?" * len(values))
        db.execute(
            f"INSERT INTO {table} ({', '.join(values)}) VALUES ({marks})", [*values.values()]
        )

    def entry(id_: int, role: str, path: str, **more: object) -> None:
        values = {
            "name": old_attribute(version, path, path, True),
            "display_order": old_attribute(version, id_ * 100, id_ * 100, True),
            "digest": f"digest of {path}",
            "fingerprint": json.dumps(PRINT),
            "racy": 0,
            "listed": 1,
            "since": NOW - 100,
        } | more
        insert("attachments", task=1, id=id_, role=role, path=path, size=7, **values)

    for row, key in ((1, TASK), (2, OTHER)):
        insert(
            "tasks",
            row=row,
            url=key.url,
            organization_id=1,
            workspace_id=2,
            task_id=key.task_id,
            sequence=5,
        )
    identity = json.dumps([IDENTITY.inode, IDENTITY.file_system])
    db.execute("UPDATE tasks SET identity = ?, mirror_approved = 1 WHERE row = 1", (identity,))
    entry(1, "current", "a")
    entry(2, "current", "Grüße", name=old_attribute(version, "Grüße", "x", False), racy=1, listed=0)
    entry(3, "detached", "gone/b", digest=None, fingerprint=None)
    entry(4, "superseded", "a")
    entry(5, "superseded", "c")
    entry(6, "tombstone", "d")
    entry(7, "current", "late", fingerprint=json.dumps([7, LATE, LATE, 5]))
    insert(
        "attachments",
        task=2,
        id=1,
        role="current",
        path="a",
        size=1,
        name=old_attribute(version, "a", "a", True),
        display_order=old_attribute(version, 2**62, -1, False),
        racy=0,
        listed=1,
        since=0.0,
    )
    for key_, state, ended in ((3, "answered", NOW - 9), (8, "lost", NOW - 8), (9, "open", None)):
        insert(
            "intents",
            key=key_,
            task=1,
            path=f"sent {key_}",
            name="n",
            number=key_,
            size=7,
            fingerprint=json.dumps(PRINT),
            sequence=4,
            sent_at=NOW - 10,
            digest="d" if ended else None,
            state=state,
            ended_at=ended,
        )
    for task, id_, first_seen in ((1, 20, 4), (1, 21, 0), (1, 22, 0), (2, 30, 1)):
        insert("strangers", task=task, id=id_, first_seen=first_seen)
    for subject, fingerprint in (("a", json.dumps(PRINT)), ("#4", None), ("", None)):
        insert(
            "refusals",
            task=1,
            subject=subject,
            error="413",
            fingerprint=fingerprint,
            attempts=2,
            not_before=NOW + 60,
            whole=int(subject == "a"),
        )
    for what, subject, digest in (("create", "a", "d"), ("put back", "1", None)):
        insert("history", task=1, at=NOW - 60, what=what, subject=subject, digest=digest)
    insert("quotas", url=TASK.url, organization_id=1, state='{"remaining": 3}')
    if version >= 2:
        listing = [
            [20, "theirs", 5, 9, "image/png", NOW, False],
            [21, "left", 6, 8, "", None, True],
        ]
        db.execute(
            "UPDATE tasks SET held_of = 6, config = 'c', folder = '/f', parent = '/p', "
            "listing = ?, listed_at = ? WHERE row = 1",
            (json.dumps(listing), NOW - 30),
        )
    if version >= 3:
        db.execute("UPDATE refusals SET digest = 'refused' WHERE subject = 'a'")
    if version >= 4:
        db.execute("UPDATE tasks SET attempt = 'x', attempts = 2")
    db.commit()
    db.close()


@pytest.fixture(params=OLD_FORMATS, ids="format {}".format)
def version(request: pytest.FixtureRequest, tmp_path: Path) -> int:
    """The format of the ledger that lies there."""
    old_ledger(tmp_path / "ledger.db", request.param)
    return int(request.param)


def state(directory: Path, task: TaskKey = TASK) -> TaskState:
    ledger = Ledger.open(str(directory), lambda: NOW)
    try:
        return ledger.state(task)
    finally:
        ledger.close()


def ours(id_: int, **more: Any) -> LedgerEntry:
    """An entry as `old_ledger` has it."""
    path = more.pop("path", "a")
    values: dict[str, Any] = {
        "role": "current",
        "name": Attribute(path, path, kept=True),
        "order": Attribute(id_ * 100, id_ * 100, kept=True),
        "digest": f"digest of {path}",
        "fingerprint": PRINT,
        "listed": True,
        "since": NOW - 100,
    }
    return LedgerEntry(id=id_, path=path, size=7, **values | more)


def test_entries_keep_their_roles_names_and_numbers(tmp_path: Path, version: int) -> None:
    found = state(tmp_path).entries
    late = Fingerprint(7, 2**63 - 1, 2**63 - 1, 5)
    assert [found[id_] for id_ in range(1, 8)] == [
        ours(1),
        ours(2, path="Grüße", name=Attribute("Grüße", "x"), racy=True, listed=False),
        ours(3, path="gone/b", role="detached", digest=None, fingerprint=None),
        ours(4, role="superseded", replaced_by=1),
        ours(5, path="c", role="superseded"),
        ours(6, path="d", role="tombstone"),
        ours(7, path="late", fingerprint=late),
    ]


def test_attachments_that_were_given_up_stay_foreign(tmp_path: Path, version: int) -> None:
    """`delete: never` marked what it had replaced by a `first_seen` of 0."""
    found = state(tmp_path)
    assert {id_: e.role for id_, e in found.entries.items() if id_ > 20} == {
        21: "released",
        22: "released",
    }
    assert {e.path for id_, e in found.entries.items() if id_ > 20} == {""}
    known = ("left", 6, 8) if version >= 2 else ("", 0, 0)
    left = found.entries[21]
    assert (left.name.seen, left.order.seen, left.size) == known


def test_attachments_of_others_are_no_creates_of_ours(tmp_path: Path, version: int) -> None:
    found = state(tmp_path)
    known = Attachment(20, "theirs", 5, 9) if version >= 2 else Attachment(20, "", 0, 0)
    assert found.strangers == {20: known}
    assert state(tmp_path, OTHER).strangers == {30: Attachment(30, "", 0, 0)}


def test_no_old_list_counts_as_taken(tmp_path: Path, version: int) -> None:
    """It does not tell which of ours it showed."""
    found = state(tmp_path)
    assert (found.listed_at, found.retired) == (None, {})
    assert not any(e.shown for e in found.entries.values())


def test_intents_keep_their_numbers_and_states(tmp_path: Path, version: int) -> None:
    assert list(state(tmp_path).intents.values()) == [
        Intent(3, "sent 3", 3, 7, PRINT, NOW - 10, "d", "answered", NOW - 9),
        Intent(8, "sent 8", 8, 7, PRINT, NOW - 10, "d", "lost", NOW - 8),
        Intent(9, "sent 9", 9, 7, PRINT, NOW - 10, None, "doubtful", NOW),
    ]


def test_new_intents_get_new_keys(tmp_path: Path, version: int) -> None:
    ledger = Ledger.open(str(tmp_path), lambda: NOW)
    task = ledger.task(OTHER)
    (sent,) = task.record_sending([Intent(0, "x", 1, 7, PRINT, NOW)])
    ledger.close()
    assert sent.key == 10


def test_refusals_are_honoured(tmp_path: Path, version: int) -> None:
    digest = "refused" if version >= 3 else None
    assert state(tmp_path).refusals == {
        "a": Refusal("a", "413", PRINT, 2, NOW + 60, whole=True, digest=digest),
        "#4": Refusal("#4", "413", None, 2, NOW + 60),
        "": Refusal("", "413", None, 2, NOW + 60),
    }


def test_the_folder_is_the_one_it_was(tmp_path: Path, version: int) -> None:
    found = state(tmp_path)
    held = 6 if version >= 2 else None
    assert (found.identity, found.mirror_approved, found.held_of) == (IDENTITY, True, held)
    other = state(tmp_path, OTHER)
    assert (other.identity, other.mirror_approved, other.held_of) == (None, False, None)


def test_the_days_events_are_counted(tmp_path: Path, version: int) -> None:
    assert state(tmp_path).history == (
        Event(NOW - 60, "create", "a", "d"),
        Event(NOW - 60, "put back", "1"),
    )


def test_folders_and_quotas_stay_known(tmp_path: Path, version: int) -> None:
    ledger = Ledger.open(str(tmp_path))
    fed = ("c", "/f", "/p") if version >= 2 else (None, None, None)
    assert ledger.tasks() == [(TASK, *fed), (OTHER, None, None, None)]
    assert ledger.quota(TASK.url, 1) == '{"remaining": 3}'
    ledger.close()


def test_other_tasks_do_not_mix(tmp_path: Path, version: int) -> None:
    found = state(tmp_path, OTHER)
    assert found.entries == {
        1: LedgerEntry(
            1, "current", "a", 1, Attribute("a", "a", kept=True), Attribute(2**62, -1), listed=True
        )
    }
    assert (found.intents, found.refusals, found.history) == ({}, {}, ())


@pytest.mark.parametrize("read_only", [False, True])
def test_a_copy_is_kept_where_the_file_is_changed(
    tmp_path: Path, version: int, read_only: bool
) -> None:
    before = (tmp_path / "ledger.db").read_bytes()
    if read_only:
        ledger = Ledger.snapshot(str(tmp_path))
        assert len(ledger.state(TASK).entries) == 9
        ledger.close()
        assert os.listdir(tmp_path) == ["ledger.db"]
        assert (tmp_path / "ledger.db").read_bytes() == before
    else:
        state(tmp_path)
        assert (tmp_path / f"ledger.db.format{version}").read_bytes() == before


def migrated_name(directory: Path, version: int, name: str) -> Attribute[str]:
    path = directory / "ledger.db"
    old_ledger(path, version)
    db = sqlite3.connect(path)
    db.execute("UPDATE attachments SET name = ? WHERE task = 1 AND id = 1", (name,))
    db.commit()
    db.close()
    return state(directory).entries[1].name


class TestWhatTheServerMakesOfAName:
    def test_a_second_try_of_format_3_was_the_last_one(self, tmp_path: Path) -> None:
        """The server showed `a` for `A`, and was sent `A` once more."""
        name = migrated_name(tmp_path, 3, '["A", "a", false, "a"]')
        assert name.listed("a").is_accepted("A")
        assert not name.listed("b").is_accepted("A")

    def test_a_second_try_of_format_4_was_the_last_one(self, tmp_path: Path) -> None:
        put = f'["A", "A", false, true, null, {NOW - 5}, ["x", "a"]]'
        name = migrated_name(tmp_path, 4, put)
        assert name.current(NOW) == "A"
        assert name.listed("a").is_accepted("A")

    def test_an_accepted_name_stays_accepted(self, tmp_path: Path) -> None:
        name = migrated_name(tmp_path, 4, '["A", "a", false, false, "a", 5.0, ["a"]]')
        assert name.is_accepted("A")

    def test_a_lagging_list_is_not_taken_for_a_change(self, tmp_path: Path) -> None:
        """A PUT of `new` was confirmed just before; the list still shows `old`."""
        put = f'["new", "new", false, false, null, {NOW - 5}, ["old"]]'
        name = migrated_name(tmp_path, 4, put).listed("old")
        assert (name.current(NOW), name.current(NOW + 9999)) == ("new", "old")

    def test_an_adopted_name_is_kept(self, tmp_path: Path) -> None:
        name = migrated_name(tmp_path, 4, '["a", "a", true, false, "a", 0.0, []]')
        assert (name.kept, name.current(NOW)) == (True, "a")
