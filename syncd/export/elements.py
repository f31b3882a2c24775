"""HTML by function calls: what is no markup yet is escaped, here and nowhere else."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape

from syncd.text import sanitized

_EMPTY = {"meta", "link"}
"""Elements without an end tag."""


class Markup(str):
    """Text that is HTML already."""

    __slots__ = ()


def element(tag: str, *children: str | None, **attributes: str | int | None) -> Markup:
    """An element; None is left out. `class_` is the attribute class, `aria_label` aria-label."""
    pairs = [
        f' {name.rstrip("_").replace("_", "-")}="{escaped(str(value))}"'
        for name, value in attributes.items()
        if value is not None
    ]
    start = f"<{tag}{''.join(pairs)}>"
    return Markup(start if tag in _EMPTY else f"{start}{together(*children)}</{tag}>")


def together(*children: str | None) -> Markup:
    """Children without an element around them."""
    return Markup("".join(escaped(child) for child in children if child is not None))


def table(
    caption: str, columns: Iterable[tuple[str, str | None]], rows: Iterable[Markup]
) -> Markup:
    """A table; `columns`: the name of each ("" = none), and its class."""
    heads = (
        element("th", name, scope="col", class_=class_) if name else element("td", class_=class_)
        for name, class_ in columns
    )
    return element(
        "table",
        element("caption", caption),
        element("thead", element("tr", *heads)),
        element("tbody", *rows),
    )


def escaped(text: str) -> Markup:
    """Text that a file, a server or we have named: without keys, control characters visible."""
    return text if isinstance(text, Markup) else Markup(escape(sanitized(text)))
