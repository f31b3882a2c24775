"""The watcher at the limits of the kernel, under mounts, and with threads that die.

Every case runs in a child process, most in namespaces of its own, so that no limit or mount of
this machine is touched: `unshare -Urm python -m tests.service.test_watcher_limits CASE FOLDER`.
"""

from __future__ import annotations

import functools
import logging
import os
import resource
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from syncd.local import watcher as watcher_module
from syncd.local.watcher import Watcher
from tests.support.watching import Bell, Clock, until, watch, write

HOUSE = Path(__file__).parents[2]


@functools.cache
def namespaces() -> bool:
    command = ["unshare", "-Urm", "sh", "-c", "echo 5 > /proc/sys/user/max_inotify_watches"]
    try:
        return subprocess.run(command, capture_output=True, timeout=10).returncode == 0
    except OSError:
        return False


def lower(what: str, value: int) -> None:
    Path(f"/proc/sys/user/max_inotify_{what}").write_text(str(value), encoding="ascii")


def watcher_with_log() -> tuple[Watcher, Bell, Clock, list[str]]:
    lines: list[str] = []
    handler = logging.Handler(logging.WARNING)
    handler.emit = lambda record: lines.append(record.getMessage())  # type: ignore[method-assign]
    logging.getLogger().addHandler(handler)
    bell, clock = Bell(), Clock()
    return Watcher(bell, clock=clock), bell, clock, lines


def expect_limit(root: Path, name: str, lift: Callable[[], object]) -> None:
    """Two folders meet a limit: both scanned, one warning, nothing left running; later again."""
    watcher, bell, clock, lines = watcher_with_log()
    descriptors = os.listdir("/proc/self/fd")
    for key in ("a", "b"):
        folder = root / key
        folder.mkdir()
        state = watch(watcher, key, folder)
        assert state.mode == "scanning", state
        assert name in state.reason, state
    assert watcher.check() == []
    assert os.listdir("/proc/self/fd") == descriptors
    assert threading.active_count() == 1
    assert watcher.healthy()
    lift()
    clock.now += watcher_module.RETRY_SECONDS - 1
    assert watcher.check() == []
    clock.now += 1
    assert watcher.check() == ["a", "b"]
    write(root / "b")
    assert bell.heard("b")
    assert len(lines) == 1, lines
    assert name in lines[0]
    if name.startswith("fs."):
        value = Path("/proc/sys", *name.split(".")).read_text(encoding="ascii").strip()
        assert f"({value})" in lines[0]
        assert f"sudo sysctl {name}=" in lines[0]
    watcher.stop()
    assert threading.active_count() == 1


def case_instances(root: Path) -> None:
    lower("instances", 0)
    expect_limit(root, "fs.inotify.max_user_instances", lambda: lower("instances", 9))


def case_watches(root: Path) -> None:
    lower("watches", 0)
    expect_limit(root, "fs.inotify.max_user_watches", lambda: lower("watches", 9))


def case_descriptors(root: Path) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    spare = os.open("/", os.O_RDONLY)
    os.close(spare)
    resource.setrlimit(resource.RLIMIT_NOFILE, (spare + 2, hard))
    expect_limit(
        root, "RLIMIT_NOFILE", lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    )


def case_unreadable(root: Path) -> None:
    watcher, bell, _, _ = watcher_with_log()
    root.chmod(0o100)
    assert watch(watcher, "a", root).reason == "the folder is not readable"
    assert watcher.check() == []
    root.chmod(0o700)
    assert watcher.check() == ["a"]
    write(root)
    assert bell.heard("a")
    watcher.stop()


def case_subfolders(root: Path) -> None:
    for number in range(10):
        (root / "deep" / str(number)).mkdir(parents=True)
    (root / "flat").mkdir()
    lower("watches", 6)
    watcher, bell, _, lines = watcher_with_log()
    state = watch(watcher, "deep", root / "deep", recursive=True)
    assert "fs.inotify.max_user_watches" in state.reason, state
    assert watch(watcher, "flat", root / "flat").mode == "watching"
    write(root / "flat")
    assert bell.heard("flat")
    assert len(lines) == 1, lines
    watcher.stop()


def case_subfolder_made_later(root: Path) -> None:
    lower("watches", 3)
    (root / "1").mkdir()
    watcher, bell, _, lines = watcher_with_log()
    assert watch(watcher, "a", root, recursive=True).mode == "watching"
    (root / "2").mkdir()
    until(lambda: write(root / "2") and bell.rung["a"] > 9)
    assert watcher.check() == []
    assert watcher.state("a").mode == "watching"
    (root / "3").mkdir()
    assert bell.heard("a")
    until(lambda: not watcher.check() and watcher.state("a").mode == "scanning")
    assert len(lines) == 1, lines
    watcher.stop()


def case_mounts(root: Path) -> None:
    def mount() -> None:
        subprocess.run(["mount", "-t", "tmpfs", "none", str(root)], check=True)

    def unmount() -> None:
        subprocess.run(["umount", "-l", str(root)], check=True)

    watcher, bell, _, _ = watcher_with_log()
    watch(watcher, "a", root)
    mount()
    assert watcher.check() == ["a"]
    write(root, "inner")
    assert bell.heard("a")
    unmount()
    assert watcher.check() == ["a"]
    write(root, "outer")
    assert bell.heard("a")
    mount()
    assert watcher.check() == ["a"]
    before = os.stat(root)
    unmount()
    mount()
    after = os.stat(root)
    if (before.st_dev, before.st_ino) == (after.st_dev, after.st_ino):
        print("same device and inode")
    until(lambda: watcher.check() == ["a"])
    bell.rung.clear()
    write(root, "again")
    assert bell.heard("a")
    watcher.stop()


@pytest.mark.parametrize(
    ("case", "sentence"),
    [
        ("instances", "no inotify instance left: scanned, one warning, tried again later"),
        ("watches", "no inotify watch left: scanned, one warning, tried again later"),
        ("descriptors", "no file descriptor left: scanned, one warning, tried again later"),
        ("unreadable", "a root that is not readable is not taken for watched"),
        ("subfolders", "a tree larger than the limit is not taken for watched"),
        ("subfolder_made_later", "a tree that outgrows the limit is not taken for watched"),
        ("mounts", "a root mounted over, unmounted and mounted again is watched anew"),
    ],
)
def test_limits_and_mounts_in_a_namespace_of_their_own(
    case: str, sentence: str, tmp_path: Path
) -> None:
    alone = {"descriptors": [], "unreadable": ["unshare", "-U"]}.get(case, ["unshare", "-Urm"])
    if alone and not namespaces():
        pytest.skip("user namespaces are not allowed here")
    command = [
        *alone,
        sys.executable,
        "-m",
        "tests.service.test_watcher_limits",
        case,
        str(tmp_path),
    ]
    child = subprocess.run(command, capture_output=True, text=True, timeout=60, cwd=HOUSE)
    assert child.returncode == 0, f"{sentence}:\n{child.stderr}"


if __name__ == "__main__":
    globals()[f"case_{sys.argv[1]}"](Path(sys.argv[2]))
