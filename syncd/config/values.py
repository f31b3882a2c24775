"""Parsers of single values: each takes what YAML gave and returns what it means, or is `Wrong`."""

from __future__ import annotations

import difflib
import ipaddress
import re
from collections.abc import Callable
from fractions import Fraction
from typing import TypeVar
from urllib.parse import urlsplit

from syncd.config.document import BROKEN
from syncd.config.section import Wrong
from syncd.config.settings import SANDBOX
from syncd.config.words import show

L = TypeVar("L", bound=str)

MAX_INT = 2**63 - 1
"""What the ledger's columns hold."""
MAX_PATTERNS = 1_000
MAX_PATTERN = 1_000

_SECONDS = {"ms": Fraction(1, 1000), "s": Fraction(1), "m": Fraction(60), "h": Fraction(3600)}
_DURATION = re.compile(r"([0-9]{1,9}(?:\.[0-9]{1,9})?) ?(ms|s|m|h)")
_UNITS = {"b": 1, "kb": 1000, "mb": 1000**2, "gb": 1000**3}
_BYTES = _UNITS | {"kib": 1024, "mib": 1024**2, "gib": 1024**3}
_SIZE = re.compile(r"([0-9]{1,18}(?:\.[0-9]{1,9})?) ?([KMG]i?B|B)?", re.IGNORECASE)


def text(value: object) -> str:
    """Text that is not empty and can be printed on one line."""
    if value is None:
        raise Wrong("has no value", "give it one or remove the key")
    if not isinstance(value, str):
        raise Wrong(f"must be text, not {show(value)}", "put it in quotes")
    if not value.strip():
        raise Wrong("is empty", "give it a value or remove the key")
    if any(ord(c) < 32 or 0x7F <= ord(c) < 0xA0 or 0xD800 <= ord(c) < 0xE000 for c in value):
        raise Wrong(f"holds a control character: {show(value)}", "remove it")
    return value


def name(value: object) -> str:
    """A folder's name, for --folder and logs."""
    found = text(value).strip()
    if "/" in found:
        raise Wrong(f"must not hold a slash: {show(value)}", "--folder takes it for a path then")
    return found


def flag(value: object) -> bool:
    if not isinstance(value, bool):
        raise Wrong(f"must be true or false, not {show(value)}", "write true or false, no quotes")
    return value


def whole(low: int, high: int = MAX_INT) -> Callable[[object], int]:
    """A whole number within bounds."""

    def parse(value: object) -> int:
        if isinstance(value, bool) or not isinstance(value, int):
            hint = "write plain digits, no quotes"
            raise Wrong(f"must be a whole number, not {show(value)}", hint)
        if value < low:
            raise Wrong(f"must be at least {low:,}, not {show(value)}", f"write {low} or more")
        if value > high:
            raise Wrong(f"must be at most {high:,}, not {show(value)}", f"write {high} or less")
        return value

    return parse


positive_id = whole(1)


def quota(value: object) -> int | None:
    """`auto` or requests an hour."""
    if value == "auto":
        return None
    if isinstance(value, bool) or not isinstance(value, int):
        hint = "leave it out, or write the requests an hour of your plan"
        raise Wrong(f"must be auto or a whole number, not {show(value)}", hint)
    return whole(1)(value)


def one_of(choices: tuple[L, ...], default: L) -> Callable[[object], L]:
    """One of some words."""

    def parse(value: object) -> L:
        for choice in choices:
            if value == choice:
                return choice
        near = difflib.get_close_matches(str(value).lower(), choices, 1)
        hint = f"did you mean {near[0]}?" if near else f"write {default}, the default"
        raise Wrong(f"must be one of {', '.join(choices)}, not {show(value)}", hint)

    return parse


def duration(high_hours: int) -> Callable[[object], float]:
    """Seconds, from `200ms 2s 1.5s 1m 1h`; from 1 ms up to so many hours."""

    def parse(value: object) -> float:
        match = _DURATION.fullmatch(value) if isinstance(value, str) else None
        if match is None:
            hint = "write it like 200ms, 2s, 1m or 1h"
            if isinstance(value, int | float) and not isinstance(value, bool):
                hint = f"give it a unit: {value}s, or {value}ms, {value}m, {value}h"
            raise Wrong(f"must be a duration, not {show(value)}", hint)
        seconds = Fraction(match[1]) * _SECONDS[match[2]]
        if not Fraction(1, 1000) <= seconds <= high_hours * 3600:
            bounds = f"must lie between 1ms and {high_hours}h"
            raise Wrong(f"{bounds}, not {show(value)}", "write it like 200ms, 2s, 1m or 1h")
        return float(seconds)

    return parse


def size(low: int) -> Callable[[object], int]:
    """Bytes, from a plain number or `500KB 32MiB`."""

    def parse(value: object) -> int:
        if isinstance(value, str):
            match = _SIZE.fullmatch(value)
            if match is None or ("." in match[1] and not match[2]):
                hint = "write it like 500KB, 32MiB or 1GiB, or as plain bytes"
                raise Wrong(f"must be a size, not {show(value)}", hint)
            value = int(Fraction(match[1]) * _BYTES[(match[2] or "b").lower()])
        return whole(low)(value)

    return parse


def url(value: object) -> str:
    """`sandbox` or the API's base, normalised: the same server is always spelled the same."""
    found = text(value)
    if found == SANDBOX:
        return found
    hint = f"write https://focus.toggl.com/api, or {SANDBOX} to try things"
    near = difflib.get_close_matches(found.lower(), [SANDBOX], 1)
    if "://" not in found:
        hint = f"did you mean {SANDBOX}?" if near else hint
        raise Wrong(f"must be an https:// address or {SANDBOX}, not {show(found)}", hint)
    if "@" in found:
        raise Wrong("must not hold a user name or password", "the key comes from token_file")
    if "?" in found or "#" in found:
        raise Wrong(f"must not hold a query or fragment: {show(found)}", "end it after the path")
    if not re.fullmatch(r"[!-\[\]-~]+", found):
        raise Wrong(f"must be plain ASCII without spaces: {show(found)}", hint)
    try:
        parts = urlsplit(found)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        raise Wrong(f"is not a valid address: {show(found)}", hint) from None
    if parts.scheme not in ("https", "http"):
        raise Wrong(f"must begin with https://, not {show(parts.scheme + '://')}", hint)
    if not re.fullmatch(r"[a-z0-9._-]+|[0-9a-f:.]+", host) or port == 0:
        raise Wrong(f"is not a valid address: {show(found)}", hint)
    if parts.scheme == "http" and not is_loopback(host):
        message = f"http:// would send the key in the clear to {show(host)}"
        raise Wrong(message, "write https://; http:// is for loopback addresses only")
    usual = {"https": 443, "http": 80}[parts.scheme]
    shown = f"[{host}]" if ":" in host else host
    place = shown if port in (None, usual) else f"{shown}:{port}"
    return f"{parts.scheme}://{place}{parts.path}".rstrip("/")


def is_loopback(host: str) -> bool:
    """This machine by name or address, without asking any name server."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def words(value: object) -> tuple[str, ...]:
    """A command: a list of texts."""
    if not isinstance(value, list) or not value:
        hint = "write the words as a list: [pass, show, toggl]; no shell is involved"
        raise Wrong(f"must be a list of words, not {show(value)}", hint)
    return _each(value, text)


def patterns(value: object) -> tuple[str, ...]:
    """gitignore-style patterns, each of which can match something."""
    if not isinstance(value, list):
        hint = 'write a list: ["*.tmp"], or [] for none'
        raise Wrong(f"must be a list of patterns, not {show(value)}", hint)
    if len(value) > MAX_PATTERNS:
        hint = "put several names into one pattern, or the files into a folder of their own"
        raise Wrong(f"holds {len(value):,} patterns, more than {MAX_PATTERNS:,}", hint)
    return _each(value, pattern)


def pattern(value: object) -> str:
    """One gitignore-style pattern."""
    found = text(value)
    if len(found) > MAX_PATTERN:
        raise Wrong(f"is longer than {MAX_PATTERN:,} characters: {show(found)}", "shorten it")
    from pathspec import GitIgnoreSpec  # only where there are patterns: it takes its time

    try:
        usable = GitIgnoreSpec.from_lines([found]).patterns[0].include is not None
    except (ValueError, re.error, IndexError):
        usable = False
    if not usable:
        hint = "close every [, and do not end with \\ or consist of ! or / alone"
        if found.startswith("#"):
            hint = f'a pattern that begins with # is a comment: "\\\\{found[:60]}"'
        raise Wrong(f"is no pattern that can match anything: {show(found)}", hint)
    return found


def _each(value: list[object], parse: Callable[[object], str]) -> tuple[str, ...]:
    found: list[str] = []
    faults: list[Wrong] = []
    for index, item in enumerate(value):
        if item is BROKEN:  # already reported
            continue
        try:
            found.append(parse(item))
        except Wrong as wrong:
            faults.extend(Wrong(m, h, (index, *at)) for m, h, at in wrong.items)
    if faults:
        raise Wrong.all(faults)
    return tuple(found)
