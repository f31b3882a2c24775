"""`syncd` without a command: the service."""

from __future__ import annotations

import argparse
import signal
import sys
import time

from syncd import log
from syncd.cli.assembly import Hooks, assemble, connect
from syncd.config import Config, find_config, load_config
from syncd.overview.status_file import drop_approvals, read_approvals
from syncd.service.api_key import ApiKey
from syncd.service.daemon import Daemon
from syncd.service.sdnotify import Notifier
from syncd.service.shutdown import Shutdown
from syncd.service.timers import uptime
from syncd.service.worker import Worker


def run(arguments: argparse.Namespace) -> int:
    """Watch and reconcile until SIGTERM; the exit status."""
    log.limit_repeats()
    # `approve` sends these to the owner of the lock, perhaps before the daemon handles them.
    for number in (signal.SIGHUP, signal.SIGUSR1):
        signal.signal(number, signal.SIG_IGN)
    shutdown = Shutdown()
    with shutdown.handling_signals():
        return _serve(arguments, shutdown)


def _serve(arguments: argparse.Namespace, shutdown: Shutdown) -> int:
    notifier = Notifier()
    config = load_config(find_config(arguments.config))
    hooks = Hooks(
        shutdown.progress, shutdown.sleep, lambda: shutdown.heartbeat(), shutdown.checkpoint
    )
    with assemble(config, writing=True, hooks=hooks) as assembly:
        state_dir = config.state_dir
        worker = Worker(
            context=assembly.context,
            clock=uptime,
            approvals=lambda: read_approvals(state_dir, time.time()),
            drop_approvals=lambda tasks: drop_approvals(state_dir, tasks, time.time()),
        )

        def read_config() -> Config:
            return load_config(config.file)

        def reconnect(new: Config, key: str) -> None:
            """Connect anew with the section `api` and the key that SIGHUP brought."""
            old = daemon.transport
            worker.context, daemon.transport = connect(
                new, assembly.context.ledger, key, assembly.url, hooks
            )
            old.close()

        key = ApiKey(config, assembly.key)
        daemon = Daemon(config, worker, assembly.transport, key, shutdown, notifier)
        daemon.read_config, daemon.connect = read_config, reconnect
        daemon.in_terminal = sys.stderr.isatty() and not notifier.of_systemd
        try:
            return daemon.run()
        finally:
            if daemon.transport is not assembly.transport:
                daemon.transport.close()
