"""The parameters of the two creates, in the query, the form or both; and how long they get."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal
from urllib.parse import quote

CreateParams = Literal["query", "form", "both"]
Pairs = list[tuple[str, str]]

LIMIT = 6 * 1024
"""Bytes a request line may have: `METHOD SP target SP HTTP/1.1`."""
WIDEST_ORDER = 2**31 - 1
_FIXED, _PER_FILE, _PER_CHARACTER = 64, 64, 12
"""Bytes that these take at most, encoded: most batches are known to fit by this alone."""


def parameters(names: Sequence[str], orders: Sequence[int], *, bulk: bool) -> tuple[Pairs, Pairs]:
    """The names and the display orders of a create, each with its parameter's name."""
    if not bulk:
        return [("name", names[0])], [("display_order", str(orders[0]))]
    return (
        [(f"names[{i}]", name) for i, name in enumerate(names)],
        [(f"display_orders[{i}]", str(order)) for i, order in enumerate(orders)],
    )


def encoded(pairs: Sequence[tuple[str, str]]) -> str:
    """A query string; every byte but the unreserved ones as %XX."""
    return "&".join(f"{quote(name, safe='')}={_quoted(value)}" for name, value in pairs)


def _quoted(value: str) -> str:
    return quote(value, safe="", errors="surrogatepass")


def target(path: str, pairs: Sequence[tuple[str, str]]) -> str:
    return f"{path}?{encoded(pairs)}" if pairs else path


def query_size(path: str, pairs: Sequence[tuple[str, str]], method: str = "POST") -> int:
    """Bytes of the request line for a target path (the base URL's own path included)."""
    return len(f"{method} {target(path, pairs)} HTTP/1.1".encode())


def fits_request_line(path: str, names: Sequence[str], orders: Sequence[int] | None = None) -> bool:
    """Whether a create of these files, with names and numbers in its query, is short enough.

    `path` is the task's attachments path; without `orders` the widest number is assumed.
    """
    widest = len(path) + _FIXED + sum(_PER_FILE + _PER_CHARACTER * len(name) for name in names)
    if not names or widest <= LIMIT:
        return True
    bulk = len(names) > 1
    numbers = orders if orders is not None else [WIDEST_ORDER] * len(names)
    named, numbered = parameters(names, numbers, bulk=bulk)
    full = f"{path}/bulk" if bulk else path
    return query_size(full, [*named, *numbered]) <= LIMIT
