"""`syncd status --watch`: the status, live, until Ctrl-C."""

from __future__ import annotations

import argparse
import os
import time

from rich.live import Live

from syncd.cli.read_only import open_read_only
from syncd.cli.status_facts import StatusFacts, gather
from syncd.cli.status_table import status_view, terminal
from syncd.config import find_config, load_config
from syncd.engine.report import OK

EVERY = 1.0
"""Seconds between two looks."""
LONGEST = 15.0
"""Seconds until all is read anew, whatever has changed: folders come and go."""
FILES = ("status.json", "ledger.db", "lock")


def watch(arguments: argparse.Namespace) -> int:
    """Show it anew each second; what it tells is read again only where a file has changed."""
    state_dir = load_config(find_config(arguments.config), with_key=False).state_dir
    console = terminal()
    facts, seen = _read(arguments), _signature(state_dir)
    read_at = time.monotonic()
    with Live(console=console, screen=True, auto_refresh=False) as live:
        try:
            while True:
                live.update(status_view(facts, console), refresh=True)
                time.sleep(EVERY)
                now = _signature(state_dir)
                if now != seen or time.monotonic() - read_at > LONGEST:
                    facts, seen, read_at = _read(arguments), now, time.monotonic()
                else:
                    facts = facts._replace(now=time.time())
        except KeyboardInterrupt:
            return OK


def _read(arguments: argparse.Namespace) -> StatusFacts:
    with open_read_only(arguments) as view:
        return gather(view)


def _signature(state_dir: str) -> list[tuple[int, int] | None]:
    """What differs when one of the files has changed."""
    found: list[tuple[int, int] | None] = []
    for name in FILES:
        try:
            status = os.stat(os.path.join(state_dir, name))
        except OSError:
            found.append(None)
        else:
            found.append((status.st_mtime_ns, status.st_ino))
    return found
