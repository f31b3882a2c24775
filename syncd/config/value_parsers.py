"""Parses single YAML values into settings; raises InvalidValue for those that are refused."""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable
from fractions import Fraction
from typing import TypeVar
from urllib.parse import urlsplit

from syncd.config.fault_text import describe
from syncd.config.section import InvalidValue
from syncd.config.settings import SANDBOX
from syncd.config.yaml_document import UNUSABLE
from syncd.hosts import is_loopback

L = TypeVar("L", bound=str)

MAX_INT = 2**63 - 1
"""The largest integer of an SQLite column."""
MAX_PATTERNS = 1_000

_SECONDS = {"ms": Fraction(1, 1000), "s": Fraction(1), "m": Fraction(60), "h": Fraction(3600)}
_DURATION = re.compile(r"([0-9]{1,9}(?:\.[0-9]{1,9})?) ?(ms|s|m|h)")
_UNITS = {"b": 1, "kb": 1000, "mb": 1000**2, "gb": 1000**3}
_BYTES = _UNITS | {"kib": 1024, "mib": 1024**2, "gib": 1024**3}
_SIZE = re.compile(r"([0-9]{1,18}(?:\.[0-9]{1,9})?) ?([KMG]i?B|B)?", re.IGNORECASE)


def text(value: object) -> str:
    """Text that is not empty and fits on one line."""
    if value is None:
        raise InvalidValue("has no value", "give it one or remove the key")
    if not isinstance(value, str):
        raise InvalidValue(f"must be text, not {describe(value)}", "put it in quotes")
    if not value.strip():
        raise InvalidValue("is empty", "give it a value or remove the key")
    if any(ord(c) < 32 or 0x7F <= ord(c) < 0xA0 or 0xD800 <= ord(c) < 0xE000 for c in value):
        raise InvalidValue(f"holds a control character: {describe(value)}", "remove it")
    return value


def name(value: object) -> str:
    """The name of a folder, for --folder and logs."""
    found = text(value).strip()
    if "/" in found:
        raise InvalidValue(
            f"must not hold a slash: {describe(value)}", "--folder takes it for a path then"
        )
    return found


def flag(value: object) -> bool:
    if not isinstance(value, bool):
        raise InvalidValue(
            f"must be true or false, not {describe(value)}", "write true or false, no quotes"
        )
    return value


def whole(low: int, high: int = MAX_INT) -> Callable[[object], int]:
    """A parser of whole numbers from `low` to `high`."""

    def parse(value: object) -> int:
        if isinstance(value, bool) or not isinstance(value, int):
            hint = "write plain digits, no quotes"
            raise InvalidValue(f"must be a whole number, not {describe(value)}", hint)
        if value < low:
            raise InvalidValue(
                f"must be at least {low:,}, not {describe(value)}", f"write {low} or more"
            )
        if value > high:
            raise InvalidValue(
                f"must be at most {high:,}, not {describe(value)}", f"write {high} or less"
            )
        return value

    return parse


positive_id = whole(1)


def quota(value: object) -> int | None:
    """`auto` or requests an hour."""
    if value == "auto":
        return None
    if isinstance(value, bool) or not isinstance(value, int):
        hint = "leave it out, or write the requests an hour of your plan"
        raise InvalidValue(f"must be auto or a whole number, not {describe(value)}", hint)
    return whole(1)(value)


def one_of(choices: tuple[L, ...], default: L) -> Callable[[object], L]:
    """A parser that accepts one of the choices."""

    def parse(value: object) -> L:
        for choice in choices:
            if value == choice:
                return choice
        near = difflib.get_close_matches(str(value).lower(), choices, 1)
        hint = f"did you mean {near[0]}?" if near else f"write {default}, the default"
        raise InvalidValue(f"must be one of {', '.join(choices)}, not {describe(value)}", hint)

    return parse


def duration(high_hours: int) -> Callable[[object], float]:
    """A parser of `200ms 2s 1.5s 1m 1h` to seconds, from 1 ms to `high_hours` hours."""

    def parse(value: object) -> float:
        match = _DURATION.fullmatch(value) if isinstance(value, str) else None
        if match is None:
            hint = "write it like 200ms, 2s, 1m or 1h"
            if isinstance(value, int | float) and not isinstance(value, bool):
                hint = f"give it a unit: {value}s, or {value}ms, {value}m, {value}h"
            raise InvalidValue(f"must be a duration, not {describe(value)}", hint)
        seconds = Fraction(match[1]) * _SECONDS[match[2]]
        if not Fraction(1, 1000) <= seconds <= high_hours * 3600:
            bounds = f"must lie between 1ms and {high_hours}h"
            raise InvalidValue(
                f"{bounds}, not {describe(value)}", "write it like 200ms, 2s, 1m or 1h"
            )
        return float(seconds)

    return parse


def size(low: int) -> Callable[[object], int]:
    """A parser of a plain number or `500KB 32MiB` to bytes."""

    def parse(value: object) -> int:
        if isinstance(value, str):
            match = _SIZE.fullmatch(value)
            if match is None or ("." in match[1] and not match[2]):
                hint = "write it like 500KB, 32MiB or 1GiB, or as plain bytes"
                raise InvalidValue(f"must be a size, not {describe(value)}", hint)
            value = int(Fraction(match[1]) * _BYTES[(match[2] or "b").lower()])
        return whole(low)(value)

    return parse


def url(value: object) -> str:
    """`sandbox`, or the base URL of the API, normalised so that one server has one spelling."""
    found = text(value)
    if found == SANDBOX:
        return found
    hint = f"write https://focus.toggl.com/api, or {SANDBOX} to try things"
    near = difflib.get_close_matches(found.lower(), [SANDBOX], 1)
    if "://" not in found:
        hint = f"did you mean {SANDBOX}?" if near else hint
        raise InvalidValue(f"must be an https:// address or {SANDBOX}, not {describe(found)}", hint)
    if "@" in found:
        raise InvalidValue("must not hold a user name or password", "the key comes from token_file")
    if "?" in found or "#" in found:
        raise InvalidValue(
            f"must not hold a query or fragment: {describe(found)}", "end it after the path"
        )
    if not re.fullmatch(r"[!-\[\]-~]+", found):
        raise InvalidValue(f"must be plain ASCII without spaces: {describe(found)}", hint)
    try:
        parts = urlsplit(found)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        raise InvalidValue(f"is not a valid address: {describe(found)}", hint) from None
    if parts.scheme not in ("https", "http"):
        raise InvalidValue(f"must begin with https://, not {describe(parts.scheme + '://')}", hint)
    if not re.fullmatch(r"[a-z0-9._-]+|[0-9a-f:.]+", host) or port == 0:
        raise InvalidValue(f"is not a valid address: {describe(found)}", hint)
    if parts.scheme == "http" and not is_loopback(host):
        message = f"http:// would send the key in the clear to {describe(host)}"
        raise InvalidValue(message, "write https://; http:// is for loopback addresses only")
    usual = {"https": 443, "http": 80}[parts.scheme]
    authority = f"[{host}]" if ":" in host else host
    if port not in (None, usual):
        authority += f":{port}"
    return f"{parts.scheme}://{authority}{parts.path}".rstrip("/")


def command(value: object) -> tuple[str, ...]:
    """A program and its arguments."""
    if not isinstance(value, list) or not value:
        hint = "write the words as a list: [pass, show, toggl]; no shell is involved"
        raise InvalidValue(f"must be a list of words, not {describe(value)}", hint)
    return _parse_each(value, text)


def patterns(value: object) -> tuple[str, ...]:
    """A list of gitignore-style patterns."""
    if not isinstance(value, list):
        hint = 'write a list: ["*.tmp"], or [] for none'
        raise InvalidValue(f"must be a list of patterns, not {describe(value)}", hint)
    if len(value) > MAX_PATTERNS:
        hint = "put several names into one pattern, or the files into a folder of their own"
        raise InvalidValue(f"holds {len(value):,} patterns, more than {MAX_PATTERNS:,}", hint)
    return _parse_each(value, pattern)


def pattern(value: object) -> str:
    """One gitignore-style pattern that can match something."""
    from syncd.local.ignore import pattern_fault  # slow to import, and few configs need it

    found = text(value)
    if fault := pattern_fault(found):
        raise InvalidValue(f"is no usable pattern: {describe(found)}", fault)
    return found


def _parse_each(value: list[object], parse: Callable[[object], str]) -> tuple[str, ...]:
    found: list[str] = []
    faults: list[InvalidValue] = []
    for index, item in enumerate(value):
        if item is UNUSABLE:
            continue
        try:
            found.append(parse(item))
        except InvalidValue as invalid:
            faults.extend(InvalidValue(m, h, (index, *at)) for m, h, at in invalid.faults)
    if faults:
        raise InvalidValue.joined(faults)
    return tuple(found)
