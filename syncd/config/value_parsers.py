"""Parses single YAML values into settings; raises InvalidValue for those that are refused."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from typing import TypeVar
from urllib.parse import urlsplit

from syncd.config.locations import expand_home
from syncd.config.section import UNUSABLE, InvalidValue, describe, invalid, nearest
from syncd.config.settings import SANDBOX
from syncd.hosts import is_loopback
from syncd.model import MAX_ID

L = TypeVar("L", bound=str)

MAX_PATTERNS = 1_000

_SECONDS = {"ms": 0.001, "s": 1, "m": 60, "h": 3600}
_DURATION = re.compile(r"([0-9]{1,9}(?:\.[0-9]{1,9})?) ?(ms|s|m|h)")
_BYTES = {"b": 1, "kb": 1000, "mb": 1000**2, "gb": 1000**3}
_BYTES |= {"kib": 1024, "mib": 1024**2, "gib": 1024**3}
_VARIABLE = re.compile(r"\$(?:\$|([A-Za-z_][A-Za-z0-9_]*)|\{([^}]*)\})")
_SIZE = re.compile(r"([0-9]{1,18})(\.[0-9]{1,9})? ?([KMG]i?B|B)?", re.IGNORECASE)


def expected(what: str, value: object, hint: str) -> InvalidValue:
    return invalid(f"must be {what}, not {describe(value)}", hint)


def text(value: object) -> str:
    """Text that is not empty and fits on one line."""
    if value is None:
        raise invalid("has no value", "give it one or remove the key")
    if not isinstance(value, str):
        raise expected("text", value, "put it in quotes")
    if not value.strip():
        raise invalid("is empty", "give it a value or remove the key")
    if any(ord(c) < 32 or 0x7F <= ord(c) < 0xA0 or 0xD800 <= ord(c) < 0xE000 for c in value):
        raise invalid(f"holds a control character: {describe(value)}", "remove it")
    return value


def name(value: object) -> str:
    """The name of a folder, for --folder and logs."""
    found = text(value).strip()
    if "/" in found:
        raise invalid(f"holds a slash: {describe(value)}", "--folder takes it for a path then")
    return found


def flag(value: object) -> bool:
    if not isinstance(value, bool):
        raise expected("true or false", value, "write true or false, no quotes")
    return value


def whole(low: int, high: int = MAX_ID) -> Callable[[object], int]:
    """A parser of whole numbers from `low` to `high`."""

    def parse(value: object) -> int:
        if isinstance(value, bool) or not isinstance(value, int):
            raise expected("a whole number", value, "write plain digits, no quotes")
        if not low <= value <= high:
            limit, way = (low, "at least") if value < low else (high, "at most")
            raise expected(f"{way} {limit:,}", value, f"write {way} {limit}")
        return value

    return parse


positive_id = whole(1)


def quota(value: object) -> int | None:
    """`auto` or requests an hour."""
    if value == "auto":
        return None
    if isinstance(value, str):
        hint = "leave it out, or write how many an hour your plan has"
        raise expected("auto or a whole number", value, hint)
    return whole(1)(value)


def one_of(choices: tuple[L, ...], default: L) -> Callable[[object], L]:
    """A parser that accepts one of the choices."""

    def parse(value: object) -> L:
        for choice in choices:
            if value == choice:
                return choice
        near = nearest(str(value).lower(), choices)
        hint = f"did you mean {near}?" if near else f"write {default}, the default"
        raise expected(f"one of {', '.join(choices)}", value, hint)

    return parse


def duration(high_hours: int) -> Callable[[object], float]:
    """A parser of `200ms 2s 1.5s 1m 1h` to seconds, from 1 ms to `high_hours` hours."""

    def parse(value: object) -> float:
        match = _DURATION.fullmatch(value) if isinstance(value, str) else None
        if match is None:
            hint = "write it like 200ms, 2s, 1m or 1h"
            if isinstance(value, int | float) and not isinstance(value, bool):
                hint = f"give it a unit: {value}s, or {value}ms, {value}m, {value}h"
            raise expected("a duration", value, hint)
        seconds = float(match[1]) * _SECONDS[match[2]]
        if not 0.001 <= seconds <= high_hours * 3600:
            message = f"must lie between 1ms and {high_hours}h, not {describe(value)}"
            raise invalid(message, "write it like 200ms, 2s, 1m or 1h")
        return seconds

    return parse


def size(low: int) -> Callable[[object], int]:
    """A parser of a plain number or `500KB 32MiB` to bytes."""

    def parse(value: object) -> int:
        if isinstance(value, str):
            match = _SIZE.fullmatch(value)
            if match is None or (match[2] and not match[3]):
                hint = "write it like 500KB, 32MiB or 1GiB, or as plain bytes"
                raise expected("a size", value, hint)
            unit = _BYTES[(match[3] or "b").lower()]
            value = int(match[1]) * unit + int(float(match[2] or 0) * unit)
        return whole(low)(value)

    return parse


def url(value: object) -> str:
    """`sandbox`, or the base URL of the API, normalised so that one server has one spelling."""
    found = text(value)
    if found == SANDBOX:
        return found
    hint = f"write https://focus.toggl.com/api, or {SANDBOX} to try things"
    if "://" not in found:
        hint = f"did you mean {SANDBOX}?" if nearest(found.lower(), [SANDBOX]) else hint
        raise expected(f"an https:// address or {SANDBOX}", found, hint)
    if "@" in found:
        raise invalid("must not hold a user name or password", "the key comes from token_file")
    if "?" in found or "#" in found:
        message = f"must not hold a query or fragment: {describe(found)}"
        raise invalid(message, "end it after the path")
    if not re.fullmatch(r"[!-\[\]-~]+", found):
        raise invalid(f"must be plain ASCII without spaces: {describe(found)}", hint)
    try:
        parts = urlsplit(found)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        raise invalid(f"is not a valid address: {describe(found)}", hint) from None
    if parts.scheme not in ("https", "http"):
        raise invalid(f"must begin with https://, not {describe(parts.scheme + '://')}", hint)
    if not re.fullmatch(r"[a-z0-9._-]+|[0-9a-f:.]+", host) or port == 0:
        raise invalid(f"is not a valid address: {describe(found)}", hint)
    if parts.scheme == "http" and not is_loopback(host):
        message = f"http:// would send the key in the clear to {describe(host)}"
        raise invalid(message, "write https://; http:// is for loopback addresses only")
    usual = {"https": 443, "http": 80}[parts.scheme]
    authority = f"[{host}]" if ":" in host else host
    if port not in (None, usual):
        authority += f":{port}"
    return f"{parts.scheme}://{authority}{parts.path}".rstrip("/")


def command(value: object) -> tuple[str, ...]:
    """A program, its `~` expanded, and its arguments."""
    if not isinstance(value, list) or not value:
        raise expected("a list of words", value or None, "write [pass, show, toggl]; no shell runs")
    words = _parse_each(value, text)
    program = expand_home(words[0]) if words and words[0][0] == "~" else None
    return words if program is None else (program, *words[1:])


def patterns(value: object) -> tuple[str, ...]:
    """A list of gitignore-style patterns."""
    if not isinstance(value, list):
        raise expected("a list of patterns", value, 'write a list: ["*.tmp"], or [] for none')
    if len(value) > MAX_PATTERNS:
        hint = "put several names into one pattern, or the files into a folder of their own"
        raise invalid(f"holds {len(value):,} patterns, more than {MAX_PATTERNS:,}", hint)
    return _parse_each(value, pattern)


def pattern(value: object) -> str:
    """One gitignore-style pattern that can match something."""
    from syncd.local.ignore import pattern_fault  # slow to import, and few configs need it

    found = text(value)
    if fault := pattern_fault(found):
        raise invalid(f"is no usable pattern: {describe(found)}", fault)
    return found


def path(base: str) -> Callable[[object], str]:
    """A parser of paths: expands `$VAR`, `${VAR}`, `$$` (a literal `$`) and `~`, and resolves
    relative paths against `base`. Symbolic links are not resolved."""

    def parse(value: object) -> str:
        if value is None:
            hint = 'write a path (a lone ~ means nothing to YAML: "~/"), or remove the key'
            raise invalid("has no value", hint)
        expanded = _VARIABLE.sub(_expand_variable, text(value))
        absolute = expand_home(expanded) if expanded[0] == "~" else os.path.join(base, expanded)
        if absolute is None:
            message = f"names a user or a home directory that does not exist: {describe(value)}"
            hint = "write the whole path; a directory that is really called so: ./~name"
            raise invalid(message, hint)
        return _normalized(absolute)

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
        hint = "set it for the service too, or write the path out; a literal $ is $$"
        raise invalid(f"uses {describe(match[0])}, which is not set", hint)
    return value


def _parse_each(value: list[object], parse: Callable[[object], str]) -> tuple[str, ...]:
    found, faults = [], []
    for index, item in enumerate(value):
        if item is UNUSABLE:
            continue
        try:
            found.append(parse(item))
        except InvalidValue as error:
            faults += [(message, hint, (index, *at)) for message, hint, at in error.faults]
    if faults:
        raise InvalidValue(*faults)
    return tuple(found)
