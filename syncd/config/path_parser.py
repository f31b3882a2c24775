"""Parses the paths of a config."""

from __future__ import annotations

import os
import re
from collections.abc import Callable

from syncd.config.section import describe, invalid
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
        if expanded.startswith("~") and not os.path.isabs(expanded := os.path.expanduser(expanded)):
            message = f"names a user or a home directory that does not exist: {describe(value)}"
            hint = "write the whole path; a directory that is really called so: ./~name"
            raise invalid(message, hint)
        return _normalized(os.path.join(base, expanded))

    return parse


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
