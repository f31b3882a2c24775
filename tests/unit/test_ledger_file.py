"""Opening the ledger: new, damaged, older, newer, left by a crash, or only to be read."""

from __future__ import annotations

import os
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest

from syncd.errors import StateDamaged, StateError, StateUnknown
from syncd.model import TaskKey
from syncd.state import schema
from syncd.state.ledger import Ledger
from syncd.task_state import LedgerEntry, TaskState
from tests.support.values import entry

TASK = TaskKey("https://focus.toggl.com/api", 1, 2, 3)


def put(ledger: Ledger, entries: list[LedgerEntry]) -> None:
    task = ledger.task(TASK)
    task.record_plan(entries, None, False, None)
    task.write()


def filled(directory: Path) -> Path:
    ledger = Ledger.open(str(directory))
    put(ledger, [entry(n, f"file {n}") for n in range(1, 200)])
    ledger.close()
    return directory / "ledger.db"


def known(directory: Path) -> int:
    """How many attachments it knows; a ledger found damaged is begun anew, as a run does."""
    ledger = Ledger.open(str(directory))
    try:
        with suppress(StateDamaged):
            return len(ledger.state(TASK).entries)
        return len(ledger.state(TASK).entries)
    finally:
        ledger.close()


def set_aside(directory: Path) -> list[str]:
    names = [name for name in os.listdir(directory) if ".damaged-" in name]
    return [name for name in names if not name.endswith("-journal")]


def no_database(path: Path) -> None:
    path.write_bytes(b"this is not a database, and long enough to be sure of it" * 20)


def holes(path: Path) -> None:
    with open(path, "r+b") as file:
        file.seek(4096)
        file.write(os.urandom(8192))


def half(path: Path) -> None:
    os.truncate(path, path.stat().st_size // 2)


def nonsense_in_a_row(path: Path) -> None:
    with sqlite3.connect(path) as db:
        db.execute("UPDATE attachments SET file_size = 7, inode = 'none' WHERE id = 7")


def a_table_less(path: Path) -> None:
    with sqlite3.connect(path) as db:
        db.execute("DROP TABLE intents")


DAMAGES = [no_database, holes, half]


@pytest.mark.parametrize("damage", DAMAGES, ids=lambda f: f.__name__)
def test_a_damaged_ledger_is_set_aside_with_a_warning_and_a_new_one_begun(
    tmp_path: Path,
    damage,  # type: ignore
    caplog: pytest.LogCaptureFixture,
) -> None:
    damage(filled(tmp_path))
    with caplog.at_level("WARNING"):
        assert known(tmp_path) == 0
    (aside,) = set_aside(tmp_path)
    (told,) = caplog.messages
    assert str(tmp_path / aside) in told
    assert "count as foreign" in told
    assert known(tmp_path) == 0
    assert len(caplog.messages) == 1


def test_a_ledger_that_is_found_damaged_only_when_it_is_written_is_set_aside(
    tmp_path: Path,
) -> None:
    """Its list of free pages is read by no query."""
    path = filled(tmp_path)
    with sqlite3.connect(path) as db:
        db.execute("CREATE TABLE much (x)")
        db.executemany("INSERT INTO much VALUES (?)", [("x" * 3000,)] * 50)
    with sqlite3.connect(path) as db:
        db.execute("DROP TABLE much")
    with open(path, "r+b") as file:
        file.seek(32)
        file.write((10**6).to_bytes(4, "big"))
    ledger = Ledger.open(str(tmp_path))
    assert len(ledger.state(TASK).entries) == 199
    with pytest.raises(StateDamaged):
        put(ledger, [entry(n, f"file {n}" * 9) for n in range(200, 999)])
    put(ledger, [entry(1, "a")])
    ledger.close()
    assert (known(tmp_path), len(set_aside(tmp_path))) == (1, 1)


@pytest.mark.parametrize("wrong", [nonsense_in_a_row, a_table_less])
def test_a_file_that_sqlite_finds_sound_is_not_damaged_whatever_its_rows_say(
    tmp_path: Path,
    wrong,  # type: ignore
) -> None:
    wrong(filled(tmp_path))
    for read in (Ledger.open, Ledger.snapshot):
        with pytest.raises(StateError, match=r"ledger\.db cannot be .*move the file away"):
            read(str(tmp_path)).state(TASK)
    assert set_aside(tmp_path) == []


def test_opening_takes_no_longer_when_the_ledger_is_large(tmp_path: Path) -> None:
    """Counted in bytes read, not in seconds."""
    steps = []
    for number in (10, 20_000):
        directory = tmp_path / str(number)
        directory.mkdir()
        ledger = Ledger.open(str(directory))
        put(ledger, [entry(n, f"file {n}") for n in range(1, number)])
        ledger.close()
        before = bytes_read()
        Ledger.open(str(directory)).close()
        steps.append(bytes_read() - before)
    assert steps[1] < steps[0] + 50_000


def bytes_read() -> int:
    words = Path("/proc/self/io").read_text().split()
    return int(words[words.index("rchar:") + 1])


def test_damaged_ledgers_of_the_same_second_are_set_aside_side_by_side(tmp_path: Path) -> None:
    for _ in range(3):
        no_database(filled(tmp_path))
        assert known(tmp_path) == 0
    assert len(set_aside(tmp_path)) == 3


@pytest.mark.parametrize("damage", DAMAGES, ids=lambda f: f.__name__)
def test_reading_a_damaged_ledger_warns_and_leaves_it_as_it_is(tmp_path: Path, damage) -> None:  # type: ignore
    path = filled(tmp_path)
    damage(path)
    before = path.read_bytes(), sorted(os.listdir(tmp_path))
    told: list[str] = []
    assert Ledger.snapshot(str(tmp_path), told.append).state(TASK) == TaskState()
    assert [str(path) in line and "the next run sets it aside" in line for line in told] == [True]
    assert (path.read_bytes(), sorted(os.listdir(tmp_path))) == before


def test_an_empty_file_is_a_new_ledger(tmp_path: Path) -> None:
    (tmp_path / "ledger.db").touch()
    assert known(tmp_path) == 0
    assert set_aside(tmp_path) == []


@pytest.mark.parametrize("read", [Ledger.open, Ledger.snapshot])
@pytest.mark.parametrize(
    ("version", "hint"),
    [
        (schema.VERSION + 1, "ledger.db is of a newer syncd .*: install that version again"),
        (schema.FIRST - 1, "ledger.db is of a syncd before 0.1.0 .*: move it away to begin a new"),
    ],
)
def test_a_ledger_of_an_unknown_format_is_left_untouched(
    tmp_path: Path,
    read: Callable[[str], Ledger],
    version: int,
    hint: str,
) -> None:
    path = filled(tmp_path)
    with sqlite3.connect(path) as db:
        db.execute(f"PRAGMA user_version = {version}")
    before = path.read_bytes()
    with pytest.raises(StateUnknown, match=hint):
        read(str(tmp_path))
    assert (path.read_bytes(), set_aside(tmp_path)) == (before, [])


def older(directory: Path) -> Path:
    path = directory / "ledger.db"
    db = sqlite3.connect(path, isolation_level=None)
    db.executescript(f"{schema.MIGRATIONS[0]} PRAGMA user_version = {schema.FIRST}")
    db.execute(
        "INSERT INTO tasks (url, organization_id, workspace_id, task_id) VALUES (?, 1, 2, 3)",
        (TASK.url,),
    )
    db.close()
    return path


def test_an_older_ledger_is_brought_up_to_date_and_a_copy_kept(tmp_path: Path) -> None:
    path = older(tmp_path)
    before = path.read_bytes()
    ledger = Ledger.open(str(tmp_path))
    assert [task for task, *_ in ledger.tasks()] == [TASK]
    ledger.close()
    assert (tmp_path / f"ledger.db.format{schema.FIRST}").read_bytes() == before


def test_reading_an_older_ledger_leaves_it_as_it_is(tmp_path: Path) -> None:
    path = older(tmp_path)
    before = path.read_bytes()
    assert [task for task, *_ in Ledger.snapshot(str(tmp_path)).tasks()] == [TASK]
    assert (path.read_bytes(), os.listdir(tmp_path)) == (before, ["ledger.db"])


def crashed(directory: Path) -> Path:
    """A ledger in the middle of a transaction that never ended: its journal is hot."""
    path = filled(directory)
    copy = directory / "crashed"
    copy.mkdir()
    db = sqlite3.connect(path, isolation_level=None)
    db.execute("PRAGMA cache_size = 1")
    db.execute("BEGIN IMMEDIATE")
    db.execute("UPDATE attachments SET path = path || ' and much more of it'")
    for suffix in ("", "-journal"):
        shutil.copy(f"{path}{suffix}", copy / f"ledger.db{suffix}")
    db.execute("ROLLBACK")
    db.close()
    assert (copy / "ledger.db-journal").stat().st_size > 0
    return copy


def test_a_crash_in_a_transaction_leaves_the_ledger_as_before(tmp_path: Path) -> None:
    directory = crashed(tmp_path)
    ledger = Ledger.open(str(directory))
    paths = {e.path for e in ledger.state(TASK).entries.values()}
    ledger.close()
    assert paths == {f"file {n}" for n in range(1, 200)}


def test_reading_leaves_even_a_hot_journal_as_it_is(tmp_path: Path) -> None:
    directory = crashed(tmp_path)
    before = {p.name: p.read_bytes() for p in directory.iterdir()}
    paths = {e.path for e in Ledger.snapshot(str(directory)).state(TASK).entries.values()}
    assert paths == {f"file {n}" for n in range(1, 200)}
    assert {p.name: p.read_bytes() for p in directory.iterdir()} == before


def test_reading_makes_no_ledger_where_there_is_none(tmp_path: Path) -> None:
    assert Ledger.snapshot(str(tmp_path)).state(TASK) == TaskState()
    assert os.listdir(tmp_path) == []


def test_a_place_that_cannot_be_used_is_a_state_error(tmp_path: Path) -> None:
    (tmp_path / "ledger.db").mkdir()
    with pytest.raises(StateError, match="nothing was sent"):
        Ledger.open(str(tmp_path))
    with pytest.raises(StateError, match="nothing was sent"):
        Ledger.open(str(tmp_path / "missing"))
    assert os.listdir(tmp_path) == ["ledger.db"]


def test_a_pipe_in_its_place_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "ledger.db")
    with pytest.raises(StateError, match="cannot be used: it is no regular file"):
        Ledger.snapshot(str(tmp_path))


def test_a_full_disk_is_no_damage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = filled(tmp_path)
    before = path.read_bytes()

    def full(*_: object, **__: object) -> None:
        raise sqlite3.OperationalError("database or disk is full")

    monkeypatch.setattr("syncd.state.ledger_file.migrate", full)
    with pytest.raises(StateError, match="full"):
        Ledger.open(str(tmp_path))
    assert (path.read_bytes(), set_aside(tmp_path)) == (before, [])


def test_a_ledger_that_another_program_has_locked_is_not_waited_for_for_ever(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = filled(tmp_path)
    monkeypatch.setattr("syncd.state.ledger_file._BUSY_SECONDS", 0.1)
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    for read in (Ledger.snapshot, Ledger.open):
        with pytest.raises(StateError, match=r"locked.*another program has it open"):
            read(str(tmp_path))
    other.close()


def test_a_state_directory_may_have_special_characters_in_its_name(tmp_path: Path) -> None:
    directory = tmp_path / "50%?#"
    directory.mkdir()
    filled(directory)
    assert len(Ledger.snapshot(str(directory)).state(TASK).entries) == 199
