"""Paths as a config writes them."""

from __future__ import annotations

import os
import re
from collections.abc import Callable

from syncd.config.find import home
from syncd.config.section import Wrong
from syncd.config.values import text
from syncd.config.words import show

_VARIABLE = re.compile(r"\$(?:\$|([A-Za-z_][A-Za-z0-9_]*)|\{([^}]*)\})")


def path(base: str) -> Callable[[object], str]:
    """An absolute path: `$VAR`, `${VAR}` and `~` expanded, relative ones from `base`.

    `$$` is one `$`. Symbolic links are left as they are.
    """

    def parse(value: object) -> str:
        if value is None:
            hint = 'write a path (a lone ~ means nothing to YAML: "~/"), or remove the key'
            raise Wrong("has no value", hint)
        expanded = _VARIABLE.sub(_variable, text(value))
        if expanded.startswith("~"):
            expanded = _from_home(expanded, value)
        return tidy(os.path.join(base, expanded))

    return parse


def _from_home(expanded: str, value: object) -> str:
    if expanded == "~" or expanded.startswith("~/"):
        own = home()
        if own is None:
            message = f"begins with ~, and this user has no home directory: {show(value)}"
            raise Wrong(message, "write the whole path, or set HOME")
        return own + expanded[1:]
    other = os.path.expanduser(expanded)
    if not os.path.isabs(other):
        hint = "write the whole path; a directory that is really called so: ./~name"
        raise Wrong(f"names a user that does not exist: {show(value)}", hint)
    return other


def tidy(absolute: str) -> str:
    """Without `.`, `//` and `..`, where that does not lead elsewhere through a link."""
    short = os.path.normpath(absolute)
    if os.path.realpath(short) == os.path.realpath(absolute):
        return short
    return absolute.rstrip("/") or "/"


def _variable(match: re.Match[str]) -> str:
    name = match[1] or match[2]
    if match[0] == "$$":
        return "$"
    if not os.environ.get(name or ""):
        raise Wrong(
            f"uses {show(match[0])}, which is not set",
            "set it for the service too, or write the path out; a literal $ is $$",
        )
    return os.environ[name]
