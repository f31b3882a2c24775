"""The service's page, metrics and `on_problem`: in threads of their own, so that no cycle waits."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

from syncd.config import Config
from syncd.export.outputs import Moment, Outputs
from syncd.export.problems import Problems, without_task
from syncd.overview.folders import Folders
from syncd.overview.status import FolderStatus
from syncd.state.ledger import Ledger

log = logging.getLogger("syncd.service")

T = TypeVar("T")

INTERVAL = 1.0
"""Seconds between two writes of page and metrics."""
_LAST_COMMAND, _LAST_WRITE = 0.4, 0.8
"""Seconds that the end of the service waits for them; systemd and Ctrl-C wait, too."""


class Background:
    """Belongs to the thread of the worker; what it is given are values."""

    def __init__(self, config: Config) -> None:
        self._outputs = Outputs()
        self._ended = False
        self._problems = Problems(config, lambda: self._ended)
        self._files = _Thread("outputs", self._write, INTERVAL)
        self._commands = _Thread("on_problem", self._tell)

    def show(self, moment: Moment) -> None:
        """Write page and metrics soon, as they are at this moment."""
        self._files.post("", moment)

    def tell(self, config: Config, status: FolderStatus) -> None:
        """Run `on_problem` if the state of this folder after a cycle is news."""
        self._commands.post(status.path, (config, status))

    def found(self, config: Config, folders: Folders) -> None:
        """These are the folders now, and what cannot be synced."""
        self._commands.post("", (config, folders))

    def stop(self) -> None:
        """Tell and write what came last; a slow command is killed."""
        self._commands.stop()
        self._files.stop()
        self._commands.join(_LAST_COMMAND)
        self._files.join(_LAST_WRITE)
        self._ended = True
        self._commands.join(_LAST_COMMAND)

    def _write(self, moment: Moment) -> None:
        ledger = Ledger.look(moment.config.state_dir)
        try:
            self._outputs.write(moment, ledger)
        finally:
            ledger.close()

    def _tell(self, what: tuple[Config, FolderStatus | Folders]) -> None:
        config, news = what
        if self._ended:
            return
        if isinstance(news, FolderStatus):
            self._problems.tell(news, config)
            return
        self._problems.forget_others(news)
        for status in without_task(news):
            self._problems.tell(status, config)


class _Thread(Generic[T]):
    """Works on what is posted, one after the other; of one key only the latest counts."""

    def __init__(self, name: str, work: Callable[[T], None], interval: float = 0.0) -> None:
        """`interval`: seconds from the end of one piece of work to the next."""
        self._name = name
        self._work = work
        self._interval = interval
        self._waiting: dict[Hashable, T] = {}
        self._changed = threading.Condition()
        self._stopping = False
        self._thread: threading.Thread | None = None

    def post(self, key: Hashable, value: T) -> None:
        with self._changed:
            self._waiting[key] = value
            self._changed.notify()
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name=self._name, daemon=True)
                self._thread.start()

    def stop(self) -> None:
        """End when nothing is left of what was posted."""
        with self._changed:
            self._stopping = True
            self._changed.notify()

    def join(self, seconds: float) -> None:
        """Wait for its end, for so long at most."""
        if self._thread is not None:
            self._thread.join(seconds)

    def _run(self) -> None:
        while True:
            with self._changed:
                while not self._waiting:
                    if self._stopping:
                        return
                    self._changed.wait()
                key = next(iter(self._waiting))
                value = self._waiting.pop(key)
            try:
                self._work(value)
            except Exception as error:
                log.debug("traceback", exc_info=True)
                log.warning("%s: %s; syncing goes on", self._name, error)
            self._rest()

    def _rest(self) -> None:
        until = time.monotonic() + self._interval
        with self._changed:
            while not self._stopping and (left := until - time.monotonic()) > 0:
                self._changed.wait(left)
