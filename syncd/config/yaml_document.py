"""Reads YAML text into plain values, with the line of each. Only this module imports yaml.

PyYAML composes the text into nodes, and this module turns the nodes into values itself instead of
calling a yaml constructor. So it knows lines and duplicate keys, no tag can run code, and the
number of values that aliases expand to is bounded.
"""

from __future__ import annotations

import os
import re
import stat
from typing import Any

import yaml

from syncd.config.section import UNUSABLE, FaultReport, KeyPath, describe
from syncd.errors import ConfigError, Fault
from syncd.text import redact_pasted

MAX_BYTES = 1024 * 1024
MAX_DEPTH = 30
MAX_VALUES = 100_000
"""Values in a document; what an alias repeats counts every time."""

_TAG = "tag:yaml.org,2002:"
_CONSTRUCTOR = yaml.constructor.SafeConstructor()
_DECIMAL = re.compile(r"[-+]?(?:0|[1-9][0-9_]*)", re.ASCII)


def read_document(file: str, text: str | None = None) -> tuple[object, FaultReport]:
    """The values in this file, or in a text that it is to hold, and what is wrong with them.

    Raises ConfigError if it holds no mapping of keys.
    """
    report = FaultReport(file)
    root = compose(file, read_text(file) if text is None else text)
    return _NodeReader(report).value(root, ()), report


def _unusable(file: str, message: str, line: int | None = None, hint: str = "") -> ConfigError:
    return ConfigError(Fault(message, file, line, hint=hint))


def read_text(file: str) -> str:
    """The text of a config. Raises ConfigError if it cannot be read."""
    try:
        descriptor = os.open(file, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
        with os.fdopen(descriptor, "rb") as stream:
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                raise _unusable(file, "is not a regular file", hint="name a YAML file")
            data = stream.read(MAX_BYTES + 1)
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or "not a usable path"
        raise _unusable(file, f"cannot be read: {why}", hint="name a file of this user's") from None
    if len(data) > MAX_BYTES:
        raise _unusable(file, "is larger than 1 MiB", hint="is it a config at all?")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise _unusable(file, "is not UTF-8", line, "save it as plain text in UTF-8") from None


def compose(file: str, text: str) -> yaml.MappingNode:
    """The nodes of a config, with the place of each. Raises ConfigError if it is no mapping."""
    try:
        root = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.YAMLError as error:
        raise _syntax_fault(file, text, error) from None
    except (ValueError, OverflowError, RecursionError):  # PyYAML lets some of these out
        raise _unusable(file, "is not valid YAML, or nested too deeply") from None
    if root is None or (isinstance(root, yaml.ScalarNode) and root.tag == f"{_TAG}null"):
        raise _unusable(file, "is empty", 1, "remove it: `syncd init` writes one to start from")
    if not isinstance(root, yaml.MappingNode):
        hint = "write keys and values: `api:`, `sync:`, `folders:`"
        raise _unusable(file, "is not a mapping of keys to values", _line(root), hint)
    return root


def _syntax_fault(file: str, text: str, error: yaml.YAMLError) -> ConfigError:
    line: int | None = None
    problem, context = str(error), ""
    if isinstance(error, yaml.MarkedYAMLError):
        mark = error.problem_mark or error.context_mark
        line = mark.line + 1 if mark else None
        problem, context = error.problem or "it cannot be read", error.context or ""
    elif isinstance(error, yaml.reader.ReaderError):
        line = text.count("\n", 0, error.position) + 1
        problem = "it holds a control character"
    hint = "look at the indentation, quotes and colons on this line and the one before"
    if "\\t" in problem:
        hint = "indent with spaces, not with tabs"
    elif "alias" in context:
        hint = 'put a pattern that begins with * in quotes: "*.tmp"'
    elif "cannot start any token" in problem or "tag" in context:
        hint = "put the value in quotes"
    elif "document" in problem or "document" in context:
        hint = "one file holds one config: remove what follows `---`"
    return _unusable(file, redact_pasted(f"is not valid YAML: {problem}"), line, hint)


class _NodeReader:
    """Turns nodes into values; collects the line of each value, and the faults."""

    def __init__(self, report: FaultReport) -> None:
        self._report = report
        self._values_left = MAX_VALUES
        self._enclosing: set[int] = set()
        """The collections around the current node; an alias to one of them contains itself."""

    def value(self, node: Any, path: KeyPath) -> object:
        self._values_left -= 1
        if self._values_left < 0:
            message = f"holds more than {MAX_VALUES:,} values, its aliases expanded"
            raise _unusable(self._report.file, message, hint="use fewer aliases")
        self._report.lines.setdefault(path, _line(node))
        if isinstance(node, yaml.ScalarNode):
            return self._scalar(node, path)
        if id(node) in self._enclosing or len(self._enclosing) > MAX_DEPTH:
            endless = id(node) in self._enclosing
            what = "an alias that contains itself" if endless else "it is nested too deeply"
            return self._fault(node, path, what, "write the values out")
        if node.tag not in (f"{_TAG}map", f"{_TAG}seq"):
            return self._bad_tag(node, path)
        self._enclosing.add(id(node))
        try:
            if isinstance(node, yaml.MappingNode):
                return self._mapping(node, path)
            return [self.value(item, (*path, i)) for i, item in enumerate(node.value)]
        finally:
            self._enclosing.discard(id(node))

    def _mapping(self, node: Any, path: KeyPath) -> dict[str, object]:
        result: dict[str, object] = {}
        first: dict[str, int] = {}
        merged: list[Any] = []
        for key_node, value_node in node.value:
            if key_node.tag == f"{_TAG}merge":
                merged.append(value_node)
                continue
            key = key_node.value if isinstance(key_node, yaml.ScalarNode) else None
            if not isinstance(key, str) or key_node.tag != f"{_TAG}str":
                shown = "this key" if key is None else f"the key {describe(key)}"
                self._fault(key_node, path, f"{shown} must be text", "put it in quotes")
                continue
            line = _line(key_node)
            if key in first:
                message = f"is given twice, first on line {first[key]}"
                self._fault(key_node, (*path, key), message, "remove one of the two")
                continue
            first[key] = line
            self._report.lines.setdefault((*path, key), line)
            result[key] = self.value(value_node, (*path, key))
        for source in merged:
            self._merge(source, path, result)
        return result

    def _merge(self, source: Any, path: KeyPath, result: dict[str, object]) -> None:
        """`<<`: the keys of another mapping, or of several, where they are not given here."""
        parts = source.value if isinstance(source, yaml.SequenceNode) else [source]
        for part in parts:
            if not isinstance(part, yaml.MappingNode):
                self._fault(part, path, "`<<` takes a mapping or a list of them", "name an anchor")
                continue
            there = self.value(part, path)
            if isinstance(there, dict):
                for key, value in there.items():
                    result.setdefault(key, value)

    def _scalar(self, node: Any, path: KeyPath) -> object:
        text: str = node.value
        kind = node.tag.removeprefix(_TAG)
        if kind in ("str", "timestamp"):  # a name may look like a date
            return text
        if kind == "int" and not _DECIMAL.fullmatch(text):
            hint = "write a plain decimal number, or put text in quotes"
            return self._fault(node, path, f"{describe(text)} is no plain number to YAML", hint)
        if kind not in ("null", "bool", "int", "float"):
            return self._bad_tag(node, path)
        try:
            return getattr(_CONSTRUCTOR, f"construct_yaml_{kind}")(node)
        except (ValueError, KeyError, IndexError):
            return self._fault(node, path, f"{describe(text)} is not a usable {kind}", "mend it")

    def _bad_tag(self, node: Any, path: KeyPath) -> object:
        tag = node.tag.replace(_TAG, "!!")
        hint = "remove the tag; a pattern or text that begins with ! goes in quotes"
        return self._fault(node, path, f"the YAML tag {describe(tag)} is not allowed", hint)

    def _fault(self, node: Any, path: KeyPath, message: str, hint: str) -> object:
        self._report.add(path, message, hint, _line(node))
        return UNUSABLE


def _line(node: Any) -> int:
    return int(node.start_mark.line) + 1
