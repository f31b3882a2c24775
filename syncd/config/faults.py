"""Collects the faults of a config: how they name keys, and describe values."""

from __future__ import annotations

from collections.abc import Iterable

from syncd.errors import ConfigError, Fault
from syncd.text import redact_pasted, shortened

KeyPath = tuple[str | int, ...]
"""The keys and list positions that lead to a value: `("folders", 1, "task_id")`."""


class InvalidValue(Exception):
    """A value that a parser refuses: for each fault message, hint, and keys to the faulty part."""

    def __init__(self, *faults: tuple[str, str, KeyPath]) -> None:
        super().__init__()
        self.faults = faults


def invalid(message: str, hint: str = "") -> InvalidValue:
    """The whole value is faulty."""
    return InvalidValue((message, hint, ()))


class FaultReport:
    """The faults of one document, and the line of each of its values."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.lines: dict[KeyPath, int] = {}
        self._faults: list[Fault] = []

    def add(self, path: KeyPath, message: str, hint: str = "", line: int | None = None) -> None:
        """Add a fault of the value at this path."""
        texts = map(redact_pasted, (message, dotted(path), hint))
        message, key, hint = texts
        self._faults.append(Fault(message, self.file, line or self.line(path), key, hint))

    def extend(self, faults: Iterable[Fault]) -> None:
        """Add faults that already name their file and line."""
        self._faults.extend(faults)

    def line(self, path: KeyPath) -> int:
        """The line of a value; of one that is not in the document, that of the section around."""
        while path and path not in self.lines:
            path = path[:-1]
        return self.lines.get(path, 1)

    def raise_if_any(self) -> None:
        if self._faults:
            raise ConfigError(*sorted(self._faults, key=lambda fault: fault.line or 0))


def dotted(path: KeyPath) -> str:
    """`("folders", 1, "task_id")` -> `folders[1].task_id`, safe to print."""
    parts = (f"[{part}]" if isinstance(part, int) else f".{shortened(part)}" for part in path)
    return "".join(parts).removeprefix(".")


def describe(value: object) -> str:
    """A value in a few words, safe to print."""
    if value is None:
        return "empty"
    if isinstance(value, bool):
        return f"the switch {str(value).lower()}"
    if isinstance(value, int | float):
        return f"the number {shortened(str(value))}"
    if isinstance(value, str):
        return f'"{shortened(value)}"'
    return "a list" if isinstance(value, list) else "a section"


def nearest(text: str, choices: Iterable[str]) -> str | None:
    """The choice that was probably meant."""
    from difflib import get_close_matches  # few configs need it

    return next(iter(get_close_matches(text, list(choices), 1)), None)
