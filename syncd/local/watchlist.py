"""Which roots are watched, which are only scanned and why, and when a watch is made anew.

The threads that watch stay alive through much that leaves a root unwatched (renamed, mounted over,
deleted and made anew, a re-pointed link, a subfolder beyond the kernel's limit), so `check()`,
called at every rescan, compares what is watched with what is there. What cannot be watched is
"scanning": the rescan serves it, a little later.
"""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Literal, Protocol

from syncd.local.limits import limit_reached
from syncd.local.mounts import MISSING, Place, locate, mounts

logger = logging.getLogger(__name__)

RETRY = 600.0
"""Seconds until a root that met a limit is tried again."""
CLOSE = 2.0
"""Seconds that threads get to end before they are left behind."""


@dataclass(frozen=True)
class WatchState:
    """How changes of a root are noticed, and why not at once where it is only scanned."""

    mode: Literal["watching", "scanning"]
    reason: str = ""


@dataclass(frozen=True)
class Target:
    """A root to watch; `directories`: only what happens to its subfolders matters (`each:`)."""

    root: str
    recursive: bool = False
    directories: bool = False


class Threads(Protocol):
    """What really watches; see `watch`."""

    def add(self, key: str, path: str, recursive: bool, directories: bool) -> None: ...
    def remove(self, key: str, timeout: float) -> None: ...
    def refused(self, key: str) -> OSError | None: ...
    def ended(self, key: str) -> bool: ...
    def sound(self) -> bool: ...
    def close(self, timeout: float) -> None: ...


@dataclass(frozen=True)
class _Entry:
    target: Target
    state: WatchState = WatchState("scanning", "not watched yet")
    place: Place | None = None
    """Where it is watched; None = it is not."""
    not_before: float = 0.0


def _came_or_went(entry: _Entry) -> bool:
    if entry.place is None and entry.state.reason != MISSING:
        return False
    try:
        status = os.stat(entry.target.root)
    except OSError:
        return entry.place is not None
    place = entry.place
    return place is None or (status.st_dev, status.st_ino) != (place.device, place.inode)


class Watchlist:
    """The roots by key, each watched or with a reason why it is not."""

    def __init__(self, threads: Threads, clock: Callable[[], float], mount_table: str) -> None:
        self._threads, self._clock, self._mount_table = threads, clock, mount_table
        self._lock = threading.RLock()
        self._entries: dict[str, _Entry] = {}
        self._warned: set[str] = set()
        self._stopped = False
        self.restarts = 0
        """How often a watch that was lost has been made anew."""

    def watch(self, key: str, root: str, recursive: bool) -> WatchState:
        """Watch a folder; a flat one for what lies directly in it."""
        return self._set(key, Target(root, recursive))

    def watch_parent(self, key: str, root: str) -> WatchState:
        """Watch an `each:` parent for subfolders that come, go and are renamed."""
        return self._set(key, Target(root, directories=True))

    def unwatch(self, key: str) -> None:
        """Forget a root; one that is not known is no error."""
        with self._lock:
            self._release([key])
            self._entries.pop(key, None)
            self._rest()

    def sync(self, wanted: Mapping[str, Target]) -> None:
        """Watch exactly these; what is watched as wanted is left alone."""
        with self._lock:
            for key, target in wanted.items():
                self._set(key, target)
            for key in self._entries.keys() - wanted.keys():
                self.unwatch(key)

    def check(self) -> list[str]:
        """Make anew what is lost; the keys watched from now on, for a scan of what they missed."""
        with self._lock:
            table = mounts(self._mount_table)
            places = {
                key: locate(entry.target.root, entry.target.recursive, table)
                for key, entry in self._entries.items()
            }
            watched = set(self._watched())
            lost = {key for key in watched if self._lost(key, places[key])}
            self._release(lost)
            if not self._threads.sound():
                logger.warning("The threads that watch the folders failed; they are started anew")
                lost = watched
                self._threads.close(CLOSE)
                self._release(lost)
            gained = {key for key, place in places.items() if self._arm(key, place)}
            self._shed_partial()
            gained &= set(self._watched())
            for key in sorted(lost & gained):
                logger.info("%s is watched anew", self._entries[key].target.root)
            self.restarts += len(lost & gained)
            self._rest()
            if not any(entry.not_before for entry in self._entries.values()):
                self._warned.clear()
            return sorted(gained)

    def moved(self) -> list[str]:
        """The keys of roots that came or went since `check()`: no event tells of that."""
        return [key for key, entry in tuple(self._entries.items()) if _came_or_went(entry)]

    def state(self, key: str) -> WatchState:
        """How this root's changes are noticed at present."""
        entry = self._entries.get(key)
        return entry.state if entry is not None else WatchState("scanning", "not watched")

    def healthy(self) -> bool:
        """No thread has died; a root that is gone or only scanned is no illness."""
        return self._threads.sound()

    def stop(self, timeout: float = CLOSE) -> None:
        """End all threads; returns after `timeout` seconds even if one does not."""
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

    def _lost(self, key: str, place: Place | str) -> bool:
        return place != self._entries[key].place or self._threads.ended(key)

    def _set(self, key: str, target: Target) -> WatchState:
        with self._lock:
            entry = self._entries.get(key)
            if entry is None or entry.target != target:
                self._release([key])
                self._entries[key] = _Entry(target)
                table = mounts(self._mount_table)
                if self._arm(key, locate(target.root, target.recursive, table)):
                    self._shed_partial()
                self._rest()
            return self.state(key)

    def _arm(self, key: str, place: Place | str) -> bool:
        """Watch a root that is not watched; whether it is watched from now on."""
        entry = self._entries.get(key)
        if entry is None or entry.place is not None or self._stopped:
            return False
        if isinstance(place, str):
            self._scan_only(key, place)
            return False
        if entry.not_before and self._clock() < entry.not_before:
            return False
        target = entry.target
        try:
            self._threads.add(key, place.path, target.recursive, target.directories)
        except Exception as error:
            self._refused(key, error)
            return False
        self._entries[key] = _Entry(target, WatchState("watching"), place)
        return True

    def _refused(self, key: str, error: Exception) -> None:
        limit = limit_reached(error)
        if limit is None:
            reason = f"it cannot be watched: {getattr(error, 'strerror', None) or error}"
            # Not the kernel's answer (a folder just gone) but a thread that would not start.
            self._scan_only(key, reason, wait=not isinstance(error, OSError))
            return
        self._scan_only(key, str(limit), wait=True)
        if limit.name not in self._warned:
            self._warned.add(limit.name)
            logger.warning(
                "%s is not watched, the rescan alone notices changes: %s; to raise it: %s",
                self._entries[key].target.root,
                limit,
                limit.remedy,
            )

    def _scan_only(self, key: str, reason: str, *, wait: bool = False) -> None:
        entry = self._entries[key]
        if entry.state.reason != reason:
            logger.info("%s is scanned, not watched: %s", entry.target.root, reason)
        not_before = self._clock() + RETRY if wait else 0.0
        state = WatchState("scanning", reason)
        self._entries[key] = _Entry(entry.target, state, not_before=not_before)

    def _shed_partial(self) -> None:
        """A tree that the limit leaves partly unwatched is scanned, and its watches given back."""
        for key in self._watched():
            error = self._threads.refused(key)
            if error is not None:
                self._release([key])
                self._refused(key, error)

    def _release(self, keys: Iterable[str]) -> None:
        for key in keys:
            self._threads.remove(key, CLOSE)
            if key in self._entries:
                self._entries[key] = _Entry(self._entries[key].target)

    def _rest(self) -> None:
        """Nothing to watch: no threads, and the inotify instance is the user's again."""
        if not self._watched():
            self._threads.close(CLOSE)
