"""The results of `syncd check`."""

from __future__ import annotations

from typing import Any, NamedTuple

from syncd.cli.rows import Row
from syncd.engine.report import OK
from syncd.text import sanitized


class Check(NamedTuple):
    """The result on one thing that was checked."""

    what: str
    """config | key | state | each | folder | task | clock | quota | watch | service"""
    name: str
    text: str
    """What it is, or what is wrong with it and how to mend it."""
    code: int = OK
    warning: bool = False
    """It is printed, but counts as fine."""

    def to_json(self) -> dict[str, Any]:
        ok = self.code == OK
        error = None if ok and not self.warning else self.text
        return {"what": self.what, "name": self.name, "ok": ok, "error": error, "text": self.text}

    def line(self) -> Row:
        mark = "FAIL" if self.code != OK else "warn" if self.warning else "ok"
        return _Line(mark, f"{self.name}: {self.text}")


class _Line(Row):
    """A line that begins with its word, at the left margin."""

    def __str__(self) -> str:
        return sanitized(f"{self.word:<4} {self.text}")


Checks = list[Check]
"""The results so far, in order."""
