"""The service: watches folders, wakes the worker, handles signals, until it is asked to stop.

The main thread runs the worker and owns the ledger. The threads of the watcher and the scheduler,
and the signal handlers, only put a word into a queue that wakes it.
"""

from __future__ import annotations

import logging
import queue
import signal
import threading
from collections.abc import Callable

from syncd.config import Config
from syncd.engine.report import OK
from syncd.errors import ConfigError, Stopped, SyncdError
from syncd.focus.transport import HttpTransport
from syncd.local.watcher import Watcher
from syncd.model import TaskKey
from syncd.overview.folders import PARENT, find_folders, register, watches
from syncd.service.api_key import ApiKey
from syncd.service.report_log import startup_line
from syncd.service.sdnotify import Notifier
from syncd.service.shutdown import Shutdown
from syncd.service.status_writer import StatusWriter
from syncd.service.timers import ClockCheck, Timers
from syncd.service.worker import Worker

log = logging.getLogger("syncd.service")

LONGEST_WAIT = 5.0
"""Seconds after which the main thread wakes by itself: timers may fail, clocks may jump."""
ERROR_PAUSE = 1.0
"""Seconds to wait after an unexpected error."""
LONGEST_RESCAN = 60.0


class Daemon:
    """One process with one config, until SIGTERM."""

    def __init__(
        self,
        config: Config,
        worker: Worker,
        transport: HttpTransport,
        key: ApiKey,
        shutdown: Shutdown,
        notifier: Notifier,
    ) -> None:
        self._config = config
        self._worker = worker
        self.transport = transport
        self._key = key
        self._shutdown = shutdown
        self._notifier = notifier
        self.read_config: Callable[[], Config] = lambda: config
        """Reads the config file. Raises ConfigError."""
        self.connect: Callable[[Config, str], None] = lambda *_: None
        """Replaces the worker's client by one with these settings and this key."""
        self.in_terminal = False
        """A person watches: one line tells that the service is up."""
        self._queue: queue.SimpleQueue[str] = queue.SimpleQueue()
        self._changed: dict[str, None] = {}
        """Keys of watched folders that changed."""
        self._asked = False
        """A person asked for a cycle and waits for the status after it."""
        self._watcher = Watcher(self._note_change)
        self._timers = Timers(self._queue.put)
        self._tasks: dict[str, TaskKey] = {}
        """Of watched folders, by the watcher's key."""
        self._clocks = ClockCheck()
        self._next_ping = 0.0
        self._status = StatusWriter(config, worker, self._watcher, notifier)
        worker.on_change = lambda: self._status.update(changed=True)
        shutdown.heartbeat = self.heartbeat

    def run(self) -> int:
        """Work until asked to stop; returns the exit status."""
        self._handle_signals()
        try:
            self._update_folders()
            self._timers.start()
            self._set_timers()
            self._notifier.ready()
            if self.in_terminal:
                log.info("%s", startup_line([s.target for s in self._worker.folders.values()]))
            # A key that the first request shows to be refused ends the service.
            self._worker.run_due(until_request=True)
            if (code := self._key.exit_code_at_start(self._worker)) != OK:
                return code
            self._worker.on_key_refused = self._key.log_refused
            if self._worker.pause.key_refused:
                self._key.log_refused()
            self._status.update(at_once=True)
            while True:
                self._step_safely()
        except Stopped:
            return OK
        finally:
            self._end()

    def heartbeat(self) -> None:
        """Ping systemd's watchdog if the watcher is healthy, and update the status; called while
        work goes on, by any thread."""
        interval, now = self._notifier.watchdog_interval, self._worker.clock()
        if interval is not None and now >= self._next_ping and self._watcher.healthy():
            self._next_ping = now + interval / 2
            self._notifier.watchdog()
        if threading.current_thread() is threading.main_thread():
            self._status.update()

    def _step_safely(self) -> None:
        """An error outside the cycles is logged and does not end the service."""
        try:
            self._step()
        except Stopped:
            raise
        except Exception as error:
            log.debug("traceback", exc_info=True)
            text = str(error) if isinstance(error, SyncdError) else f"unexpected {error!r}"
            log.error("%s; going on", text)
            self._shutdown.sleep(ERROR_PAUSE)

    def _step(self) -> None:
        """Do what is due, then wait for the next reason to work."""
        self._shutdown.checkpoint()
        self._worker.run_due()
        self._key.record_if_it_worked(self._worker)
        if self._worker.pause.key_refused and self._key.reread(self.transport):
            self._worker.key_changed()
        self._find_moved()
        self._status.update_between_cycles(at_once=self._asked)
        self._asked = False
        due = self._worker.next_due() - self._worker.clock()
        self._timers.set_due(due)
        words = self._wait(min(max(due, 0.0), self._status.due_in(), LONGEST_WAIT))
        self._shutdown.checkpoint()
        self._handle(words)

    def _handle(self, words: set[str]) -> None:
        if words - {"tick"}:
            self._status.changed()
        self._asked = bool(words & {"reload", "run all"})
        if "reload" in words:
            self._reload_config()
        if "run all" in words:
            log.info("asked to run every folder now")
            self._worker.force_all()
            self._update_folders()
        if self._clocks.jumped():
            self._rescan_everything()
        self._handle_changes()
        if "rescan" in words:
            self._rescan()

    def _wait(self, seconds: float) -> set[str]:
        """Wait for at most so many seconds; returns the words in the queue."""
        words: set[str] = set()
        try:
            words.add(self._queue.get(timeout=seconds) if seconds > 0 else self._queue.get_nowait())
            while True:
                words.add(self._queue.get_nowait())
        except queue.Empty:
            return words

    def _note_change(self, key: str) -> None:
        """Called by the watcher's threads, perhaps 60,000 times in a row: it never waits."""
        if key not in self._changed:
            self._changed[key] = None
            self._queue.put("changed")

    def _handle_changes(self) -> None:
        for key in (keys := list(self._changed)):
            del self._changed[key]
        if any(key.startswith(PARENT) for key in keys):
            self._update_folders()
        for key in keys:
            if key in self._tasks:
                self._worker.changed(self._tasks[key])

    def _find_moved(self) -> None:
        """Report a folder that was moved away, or back, before the next rescan does."""
        if moved := self._watcher.moved():
            self._rescan()
            self._status.changed()
        for key in moved:
            if key in self._tasks:
                self._worker.moved(self._tasks[key])

    def _rescan(self) -> None:
        """Find what no event told of: in folders, watches and `each:` parents."""
        for key in self._watcher.check():
            if key in self._tasks:
                self._worker.changed(self._tasks[key])
        if any(entry.kind == "each" for entry in self._config.entries):
            self._update_folders()
        self._worker.rescan()

    def _update_folders(self) -> None:
        """Work on, watch and report the folders that config and disk now name."""
        ledger = self._worker.context.ledger
        folders = find_folders(self._config, ledger)
        new = self._worker.set_targets(folders.targets)
        self._status.set_folders(folders)
        register(self._config, ledger, new)
        self._tasks = {repr(t.folder.task): t.folder.task for t in folders.targets}
        self._watcher.watch(watches(folders))

    def _rescan_everything(self) -> None:
        """After a suspend, or a clock that was set: new connections, timers and scans."""
        log.info("the clock jumped (suspend, or it was set): looking at everything again")
        self.transport.close()
        self._worker.rescan(everything=True)
        self._set_timers()
        self._status.changed()

    def _reload_config(self) -> None:
        """Take over the config on SIGHUP; if it is broken, log that and keep the old one."""
        self._notifier.reloading()
        try:
            config, key = self._key.reload(self._config, self.read_config())
            self.connect(config, key)
            self._config = self._status.config = config
            self._update_folders()
            self._set_timers()
            self._worker.force_all()
            log.info("the config was read again")
        except SyncdError as error:
            for fault in error.faults if isinstance(error, ConfigError) else (error,):
                log.error("the config stays as it was: %s", fault)
        self._notifier.ready()

    def _set_timers(self) -> None:
        rescans = (entry.rescan for entry in self._config.entries)
        self._timers.repeat("rescan", min(rescans, default=LONGEST_RESCAN))
        if (interval := self._notifier.watchdog_interval) is not None:
            self._timers.repeat("tick", interval)

    def _handle_signals(self) -> None:
        self._shutdown.wake = lambda: self._queue.put("stop")
        signal.signal(signal.SIGHUP, lambda *_: self._queue.put("reload"))
        signal.signal(signal.SIGUSR1, lambda *_: self._queue.put("run all"))

    def _end(self) -> None:
        self._notifier.stopping()
        self._shutdown.announce_once()
        self._timers.stop()
        self._watcher.stop()
        self._status.write_stopped()
