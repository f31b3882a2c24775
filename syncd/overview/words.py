"""Numbers, sizes, times and held changes for people."""

from __future__ import annotations

from datetime import datetime

from syncd.core.plan import Held

_UNITS = ("KiB", "MiB", "GiB", "TiB", "PiB")


def count(number: int, word: str) -> str:
    """`1 file`, `2 files`."""
    return f"{number} {word}" if number == 1 else f"{number} {word}s"


def size_text(size: int) -> str:
    """`512 bytes`, `3.4 MiB`."""
    if size < 1024:
        return count(size, "byte")
    power = min((size.bit_length() - 1) // 10, len(_UNITS))
    return f"{size / 1024**power:.1f} {_UNITS[power - 1]}"


def clock_text(at: float, now: float) -> str:
    """`14:03` for a time of today, `2026-11-02 14:03` for another."""
    local = datetime.fromtimestamp(at)
    is_today = local.date() == datetime.fromtimestamp(now).date()
    return f"{local:%H:%M}" if is_today else f"{local:%Y-%m-%d %H:%M}"


def time_text(at: float, now: float) -> str:
    """A time for people: "14:03 (2 min ago)", "2026-11-02 14:03 (in 3 days)"."""
    span = duration_text(abs(at - now))
    return f"{clock_text(at, now)} ({f'{span} ago' if at <= now else f'in {span}'})"


def duration_text(seconds: float) -> str:
    """About how long, in the largest unit that fits."""
    for unit, length in (("day", 86_400), ("h", 3_600), ("min", 60)):
        if seconds >= length:
            number = int(seconds // length)
            return f"{number} {unit}{'s' if unit == 'day' and number > 1 else ''}"
    return f"{int(seconds)} s"


def held_text(held: Held) -> str:
    """One attachment that the guard holds back."""
    return f"{held.action} {held.name} (id {held.id}, {size_text(held.size)}): {held.reason}"
