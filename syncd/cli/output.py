"""Printing: no key in anything; lines for people are escaped, JSON is one document."""

from __future__ import annotations

import json
import sys
from typing import Any

from syncd.secrets import redact
from syncd.text import printable


def say(text: str, *, error: bool = False, flush: bool = False) -> None:
    """Lines for people; what a file or a server calls itself cannot steer a terminal."""
    stream = sys.stderr if error else sys.stdout
    for line in text.split("\n"):
        print(shown(line), file=stream, flush=flush)


def shown(line: str) -> str:
    """One line fit to be seen: first redacted, so that no escape hides a key."""
    return printable(redact(line))


def print_json(document: dict[str, Any]) -> None:
    """One document; ASCII, so that any name survives any locale."""
    text = redact(json.dumps(document, indent=2))
    sys.stdout.write(text.replace("…", "\\u2026") + "\n")
