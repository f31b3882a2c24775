"""Says "wake up" when something changes under a synced root; what changed, a scan finds out.

Here is all that touches watchdog; what is watched, scanned and tried again, `watchlist` decides.
"""

from __future__ import annotations

import errno
import logging
import os
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from watchdog import events
from watchdog.observers import Observer

from syncd.local.limits import spare_descriptors
from syncd.local.mounts import MOUNT_TABLE
from syncd.local.watchlist import Target, Watchlist, WatchState

if TYPE_CHECKING:
    from watchdog.observers.api import BaseObserver, EventEmitter, ObservedWatch

__all__ = ["Target", "WatchState", "Watcher"]

logger = logging.getLogger(__name__)

# Where watchdog writes that the kernel's queue ran over, and that a watch ended while it was read.
_LOGS = ("watchdog.observers.inotify", "watchdog.observers.inotify_c")

# The same list for every watch: roots may share an inode, and the last mask set on it counts.
# Opening, reading and closing unwritten are left out, so our own scans wake nobody.
_EVENTS: list[type[events.FileSystemEvent]] = [
    events.FileCreatedEvent,
    events.FileModifiedEvent,
    events.FileAttribEvent,
    events.FileClosedEvent,
    events.FileMovedEvent,
    events.FileDeletedEvent,
    events.DirCreatedEvent,
    events.DirAttribEvent,
    events.DirMovedEvent,
    events.DirDeletedEvent,
]


class Watcher(Watchlist):
    """The roots that are watched; one observer for all, alive only while there is one to watch.

    `wake` is called from watchdog's thread and must not wait for a lock that is held around a
    call of these methods. They may be called from any thread; `state`, `healthy`, `restarts` and
    `stop` wait for none of the others.
    """

    def __init__(
        self,
        wake: Callable[[str], None],
        *,
        clock: Callable[[], float] = time.monotonic,
        mount_table: str = MOUNT_TABLE,
    ) -> None:
        super().__init__(_Threads(wake), clock, mount_table)


class _Handler(events.FileSystemEventHandler):
    """Runs in watchdog's thread, which an exception would end."""

    def __init__(self, wake: Callable[[str], None], key: str, directories: bool) -> None:
        self._wake, self._key, self._directories = wake, key, directories

    def dispatch(self, event: events.FileSystemEvent) -> None:
        if not self._directories or event.is_directory:
            self._wake(self._key)


class _Quiet(logging.Filter):
    """Keeps out of the log what is no news: that events were lost, which watchdog says there only
    (everyone is woken), and that a watch was ended just as its thread was about to read."""

    def __init__(self, wake_all: Callable[[], None]) -> None:
        super().__init__()
        self._wake_all = wake_all

    def filter(self, record: logging.LogRecord) -> bool:
        message = str(record.msg)
        if "overflow" in message:
            self._wake_all()
            return False
        return "when the thread is inactive" not in message


@dataclass(frozen=True)
class _Armed:
    watch: ObservedWatch
    emitter: EventEmitter

    def ended(self) -> bool:
        """Its thread ended, or (device and inode may be the same after an unmount and a mount, or
        a delete and a mkdir) the kernel dropped the watch, and watchdog struck the path off its
        list: private, so an unknown form of it counts as watched."""
        group = getattr(self.emitter, "_inotify", None)
        paths = getattr(group, "_active_callbacks_by_path", None)
        dropped = isinstance(paths, dict) and os.fsencode(self.watch.path) not in paths
        return dropped or not self.emitter.is_alive()

    def sick(self) -> bool:
        """Ended without having been told to, nor because its root is gone."""
        return not self.emitter.is_alive() and self.emitter.should_keep_running()


class _Threads:
    """watchdog's observer and emitters; calls that change something come one at a time."""

    def __init__(self, wake: Callable[[str], None]) -> None:
        self._wake = wake
        self._wake_failed = False
        self._observer: BaseObserver | None = None
        self._armed: dict[str, _Armed] = {}
        self._doubtful = False
        self._refusals: dict[bytes, OSError] = {}
        self._quiet = _Quiet(self._wake_all)

    def add(self, key: str, path: str, recursive: bool, directories: bool) -> None:
        """Watch a directory by its real path; whatever goes wrong is raised."""
        if not self.sound():
            raise OSError(errno.EAGAIN, "the threads that watch have to be started anew first")
        while path in {one.watch.path for one in self._armed.values()}:
            path += "/"  # two keys on one folder: watchdog would take it for one and the same watch
        handler = _Handler(self._wake_safely, key, directories)
        self._refusals.pop(os.fsencode(path), None)
        observer = self._running()
        try:
            watch = observer.schedule(handler, path, recursive=recursive, event_filter=_EVENTS)
            emitter = next(emitter for emitter in observer.emitters if emitter.watch == watch)
        except OSError:
            raise
        except Exception:
            self._doubtful = True  # a thread that would not start leaves half a watch behind
            raise
        self._armed[key] = _Armed(watch, emitter)

    def remove(self, key: str, timeout: float) -> None:
        """End a watch; if that takes longer, or fails, the threads are no longer `sound`."""
        sound, observer = self.sound(), self._observer
        armed = self._armed.pop(key, None)
        if armed is not None and observer is not None:
            ended = sound and _within(timeout, lambda: observer.unschedule(armed.watch))
            self._doubtful = not ended

    def refused(self, key: str) -> OSError | None:
        """The limit that left a subfolder of this root unwatched."""
        armed = self._armed.get(key)
        return self._refusals.get(os.fsencode(armed.watch.path)) if armed is not None else None

    def ended(self, key: str) -> bool:
        armed = self._armed.get(key)
        return armed is None or armed.ended()

    def sound(self) -> bool:
        """No thread died (a dead emitter may take a lock with it on which all others wait), none
        hangs, and no half a watch is left behind."""
        observer = self._observer
        if observer is None:
            return True
        sick = any(armed.sick() for armed in tuple(self._armed.values()))
        return not self._doubtful and not sick and _alive(observer)

    def close(self, timeout: float) -> None:
        """End every thread; what has not ended after `timeout` seconds is left behind."""
        observer, self._observer = self._observer, None
        self._armed = {}
        self._doubtful = False
        if observer is not None:
            _within(timeout, lambda: _end(observer))
        for name in _LOGS:
            logging.getLogger(name).removeFilter(self._quiet)

    def _running(self) -> BaseObserver:
        if self._observer is None:
            spare_descriptors()  # watchdog leaks its inotify instance if its pipe finds none
            observer = Observer()
            _note_refusals(observer, self._refusals)
            try:
                observer.start()
            except Exception:
                _end(observer)
                raise
            for name in _LOGS:
                logging.getLogger(name).addFilter(self._quiet)
            self._observer = observer
        return self._observer

    def _wake_safely(self, key: str) -> None:
        try:
            self._wake(key)
        except Exception:
            if not self._wake_failed:
                self._wake_failed = True
                logger.exception("Waking up for a change failed; the rescan will see it")

    def _wake_all(self) -> None:
        for key in tuple(self._armed):
            self._wake_safely(key)


def _end(observer: BaseObserver) -> None:
    observer.stop()
    if observer.ident is not None:
        observer.join()


def _within(timeout: float, action: Callable[[], object]) -> bool:
    """Whether this was done in time and without an error; watchdog itself waits without limit."""
    done = threading.Event()

    def act() -> None:
        try:
            action()
            done.set()
        except Exception:
            logger.debug("A watch did not end cleanly", exc_info=True)

    thread = threading.Thread(target=act, name="watch-end", daemon=True)
    try:
        thread.start()
    except RuntimeError:  # no thread to be had
        return False
    thread.join(timeout)
    return done.is_set()


def _note_refusals(observer: BaseObserver, refusals: dict[bytes, OSError]) -> None:
    """watchdog leaves a subfolder beyond the limit unwatched and tells nobody: listen in, by root.

    Private; of an unknown form, nothing is noted, and such a subfolder waits for the rescan.
    """
    reader: Any = getattr(observer, "_inotify_fd", None)
    add = getattr(reader, "add_callback", None)
    if add is None:
        return

    def noting(path: bytes, mask: int, group: Any, *rest: Any) -> Any:
        try:
            return add(path, mask, group, *rest)
        except OSError as error:
            if error.errno == errno.ENOSPC:
                refusals[getattr(group, "path", b"")] = error
            raise

    reader.add_callback = noting


def _alive(observer: BaseObserver) -> bool:
    """The thread that dispatches and, where there is one, that which reads the kernel's queue."""
    reader = getattr(observer, "_inotify_fd", None)
    return observer.is_alive() and (not isinstance(reader, threading.Thread) or reader.is_alive())
