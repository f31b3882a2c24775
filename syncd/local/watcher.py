"""Watches the roots of folders for changes, and says which cannot be watched and why.

A watch can end without an event: its root is renamed, mounted over, deleted and made again, or a
symbolic link to it changes, or a subfolder exceeds the kernel's limit. So `check()`, called at
every rescan, compares what is watched with what is there. The rescan also serves roots that cannot
be watched: their state is "scanning".
"""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

from syncd.local.inotify_limits import reached_limit
from syncd.local.mounts import MISSING, MOUNT_TABLE, Place, locate, mounts

logger = logging.getLogger(__name__)

RETRY_SECONDS = 600.0
"""Until a root is tried again that exceeded a limit."""
CLOSE_SECONDS = 2.0
"""Until threads that do not end are abandoned."""


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


@dataclass(frozen=True)
class _Entry:
    target: WatchTarget
    state: WatchState = WatchState("scanning", "not watched yet")
    place: Place | None = None
    """The directory that is watched; None = the root is not watched."""
    not_before: float = 0.0


class Watcher:
    """Calls `wake(key)` when something changes below a watched root.

    `wake` runs in watchdog's thread and must not wait for a lock that its owner holds while
    calling a method. All methods are thread-safe; `state`, `healthy`, `restarts` and `stop` do
    not wait for the others.
    """

    def __init__(
        self,
        wake: Callable[[str], None],
        *,
        clock: Callable[[], float] = time.monotonic,
        mount_table: str = MOUNT_TABLE,
    ) -> None:
        from syncd.local.watchdog_threads import WatchdogThreads  # commands import this module, too

        self._threads = WatchdogThreads(wake)
        self._clock, self._mount_table = clock, mount_table
        self._lock = threading.RLock()
        self._entries: dict[str, _Entry] = {}
        self._warned: set[str] = set()
        """Limits about which a warning is logged."""
        self._stopped = False
        self.restarts = 0
        """How often a lost watch was made again."""

    def watch(self, wanted: Mapping[str, WatchTarget]) -> None:
        """Watch exactly these roots; unchanged watches go on."""
        with self._lock:
            self._release(self._entries.keys() - wanted.keys())
            self._entries = {k: e for k, e in self._entries.items() if k in wanted}
            for key, target in wanted.items():
                self._set_target(key, target)
            self._close_if_idle()

    def check(self) -> list[str]:
        """Renew lost watches. Returns the keys of roots whose watch is new: they need a scan."""
        with self._lock:
            table = mounts(self._mount_table)
            places = {
                key: locate(entry.target.root, entry.target.recursive, table)
                for key, entry in self._entries.items()
            }
            watched = set(self._watched())
            lost = {key for key in watched if self._is_lost(key, places[key])}
            self._release(lost)
            if not self._threads.healthy():
                logger.warning("The threads that watch the folders failed; they are started anew")
                lost = watched
                self._threads.close(CLOSE_SECONDS)
                self._release(lost)
            gained = {key for key, place in places.items() if self._start(key, place)}
            self._release_partly_watched()
            gained &= set(self._watched())
            for key in sorted(lost & gained):
                logger.info("%s is watched anew", self._entries[key].target.root)
            self.restarts += len(lost & gained)
            self._close_if_idle()
            if not any(entry.not_before for entry in self._entries.values()):
                self._warned.clear()
            return sorted(gained)

    def moved(self) -> list[str]:
        """Keys of roots that appeared, disappeared or were replaced since `check()`; no event
        reports that."""
        return [key for key, entry in tuple(self._entries.items()) if _has_moved(entry)]

    def state(self, key: str) -> WatchState:
        """How changes of this root are noticed now."""
        entry = self._entries.get(key)
        return entry.state if entry is not None else WatchState("scanning", "not watched")

    def healthy(self) -> bool:
        """Whether no thread died. A missing or only scanned root does not count."""
        return self._threads.healthy()

    def stop(self, timeout: float = CLOSE_SECONDS) -> None:
        """End all threads; abandon those that still run after `timeout` seconds."""
        self._stopped = True
        acquired = self._lock.acquire(timeout=timeout / 2)
        try:
            self._threads.close(timeout / 2)
            if acquired:
                self._entries.clear()
        finally:
            if acquired:
                self._lock.release()

    def _watched(self) -> list[str]:
        return [key for key, entry in self._entries.items() if entry.place is not None]

    def _is_lost(self, key: str, place: Place | str) -> bool:
        return place != self._entries[key].place or self._threads.ended(key)

    def _set_target(self, key: str, target: WatchTarget) -> None:
        entry = self._entries.get(key)
        if entry is None or entry.target != target:
            self._release([key])
            self._entries[key] = _Entry(target)
            table = mounts(self._mount_table)
            if self._start(key, locate(target.root, target.recursive, table)):
                self._release_partly_watched()

    def _start(self, key: str, place: Place | str) -> bool:
        """Watch a root that is not watched. True = it is watched from now on."""
        entry = self._entries[key]
        if entry.place is not None or self._stopped:
            return False
        if isinstance(place, str):
            self._only_scan(key, place)
            return False
        if entry.not_before and self._clock() < entry.not_before:
            return False
        target = entry.target
        try:
            self._threads.add(key, place.path, target.recursive, target.directories_only)
        except Exception as error:
            self._handle_failure(key, error)
            return False
        self._entries[key] = _Entry(target, WatchState("watching"), place)
        return True

    def _handle_failure(self, key: str, error: Exception) -> None:
        limit = reached_limit(error)
        if limit is None:
            reason = f"it cannot be watched: {getattr(error, 'strerror', None) or error}"
            # An OSError may be over at the next check; a thread that does not start is not.
            self._only_scan(key, reason, wait=not isinstance(error, OSError))
            return
        self._only_scan(key, str(limit), wait=True)
        if limit.name not in self._warned:
            self._warned.add(limit.name)
            logger.warning(
                "%s is not watched, the rescan alone notices changes: %s; to raise it: %s",
                self._entries[key].target.root,
                limit,
                limit.remedy,
            )

    def _only_scan(self, key: str, reason: str, *, wait: bool = False) -> None:
        entry = self._entries[key]
        if entry.state.reason != reason:
            logger.info("%s is scanned, not watched: %s", entry.target.root, reason)
        not_before = self._clock() + RETRY_SECONDS if wait else 0.0
        state = WatchState("scanning", reason)
        self._entries[key] = _Entry(entry.target, state, not_before=not_before)

    def _release_partly_watched(self) -> None:
        """Scan trees of which a limit leaves a part unwatched, and give their watches back."""
        for key in self._watched():
            error = self._threads.limit_error(key)
            if error is not None:
                self._release([key])
                self._handle_failure(key, error)

    def _release(self, keys: Iterable[str]) -> None:
        for key in keys:
            self._threads.remove(key, CLOSE_SECONDS)
            if key in self._entries:
                self._entries[key] = _Entry(self._entries[key].target)

    def _close_if_idle(self) -> None:
        """Without a watch, end the threads and give the inotify instance back to the user."""
        if not self._watched():
            self._threads.close(CLOSE_SECONDS)


def _has_moved(entry: _Entry) -> bool:
    place = entry.place
    if place is None and entry.state.reason != MISSING:
        return False
    try:
        status = os.stat(entry.target.root)
    except OSError:
        return place is not None
    return place is None or (status.st_dev, status.st_ino) != (place.device, place.inode)
