"""The lines of a report: as text, or with colors for a terminal."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from syncd.cli.colors import STRONG, colored, paint
from syncd.text import sanitized


class Row(NamedTuple):
    """An indented line: what happened, and to what."""

    word: str
    text: str

    def __str__(self) -> str:
        return sanitized(f"  {self.word:<9} {self.text}")

    def colored(self) -> str:
        return str(self).replace(self.word, colored(self.word), 1)


class Headline(NamedTuple):
    """The first line about a folder: its name, how it stands, and the rest."""

    name: str
    state: str
    rest: str

    def __str__(self) -> str:
        return sanitized(f"{self.name}: {self.state}{self.rest}")

    def colored(self) -> str:
        return f"{paint(sanitized(self.name), STRONG)}: {colored(self.state)}{sanitized(self.rest)}"


Lines = Sequence[Row | Headline | str]
