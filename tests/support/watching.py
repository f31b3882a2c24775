"""What the tests of the watcher share: a bell to wait for, a clock, and looks inside."""

from __future__ import annotations

import contextlib
import os
import threading
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

from syncd.local.watcher import Watcher, WatchState, WatchTarget


class Bell:
    """Counts the wake-ups, and can be waited for."""

    def __init__(self) -> None:
        self.rung: Counter[str] = Counter()
        self._changed = threading.Condition()

    def __call__(self, key: str) -> None:
        with self._changed:
            self.rung[key] += 1
            self._changed.notify_all()

    def heard(self, key: str) -> bool:
        """Whether it rings for this key within five seconds; from now on it counts anew."""
        with self._changed:
            came = self._changed.wait_for(lambda: self.rung[key] > 0, 5)
            del self.rung[key]
            return came

    def only(self, key: str) -> int:
        with self._changed:
            assert self._changed.wait_for(lambda: self.rung[key] > 0, 5)
            return self.rung[key]


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def until(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + 5
    while not condition():
        assert time.monotonic() < end, "waited for in vain"
        time.sleep(0.005)


def write(folder: Path, name: str = "new.txt") -> bool:
    return (folder / name).write_bytes(b"x") > 0


def inotify_instances() -> int:
    count = 0
    for name in os.listdir("/proc/self/fd"):
        with contextlib.suppress(FileNotFoundError):
            count += "inotify" in os.readlink(f"/proc/self/fd/{name}")
    return count


def watch(watcher: Watcher, key: str, root: Path, **settings: bool) -> WatchState:
    """Watch one root more."""
    targets = _targets(watcher) | {key: WatchTarget(str(root), **settings)}
    watcher.watch(targets)
    return watcher.state(key)


def unwatch(watcher: Watcher, key: str) -> None:
    """Watch one root less."""
    targets = _targets(watcher)
    del targets[key]
    watcher.watch(targets)


def _targets(watcher: Watcher) -> dict[str, WatchTarget]:
    return {key: root.target for key, root in watcher._roots.items()}


def reader(watcher: Watcher) -> Any:
    """The thread that reads events."""
    return watcher._inotify._reader


def trees(watcher: Watcher) -> dict[str, set[bytes]]:
    """The directories that are watched, by key."""
    return {k: set(r.tree._descriptors) for k, r in watcher._roots.items() if r.tree}
