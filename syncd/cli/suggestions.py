"""Which command, option or value a mistyped one was probably meant to be."""

from __future__ import annotations

import argparse
import re
from collections.abc import Iterable

from syncd.config.section import nearest

_CHOICE = re.compile(r"invalid choice: '(.*?)' \(choose from (.*)\)", re.DOTALL)
_UNKNOWN = re.compile(r"unrecognized arguments: (.*)", re.DOTALL)
_QUOTED = re.compile(r"'([^']*)'")


def suggestion(message: str, parser: argparse.ArgumentParser) -> str | None:
    """What a message of argparse is about, and what may have been meant; None = nobody knows."""
    if (choice := _CHOICE.search(message)) is not None:
        known = _QUOTED.findall(choice[2])
        found = nearest(choice[1], known)
        return found and f"there is no {choice[1]!r}: did you mean {found!r}?"
    if (unknown := _UNKNOWN.search(message)) is None:
        return None
    options = list(_options(parser))
    for word in unknown[1].split():
        name = word.partition("=")[0]
        if name.startswith("-") and (found := nearest(name, options)):
            return f"there is no option {name}: did you mean {found}?"
    return None


def _options(parser: argparse.ArgumentParser) -> Iterable[str]:
    """Every option of the parser and of its commands."""
    for action in parser._actions:
        yield from action.option_strings
        if isinstance(action, argparse._SubParsersAction):
            for sub in action.choices.values():
                yield from _options(sub)
