"""Reads the keys of one mapping, and collects everything that is wrong with them.

The caller takes each key that a `Section` may hold, with a parser and a default. A value that the
parser refuses is reported and replaced by the default, so that the other checks still run. Keys
that the caller did not take are unknown and reported. (pydantic would add 0.1-0.2 s to every
command, and reports faults of outer sections without those inside them.)
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TypeVar

from syncd.config.fault_text import KeyPath, describe, dotted
from syncd.config.yaml_document import UNUSABLE, Document
from syncd.errors import ConfigError, Fault
from syncd.text import redact_pasted

T = TypeVar("T")


class InvalidValue(Exception):
    """A value that a parser refuses: message, hint, and the keys from it to the faulty part."""

    def __init__(self, message: str, hint: str = "", at: KeyPath = ()) -> None:
        super().__init__(message)
        self.faults: tuple[tuple[str, str, KeyPath], ...] = ((message, hint, at),)

    @classmethod
    def joined(cls, parts: Sequence[InvalidValue]) -> InvalidValue:
        """One exception for several faults of one value."""
        joined = cls("several faults")
        joined.faults = tuple(fault for part in parts for fault in part.faults)
        return joined


class FaultReport:
    """The faults of one document."""

    def __init__(self, document: Document) -> None:
        self._document = document
        self._faults: list[Fault] = list(document.faults)

    def add(self, path: KeyPath, message: str, hint: str = "") -> None:
        line = self.line(path)
        key = redact_pasted(dotted(path))
        self._faults.append(
            Fault(redact_pasted(message), self._document.file, line, key, redact_pasted(hint)),
        )

    def extend(self, faults: Iterable[Fault]) -> None:
        """Add faults that already name their file and line."""
        self._faults.extend(faults)

    def has(self, path: KeyPath) -> bool:
        """Whether the document has a value at this path."""
        return path in self._document.lines

    def line(self, path: KeyPath) -> int:
        """The line of a value; of one that is not in the document, that of the section around."""
        while path and path not in self._document.lines:
            path = path[:-1]
        return self._document.lines.get(path, 1)

    def raise_if_any(self) -> None:
        if self._faults:
            raise ConfigError(*sorted(self._faults, key=lambda fault: fault.line or 0))


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

    def add(self, key: str, message: str, hint: str = "") -> None:
        """Report a fault of this key."""
        self.report.add((*self.path, key), message, hint)

    def close(self, elsewhere: Mapping[str, str]) -> None:
        """Report the keys that were not taken; `elsewhere` says where a known one belongs."""
        for key in map(str, self._data):
            if key in self._known:
                continue
            near = difflib.get_close_matches(key, self._known, 1)
            if key in elsewhere:
                hint = f"it belongs {elsewhere[key]}"
            elif near:
                hint = f"did you mean {near[0]}?"
            else:
                hint = f"valid here: {', '.join(self._known)}"
            self.add(key, "unknown key", hint)
