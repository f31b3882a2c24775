"""Changes in a folder reach the task, with the documented number of requests."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import threading
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

import pytest

from tests.support.service import Service, until

ADDED = ["POST single", "GET list"]
CHANGED = ["POST single", "GET list", "DELETE one"]


def sha(text: str) -> str:
    return sha256(text.encode()).hexdigest()


@pytest.fixture
def two(service: Service) -> Service:
    """A service with two files in sync, listed within its refresh."""
    service.old("a.txt", "b.txt")
    service.start().settled("a.txt", "b.txt")
    return service


def test_a_file_added_costs_two_requests(two: Service) -> None:
    two.write("c.txt")
    two.holds("a.txt", "b.txt", "c.txt")
    two.in_sync()
    two.rescanned()
    assert two.calls() == ADDED


def test_a_file_changed_costs_three_requests(two: Service) -> None:
    two.write("a.txt", "other content")
    until(lambda: two.contents() == {"a.txt": sha("other content"), "b.txt": sha_of(two, "b.txt")})
    two.in_sync()
    two.rescanned()
    assert two.calls() == CHANGED


def sha_of(service: Service, name: str) -> str:
    return sha((service.root / name).read_text())


def test_a_file_renamed_costs_one_request(two: Service) -> None:
    (two.root / "a.txt").rename(two.root / "renamed.txt")
    two.holds("renamed.txt", "b.txt")
    two.in_sync()
    two.rescanned()
    assert two.calls() == ["PUT one"]
    assert two.names() == ["b.txt", "renamed.txt"]


def test_a_file_deleted_costs_one_request(two: Service) -> None:
    (two.root / "a.txt").unlink()
    two.holds("b.txt")
    two.in_sync()
    two.rescanned()
    assert two.calls() == ["DELETE one"]


def touch(service: Service) -> None:
    os.utime(service.root / "a.txt")


def save_the_same(service: Service) -> None:
    fresh = service.root / ".saved.tmp"
    fresh.write_text((service.root / "a.txt").read_text())
    fresh.replace(service.root / "a.txt")


def litter(service: Service) -> None:
    for number in range(5):
        service.write(f"{number}.tmp", "half")


def made_and_gone(service: Service) -> None:
    service.write("brief.txt").unlink()


@pytest.mark.parametrize("deed", [touch, save_the_same, litter, made_and_gone])
def test_a_change_that_leaves_every_synced_content_alone_costs_no_request(
    deed: Callable[[Service], None], two: Service
) -> None:
    deed(two)
    two.rescanned(3)
    assert two.calls() == []
    assert two.names() == ["a.txt", "b.txt"]
    # … and it still listens.
    two.write("c.txt")
    two.holds("a.txt", "b.txt", "c.txt")
    assert two.calls() == ADDED[:1] or two.calls() == ADDED


def test_a_slow_writer_is_sent_once_and_whole(two: Service) -> None:
    with (two.root / "slow.bin").open("wb") as file:
        for _ in range(15):
            file.write(b"x" * 1000)
            file.flush()
            threading.Event().wait(0.1)
    two.holds("a.txt", "b.txt", "slow.bin")
    two.in_sync()
    two.rescanned()
    assert two.calls() == ADDED
    assert two.rows()[-1].size == 15_000


def test_a_browsers_download_is_sent_once_and_whole(two: Service) -> None:
    """Firefox holds the name with an empty file while it fills the one beside it."""
    two.write("film.mp4", "")
    part = two.write("film.mp4.part", "first half, ")
    two.rescanned(4)
    assert two.calls() == []
    with part.open("a") as file:
        file.write("second half")
    part.replace(two.root / "film.mp4")
    two.holds("a.txt", "b.txt", "film.mp4")
    two.in_sync()
    two.rescanned()
    assert two.calls() == ADDED
    assert two.contents()["film.mp4"] == sha("first half, second half")


def test_three_quick_saves_are_one_upload_of_the_last(two: Service) -> None:
    for number in range(3):
        fresh = two.root / ".a.txt.tmp"
        fresh.write_text(f"version {number}")
        fresh.replace(two.root / "a.txt")
        threading.Event().wait(0.06)
    until(lambda: two.contents().get("a.txt") == sha("version 2") and len(two.rows()) == 2)
    two.in_sync()
    two.rescanned()
    assert two.calls() == CHANGED


def test_a_folder_renamed_away_and_back_deletes_nothing(two: Service) -> None:
    two.root.rename(two.base / "elsewhere")
    until(lambda: two.row().get("state") == "error")
    assert "landing" in two.row()["error"]
    (two.base / "elsewhere").rename(two.root)
    two.in_sync()
    assert two.names() == ["a.txt", "b.txt"]
    two.write("c.txt")
    two.holds("a.txt", "b.txt", "c.txt")
    assert [c for c in two.calls() if c != "GET list"] == ["POST single"]
    assert len(two.lines("WARNING", "landing")) == 1


def test_a_folder_deleted_and_made_anew_deletes_nothing(two: Service) -> None:
    anew = two.base / "anew"  # made first: a file system may give a freed inode to the next one
    anew.mkdir()
    shutil.rmtree(two.root)
    until(lambda: two.row().get("state") in ("error", "held"))
    anew.rename(two.root)
    two.write("c.txt")
    two.holds("a.txt", "b.txt", "c.txt")
    until(lambda: two.row().get("state") == "held")
    assert "DELETE one" not in two.calls()


def test_a_folder_emptied_deletes_nothing(two: Service) -> None:
    for name in ("a.txt", "b.txt"):
        (two.root / name).unlink()
    until(lambda: two.row().get("state") == "held")
    assert sorted(h["name"] for h in two.row()["held"]) == ["a.txt", "b.txt"]
    assert two.calls() == []


def test_an_unmounted_folder_deletes_nothing(service: Service) -> None:
    if mount(service.root) != 0:
        pytest.skip("mounting is not allowed here")
    try:
        service.old("a.txt", "b.txt")
        service.start().settled("a.txt", "b.txt")
        unmount(service.root)
        until(lambda: service.row().get("state") == "held")
        mount(service.root)  # an empty one of another kind than before
        service.write("c.txt")
        service.holds("a.txt", "b.txt", "c.txt")
        until(lambda: service.row().get("state") == "held")
        assert "DELETE one" not in service.calls()
    finally:
        unmount(service.root)


def mount(root: Path) -> int:
    return subprocess.run(["mount", "-t", "tmpfs", "none", root], capture_output=True).returncode


def unmount(root: Path) -> None:
    subprocess.run(["umount", "-l", root], capture_output=True)


def test_a_slow_rm_of_many_files_trips_the_guard(service: Service) -> None:
    """One every 0.3 s looks harmless each time; what counts is the hour."""
    names = [f"{number:02}.txt" for number in range(20)]
    service.old(*names)
    service.start().settled(*names)
    for name in names[:15]:
        (service.root / name).unlink()
        threading.Event().wait(0.3)
    until(lambda: service.row().get("state") == "held")
    service.rescanned()
    until(lambda: len(service.row().get("held", [])) == 15 - service.calls().count("DELETE one"))
    assert 1 <= service.calls().count("DELETE one") <= 10
    assert len(service.rows()) >= 10, "never more than half"


def test_changes_whose_events_were_lost_during_sigstop_are_found(two: Service) -> None:
    two.signal(signal.SIGSTOP)
    (two.root / "a.txt").unlink()
    (two.root / "b.txt").rename(two.root / "c.txt")
    two.write("d.txt")
    two.signal(signal.SIGCONT)
    two.holds("c.txt", "d.txt")
    two.in_sync()
    two.rescanned()
    assert sorted(two.calls()) == sorted(["PUT one", "DELETE one", *ADDED])


def test_pacing_delays_a_change_and_status_shows_until_when(service: Service) -> None:
    service.quirks.quota, service.quirks.quota_window = 3000, 3600
    service.api["quota"] = None
    service.configure()
    service.old("a.txt")
    service.start().settled("a.txt")
    service.server.spend(123, 1200)  # the first third is over
    service.write("b.txt")
    service.holds("a.txt", "b.txt")
    service.in_sync()
    service.write("c.txt")
    until(lambda: (service.row().get("reason") or "").startswith("pacing"))
    row = service.row()
    assert row["state"] == "pending"
    assert row["next_cycle"] > row["last_cycle"]
    shown = service.run("status").out
    assert "pacing: what is left of the quota has to last; " in shown
    assert "; last cycle " in shown
    assert "; next " in shown
    told = json.loads(service.run("why", str(service.root / "c.txt"), "--json").out)
    assert told["next_try"] == row["next_cycle"]
    assert any("pacing: what is left" in note for note in told["notes"])
    service.holds("a.txt", "b.txt", "c.txt")


def test_a_file_removed_while_the_service_was_off_is_deleted_at_the_start(two: Service) -> None:
    assert two.stop() == 0
    (two.root / "a.txt").unlink()
    two.write("c.txt")
    two.mark()
    two.start()
    two.holds("b.txt", "c.txt")
    two.in_sync()
    assert sorted(two.calls()) == sorted(["DELETE one", *ADDED]), "the remembered list is used"


def test_the_log_has_one_line_per_write_and_none_while_idle(two: Service) -> None:
    before = two.lines()
    two.rescanned()
    assert two.lines() == before
    two.write("c.txt")
    two.holds("a.txt", "b.txt", "c.txt")
    (two.root / "c.txt").unlink()
    two.holds("a.txt", "b.txt")
    two.in_sync()
    fresh = [line.partition(" landing: ")[2] for line in two.lines()[len(before) :]]
    assert [line.split(" (")[0] for line in fresh] == ["created c.txt", "deleted c.txt"]
