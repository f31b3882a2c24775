"""The watcher on real inotify and real files."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from syncd.local.watcher import Watcher, WatchTarget
from tests.support.watching import (
    Bell,
    inotify_instances,
    reader,
    trees,
    until,
    unwatch,
    watch,
    write,
)


@pytest.fixture
def bell() -> Bell:
    return Bell()


@pytest.fixture
def watcher(bell: Bell) -> Iterator[Watcher]:
    threads = set(threading.enumerate())
    watcher = Watcher(bell)
    yield watcher
    began = time.monotonic()
    watcher.stop()
    assert time.monotonic() - began < 2.5
    assert set(threading.enumerate()) <= threads


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / "root"
    folder.mkdir()
    return folder


# -- what wakes and what does not -----------------------------------------------------------------


def touch(root: Path) -> None:
    os.utime(root / "old.txt", ns=(1, 1))


def append(root: Path) -> None:
    with (root / "old.txt").open("ab", buffering=0) as file:
        file.write(b"more")


CHANGES: dict[str, Callable[[Path], object]] = {
    "a file is made": write,
    "a file is written to": append,
    "a file is touched": touch,
    "a file becomes unreadable": lambda root: (root / "old.txt").chmod(0),
    "a file is renamed": lambda root: (root / "old.txt").rename(root / "b.txt"),
    "a file is moved in": lambda root: (root.parent / "outside.txt").rename(root / "in.txt"),
    "a file is moved out": lambda root: (root / "old.txt").rename(root.parent / "out.txt"),
    "a file is deleted": lambda root: (root / "old.txt").unlink(),
    "a subfolder is made": lambda root: (root / "made").mkdir(),
    "the root itself is deleted": shutil.rmtree,
}


@pytest.mark.parametrize("change", CHANGES)
def test_wakes_up_when(change: str, watcher: Watcher, bell: Bell, root: Path) -> None:
    write(root, "old.txt")
    write(root.parent, "outside.txt")
    assert watch(watcher, "a", root).mode == "watching"
    CHANGES[change](root)
    assert bell.heard("a")


def test_our_own_reading_wakes_nobody(watcher: Watcher, bell: Bell, root: Path) -> None:
    for number in range(300):
        write(root, f"{number}.txt")
    watch(watcher, "a", root, recursive=True)
    for entry in os.scandir(root):
        Path(entry.path).read_bytes()
    (root / "last").mkdir()  # one event; what came before it was told before it
    assert bell.only("a") == 1


def test_a_flat_folder_is_not_woken_by_its_subfolders(
    watcher: Watcher, bell: Bell, root: Path
) -> None:
    (root / "sub").mkdir()
    watch(watcher, "a", root)
    write(root / "sub")
    (root / "last").mkdir()
    assert bell.only("a") == 1


def test_a_recursive_folder_is_woken_by_a_subfolder_made_later(
    watcher: Watcher, bell: Bell, root: Path
) -> None:
    watch(watcher, "a", root, recursive=True)
    (root / "sub").mkdir()
    assert bell.heard("a")
    until(lambda: write(root / "sub") and bell.rung["a"] > 0)


def test_a_recursive_folder_follows_its_subfolders_wherever_they_go(
    watcher: Watcher, bell: Bell, root: Path
) -> None:
    (root / "a" / "deep").mkdir(parents=True)
    (root / "empty").mkdir()
    watch(watcher, "a", root, recursive=True)
    (root / "a").rename(root / "b")
    until(lambda: write(root / "b" / "deep") and bell.rung["a"] > 9)
    (root / "b").rename(root / "empty")  # in the place of another
    bell.rung.clear()
    until(lambda: write(root / "empty" / "deep") and bell.rung["a"] > 9)
    (root / "empty").rename(root.parent / "out")
    (root / "last").mkdir()
    until(lambda: os.fsencode(root / "last") in trees(watcher)["a"])
    bell.rung.clear()
    write(root.parent / "out" / "deep")
    write(root)
    assert bell.heard("a")
    assert trees(watcher) == {"a": {os.fsencode(p) for p in (root, root / "last")}}


def test_lost_events_leave_no_subfolder_unwatched(watcher: Watcher, bell: Bell, root: Path) -> None:
    from watchdog.observers.inotify_c import InotifyConstants, InotifyEvent, WatchDescriptor

    watch(watcher, "a", root, recursive=True)
    overflow = InotifyEvent(WatchDescriptor(-1), InotifyConstants.IN_Q_OVERFLOW, 0, b"")
    lost: list[InotifyEvent] = []
    handle, reader(watcher).handle_event = reader(watcher).handle_event, lost.append
    (root / "sub").mkdir()
    until(lambda: bool(lost))
    reader(watcher).handle_event = handle
    handle(overflow)
    assert bell.heard("a")
    until(lambda: write(root / "sub") and bell.rung["a"] > 0)


@pytest.mark.parametrize("recursive", [False, True])
def test_three_hundred_folders_take_one_thread_and_one_inotify_instance(
    recursive: bool, watcher: Watcher, bell: Bell, root: Path
) -> None:
    before = {*threading.enumerate()}
    roots = {f"{number} task": root / f"{number} task" for number in range(300)}
    for folder in roots.values():
        folder.mkdir()
    watcher.watch({k: WatchTarget(str(folder), recursive) for k, folder in roots.items()})
    assert len({*threading.enumerate()} - before) == 1
    assert inotify_instances() == 1
    for key in list(roots)[::99]:
        write(roots[key])
        assert bell.heard(key)


def test_the_parent_of_each_is_woken_by_subfolders_only(
    watcher: Watcher, bell: Bell, root: Path
) -> None:
    watch(watcher, "each", root, directories_only=True)
    write(root)
    (root / "4711 Logo").mkdir()
    assert bell.only("each") == 1
    (root / "4711 Logo").rename(root / "Logo")
    until(lambda: bell.rung["each"] > 1)


def test_two_keys_on_one_folder_are_both_woken_and_let_go_one_by_one(
    watcher: Watcher, bell: Bell, root: Path
) -> None:
    watch(watcher, "a", root)
    watch(watcher, "b", root, recursive=True)
    watch(watcher, "c", root)
    write(root)
    assert all(bell.heard(key) for key in "abc")
    unwatch(watcher, "a")
    bell.rung.clear()
    write(root, "2.txt")
    assert bell.heard("b")
    assert bell.heard("c")
    assert not bell.rung["a"]


def test_sixty_thousand_files_wake_and_nothing_ever_waits(
    watcher: Watcher, bell: Bell, root: Path
) -> None:
    watch(watcher, "a", root)
    make = "import os\nfor number in range(60_000): os.mknod(str(number))"
    subprocess.run([sys.executable, "-c", make], cwd=root, check=True)
    assert bell.heard("a")
    began = time.monotonic()
    assert watcher.check() == []
    assert watcher.healthy()
    assert time.monotonic() - began < 1


def test_an_overflow_of_the_queue_wakes_everyone_and_fills_no_log(
    watcher: Watcher, bell: Bell, root: Path, caplog: pytest.LogCaptureFixture
) -> None:
    from watchdog.observers.inotify_c import InotifyConstants, InotifyEvent, WatchDescriptor

    watch(watcher, "a", root, recursive=True)
    watch(watcher, "b", root, directories_only=True)
    overflow = InotifyEvent(WatchDescriptor(-1), InotifyConstants.IN_Q_OVERFLOW, 0, b"")
    reader(watcher).handle_event(overflow)
    assert bell.heard("a")
    assert bell.heard("b")
    assert not caplog.records


def test_a_wake_that_raises_costs_one_log_line_and_no_thread(
    root: Path, caplog: pytest.LogCaptureFixture
) -> None:
    bell = Bell()

    def wake(key: str) -> None:
        bell(key)
        raise ValueError("no")

    watcher = Watcher(wake)
    watch(watcher, "a", root)
    for name in ("1", "2"):
        write(root, name)
        assert bell.heard("a")
    assert watcher.healthy()
    watcher.stop()
    assert [record.levelname for record in caplog.records] == ["ERROR"]


# -- roots that are not what they were ------------------------------------------------------------


def test_a_root_renamed_away_is_scanned_and_watched_again_when_it_is_back(
    watcher: Watcher, bell: Bell, root: Path
) -> None:
    watch(watcher, "a", root)
    away = root.rename(root.parent / "away")
    assert watcher.check() == []
    assert watcher.state("a").mode == "scanning"
    assert watcher.state("a").reason == "the folder does not exist"
    assert watcher.healthy()
    away.rename(root)
    assert watcher.check() == ["a"]
    write(root)
    assert bell.heard("a")


def test_a_root_away_and_back_between_two_checks_was_watched_all_the_time(
    watcher: Watcher, bell: Bell, root: Path
) -> None:
    watch(watcher, "a", root)
    root.rename(root.parent / "away").rename(root)
    assert watcher.check() == []
    write(root)
    assert bell.heard("a")


def test_a_root_deleted_and_made_anew_is_watched_anew(
    watcher: Watcher, bell: Bell, root: Path
) -> None:
    watch(watcher, "a", root, recursive=True)
    for restarts in (1, 2):
        root.rmdir()
        root.mkdir()  # ext4 gives it the same inode
        until(lambda: watcher.check() == ["a"])
        assert watcher.restarts == restarts
        bell.rung.clear()
        write(root)
        assert bell.heard("a")
        (root / "new.txt").unlink()


def test_a_root_replaced_by_another_folder_is_watched_anew(
    watcher: Watcher, bell: Bell, root: Path
) -> None:
    watch(watcher, "a", root)
    root.rename(root.parent / "old")
    root.mkdir()
    assert watcher.check() == ["a"]
    assert watcher.check() == []
    write(root)
    assert bell.heard("a")


def test_a_root_that_is_a_link_is_watched_where_it_leads(
    watcher: Watcher, bell: Bell, root: Path
) -> None:
    link = root.parent / "link"
    link.symlink_to(root)
    assert watch(watcher, "a", link).mode == "watching"
    write(root)
    assert bell.heard("a")


def test_a_link_that_leads_elsewhere_is_followed_at_the_next_check(
    watcher: Watcher, bell: Bell, root: Path
) -> None:
    other, link = root.parent / "other", root.parent / "link"
    other.mkdir()
    link.symlink_to(root)
    watch(watcher, "a", link)
    link.unlink()
    link.symlink_to(other)
    assert watcher.check() == ["a"]
    write(other)
    assert bell.heard("a")
    link.unlink()
    link.symlink_to(link)
    assert watcher.check() == []
    assert watcher.state("a").mode == "scanning"


def test_a_root_that_does_not_exist_yet_is_watched_once_it_does(
    watcher: Watcher, bell: Bell, root: Path
) -> None:
    late = root / "late"
    state = watch(watcher, "a", late)
    assert (state.mode, state.reason) == ("scanning", "the folder does not exist")
    assert inotify_instances() == 0
    late.mkdir()
    assert watcher.check() == ["a"]
    write(late)
    assert bell.heard("a")


def test_a_root_that_is_a_file_is_not_watched(watcher: Watcher, root: Path) -> None:
    write(root)
    assert watch(watcher, "a", root / "new.txt").reason == "not a folder"


def test_a_root_named_with_bytes_that_are_not_utf_8_is_watched(
    watcher: Watcher, bell: Bell, root: Path
) -> None:
    odd = root / os.fsdecode(b"\xff\xfe\n")
    odd.mkdir()
    assert watch(watcher, "a", odd, recursive=True).mode == "watching"
    write(odd)
    assert bell.heard("a")


def test_sync_watches_what_is_wanted_and_lets_go_of_the_rest(
    watcher: Watcher, bell: Bell, root: Path
) -> None:
    first, second = root / "1", root / "2"
    first.mkdir()
    second.mkdir()
    watcher.watch({"a": WatchTarget(str(first)), "b": WatchTarget(str(second))})
    watcher.watch({"b": WatchTarget(str(second)), "c": WatchTarget(str(first), recursive=True)})
    assert watcher.state("a").reason == "not watched"
    write(second)
    assert bell.heard("b")
    write(first)
    assert bell.heard("c")
    watcher.watch({})
    assert inotify_instances() == 0


# -- threads that die -----------------------------------------------------------------------------


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_dead_thread_is_noticed_and_replaced(watcher: Watcher, bell: Bell, root: Path) -> None:
    def die(_: object) -> None:
        raise SystemExit

    for name in ("a", "b"):
        (root / name).mkdir()
        watch(watcher, name, root / name)
    thread = reader(watcher)
    thread.handle_event = die
    until(lambda: write(root / "a") and write(root / "b") and not thread.is_alive())
    assert not watcher.healthy()
    assert watcher.check() == ["a", "b"]
    assert watcher.healthy()
    assert watcher.restarts == 2
    bell.rung.clear()
    write(root / "a")
    write(root / "b")
    assert bell.heard("a")
    assert bell.heard("b")


def test_without_a_thread_roots_are_scanned_and_no_descriptor_is_lost(
    watcher: Watcher, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def start(_: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    before = os.listdir("/proc/self/fd")
    with monkeypatch.context() as patched:
        patched.setattr(threading.Thread, "start", start)
        state = watch(watcher, "a", root)
    assert (state.mode, state.reason) == (
        "scanning",
        "it cannot be watched: can't start new thread",
    )
    assert os.listdir("/proc/self/fd") == before


def test_a_thread_that_does_not_end_holds_nobody(bell: Bell, root: Path) -> None:
    release = threading.Event()

    def wake(key: str) -> None:
        bell(key)
        release.wait(20)

    watcher = Watcher(wake)
    watch(watcher, "a", root)
    write(root)
    assert bell.heard("a")
    began = time.monotonic()
    watcher.stop(0.2)
    assert time.monotonic() - began < 1
    release.set()
    until(lambda: inotify_instances() == 0)


def test_after_the_stop_nothing_starts_again(bell: Bell, root: Path) -> None:
    watcher = Watcher(bell)
    watch(watcher, "a", root)
    watcher.stop()
    watcher.stop()
    assert watch(watcher, "b", root).mode == "scanning"
    assert watcher.check() == []
    assert inotify_instances() == 0
