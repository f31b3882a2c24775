"""Parses the paths of a config."""

from __future__ import annotations

import os
import re
from collections.abc import Callable

from syncd.config.faults import describe, invalid
from syncd.config.locations import home
from syncd.config.value_parsers import text

_VARIABLE = re.compile(r"\$(?:\$|([A-Za-z_][A-Za-z0-9_]*)|\{([^}]*)\})")


def path(base: str) -> Callable[[object], str]:
    """A parser of paths: expands `$VAR`, `${VAR}`, `$$` (a literal `$`) and `~`, and resolves
    relative paths against `base`. Symbolic links are not resolved."""

    def parse(value: object) -> str:
        if value is None:
            hint = 'write a path (a lone ~ means nothing to YAML: "~/"), or remove the key'
            raise invalid("has no value", hint)
        expanded = _VARIABLE.sub(_expand_variable, text(value))
        if expanded.startswith("~"):
            expanded = _expand_home(expanded, value)
        return _normalized(os.path.join(base, expanded))

    return parse


def _expand_home(expanded: str, value: object) -> str:
    if expanded == "~" or expanded.startswith("~/"):
        user_home = home()
        if user_home is None:
            message = f"begins with ~, and this user has no home directory: {describe(value)}"
            raise invalid(message, "write the whole path, or set HOME")
        return user_home + expanded[1:]
    other = os.path.expanduser(expanded)
    if not os.path.isabs(other):
        hint = "write the whole path; a directory that is really called so: ./~name"
        raise invalid(f"names a user that does not exist: {describe(value)}", hint)
    return other


def _normalized(absolute: str) -> str:
    """Without `.`, `//` and `..`, unless removing `..` leads elsewhere because of a link."""
    short = os.path.normpath(absolute)
    if os.path.realpath(short) == os.path.realpath(absolute):
        return short
    return absolute.rstrip("/") or "/"


def _expand_variable(match: re.Match[str]) -> str:
    if match[0] == "$$":
        return "$"
    value = os.environ.get(match[1] or match[2] or "")
    if not value:
        raise invalid(
            f"uses {describe(match[0])}, which is not set",
            "set it for the service too, or write the path out; a literal $ is $$",
        )
    return value
