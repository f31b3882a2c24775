"""Taking keys out of a mapping, and collecting everything that is wrong with it.

A `Section` is asked for each key it may hold, with a parser and a default; a faulty value is
reported and replaced by the default, so that all other checks still run. What nobody asked for
is unknown. (Not pydantic: it would cost every command 0.1-0.2 s, and stops at the first layer of
faults, where a person wants to see all of them.)
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TypeVar

from syncd.config.document import BROKEN, Document
from syncd.config.words import Path, dotted, show
from syncd.errors import ConfigError, Fault
from syncd.secrets import redact_pasted

T = TypeVar("T")


class Wrong(Exception):
    """A value that cannot be used; `at` leads from the value to the faulty part."""

    def __init__(self, message: str, hint: str = "", at: Path = ()) -> None:
        super().__init__(message)
        self.items: tuple[tuple[str, str, Path], ...] = ((message, hint, at),)

    @classmethod
    def all(cls, parts: Sequence[Wrong]) -> Wrong:
        """Several faults of one value."""
        whole = cls("several faults")
        whole.items = tuple(item for part in parts for item in part.items)
        return whole


class Report:
    """The faults of one document."""

    def __init__(self, document: Document) -> None:
        self._document = document
        self._faults: list[Fault] = list(document.faults)

    def add(self, path: Path, message: str, hint: str = "") -> None:
        line = self.line(path)
        key = redact_pasted(dotted(path))
        self._faults.append(
            Fault(redact_pasted(message), self._document.file, line, key, redact_pasted(hint)),
        )

    def extend(self, faults: Iterable[Fault]) -> None:
        """Take over faults that know their place."""
        self._faults.extend(faults)

    def has(self, path: Path) -> bool:
        """Something stands in the file at this path."""
        return path in self._document.lines

    def line(self, path: Path) -> int:
        """The line of a value, or of the nearest thing around it that is in the file."""
        while path and path not in self._document.lines:
            path = path[:-1]
        return self._document.lines.get(path, 1)

    def raise_if_any(self) -> None:
        if self._faults:
            raise ConfigError(*sorted(self._faults, key=lambda fault: fault.line or 0))


class Section:
    """One mapping of the document."""

    def __init__(self, report: Report, path: Path, data: object) -> None:
        self.report = report
        self.path = path
        self.usable = isinstance(data, Mapping)
        """False: it is no mapping, which has been reported; it lacks nothing then."""
        self._data: Mapping[object, object] = data if isinstance(data, Mapping) else {}
        self._known: list[str] = []

    def has(self, key: str) -> bool:
        """The key is there, whether or not its value can be used."""
        return key in self._data

    def take(self, key: str, parse: Callable[[object], T], default: T) -> T:
        """The parsed value, or the default if it is not there or not usable."""
        self._known.append(key)
        value = self._data.get(key, BROKEN)
        if value is BROKEN:
            return default
        try:
            return parse(value)
        except Wrong as wrong:
            for message, hint, at in wrong.items:
                self.report.add((*self.path, key, *at), message, hint)
            return default

    def section(self, key: str) -> Section:
        """A mapping inside this one; empty if it is not there or only its heading is."""
        self._known.append(key)
        value = self._data.get(key)
        if value is None:
            value = {}
        elif not isinstance(value, Mapping) and value is not BROKEN:
            self.add(key, f"must be a section of keys, not {show(value)}", "indent its keys below")
        return Section(self.report, (*self.path, key), value)

    def sections(self, key: str, hint: str) -> list[Section]:
        """The mappings of a list."""
        self._known.append(key)
        value = self._data.get(key)
        if value is BROKEN:
            return []
        if not isinstance(value, list):
            what = f"must be a list, not {show(value)}" if self.has(key) else "is missing"
            self.add(key, what, hint)
            return []
        if not value:
            self.add(key, "is empty: there is nothing to sync", hint)
        for index, item in enumerate(value):
            if not isinstance(item, Mapping) and item is not BROKEN:
                message = f"must be a section of keys, not {show(item)}"
                self.report.add((*self.path, key, index), message, hint)
        return [Section(self.report, (*self.path, key, i), v) for i, v in enumerate(value)]

    def add(self, key: str, message: str, hint: str = "") -> None:
        self.report.add((*self.path, key), message, hint)

    def close(self, elsewhere: Mapping[str, str]) -> None:
        """Report what nobody asked for; `elsewhere` tells where a misplaced key belongs."""
        for key in self._data:
            if key in self._known:
                continue
            near = difflib.get_close_matches(str(key), self._known, 1)
            if str(key) in elsewhere:
                hint = f"it belongs {elsewhere[str(key)]}"
            elif near:
                hint = f"did you mean {near[0]}?"
            else:
                hint = f"valid here: {', '.join(self._known)}"
            self.report.add((*self.path, str(key)), "unknown key", hint)
