"""Totals for `metrics_file`, kept in the ledger across runs and restarts."""

from __future__ import annotations

import threading

from syncd.state.ledger import Ledger


class Counters:
    """A sum is written with the next transaction; several threads may add."""

    def __init__(self, ledger: Ledger) -> None:
        """Raises StateError."""
        ledger.write_waiting()  # of counters before these, when the config was read again
        self._ledger = ledger
        self._lock = threading.Lock()
        self._values = ledger.counters()

    def add(self, name: str, label: str = "", by: int = 1) -> None:
        """Add to a total that only grows."""
        with self._lock:
            value = self._values.get((name, label), 0) + by
            self._keep(name, label, value)

    def put(self, name: str, label: str, value: int) -> None:
        """Replace a value."""
        with self._lock:
            self._keep(name, label, value)

    def _keep(self, name: str, label: str, value: int) -> None:
        self._values[name, label] = value
        self._ledger.keep_counter(name, label, value)
