"""What a cycle works with, handed in once by whoever starts it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from syncd.engine.meter import Meter
from syncd.focus.client import FocusClient
from syncd.state.ledger import Ledger


class Progress(Protocol):
    """Hears how an upload gets on; may be called by several threads."""

    def expect(self, files: int, size: int) -> None:
        """So many files and bytes are about to be sent."""

    def sent(self, count: int) -> None:
        """So many bytes more went out."""

    def done(self) -> None:
        """Nothing more is on its way."""


class Silent:
    """Progress that nobody watches."""

    def expect(self, files: int, size: int) -> None:
        """Nobody is told."""

    def sent(self, count: int) -> None:
        """Nobody is told."""

    def done(self) -> None:
        """Nobody is told."""


@dataclass(frozen=True)
class Options:
    """What one run may do beyond the config."""

    once: bool = True
    """A run of its own, which waits out what it can; False = the service, which comes again."""
    dry_run: bool = False
    wait: bool = False
    allow_delete: bool = False
    adopt_any_age: bool = False
    settle: float = 0.0
    """Seconds that a file must have been quiet for the service to touch it."""
    list_first: bool = True
    """The remembered list is too old to plan on."""
    retry: bool = False


@dataclass(frozen=True)
class Tools:
    """Clock in seconds since the epoch; `sleep` may be cut short by an exception."""

    client: FocusClient
    ledger: Ledger
    meter: Meter
    clock: Callable[[], float]
    sleep: Callable[[float], None]
    progress: Progress
    connections: int
    max_batch_bytes: int
    pulse: Callable[[], None] = lambda: None
    """Called while work goes on: the worker is alive."""
    checkpoint: Callable[[], None] = lambda: None
    """Called where work can be left: raises Stopped if it is to be."""
