"""Runs watchdog: its threads call `wake(key)` when something changes below a watched directory.

Only this module imports watchdog. `watcher` decides which directories are watched.
"""

from __future__ import annotations

import errno
import logging
import os
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from watchdog import events
from watchdog.observers import Observer

from syncd.local.inotify_limits import require_spare_descriptors

if TYPE_CHECKING:
    from watchdog.observers.api import BaseObserver, EventEmitter, ObservedWatch

logger = logging.getLogger(__name__)

_WATCHDOG_LOGGERS = ("watchdog.observers.inotify", "watchdog.observers.inotify_c")

# Opening, reading and closing without writing are left out, so that a scan wakes nobody. Every
# watch has the same list: if two roots share an inode, the kernel applies the last mask to both.
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


class WatchdogThreads:
    """watchdog's observer thread and one emitter thread per watch.

    They run only while there is a watch. Methods that add or remove watches are not thread-safe.
    """

    def __init__(self, wake: Callable[[str], None]) -> None:
        self._wake = wake
        self._wake_failed = False
        self._observer: BaseObserver | None = None
        self._watches: dict[str, _Watch] = {}
        self._broken = False
        """A thread did not start or did not end: only `close` makes the threads usable again."""
        self._limit_errors: dict[bytes, OSError] = {}
        """By watched directory: why a subfolder of it is not watched."""
        self._log_filter = _LogFilter(self._wake_all)

    def add(self, key: str, path: str, recursive: bool, directories_only: bool) -> None:
        """Watch the directory at a real path. Raises whatever goes wrong."""
        if not self.healthy():
            raise OSError(errno.EAGAIN, "the threads that watch have to be started anew first")
        while path in {watch.observed.path for watch in self._watches.values()}:
            path += "/"  # watchdog would merge two watches with one path
        handler = _Handler(self._wake_safely, key, directories_only)
        self._limit_errors.pop(os.fsencode(path), None)
        observer = self._running_observer()
        try:
            observed = observer.schedule(handler, path, recursive=recursive, event_filter=_EVENTS)
            emitter = next(emitter for emitter in observer.emitters if emitter.watch == observed)
        except OSError:
            raise
        except Exception:
            self._broken = True
            raise
        self._watches[key] = _Watch(observed, emitter)

    def remove(self, key: str, timeout: float) -> None:
        """End a watch. If that fails or takes longer than `timeout` seconds, the threads are no
        longer healthy."""
        healthy, observer = self.healthy(), self._observer
        watch = self._watches.pop(key, None)
        if watch is not None and observer is not None:
            ended = healthy and _finishes(timeout, lambda: observer.unschedule(watch.observed))
            self._broken = not ended

    def limit_error(self, key: str) -> OSError | None:
        """The kernel limit because of which a subfolder of this root is not watched."""
        watch = self._watches.get(key)
        return self._limit_errors.get(os.fsencode(watch.observed.path)) if watch else None

    def ended(self, key: str) -> bool:
        """Whether this watch no longer reports changes."""
        watch = self._watches.get(key)
        return watch is None or watch.ended()

    def healthy(self) -> bool:
        """Whether no thread died or hangs. A dead emitter may keep a lock that all others need."""
        observer = self._observer
        if observer is None:
            return True
        died = any(watch.died() for watch in tuple(self._watches.values()))
        return not self._broken and not died and _is_alive(observer)

    def close(self, timeout: float) -> None:
        """End all threads; abandon those that still run after `timeout` seconds."""
        observer, self._observer = self._observer, None
        self._watches = {}
        self._broken = False
        if observer is not None:
            _finishes(timeout, lambda: _stop(observer))
        for name in _WATCHDOG_LOGGERS:
            logging.getLogger(name).removeFilter(self._log_filter)

    def _running_observer(self) -> BaseObserver:
        if self._observer is None:
            # watchdog leaks its inotify instance if it cannot open its pipe.
            require_spare_descriptors()
            observer = Observer()
            _record_limit_errors(observer, self._limit_errors)
            try:
                observer.start()
            except Exception:
                _stop(observer)
                raise
            for name in _WATCHDOG_LOGGERS:
                logging.getLogger(name).addFilter(self._log_filter)
            self._observer = observer
        return self._observer

    def _wake_safely(self, key: str) -> None:
        """Call `wake`; an exception would end watchdog's thread."""
        try:
            self._wake(key)
        except Exception:
            if not self._wake_failed:
                self._wake_failed = True
                logger.exception("Waking up for a change failed; the rescan will see it")

    def _wake_all(self) -> None:
        for key in tuple(self._watches):
            self._wake_safely(key)


class _Handler(events.FileSystemEventHandler):
    """Wakes for each event of one watch."""

    def __init__(self, wake: Callable[[str], None], key: str, directories_only: bool) -> None:
        self._wake, self._key, self._directories_only = wake, key, directories_only

    def dispatch(self, event: events.FileSystemEvent) -> None:
        if not self._directories_only or event.is_directory:
            self._wake(self._key)


class _LogFilter(logging.Filter):
    """Reads watchdog's log for lost events, which it reports nowhere else, and wakes everyone.

    Drops that line, and the one about a watch that was removed while its thread was reading.
    """

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
class _Watch:
    observed: ObservedWatch
    emitter: EventEmitter

    def ended(self) -> bool:
        """Whether the thread ended, or the kernel dropped the watch (unmount, delete).

        watchdog then takes the path out of a private dict; if a version of it has no such dict,
        the watch counts as alive. Device and inode may be the same after a remount.
        """
        inotify = getattr(self.emitter, "_inotify", None)
        paths = getattr(inotify, "_active_callbacks_by_path", None)
        dropped = isinstance(paths, dict) and os.fsencode(self.observed.path) not in paths
        return dropped or not self.emitter.is_alive()

    def died(self) -> bool:
        """Whether the thread ended though nobody stopped it and its root is still there."""
        return not self.emitter.is_alive() and self.emitter.should_keep_running()


def _stop(observer: BaseObserver) -> None:
    observer.stop()
    if observer.ident is not None:
        observer.join()


def _finishes(timeout: float, action: Callable[[], object]) -> bool:
    """Whether the action ends within `timeout` seconds and without an error. It runs in a thread,
    because watchdog waits without limit."""
    done = threading.Event()

    def run() -> None:
        try:
            action()
            done.set()
        except Exception:
            logger.debug("A watch did not end cleanly", exc_info=True)

    thread = threading.Thread(target=run, name="watch-end", daemon=True)
    try:
        thread.start()
    except RuntimeError:  # no thread can be started
        return False
    thread.join(timeout)
    return done.is_set()


def _record_limit_errors(observer: BaseObserver, limit_errors: dict[bytes, OSError]) -> None:
    """Record each ENOSPC for a subfolder: watchdog ignores it and leaves the subfolder unwatched.

    Wraps a private method; if a version of watchdog lacks it, the rescan finds such changes.
    """
    reader: Any = getattr(observer, "_inotify_fd", None)
    add = getattr(reader, "add_callback", None)
    if add is None:
        return

    def recording_add(path: bytes, mask: int, group: Any, *rest: Any) -> Any:
        try:
            return add(path, mask, group, *rest)
        except OSError as error:
            if error.errno == errno.ENOSPC:
                limit_errors[getattr(group, "path", b"")] = error
            raise

    reader.add_callback = recording_add


def _is_alive(observer: BaseObserver) -> bool:
    """Whether the thread that dispatches runs, and the one that reads from the kernel, if any."""
    reader = getattr(observer, "_inotify_fd", None)
    return observer.is_alive() and (not isinstance(reader, threading.Thread) or reader.is_alive())
