"""The service: watches, wakes the one worker, answers signals, until it is told to stop.

The main thread is the worker and owns the ledger. Watcher, scheduler and signals only put
word into a queue that a signal handler may safely write to.
"""

from __future__ import annotations

import logging
import queue
import signal
import time
from collections.abc import Callable

from syncd.config import Config
from syncd.engine.report import OK
from syncd.errors import ConfigError, Stopped, SyncdError
from syncd.focus.transport import HttpTransport
from syncd.local.watch import Watcher
from syncd.model import TaskKey
from syncd.service.alarms import Alarms, Clocks
from syncd.service.board import Board
from syncd.service.folders import PARENT, find_folders, register, watches
from syncd.service.keys import Keys
from syncd.service.sdnotify import Notifier
from syncd.service.stopping import Stopping
from syncd.service.telling import up
from syncd.service.worker import Worker

log = logging.getLogger("syncd.service")

TICK = 5.0
"""Seconds after which the worker looks around by itself: timers may fail, clocks may jump."""
BREATH = 1.0
"""Seconds to wait after something that should not have happened."""
LONGEST_RESCAN = 60.0


class Daemon:
    """One process, one config, until SIGTERM."""

    def __init__(
        self,
        config: Config,
        worker: Worker,
        transport: HttpTransport,
        keys: Keys,
        stopping: Stopping,
        notifier: Notifier,
    ) -> None:
        self._config = config
        self._worker = worker
        self.transport = transport
        self._keys = keys
        self._stopping = stopping
        self._notifier = notifier
        self.reload: Callable[[], Config] = lambda: config
        """Reads the config again. ConfigError if it is broken."""
        self.reequip: Callable[[Config, str], None] = lambda *_: None
        """Takes over what may change of the section `api`."""
        self.in_terminal = False
        """A person looks on: one line says that the service is up."""
        self._queue: queue.SimpleQueue[str] = queue.SimpleQueue()
        self._changed: dict[str, None] = {}
        self._watcher = Watcher(self._wake)
        self._alarms = Alarms(self._queue.put)
        self._tasks: dict[str, TaskKey] = {}
        self._clocks = Clocks()
        self._board = Board(config, worker, self._watcher, notifier)
        worker.on_progress = self._board.write
        stopping.pulse = self.pulse

    def run(self) -> int:
        """Work until asked to stop; the exit status."""
        self._on_signals()
        try:
            self._arrange()
            self._alarms.start()
            self._schedule()
            self._notifier.ready()
            if self.in_terminal:
                log.info("%s", up([w.target for w in self._worker.folders.values()]))
            code = self._first_answer()
            if code != OK:
                return code
            self._worker.on_key_refused = self._keys.say_refused
            if self._worker.gate.key_refused:
                self._keys.say_refused()
            self._board.write()
            while True:
                self._guarded_turn()
        except Stopped:
            return OK
        finally:
            self._end()

    def pulse(self) -> None:
        """The worker is alive; systemd hears of it while the watcher is healthy, too."""
        if self._notifier.watchdog_interval is not None and self._watcher.healthy():
            self._notifier.watchdog()

    def _first_answer(self) -> int:
        """Cycles up to the first that asked the server: only now a refused key ends the start."""
        for _ in range(len(self._worker.folders)):
            self._worker.run_due(most=1)
            if self._worker.tools.meter.requests.total():
                break
        return self._keys.code_at_start(self._worker)

    def _guarded_turn(self) -> None:
        """What goes wrong beside the cycles is told, and no reason to stop."""
        try:
            self._turn()
        except Stopped:
            raise
        except Exception as error:
            log.debug("traceback", exc_info=True)
            what = str(error) if isinstance(error, SyncdError) else f"unexpected {error!r}"
            log.error("%s; going on", what)
            self._stopping.sleep(BREATH)

    def _turn(self) -> None:
        """Do what is due; then wait for word, or for a while."""
        self._stopping.checkpoint()
        self.pulse()
        self._worker.run_due()
        self._keys.note_if_it_works(self._worker)
        if self._worker.gate.key_refused and self._keys.renewed(self.transport):
            self._worker.key_changed()
        self._find_moved()
        self._board.write_news()
        due = self._worker.next_due() - self._worker.clock()
        self._alarms.once(due)
        words = self._listen(min(max(due, 0.0), TICK))
        self._stopping.checkpoint()
        self._heed(words)

    def _heed(self, words: set[str]) -> None:
        if "reload" in words:
            self._take_over_config()
        if "all" in words:
            log.info("asked to run every folder now")
            self._worker.force_all()
            self._arrange()
        if self._clocks.jumped():
            self._look_at_everything()
        self._take_changes()
        if "rescan" in words:
            self._rescan()

    def _listen(self, seconds: float) -> set[str]:
        words: set[str] = set()
        try:
            words.add(self._queue.get(timeout=seconds) if seconds > 0 else self._queue.get_nowait())
            while True:
                words.add(self._queue.get_nowait())
        except queue.Empty:
            return words

    def _wake(self, key: str) -> None:
        """Called by watcher threads, perhaps 60,000 times in a row: notes, and never waits."""
        if key not in self._changed:
            self._changed[key] = None
            self._queue.put("changed")

    def _take_changes(self) -> None:
        for key in list(self._changed):
            self._changed.pop(key, None)
            if key.startswith(PARENT):
                self._arrange()
            elif key in self._tasks:
                self._worker.changed(self._tasks[key])

    def _find_moved(self) -> None:
        """A folder that was moved away, or is back, is told before the next rescan."""
        moved = self._watcher.moved()
        if moved:
            self._rescan()
        for key in moved:
            if key in self._tasks:
                self._worker.moved(self._tasks[key])

    def _rescan(self) -> None:
        """The local look for what events missed: folders, watches, parents, the key."""
        for key in self._watcher.check():
            if key in self._tasks:
                self._worker.changed(self._tasks[key])
        if any(entry.kind == "each" for entry in self._config.entries):
            self._arrange()
        self._worker.rescan()

    def _arrange(self) -> None:
        """Make folders, watches and notes what config and disk say now."""
        ledger = self._worker.tools.ledger
        folders = find_folders(self._config, ledger, time.time())
        new = self._worker.set_targets(folders.targets)
        self._board.show(folders)
        if new:
            register(self._config, ledger, folders.targets)
        self._tasks = {repr(t.folder.task): t.folder.task for t in folders.targets}
        self._watcher.sync(watches(folders))

    def _look_at_everything(self) -> None:
        """After a suspend or a clock that was set: fresh connections, timers and scans."""
        log.info("the clock jumped (suspend, or it was set): looking at everything again")
        self.transport.new_connections()
        self._worker.rescan(everything=True)
        self._schedule()

    def _take_over_config(self) -> None:
        """SIGHUP: the new config, or, if it is broken, the old one and a word about it."""
        self._notifier.reloading()
        try:
            config, key = self._keys.reload(self._config, self.reload())
            self.reequip(config, key)
            self._config = self._board.config = config
            self._arrange()
            self._schedule()
            self._worker.force_all()
            log.info("the config was read again")
        except SyncdError as error:
            for fault in error.faults if isinstance(error, ConfigError) else (error,):
                log.error("the config stays as it was: %s", fault)
        self._notifier.ready()

    def _schedule(self) -> None:
        """Jobs only wake the worker; what is due it knows itself."""
        rescans = (entry.rescan for entry in self._config.entries)
        self._alarms.every("rescan", min(rescans, default=LONGEST_RESCAN))
        interval = self._notifier.watchdog_interval
        if interval is not None:
            self._alarms.every("tick", interval)

    def _on_signals(self) -> None:
        self._stopping.wake = lambda: self._queue.put("stop")
        signal.signal(signal.SIGHUP, lambda *_: self._queue.put("reload"))
        signal.signal(signal.SIGUSR1, lambda *_: self._queue.put("all"))

    def _end(self) -> None:
        self._notifier.stopping()
        self._stopping.tell_once()
        self._alarms.stop()
        self._watcher.stop()
        self._board.leave()
