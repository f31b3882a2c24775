"""Which paths are synced: the built-in patterns, the user's `ignore` and `include`.

The semantics are git's, level by level: the last pattern that matches a directory or a file
itself decides about it, and nothing below an ignored directory comes back. (So `!.config/x`
alone does nothing: `!.config/` must let the scan in first; `node_modules` with `!.env` stays
shut.) In `include` the deepest level that is matched decides, so that `docs/` with
`!docs/drafts/` or `!*.bak` works; a list of nothing but `!patterns` means "all but these".
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from itertools import accumulate
from typing import Literal, NamedTuple

from syncd.core.ordering import MANIFEST
from syncd.model import Rules

STARS, LENGTH = 6, 1000
"""Bounds of a pattern: the time that it takes to match a path grows with every `**`."""
_STARS = re.compile(r"\*+")
_RUN = re.compile(r"(?:\[\^/\]\*)+")
"""Stars in the regex of a pattern."""
_CHUNK = re.compile(r"\[\^/\]\*((?:\\.|\[\^?\]?(?:\\.|[^\]\\])*\]|[^][\\/()])+?)(?=\[\^/\]\*)")
"""A star, and what stands between it and the next one in the same name."""
Origin = Literal["built-in", "ignore", "include"]

BUILT_IN = (
    *(".*", "*.tmp", "*.temp", "*.part", "*.partial", "*.crdownload", "*.download"),
    *("*.swp", "*.swx", "*~", ".#*", r"\#*#", "~$*", ".~lock.*#"),
    *("4913", "!4913/"),  # vim's probe is a file
    *(".goutputstream-*", ".nfs*", ".fuse_hidden*"),
    *("Thumbs.db", "desktop.ini", ".DS_Store", "@eaDir/", r"\#recycle/"),
    *("*.idlk", "*.prlock", "*.dwl", "*.dwl2", "*.lck", "*.laccdb", "*.sb-????????-??????"),
    *("*.filepart", "*.!ut", "*.aria2"),
)
"""Hidden, half-written, and left by editors, office programs, desktops and file systems; in
either case of letters, as they may come from Windows."""


class Pattern(NamedTuple):
    """One compiled line; it matches a level itself, never what lies below."""

    text: str
    origin: Origin
    negated: bool
    by_name: bool
    """It has no inner slash: the last component alone is looked at."""
    body: str
    """As a regex."""

    @property
    def regex(self) -> re.Pattern[str]:
        return re.compile(self.body)

    def matches(self, path: str, name: str) -> bool:
        """Both end with `/` for a directory."""
        return self.regex.fullmatch(name if self.by_name else path) is not None

    def __str__(self) -> str:
        kind = "built-in pattern" if self.origin == "built-in" else f"{self.origin} pattern"
        return f"the {kind} `{self.text}`"


def _built_in(text: str) -> Pattern:
    """A built-in pattern: one name with `*` and `?`, in either case of letters."""
    name = text.removeprefix("!").removeprefix("\\")
    body = re.escape(name).replace(r"\*", "[^/]*").replace(r"\?", "[^/]")
    ending = "" if name.endswith("/") else "/?"
    return Pattern(text, "built-in", text.startswith("!"), True, f"(?ai:{body}{ending})")


def compile_pattern(text: str, origin: Origin) -> Pattern | None:
    """None for what matches nothing: blank, a comment, or not valid (see `pattern_fault`)."""
    from pathspec.patterns.gitignore.spec import GitIgnoreSpecPattern  # few folders need it

    # A name may hold a newline but no NUL, and `.` and `$` of a regex trip over newlines only.
    body = text.replace("\n", "\0")
    while body.endswith(" ") and not body.endswith("\\ "):
        body = body[:-1]
    if body.startswith("#"):
        return None
    negated = body.startswith("!")
    body = body[negated:]
    slash = "/" if body.endswith("/") else ""
    segments = body.removesuffix("/").split("/")
    if segments == [""]:
        return None
    if segments[-1] == "**":
        segments.append("*")
    floating = len(segments) == 1
    if not segments[0]:
        del segments[0]
    while len(segments) > 1 and segments[0] == segments[1] == "**":
        del segments[0]
    if len(segments) == 2 and segments[0] == "**":
        floating = True
        del segments[0]
    # pathspec's regex goes on to the end of the name or to the slash after it, and may go on
    # below; fullmatch on one level at a time makes that an exact match.
    try:
        regex = GitIgnoreSpecPattern("/" + "/".join(segments) + slash).regex
    except (ValueError, re.error):
        return None
    if regex is None:
        return None
    # A star may end where what follows it comes first: so tried, a name takes no time.
    body = _CHUNK.sub(r"(?>[^/]*?\1)", _RUN.sub("[^/]*", regex.pattern))
    body = body.replace("[^", "[^/")  # In git, `[!a]` does not match a slash.
    return Pattern(text, origin, negated, floating, body)


def pattern_fault(text: str) -> str | None:
    """What is wrong with a pattern of a config, and what to do; None = it is usable."""
    if text.startswith("#"):
        return "it is a comment: write \\# for a name that begins with #"
    if len(text) > LENGTH or len(_STARS.findall(text)) > STARS:
        return f"it has more than {STARS} stars or {LENGTH} characters: split it into several"
    if compile_pattern(text, "ignore") is None:
        return "it can match nothing: close every [, and do not end with \\ or write ! or / alone"
    return None


class Selection:
    """What of a folder is synced by its rules. Paths are relative, with `/`."""

    def __init__(self, rules: Rules) -> None:
        self._rules = rules
        ignore = [*map(_built_in, BUILT_IN), *_compile(rules.ignore, "ignore")]
        self._ignore = ignore[::-1]
        self._include = _compile(rules.include, "include")[::-1]
        self._everything = all(pattern.negated for pattern in self._include)
        positive = [pattern for pattern in ignore if not pattern.negated]
        # Most paths match nothing at all: two regexes tell.
        self._any_path = _joined([pattern for pattern in positive if not pattern.by_name])
        self._any_name = _joined([pattern for pattern in positive if pattern.by_name])
        # Whole directories share their verdict; bounded, as a service lives long.
        self._directory_ignored = lru_cache(maxsize=4096)(self._find_ignored_directory)

    def selects(self, path: str) -> bool:
        """Whether the file at `path` is synced (its kind and its size aside)."""
        if not self._rules.recursive and "/" in path:
            return False
        return not self.ignores(path) and (not self._include or self._included(path)[0])

    def ignores(self, path: str, *, directory: bool = False) -> bool:
        """Whether built-in patterns or `ignore` leave the path out; `include` is not asked."""
        head, _, name = path.rpartition("/")
        if name == MANIFEST or (head and self._directory_ignored(head) is not None):
            return True
        return self._level(path, directory) is not None

    def reason(self, path: str) -> str:
        """One sentence on why the file at `path` is synced or not, naming the pattern."""
        head, _, name = path.rpartition("/")
        if name == MANIFEST:
            return f"not synced: {MANIFEST} tells the order and is never synced itself"
        if head and (found := self._directory_ignored(head)):
            pattern, level = found
            return f"not synced: {pattern} ignores the folder {level}/ and all below it"
        if (match := self._level(path, directory=False)) is not None:
            return f"not synced: {match} ignores it"
        if head and not self._rules.recursive:
            return f"not synced: it lies in the subfolder {head}/ and recursive is off"
        included, by = self._included(path)
        if not included:
            return f"not synced: {by} leaves it out" if by else "not synced: no include matches it"
        if by:
            return f"synced: {by} matches it"
        if (spared := self._last_match(self._ignore, path, directory=False)) is not None:
            return f"synced: {spared} takes it out of what is ignored"
        return "synced: no pattern ignores it"

    def _find_ignored_directory(self, directory: str) -> tuple[Pattern, str] | None:
        """The uppermost ignored one of a directory and those above it, and by what."""
        head, _, _ = directory.rpartition("/")
        if head and (above := self._directory_ignored(head)):
            return above
        match = self._level(directory, directory=True)
        return (match, directory) if match else None

    def _level(self, path: str, directory: bool) -> Pattern | None:
        """The pattern that ignores this level itself."""
        full, name = _matched_form(path, directory)
        if self._any_name.fullmatch(name) is None and self._any_path.fullmatch(full) is None:
            return None
        match = self._last_match(self._ignore, path, directory)
        return None if match is None or match.negated else match

    @staticmethod
    def _last_match(patterns: Sequence[Pattern], path: str, directory: bool) -> Pattern | None:
        """`patterns` are given last first."""
        full, name = _matched_form(path, directory)
        return next((pattern for pattern in patterns if pattern.matches(full, name)), None)

    def _included(self, path: str) -> tuple[bool, Pattern | None]:
        """Whether `include` takes the path, and the pattern that decided."""
        levels = list(accumulate(path.split("/"), "{}/{}".format))
        for level in reversed(levels):
            match = self._last_match(self._include, level, directory=level != path)
            if match is not None:
                return not match.negated, match
        return self._everything, None


@lru_cache(maxsize=64)
def selection(rules: Rules) -> Selection:
    """The selection of these rules, compiled once."""
    return Selection(rules)


def _matched_form(path: str, directory: bool) -> tuple[str, str]:
    """The path and its name as `Pattern.matches` takes them."""
    if "\n" in path:
        path = path.replace("\n", "\0")
    name = path[path.rfind("/") + 1 :]
    return (path + "/", name + "/") if directory else (path, name)


def _compile(texts: Sequence[str], origin: Origin) -> list[Pattern]:
    compiled = (compile_pattern(text, origin) for text in texts)
    return [pattern for pattern in compiled if pattern is not None]


def _joined(patterns: Sequence[Pattern]) -> re.Pattern[str]:
    """Matches what any of them matches; pathspec's named groups cannot stand twice in one."""
    bodies = (re.sub(r"\(\?P<\w+>", "(?:", pattern.body) for pattern in patterns)
    return re.compile("|".join(f"(?:{body})" for body in bodies) or "(?!)")
