"""Watches directories by inotify, all with one descriptor and one thread.

Only this module imports watchdog, and of it only the thread that reads from the kernel: an observer
has a thread for each root besides, and keeps quiet about lost events and subfolders that it does
not watch. `watcher` decides which directories are watched.
"""

from __future__ import annotations

import errno
import logging
import os
import threading
from collections.abc import Callable
from functools import partial

from watchdog.observers import inotify_c
from watchdog.observers.inotify_c import CallbackId, InotifyEvent, InotifyFD, Mask, WatchDescriptor
from watchdog.observers.inotify_c import InotifyConstants as Events

from syncd.local.inotify_limits import require_spare_descriptors

logger = logging.getLogger(__name__)
logging.getLogger(inotify_c.__name__).disabled = True  # lost events cost a scan, and no log line

# Opening, reading and closing without writing are left out, so that a scan wakes nobody. All
# watches have one mask: if two roots share an inode, the kernel applies the last mask to both.
_MASK = Mask(
    Events.IN_CREATE
    | Events.IN_MODIFY
    | Events.IN_ATTRIB
    | Events.IN_CLOSE_WRITE
    | Events.IN_MOVE
    | Events.IN_DELETE
    | Events.IN_DELETE_SELF
    | Events.IN_ONLYDIR
    | Events.IN_DONT_FOLLOW
)


class Inotify:
    """The thread that reads events, while there is anything to watch.

    `wake(key)` runs in that thread.
    """

    def __init__(self, wake: Callable[[str], None]) -> None:
        self._wake = wake
        self._wake_failed = False
        self._reader: InotifyFD | None = None

    def watch(self, key: str, path: str, recursive: bool, directories_only: bool) -> Tree:
        """Watch the directory at a real path. Raises OSError or, without a thread, RuntimeError."""
        if self._reader is None:
            # watchdog leaks its inotify instance if it cannot open its pipe.
            require_spare_descriptors()
            reader = InotifyFD()
            try:
                reader.start()
            except RuntimeError:
                reader._close_resources()  # what its thread does otherwise
                raise
            self._reader = reader
        wake = partial(self._wake_safely, key)
        return Tree(self._reader, os.fsencode(path), recursive, directories_only, wake)

    def healthy(self) -> bool:
        """Whether the thread did not die."""
        return self._reader is None or self._reader.is_alive()

    def close(self, timeout: float) -> None:
        """End all watches and the thread; abandon it if it still runs after `timeout` seconds."""
        reader, self._reader = self._reader, None
        if reader is not None:
            reader.stop()
            reader.join(timeout)

    def _wake_safely(self, key: str) -> None:
        """Call `wake`; an exception would end the thread."""
        try:
            self._wake(key)
        except Exception:
            if not self._wake_failed:
                self._wake_failed = True
                logger.exception("Waking up for a change failed; the rescan will see it")


class Tree:
    """The watch of one root and, if `recursive`, of all directories below it.

    `directories_only`: changes of files wake nobody.
    """

    def __init__(
        self,
        reader: InotifyFD,
        root: bytes,
        recursive: bool,
        directories_only: bool,
        wake: Callable[[], None],
    ) -> None:
        """Raises OSError if the root cannot be watched."""
        self._reader, self._root, self._wake = reader, root, wake
        self._recursive, self._directories_only = recursive, directories_only
        self._id = CallbackId(id(self))
        self._lock = threading.Lock()
        self._paths: dict[WatchDescriptor, bytes] = {}
        self._descriptors: dict[bytes, WatchDescriptor] = {}
        self.ended = False
        """The kernel dropped the watch of the root: it was deleted or unmounted."""
        self.limit_error: OSError | None = None
        """The limit because of which a directory is not watched."""
        with self._lock:
            self._add_tree(root)

    def stop(self) -> None:
        with self._lock:
            self._remove_tree(self._root)

    def on_event(self, event: InotifyEvent) -> None:
        """The reader calls this for each event, in the order in which they happened."""
        if self._recursive and event.name and event.is_directory:
            with self._lock:
                self._follow(event)
        if event.is_directory or not self._directories_only:
            self._wake()

    def on_watch_deleted(self, wd: WatchDescriptor) -> None:
        """The reader calls this when the kernel dropped the watch of a directory."""
        with self._lock:
            path = self._paths.pop(wd, None)
            if path is not None and self._descriptors.get(path) == wd:
                del self._descriptors[path]
                self.ended = self.ended or path == self._root
        self._wake()

    def on_queue_overflow(self) -> None:
        """The reader calls this when events were lost: any directory may be another one now."""
        with self._lock:
            self._remove_tree(self._root)
            try:
                self._add_tree(self._root)
            except OSError:
                self.ended = True
        self._wake()

    def _follow(self, event: InotifyEvent) -> None:
        """Watch a directory that appeared, and let go of one that was moved away or replaced."""
        above = self._paths.get(event.wd)
        if above is None:
            return
        path = os.path.join(above, event.name)
        if event.is_move:
            self._remove_tree(path)
        if event.is_create or event.is_moved_to or event.is_attrib:
            self._add_tree(path)

    def _add_tree(self, path: bytes) -> None:
        """Each directory is watched before it is read, so that nothing appears in between."""
        if path in self._descriptors:
            return
        self._add(path)
        for above, names, _ in os.walk(path) if self._recursive else ():
            for name in names:
                self._add(os.path.join(above, name))

    def _add(self, path: bytes) -> None:
        if path in self._descriptors:
            return
        try:
            if not os.access(path, os.R_OK):  # watchdog takes EACCES for success
                raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
            wd = self._reader.add_callback(path, _MASK, self, self._id)
        except OSError as error:
            if path == self._root:
                raise
            if error.errno == errno.ENOSPC:
                self.limit_error = error
            return  # else it is gone, a symbolic link, or not readable for the scan either
        self._descriptors[path] = wd
        self._paths[wd] = path

    def _remove_tree(self, path: bytes) -> None:
        below = path + b"/"
        removed = [p for p in self._descriptors if p == path or p.startswith(below)]
        descriptors = [self._descriptors.pop(p) for p in removed]
        for wd in descriptors:
            self._paths.pop(wd, None)
        self._reader.remove_callbacks([(wd, self._id) for wd in descriptors])
