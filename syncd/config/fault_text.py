"""How fault messages name a config key and describe its value."""

from __future__ import annotations

from syncd.text import shortened

KeyPath = tuple[str | int, ...]
"""The keys and list positions that lead to a value: `("folders", 1, "task_id")`."""


def dotted(path: KeyPath) -> str:
    """`("folders", 1, "task_id")` -> `folders[1].task_id`, safe to print."""
    text = ""
    for part in path:
        if isinstance(part, int):
            text += f"[{part}]"
        else:
            text += ("." if text else "") + shortened(part)
    return text


def describe(value: object) -> str:
    """A value in a few words, safe to print."""
    if value is None:
        return "empty"
    if isinstance(value, bool):
        return f"the switch {str(value).lower()}"
    if isinstance(value, int | float):
        return f"the number {shortened(str(value))}"
    if isinstance(value, str):
        return f'"{shortened(value)}"'
    return "a list" if isinstance(value, list) else "a section"
