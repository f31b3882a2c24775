"""How everything stands, for a terminal: one table, and the quota as a bar.

Imported only where there is a terminal, since rich loads slowly.
"""

from __future__ import annotations

import sys

from rich import box
from rich.console import Console, Group
from rich.table import Table
from rich.text import Text

from syncd.cli.colors import colored, has_colors
from syncd.cli.format import quota_line, status_details
from syncd.cli.status_facts import StatusFacts
from syncd.overview.status import FolderStatus
from syncd.overview.words import time_text
from syncd.text import sanitized

NARROW = 72
"""Columns below which a folder takes two lines instead of a row."""


def terminal() -> Console:
    """The terminal on stdout."""
    return Console(file=sys.stdout, no_color=not has_colors(sys.stdout), highlight=False)


def status_view(facts: StatusFacts, console: Console) -> Group:
    """All of it, as wide as the terminal."""
    parts: list[Text | Table] = [_text(facts.service_line)]
    if facts.quota.remaining is not None:
        parts.append(_text(quota_line(facts.quota, facts.now, blocks=_blocks(console))))
    parts.append(_short(facts) if console.width < NARROW else _table(facts))
    details = (line for folder in facts.folders for line in status_details(folder))
    parts += [_text(line) for line in (*details, *facts.notes)]
    return Group(*parts)


def _table(facts: StatusFacts) -> Table:
    """Without columns in which nothing stands."""
    counts = {
        "pending": [f.pending for f in facts.folders],
        "held": [len(f.held) for f in facts.folders],
        "failed": [len(f.failed) + len(f.contested) for f in facts.folders],
    }
    counts = {name: numbers for name, numbers in counts.items() if any(numbers)}
    has_next = any(f.next_cycle is not None for f in facts.folders)
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    table.add_column("folder", overflow="fold")
    table.add_column("task", justify="right", no_wrap=True)
    table.add_column("state", no_wrap=True)
    table.add_column("last cycle")
    if has_next:
        table.add_column("next")
    for name in counts:
        table.add_column(name, justify="right", no_wrap=True)
    for n, f in enumerate(facts.folders):
        task = "" if f.task_id is None else str(f.task_id)
        times = (f.last_cycle, f.next_cycle) if has_next else (f.last_cycle,)
        numbers = [_text(str(column[n] or "")) for column in counts.values()]
        moments = [_text(_at(moment, facts)) for moment in times]
        table.add_row(_text(f.name), _text(task), _state(f), *moments, *numbers)
    return table


def _short(facts: StatusFacts) -> Table:
    table = Table.grid(padding=(0, 1))
    for f in facts.folders:
        table.add_row(_state(f), _text(f.name))
    return table


def _state(folder: FolderStatus) -> Text:
    return Text.from_ansi(colored(folder.state))


def _at(moment: float | None, facts: StatusFacts) -> str:
    return "" if moment is None else time_text(moment, facts.now)


def _text(text: str) -> Text:
    return Text(sanitized(text), overflow="fold")


def _blocks(console: Console) -> str:
    """What a bar is drawn of: full and empty."""
    return "█░" if (console.encoding or "").lower().startswith("utf") else "#."
