"""Reads the keys of one mapping, and collects everything that is wrong with a config.

The caller takes each key that a `Section` may hold, with a parser and a default. A value that the
parser refuses is reported and replaced by the default, so that the other checks still run. Keys
that the caller did not take are unknown and reported. (pydantic would add 0.1-0.2 s to every
command, and reports faults of outer sections without those inside them.)
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Final, TypeVar

from syncd.errors import ConfigError, Fault
from syncd.text import redact_pasted, shortened

T = TypeVar("T")
KeyPath = tuple[str | int, ...]
"""The keys and list positions that lead to a value: `("folders", 1, "task_id")`."""

UNUSABLE: Final = object()
"""Replaces a value whose fault is already reported."""


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
        message, key, hint = map(redact_pasted, (message, dotted(path), hint))
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


class Section:
    """One mapping of the document."""

    def __init__(self, report: FaultReport, path: KeyPath, data: object) -> None:
        self.report = report
        self.path = path
        self.usable = isinstance(data, Mapping)
        """False = the value is no mapping. That is reported, so missing keys are not."""
        self._data: Mapping[object, object] = data if isinstance(data, Mapping) else {}
        self._known: list[str] = []

    def has(self, key: str) -> bool:
        """Whether the key is there, even with an unusable value."""
        return key in self._data

    def take(self, key: str, parse: Callable[[object], T], default: T) -> T:
        """The parsed value, or the default if the key is missing or its value is unusable."""
        self._known.append(key)
        value = self._data.get(key, UNUSABLE)
        if value is UNUSABLE:
            return default
        try:
            return parse(value)
        except InvalidValue as invalid:
            for message, hint, at in invalid.faults:
                self.report.add((*self.path, key, *at), message, hint)
            return default

    def section(self, key: str) -> Section:
        """The mapping under this key; an empty one if the key is missing or has no value."""
        self._known.append(key)
        value = self._data.get(key)
        if value is None:
            value = {}
        elif not isinstance(value, Mapping) and value is not UNUSABLE:
            message = f"must be a section of keys, not {describe(value)}"
            self.add(key, message, "indent its keys below")
        return Section(self.report, (*self.path, key), value)

    def sections(self, key: str, hint: str) -> list[Section]:
        """The mappings of the list under this key."""
        self._known.append(key)
        value = self._data.get(key)
        if value is UNUSABLE:
            return []
        if not isinstance(value, list):
            what = f"must be a list, not {describe(value)}" if self.has(key) else "is missing"
            self.add(key, what, hint)
            return []
        if not value:
            self.add(key, "is empty: there is nothing to sync", hint)
        for index, item in enumerate(value):
            if not isinstance(item, Mapping) and item is not UNUSABLE:
                message = f"must be a section of keys, not {describe(item)}"
                self.report.add((*self.path, key, index), message, hint)
        return [Section(self.report, (*self.path, key, i), v) for i, v in enumerate(value)]

    def line(self, key: str) -> int:
        return self.report.line((*self.path, key))

    def add(self, key: str, message: str, hint: str = "") -> None:
        """Report a fault of this key."""
        self.report.add((*self.path, key), message, hint)

    def close(self, elsewhere: Mapping[str, str]) -> None:
        """Report the keys that were not taken; `elsewhere` says where a known one belongs."""
        for key in map(str, self._data):
            if key in self._known:
                continue
            if key in elsewhere:
                hint = f"it belongs {elsewhere[key]}"
            elif near := nearest(key, self._known):
                hint = f"did you mean {near}?"
            else:
                hint = f"valid here: {', '.join(self._known)}"
            self.add(key, "unknown key", hint)
