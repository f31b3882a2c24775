"""`syncd` without a command: the service."""

from __future__ import annotations

import argparse
import signal
import sys
import time

from syncd import log
from syncd.cli.wiring import Hooks, equip, open_workshop
from syncd.config import Config, find_config, load_config
from syncd.service.alarms import uptime
from syncd.service.daemon import Daemon
from syncd.service.keys import Keys
from syncd.service.notes import drop_approvals, read_approvals
from syncd.service.sdnotify import Notifier
from syncd.service.stopping import Stopping
from syncd.service.worker import Worker


def service(arguments: argparse.Namespace) -> int:
    """Watch and reconcile until SIGTERM; the exit status."""
    log.sum_up_repeats()
    # Whoever holds the lock may be sent these: until the daemon listens, they do no harm.
    for number in (signal.SIGHUP, signal.SIGUSR1):
        signal.signal(number, signal.SIG_IGN)
    stopping = Stopping()
    with stopping.listening():
        return _serve(arguments, stopping)


def _serve(arguments: argparse.Namespace, stopping: Stopping) -> int:
    notifier = Notifier()
    config = load_config(find_config(arguments.config))
    hooks = Hooks(stopping.progress, stopping.sleep, lambda: stopping.pulse(), stopping.checkpoint)
    with open_workshop(config, writing=True, hooks=hooks) as workshop:
        state_dir = config.state_dir
        worker = Worker(
            tools=workshop.tools,
            clock=uptime,
            approvals=lambda: read_approvals(state_dir, time.time()),
            used_approvals=lambda tasks: drop_approvals(state_dir, tasks, time.time()),
        )

        def reload() -> Config:
            return load_config(config.file)

        def reequip(new: Config, key: str) -> None:
            """Take over what SIGHUP may change of the section `api`, the key included."""
            old = daemon.transport
            worker.tools, daemon.transport = equip(
                new, workshop.tools.ledger, key, workshop.url, hooks
            )
            old.close()

        keys = Keys(config, workshop.key)
        daemon = Daemon(config, worker, workshop.transport, keys, stopping, notifier)
        daemon.reload, daemon.reequip = reload, reequip
        daemon.in_terminal = sys.stderr.isatty() and not notifier.of_systemd
        try:
            return daemon.run()
        finally:
            if daemon.transport is not workshop.transport:
                daemon.transport.close()
