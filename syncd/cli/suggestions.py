"""Which command, option or value a mistyped one was probably meant to be."""

from __future__ import annotations

import argparse
import re
from collections.abc import Mapping

from syncd.config.section import nearest

_CHOICE = re.compile(r"invalid choice: '(.*?)' \(choose from (.*)\)", re.DOTALL)
_UNKNOWN = re.compile(r"unrecognized arguments: (.*)", re.DOTALL)
_QUOTED = re.compile(r"'([^']*)'")


def suggestion(message: str, parser: argparse.ArgumentParser, command: str | None) -> str | None:
    """What a message of argparse is about, and what may have been meant; None = nobody knows."""
    if (choice := _CHOICE.search(message)) is not None:
        found = nearest(choice[1], _QUOTED.findall(choice[2]))
        return found and f"there is no {choice[1]!r}: did you mean {found!r}?"
    if (unknown := _UNKNOWN.search(message)) is None:
        return None
    words = (word.partition("=")[0] for word in unknown[1].split())
    options = (word for word in words if word.startswith("-"))
    return next(filter(None, (_of_option(name, parser, command) for name in options)), None)


def _of_option(name: str, parser: argparse.ArgumentParser, command: str | None) -> str | None:
    """What is wrong with an option that the command, or a line without one, does not take."""
    commands = _commands(parser)
    own = (commands[command] if command else parser)._option_string_actions
    if name in own:
        return f"{name} goes after the command: `syncd {command} {name}`"
    takers = [f"`{taker}`" for taker, sub in commands.items() if name in sub._option_string_actions]
    takers += ["--once"] if name in parser._option_string_actions else []
    if not takers:
        found = nearest(name, own)
        return found and f"there is no option {name}: did you mean {found}?"
    if name == "--once":
        return f"--once goes without a command, not with `{command}`"
    place = f"with `{command}`" if command else "without a command"
    return f"{name} does not go {place}, but with {', '.join(takers)}"


def _commands(parser: argparse.ArgumentParser) -> Mapping[str, argparse.ArgumentParser]:
    found = (a for a in parser._actions if isinstance(a, argparse._SubParsersAction))
    return {name: sub for action in found for name, sub in action.choices.items()}
