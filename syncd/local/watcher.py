"""Watches the roots of folders for changes, and says which cannot be watched and why.

A watch can end without an event: its root is renamed, mounted over, deleted and made again, or a
symbolic link to it changes, or a subfolder exceeds the kernel's limit. So `check()`, called at
every rescan, compares what is watched with what is there. The rescan also serves roots that cannot
be watched: their state is "scanning".
"""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from syncd.local.inotify_limits import reached_limit
from syncd.local.mounts import MISSING, MOUNT_TABLE, Mount, Place, locate, mounts

if TYPE_CHECKING:
    from syncd.local.inotify import Tree

logger = logging.getLogger(__name__)

RETRY_SECONDS = 600.0
"""Until a root is tried again that exceeded a limit."""
CLOSE_SECONDS = 2.0
"""Until a thread that does not end is abandoned."""


@dataclass(frozen=True)
class WatchState:
    """Whether changes of a root are noticed at once, or only by the rescan and why."""

    mode: Literal["watching", "scanning"]
    reason: str = ""


@dataclass(frozen=True)
class WatchTarget:
    """A root to watch. `directories_only`: wake for changes of its subfolders only (`each:`)."""

    root: str
    recursive: bool = False
    directories_only: bool = False


@dataclass
class _Root:
    key: str
    target: WatchTarget
    tree: Tree | None = None
    """Its watch; None = it is only scanned."""
    place: Place | None = None
    """The directory that is watched."""
    reason: str = "not watched yet"
    """Why it is only scanned."""
    not_before: float = 0.0

    def release(self) -> None:
        """End the watch, if there is one."""
        if self.tree is not None:
            self.tree.stop()
        self.tree = self.place = None

    def has_moved(self) -> bool:
        """Whether the root appeared, disappeared or was replaced since it was looked at."""
        if self.place is None and self.reason != MISSING:
            return False
        try:
            status = os.stat(self.target.root)
        except OSError:
            return self.place is not None
        place = self.place
        return place is None or (status.st_dev, status.st_ino) != (place.device, place.inode)


class Watcher:
    """Calls `wake(key)` when something changes below a watched root.

    `wake` runs in a thread of its own and must not wait; any thread may ask for `healthy`.
    """

    def __init__(
        self,
        wake: Callable[[str], None],
        *,
        clock: Callable[[], float] = time.monotonic,
        mount_table: str = MOUNT_TABLE,
    ) -> None:
        from syncd.local.inotify import Inotify  # commands import this module, too

        self._inotify = Inotify(wake)
        self._clock, self._mount_table = clock, mount_table
        self._mounts: Sequence[Mount] = ()
        """As the last check saw them."""
        self._roots: dict[str, _Root] = {}
        self._warned: set[str] = set()
        """Limits about which a warning is logged."""
        self._stopped = False
        self.restarts = 0
        """How often a lost watch was made again."""

    def watch(self, wanted: Mapping[str, WatchTarget]) -> None:
        """Watch exactly these roots; unchanged watches go on."""
        for key, root in list(self._roots.items()):
            if wanted.get(key) != root.target:
                self._roots.pop(key).release()
        table = mounts(self._mount_table)
        for key, target in wanted.items():
            if key not in self._roots:
                root = self._roots[key] = _Root(key, target)
                self._start(root, table)
        self._close_if_idle()

    def check(self) -> list[str]:
        """Renew lost watches. Returns the keys of roots whose watch is new: they need a scan."""
        table = mounts(self._mount_table)
        remounted, self._mounts = table != self._mounts, table
        dead = not self._inotify.healthy()
        if dead:
            logger.warning("The thread that watches the folders failed; it is started anew")
            self._inotify.close(CLOSE_SECONDS)
        gained = []
        for root in self._roots.values():
            was_watched = root.tree is not None
            self._release_if_lost(root, table, dead=dead, remounted=remounted)
            if root.tree is None and self._start(root, table):
                gained.append(root.key)
                if was_watched:
                    logger.info("%s is watched anew", root.target.root)
                    self.restarts += 1
        self._close_if_idle()
        if not any(root.not_before for root in self._roots.values()):
            self._warned.clear()
        return sorted(gained)

    def moved(self) -> list[str]:
        """Keys of roots that appeared, disappeared or were replaced since `check()`; no event
        reports that."""
        return [key for key, root in self._roots.items() if root.has_moved()]

    def state(self, key: str) -> WatchState:
        """How changes of this root are noticed now."""
        root = self._roots.get(key)
        if root is None:
            return WatchState("scanning", "not watched")
        return WatchState("scanning", root.reason) if root.tree is None else WatchState("watching")

    def healthy(self) -> bool:
        """Whether the thread did not die. A missing or only scanned root does not count."""
        return self._inotify.healthy()

    def stop(self, timeout: float = CLOSE_SECONDS) -> None:
        """End the thread; abandon it if it still runs after `timeout` seconds."""
        self._stopped = True
        for root in self._roots.values():
            root.release()
        self._roots.clear()
        self._inotify.close(timeout)

    def _release_if_lost(
        self, root: _Root, table: Sequence[Mount], *, dead: bool, remounted: bool
    ) -> None:
        if root.tree is None:
            return
        if root.tree.limit_error is not None:
            self._only_scan_after(root, root.tree.limit_error)
            return
        lost = dead or root.tree.ended or root.has_moved()
        if remounted and not lost:
            lost = root.place != locate(root.target.root, root.target.recursive, table)
        if lost:
            root.release()

    def _start(self, root: _Root, table: Sequence[Mount]) -> bool:
        """Watch a root that is not watched. True = it is watched from now on."""
        target = root.target
        place = locate(target.root, target.recursive, table)
        if isinstance(place, str):
            root.not_before = 0.0
            self._only_scan(root, place)
            return False
        if self._stopped or self._clock() < root.not_before:
            return False
        try:
            root.tree = self._inotify.watch(
                root.key, place.path, target.recursive, target.directories_only
            )
            if root.tree.limit_error is not None:
                raise root.tree.limit_error
        except (OSError, RuntimeError) as error:
            self._only_scan_after(root, error)
            return False
        root.place, root.reason, root.not_before = place, "", 0.0
        return True

    def _only_scan_after(self, root: _Root, error: OSError | RuntimeError) -> None:
        """Scan a root that could not be watched, or only in part, and give its watches back."""
        root.release()
        limit = reached_limit(error)
        # An OSError may be over at the next check; a thread that does not start is not.
        wait = limit is not None or isinstance(error, RuntimeError)
        root.not_before = self._clock() + RETRY_SECONDS if wait else 0.0
        if limit is None:
            why = getattr(error, "strerror", None) or error
            self._only_scan(root, f"it cannot be watched: {why}")
            return
        self._only_scan(root, str(limit))
        if limit.name not in self._warned:
            self._warned.add(limit.name)
            logger.warning(
                "%s is not watched, the rescan alone notices changes: %s; to raise it: %s",
                root.target.root,
                limit,
                limit.remedy,
            )

    def _only_scan(self, root: _Root, reason: str) -> None:
        if root.reason != reason:
            logger.info("%s is scanned, not watched: %s", root.target.root, reason)
        root.reason = reason

    def _close_if_idle(self) -> None:
        """Without a watch, end the thread and give the inotify instance back to the user."""
        if all(root.tree is None for root in self._roots.values()):
            self._inotify.close(CLOSE_SECONDS)
