"""Colors of a terminal: a word is colored by what it means; nothing else depends on them."""

from __future__ import annotations

import os
from typing import TextIO

from syncd.cli.streams import is_capable_terminal

GOOD, CHANGE, PROBLEM, FAINT, STRONG = "32", "36", "33", "2", "1"
"""Parameters of SGR (ECMA-48)."""
BAD = "31"
_MEANING = {
    **dict.fromkeys(("created", "replaced", "adopted", "in sync", "ok", "syncd"), GOOD),
    **dict.fromkeys(("renamed", "moved", "reordered", "deleted", "syncing", "to be done"), CHANGE),
    **dict.fromkeys(("create", "replace", "rename", "move", "delete", "adopt", "list"), CHANGE),
    **dict.fromkeys(("held", "contested", "later", "pending", "paused", "hint", "warn"), PROBLEM),
    **dict.fromkeys(("failed", "error", "FAIL"), BAD),
    **dict.fromkeys(("detached", "foreign", "skipped", "wait"), FAINT),
}


def has_colors(stream: TextIO) -> bool:
    """Whether it is a terminal that shows colors, and nobody wants none (https://no-color.org)."""
    return is_capable_terminal(stream) and not os.environ.get("NO_COLOR")


def colored(text: str, word: str | None = None) -> str:
    """The text in the color of a word, or of itself if it is one; without one as it is."""
    code = _MEANING.get(text if word is None else word)
    return text if code is None else paint(text, code)


def paint(text: str, code: str) -> str:
    """The text in this color."""
    return f"\x1b[{code}m{text}\x1b[0m"
