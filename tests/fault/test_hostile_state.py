"""A state directory that is full, read-only, damaged, of another version, or in use."""

from __future__ import annotations

import os
import random
import shutil
import sqlite3
import subprocess
import time
from pathlib import Path

import pytest

from syncd.state.ledger import Ledger
from syncd.state.schema import FIRST, VERSION
from tests.fault.conftest import NewScene
from tests.fault.test_hostile_files import USER, give_away
from tests.support.faults import Fault
from tests.support.namespace import allowed, and_then, inside
from tests.support.old_ledger import to_first_format
from tests.support.processes import launcher
from tests.support.quirks import Quirks
from tests.support.scene import IDS, Scene
from tests.support.witness import Witness

mounts = pytest.mark.skipif(not allowed(), reason="this machine lets nobody mount")
READING = (("status",), ("list",), ("why", "folder/a"), ("approve",), ("--once", "--dry-run"))


def traced() -> bool:
    """Whether system calls can be made to fail here."""
    probe = ["strace", "-o", "/dev/null", "-e", "inject=pread64:error=EIO:when=9999", "true"]
    try:
        return subprocess.run(probe, capture_output=True, check=False).returncode == 0
    except OSError:
        return False


def failing_reads(scene: Scene, when: str) -> tuple[str, ...]:
    """Reading the ledger's file fails the n-th time, or ("n+") from then on."""
    calls = "pread64,read,sendfile,copy_file_range" if when.endswith("+") else "pread64"
    inject = f"inject={calls}:error=EIO:when={when}"
    return ("strace", "-f", "-qq", "-o", "/dev/null", "-P", str(ledger(scene)), "-e", inject)


def synced(new_scene: NewScene) -> tuple[Scene, Witness]:
    scene = new_scene()
    witness = Witness(scene)  # type: ignore[arg-type]
    witness.seed("theirs")
    for name in "abcdefgh":
        scene.write(name, f"content {name}")
    witness.note()
    assert scene.once().code == 0
    return scene, witness


def well(scene: Scene, witness: Witness) -> None:
    """Calm runs end in sync, and the next one costs one list."""
    assert 0 in (scene.once().code, scene.once().code)
    witness.assert_settled()
    assert (scene.once().code, scene.calls()) == (0, ["GET"])


def ledger(scene: Scene) -> Path:
    return scene.state / "ledger.db"


class TestFull:
    @mounts
    @pytest.mark.parametrize(
        ("pages", "codes"),
        [(0, {75}), (1, {75}), *((n, {0, 75}) for n in (12, *range(16, 32, 2), 34, 38)), (60, {0})],
    )
    def test_a_disk_that_fills_at_any_point_doubles_nothing(
        self, new_scene: NewScene, pages: int, codes: set[int]
    ) -> None:
        """The state lies on a small file system; what of it there was is kept afterwards."""
        scene = new_scene()
        witness = Witness(scene)  # type: ignore[arg-type]
        for number in range(30):
            scene.write(f"{number:02} {'long name ' * 18}", f"content {number}")
        witness.note()
        scene.state.mkdir()
        kept = scene.base / "kept"
        size = f"mount -t tmpfs -o size={(pages + 1) * 4}k none {scene.state}"
        # The kernel takes what it needs for itself from the same pages.
        before = and_then([size], [f"cp -a {scene.state} {kept}"])
        said = scene.python("--once", before=before)
        assert said.code in codes, said
        assert "unexpected" not in said.err, said
        if said.code == 75:
            assert "writ" in said.err or "disk" in said.err or "space" in said.err, said
        if pages < 2:
            assert scene.sent() == []
        assert set(scene.names()) <= known(kept)
        shutil.rmtree(scene.state)
        shutil.copytree(kept, scene.state)
        well(scene, witness)

    @mounts
    def test_the_reading_commands_need_no_room(self, new_scene: NewScene) -> None:
        scene, _ = synced(new_scene)
        room = [
            f"cp -a {scene.state} {scene.base}/copy",
            f"mount -t tmpfs -o size=1m none {scene.state}",
            f"cp -a {scene.base}/copy/. {scene.state}",
            f"dd if=/dev/zero of={scene.state}/filler 2>/dev/null || true",
        ]
        for argv in (("status",), ("list",)):
            said = scene.python(*argv, before=inside(*room))
            assert said.code == (75 if argv == ("status",) else 0), said
            assert "error" not in said.err, said


def test_a_run_that_the_ledger_ends_reports_what_it_has_done(new_scene: NewScene) -> None:
    scene = new_scene()
    witness = Witness(scene)  # type: ignore[arg-type]
    for name in "abc":
        scene.write(name, f"content {name}")
    witness.note()
    said = scene.once("--json", hook=("full_after", 1))
    assert (said.code, said.json["error"]) == (75, "the disk is full")
    (folder,) = said.json["folders"]
    assert (folder["created"], folder["in_sync"], folder["requests"]) == (["a", "b", "c"], False, 3)
    assert said.err.count("the disk is full") == 1
    well(scene, witness)


class TestReadOnly:
    @mounts
    def test_nothing_is_sent_and_the_ledger_is_named(self, new_scene: NewScene) -> None:
        scene, witness = synced(new_scene)
        scene.write("n", "new")
        (scene.root / "a").unlink()
        said = scene.python("--once", before=read_only(scene.state))
        assert (said.code, scene.sent()) == (75, [])
        assert str(scene.state) in said.err
        assert "Read-only file system" in said.err
        witness.note()
        well(scene, witness)

    @mounts
    def test_the_reading_commands_work(self, new_scene: NewScene) -> None:
        scene, _ = synced(new_scene)
        for argv in (("list",), ("why", str(scene.root / "a")), ("--once", "--dry-run")):
            said = scene.python(*argv, before=read_only(scene.state))
            assert (said.code, said.err) == (0, ""), said

    @mounts
    def test_a_place_where_no_state_can_be_made(self, new_scene: NewScene) -> None:
        scene = new_scene()
        scene.write("a")
        said = scene.python("--once", "--json", before=read_only(scene.base))
        assert (said.code, scene.sent()) == (75, [])
        assert "nothing was sent" in said.json["error"]


class TestDamaged:
    @pytest.mark.parametrize("damage", ["empty", "garbage", "half", "a page", "nothing but a head"])
    def test_a_damaged_ledger_is_set_aside_and_nothing_is_lost(
        self, new_scene: NewScene, damage: str
    ) -> None:
        scene, witness = synced(new_scene)
        good = ledger(scene).read_bytes()
        written_first = {1, root_page(ledger(scene), "written")}
        bad = {
            "empty": b"",
            "garbage": random.Random(1).randbytes(20_000),
            "half": good[: len(good) // 2],
            "a page": good[:8192] + b"\xff" * 4096 + good[12288:],
            "nothing but a head": good[:100],
        }[damage]
        ledger(scene).write_bytes(bad)
        said = scene.once()
        assert (said.code, scene.calls()) == (0, ["GET"]), said
        aside = [path for path in scene.state.glob("ledger.db.damaged-*Z") if path.stat().st_size]
        assert len(aside) == bool(bad)
        assert all(pages_changed(bad, path.read_bytes()) <= written_first for path in aside)
        well(scene, witness)
        status = scene.syncd("status").out
        for path in aside:
            assert f"set aside as {path}; attachments that match no file" in said.err
            assert f"as {path}: attachments that match no file" in status
            assert f"as {path}: attachments" in scene.syncd("status", "--json").err
            path.unlink()
            assert "damaged" not in scene.syncd("status").out

    def test_damage_is_told_with_q_too(self, new_scene: NewScene) -> None:
        scene, _ = synced(new_scene)
        ledger(scene).write_bytes(b"garbage" * 999)
        said = scene.once("-q")
        assert (said.code, said.out, said.err.count("set aside as")) == (0, "", 1)

    def test_check_looks_at_all_of_it_and_nobody_else_does(self, new_scene: NewScene) -> None:
        """A list of free pages that leads nowhere is read by no query."""
        scene, _ = synced(new_scene)
        with open(ledger(scene), "r+b") as file:
            file.seek(32)
            file.write((10**6).to_bytes(4, "big") + (7).to_bytes(4, "big"))
        before = ledger(scene).read_bytes()
        for argv in (("check",), ("check", "--offline", "--json")):
            said = scene.syncd(*argv)
            assert said.code == 1, said
            assert f"the ledger {ledger(scene)} is damaged" in said.out + said.err
            assert "the next run sets it aside" in said.out + said.err
        assert "damaged" not in scene.syncd("status").err
        assert ledger(scene).read_bytes() == before

    def test_random_bytes_anywhere_lose_and_double_nothing(self, new_scene: NewScene) -> None:
        scene, witness = synced(new_scene)
        dice = random.Random(7)
        for _ in range(12):
            good = bytearray(ledger(scene).read_bytes())
            at = dice.randrange(len(good))
            good[at : at + 300] = dice.randbytes(len(good[at : at + 300]))
            ledger(scene).write_bytes(good)
            for argv in (("status",), ("list",)):
                assert "unexpected" not in scene.syncd(*argv).err
            well(scene, witness)
        assert len(scene.server.rows(IDS, deleted=True)) <= 9 + 8

    def test_the_journal_of_a_killed_run_is_rolled_back(self, new_scene: NewScene) -> None:
        scene, witness = synced(new_scene)
        scene.write("n", "new")
        scene.once(hook=("die_in_transaction", 6, "inside"))
        well_known = scene.syncd("status")
        assert "ledger" not in well_known.err
        witness.note()
        well(scene, witness)


@pytest.mark.skipif(not traced(), reason="strace is needed to make reads fail")
class TestReadErrors:
    """A ledger that cannot be read is not damaged: nothing is sent, and all is as it was."""

    @pytest.mark.parametrize("when", ["1", "2", "3", "5", "8", "14", "5+"])
    def test_nothing_is_sent_and_nothing_is_set_aside(self, new_scene: NewScene, when: str) -> None:
        scene, witness = synced(new_scene)
        scene.write("a", "changed")
        (scene.root / "b").rename(scene.root / "bb")
        (scene.root / "c").unlink()
        witness.note()
        said = scene.python("--once", before=failing_reads(scene, when))
        assert (said.code, scene.sent()) == (75, []), said
        assert f"the ledger {ledger(scene)} cannot be" in said.err
        assert not list(scene.state.glob("*damaged*"))
        said = scene.once("--json")
        (folder,) = said.json["folders"]
        assert (folder["replaced"], folder["renamed"]) == (["a"], [["b", "bb"]])
        assert (folder["deleted"], folder["foreign"]) == (["c"], ["theirs"])
        well(scene, witness)

    @pytest.mark.parametrize("when", ["1", "4", "9"])
    def test_reading_commands_do_not_take_it_for_an_empty_one(
        self, new_scene: NewScene, when: str
    ) -> None:
        scene, _ = synced(new_scene)
        for argv in (("list",), ("status",), ("--once", "--dry-run"), ("check", "--offline")):
            said = scene.python(*argv, before=failing_reads(scene, when))
            assert (said.code, scene.sent()) == (75, []), said
            told = said.out + said.err
            assert "disk I/O error" in told or "a read error" in told


class TestOtherVersions:
    def test_a_newer_one_is_refused_and_left_byte_for_byte(self, new_scene: NewScene) -> None:
        scene, _ = synced(new_scene)
        database = sqlite3.connect(ledger(scene))
        database.execute(f"PRAGMA user_version = {VERSION + 1}")
        database.execute("CREATE TABLE from_the_future (x)")
        database.commit()
        database.close()
        before = ledger(scene).read_bytes()
        scene.write("n", "new")
        for argv in (("--once",), *READING):
            said = scene.syncd(*argv)
            assert (said.code, scene.sent()) == (78, []), argv
            assert "newer syncd" in said.err
            assert ledger(scene).read_bytes() == before
        assert not list(scene.state.glob("ledger.db?*"))

    def test_an_older_one_is_taken_over_and_a_copy_is_kept(self, new_scene: NewScene) -> None:
        scene, witness = synced(new_scene)
        to_first_format(ledger(scene))
        before = ledger(scene).read_bytes()
        for argv in READING[:2]:
            scene.syncd(*argv)
            assert ledger(scene).read_bytes() == before
        scene.write("n", "new")
        scene.write("a", "changed")
        (scene.root / "b").rename(scene.root / "bb")
        (scene.root / "c").unlink()
        witness.note()
        said = scene.once("--json")
        (folder,) = said.json["folders"]
        assert (folder["created"], folder["replaced"], folder["adopted"]) == (["n"], ["a"], [])
        assert (folder["renamed"], folder["deleted"]) == ([["b", "bb"]], ["c"])
        assert (folder["foreign"], folder["held"]) == (["theirs"], [])
        assert (scene.state / f"ledger.db.format{FIRST}").read_bytes() == before
        well(scene, witness)


@pytest.mark.skipif(USER is None, reason="only root can write for others")
class TestRootForAnother:
    """An administrator at work on the state of a service that runs as another user."""

    def test_an_approval_by_root_is_read_by_the_user_whose_state_it_is(
        self, new_scene: NewScene
    ) -> None:
        scene, _ = synced(new_scene)
        for path in scene.root.iterdir():
            path.unlink()
        give_away(scene)
        assert scene.once(user=USER).code == 1
        assert scene.syncd("approve").code == 0
        assert {path.stat().st_uid for path in scene.state.iterdir()} == {USER}
        assert scene.once(user=USER).code == 0
        assert scene.names() == ["theirs"]

    def test_a_state_that_root_begins_belongs_to_that_user_too(self, new_scene: NewScene) -> None:
        scene = new_scene()
        scene.write("a", "content")
        scene.state.mkdir(mode=0o700)
        give_away(scene)
        assert scene.once().code == 0
        assert {path.stat().st_uid for path in scene.state.iterdir()} == {USER}
        scene.write("b", "content")
        give_away(scene)
        assert scene.once(user=USER).code == 0

    def test_a_note_that_cannot_be_read_is_told(self, new_scene: NewScene) -> None:
        scene, _ = synced(new_scene)
        for path in scene.root.iterdir():
            path.unlink()
        give_away(scene)
        scene.once(user=USER)
        scene.syncd("approve")
        os.chown(scene.state / "approve.json", 0, 0)
        said = scene.once(user=USER)
        assert said.code == 1
        (line,) = [line for line in said.err.splitlines() if "approve.json" in line]
        assert "Permission denied" in line
        assert "give it to the owner of its folder" in line


class TestTwoAtOnce:
    def test_the_second_one_sends_nothing_and_names_the_first(self, new_scene: NewScene) -> None:
        scene, witness = synced(new_scene)
        scene.write("n", "new")
        witness.note()
        scene.server.faults.append(Fault("delay", seconds=1.5))
        before = len(scene.server.log)
        first = launcher().start("--once", "-c", str(scene.config))
        wait_for(lambda: len(scene.server.log) > before)
        second = scene.once("--json")
        assert second.code == 75
        assert f"pid {first.pid.result()}" in second.json["error"]
        assert scene.sent() == []
        assert first.wait().code == 0
        well(scene, witness)

    def test_many_at_once_do_the_work_of_one(self, new_scene: NewScene) -> None:
        scene, witness = synced(new_scene)
        for name in "nopq":
            scene.write(name, f"new {name}")
        witness.note()
        runs = [launcher().start("--once", "-c", str(scene.config)) for _ in range(6)]
        codes = [run.wait().code for run in runs]
        assert 0 in codes
        assert set(codes) <= {0, 75}
        assert len(scene.server.rows(IDS, deleted=True)) == 9 + 4
        well(scene, witness)


def known(state: Path) -> set[str]:
    """The paths of all creates that a ledger knows of, under way or done."""
    if not (state / "ledger.db").exists() or not (state / "ledger.db").stat().st_size:
        return set()
    database = sqlite3.connect(state / "ledger.db")
    try:
        tables = {name for (name,) in database.execute("SELECT name FROM sqlite_master")}
        query = "SELECT path FROM attachments UNION SELECT path FROM intents"
        return {path for (path,) in database.execute(query)} if "intents" in tables else set()
    finally:
        database.close()


def root_page(path: Path, table: str) -> int:
    """The page on which a table begins, from 1; page 1 counts the transactions."""
    database = sqlite3.connect(path)
    query = "SELECT rootpage FROM sqlite_master WHERE name = ?"
    (found,) = database.execute(query, (table,)).fetchone()
    database.close()
    return int(found)


def pages_changed(before: bytes, after: bytes) -> set[int]:
    """Where a file of pages of 4 KiB differs, in pages from 1."""
    assert len(before) == len(after)
    starts = range(0, len(before), 4096)
    return {n // 4096 + 1 for n in starts if before[n : n + 4096] != after[n : n + 4096]}


def read_only(path: Path) -> tuple[str, ...]:
    return inside(f"mount --bind {path} {path}", f"mount -o remount,ro,bind {path}")


def wait_for(condition: object) -> None:
    end = time.monotonic() + 20
    while not condition():  # type: ignore[operator]
        assert time.monotonic() < end, "waited for in vain"
        time.sleep(0.01)


@pytest.mark.skipif(USER is None, reason="permissions bind nobody but root's others")
def test_a_state_that_cannot_be_looked_at_is_not_taken_for_none(new_scene: NewScene) -> None:
    scene, _ = synced(new_scene)
    give_away(scene)
    scene.state.chmod(0)
    for argv in (("list",), ("status",), ("--once", "--dry-run")):
        said = scene.syncd(*argv, user=USER)
        assert (said.code, scene.sent()) == (75, []), argv
        assert "Permission denied" in said.out + said.err
    scene.state.chmod(0o700)


@pytest.mark.parametrize("how", ["written over", "moved back"])
@pytest.mark.parametrize("ids", ["none", "object", "items"])
def test_an_old_copy_of_the_ledger_loses_and_doubles_nothing(
    new_scene: NewScene, ids: str, how: str
) -> None:
    """Right after it was used, when a 201 alone would be believed."""
    scene = new_scene(Quirks(quota=None, ids_in_201=ids))  # type: ignore[arg-type]
    witness = Witness(scene)  # type: ignore[arg-type]
    for name in "acdx":
        scene.write(name, f"content {name}", age=30)
    witness.note()
    assert scene.once().code == 0
    shutil.copytree(scene.state, scene.base / "old")
    scene.write("a", "changed")
    scene.write("b", "new")
    (scene.root / "c").rename(scene.root / "cc")
    (scene.root / "d").unlink()
    witness.note()
    assert scene.once().code == 0
    old = scene.base / "old"
    if how == "written over":
        wait_for(lambda: time.time() - (old / "ledger.db").stat().st_mtime > 1.1)
        shutil.copy(old / "ledger.db", ledger(scene))
    else:
        shutil.rmtree(scene.state)
        old.rename(scene.state)
    said = scene.once()
    assert (said.code, "DELETE" in scene.calls()) == (0, False), said
    well(scene, witness)


def test_a_copy_that_is_moved_back_at_once_is_known_by_its_inode(new_scene: NewScene) -> None:
    scene, _ = synced(new_scene)
    Ledger.open(str(scene.state)).close()  # the last write is that of a moment ago
    shutil.copytree(scene.state, scene.base / "old")
    shutil.rmtree(scene.state)
    (scene.base / "old").rename(scene.state)
    opened = Ledger.open(str(scene.state))
    assert opened.state(scene.task).listed_at is None
    opened.close()


def test_an_old_copy_is_known_as_one_and_remembers_no_list(new_scene: NewScene) -> None:
    scene, _ = synced(new_scene)
    task = scene.task
    opened = Ledger.open(str(scene.state))
    remembered = opened.state(task)
    opened.close()
    assert remembered.listed_at is not None
    assert sorted(a.name for a in remembered.shown.values()) == [*"abcdefgh", "theirs"]
    assert [a.name for a in remembered.strangers.values()] == ["theirs"]
    wait_for(lambda: time.time() - ledger(scene).stat().st_mtime > 1.1)
    shutil.copy(ledger(scene), scene.base / "old.db")
    shutil.copy(scene.base / "old.db", ledger(scene))
    opened = Ledger.open(str(scene.state))
    found = opened.state(task)
    opened.close()
    assert found.listed_at is None
    assert len(found.entries) == 8
    assert all(e.listed for e in found.entries.values())
