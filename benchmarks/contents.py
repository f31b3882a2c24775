"""Names and contents of made files, known to the sink as well: it can hold them beforehand."""

from __future__ import annotations

NAME = "file {:06d}.txt"
SIZES = 997


def text(number: int) -> str:
    """Different for each number, and of about a thousand different lengths."""
    return f"file {number:06d}{'.' * (number % SIZES)}\n"
