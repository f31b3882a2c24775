"""`syncd completion`: a script that completes commands, options and files in a shell."""

from __future__ import annotations

import argparse

import shtab

from syncd.cli.arguments import build_parser
from syncd.cli.output import print_verbatim
from syncd.engine.report import OK

_EVALUATED = "$zsh_eval_context[-1] == eval"
_SOURCED = "$zsh_eval_context[-1] == (eval|file|filecode)"
"""zsh: so that the script may be sourced, too."""
_FILES = {"FILE": shtab.FILE, "DIR": shtab.DIRECTORY, "NAME|PATH": shtab.DIRECTORY}
"""How to complete an argument, by its metavar."""


def run(arguments: argparse.Namespace) -> int:
    """Write the script; no config is needed."""
    print_verbatim(script(arguments.shell))
    return OK


def script(shell: str) -> str:
    """The completions of the whole command line for bash, zsh or fish."""
    parser = build_parser()
    _mark_files(parser)
    text = shtab.complete(parser, shell).rstrip("\n") + "\n"
    return text.replace(_EVALUATED, _SOURCED)


def _mark_files(parser: argparse.ArgumentParser) -> None:
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for command in action.choices.values():
                _mark_files(command)
        elif str(action.metavar) in _FILES:
            action.complete = _FILES[str(action.metavar)]  # type: ignore[attr-defined]
