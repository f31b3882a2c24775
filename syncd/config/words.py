"""How faults name keys and show values."""

from __future__ import annotations

Path = tuple[str | int, ...]
"""Where a value stands: `("folders", 1, "task_id")`."""


def dotted(path: Path) -> str:
    """`("folders", 1, "task_id")` -> `folders[1].task_id`, safe to print."""
    text = ""
    for part in path:
        if isinstance(part, int):
            text += f"[{part}]"
        else:
            text += ("." if text else "") + printable(part)
    return text


def show(value: object) -> str:
    """A value in the words of a config's reader, safe to print."""
    if value is None:
        return "empty"
    if isinstance(value, bool):
        return f"the switch {str(value).lower()}"
    if isinstance(value, int | float):
        return f"the number {printable(str(value))}"
    if isinstance(value, str):
        return f'"{printable(value)}"'
    return "a list" if isinstance(value, list) else "a section"


def printable(text: str, limit: int = 80) -> str:
    """Shortened, control characters escaped."""
    short = text if len(text) <= limit else text[: limit - 1] + "…"
    return "".join(c if c.isprintable() else repr(c)[1:-1] for c in short)
