"""Makes the regexes of gitignore patterns match in a time that no pattern can blow up. Pure.

A `*` followed by fixed characters may as well stop where these come first: if a match exists,
there is one that begins so. Told to the regex by an atomic group, nothing is tried twice. The
same holds for `**` and the whole folders that follow it. (fnmatch does so since Python 3.9.)
"""

from __future__ import annotations

import re

_STAR = "[^/]*"
_LEADING, _INNER = "(?:.+/)?", "(?:/.+)?/"
_FOLDERS = "(?:[^/]+/)*?"
_BETWEEN = re.compile(r"(?<!\[\^)/")
"""The slashes that stand between names, not those of `[^/]`."""
_TAILS = ("(?:(?P<ps_d>/)|$)", "(?P<ps_d>/)")
_TOKEN = re.compile(r"\\.|\[\^?\]?(?:\\.|[^\]\\])*\]", re.DOTALL)
"""An escaped character, or all of a bracket."""


def linear(regex: str) -> str:
    """The regex that pathspec made of a pattern, in a form that matches the same, quickly.

    But `[!a]` matches no slash: in git it does not.
    """
    return _TOKEN.sub(_of_one_name, _quick(regex))


def _of_one_name(token: re.Match[str]) -> str:
    text = token[0]
    return f"(?!/){text}" if text.startswith("[^") and text != "[^/]" else text


def _quick(regex: str) -> str:
    """With atomic groups.

    What looks like its parts cannot stand in a name (it is escaped) nor in brackets (a slash
    ends these); a regex of another kind is given back as it is.
    """
    tail = next((t for t in _TAILS if regex.endswith(t)), None)
    if tail is None or not regex.startswith("^"):
        return regex
    body = regex[1 : -len(tail)]
    floating = body.startswith(_LEADING)
    *runs, last = map(_run, body.removeprefix(_LEADING).split(_INNER))
    text = ""
    for run in runs:
        text += f"(?>{_FOLDERS if floating else ''}{run}/)"
        floating = True
    return f"^{text}{_FOLDERS if floating else ''}{last}{tail}"


def _run(text: str) -> str:
    """Folders and files one below the other, each a glob of its own."""
    return "/".join(map(_glob, _BETWEEN.split(text)))


def _glob(text: str) -> str:
    """One name: every `*` but the last ends where what follows it is found first."""
    first, *others = text.split(_STAR)
    chunks = [chunk for chunk in others[:-1] if chunk]
    middle = "".join(f"(?>{_STAR}?{chunk})" for chunk in chunks)
    return first + middle + "".join(_STAR + chunk for chunk in others[-1:])
