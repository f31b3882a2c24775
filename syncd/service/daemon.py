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
from datetime import UTC, datetime, timedelta

from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.triggers.date import DateTrigger
from apscheduler.triggers.interval import IntervalTrigger

from syncd.config import Config
from syncd.engine.report import OK
from syncd.errors import Stopped, SyncdError
from syncd.focus.transport import HttpTransport
from syncd.local.watch import Watcher
from syncd.local.watchlist import Target as WatchTarget
from syncd.model import TaskKey
from syncd.service.board import Board
from syncd.service.folders import Folders, find_folders, register
from syncd.service.keys import Keys
from syncd.service.sdnotify import Notifier
from syncd.service.stopping import Stopping
from syncd.service.worker import Worker

log = logging.getLogger("syncd.service")

TICK = 5.0
"""Seconds after which the worker looks around by itself: timers may fail, clocks may jump."""
STARTING = 60.0
"""Seconds that systemd grants beyond each sign of life before READY."""
JUMP = 3.0
"""Seconds that wall clock and monotonic clock may drift apart between two ticks."""
_PARENT = "each:"


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
        self.reequip: Callable[[Config], None] = lambda _: None
        """Takes over what may change of the section `api`."""
        self._queue: queue.SimpleQueue[str] = queue.SimpleQueue()
        self._changed: dict[str, None] = {}
        self._watcher = Watcher(self._wake)
        self._scheduler = BackgroundScheduler(
            timezone=UTC,
            job_defaults={"misfire_grace_time": None, "coalesce": True, "max_instances": 1},
        )
        self._tasks: dict[str, TaskKey] = {}
        self._told_left: set[TaskKey] = set()
        self._ready = False
        self._drift = time.time() - time.monotonic()
        self._board = Board(config, worker, self._watcher, notifier)
        worker.on_progress = self._board.write
        worker.on_key_refused = keys.say_refused
        stopping.pulse = self.pulse

    def run(self) -> int:
        """Work until asked to stop; the exit status."""
        self._on_signals()
        try:
            self._arrange()
            self._scheduler.start()
            self._schedule()
            self._worker.run_due(most=1)
            code = self._keys.code_at_start(self._worker)
            if code != OK:
                return code
            self._ready = True
            self._notifier.ready()
            self._board.write()
            self._worker.run_due()
            while True:
                self._turn()
        except Stopped:
            return OK
        finally:
            self._end()

    def pulse(self) -> None:
        """The worker is alive; systemd hears of it while the watcher is healthy, too."""
        if not self._ready:
            self._notifier.extend(STARTING)
        elif self._watcher.healthy():
            self._notifier.watchdog()

    def _turn(self) -> None:
        """Wait for word, or for a while; then do what is due."""
        self._stopping.checkpoint()
        self.pulse()
        now = time.monotonic()
        due = self._worker.next_due()
        self._set_alarm(due - now)
        words = self._listen(min(max(due - now, 0.0), TICK))
        self._stopping.checkpoint()
        if "reload" in words:
            self._take_over_config()
        if "all" in words:
            log.info("asked to run every folder now")
            self._worker.force_all()
            self._arrange()
        self._look_at_clocks()
        self._take_changes()
        if "rescan" in words or time.monotonic() >= self._worker.next_due():
            self._rescan()
        self._worker.run_due()

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
            if key.startswith(_PARENT):
                self._arrange()
            elif key in self._tasks:
                self._worker.changed(self._tasks[key])

    def _rescan(self) -> None:
        """The local look for what events missed: folders, watches, parents, the key."""
        for key in self._watcher.check():
            if key in self._tasks:
                self._worker.changed(self._tasks[key])
        if any(entry.kind == "each" for entry in self._config.entries):
            self._arrange()
        self._worker.rescan()
        if self._worker.key_refused and self._keys.renewed(self.transport):
            self._worker.key_changed()

    def _arrange(self) -> None:
        """Make folders, watches and notes what config and disk say now."""
        ledger = self._worker.tools.ledger
        folders = find_folders(self._config, ledger, time.time())
        new = self._worker.set_targets(folders.targets)
        self._board.folders = folders
        if new:
            register(self._config, ledger, folders.targets)
        self._tell_left(folders)
        self._tasks = {repr(t.folder.task): t.folder.task for t in folders.targets}
        wanted = {
            repr(t.folder.task): WatchTarget(t.folder.path, t.folder.rules.recursive)
            for t in folders.targets
        }
        wanted |= {
            f"{_PARENT}{path}": WatchTarget(path, directories=True) for path in folders.parents
        }
        self._watcher.sync(wanted)

    def _tell_left(self, folders: Folders) -> None:
        for left in folders.left:
            if left.task not in self._told_left:
                log.warning("%s", left)
        self._told_left = {left.task for left in folders.left}

    def _look_at_clocks(self) -> None:
        """After a suspend or a clock that was set: fresh connections, and look at everything."""
        drift = time.time() - time.monotonic()
        jumped, self._drift = abs(drift - self._drift) > JUMP, drift
        if jumped:
            log.info("the clock jumped (suspend, or it was set): looking at everything again")
            self.transport.new_connections()
            self._worker.rescan(everything=True)
            self._schedule()

    def _take_over_config(self) -> None:
        """SIGHUP: the new config, or, if it is broken, the old one and a word about it."""
        self._notifier.reloading()
        try:
            config = self._keys.reload(self._config, self.reload())
            self.reequip(config)
            self._config = self._board.config = config
            self._arrange()
            self._schedule()
            self._worker.force_all()
            log.info("the config was read again")
        except SyncdError as error:
            for line in str(error).split("; "):
                log.error("the config stays as it was: %s", line)
        self._notifier.ready()

    def _schedule(self) -> None:
        """Jobs only wake the worker; what is due it knows itself, by a clock nobody can set."""

        def every(name: str, seconds: float) -> None:
            self._scheduler.add_job(
                lambda: self._queue.put(name),
                IntervalTrigger(seconds=seconds, timezone=UTC),
                id=name,
                replace_existing=True,
                next_run_time=datetime.now(UTC) + timedelta(seconds=seconds),
            )

        every("rescan", min((e.rescan for e in self._config.entries), default=60.0))
        interval = self._notifier.watchdog_interval
        if interval is not None:
            every("tick", interval)

    def _set_alarm(self, seconds: float) -> None:
        """The one date job that stands for whatever is due next."""
        if not 0 < seconds < 86_400:
            return
        self._scheduler.add_job(
            lambda: self._queue.put("due"),
            DateTrigger(datetime.now(UTC) + timedelta(seconds=seconds)),
            id="due",
            replace_existing=True,
        )

    def _on_signals(self) -> None:
        signal.signal(signal.SIGTERM, self._stop)
        signal.signal(signal.SIGINT, self._stop)
        signal.signal(signal.SIGHUP, lambda *_: self._queue.put("reload"))
        signal.signal(signal.SIGUSR1, lambda *_: self._queue.put("all"))

    def _stop(self, *_: object) -> None:
        self._stopping.ask()
        self._queue.put("stop")

    def _end(self) -> None:
        self._notifier.stopping()
        log.info("stopping")
        if self._scheduler.running:
            self._scheduler.shutdown(wait=False)
        self._watcher.stop()
        self._board.leave()
