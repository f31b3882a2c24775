"""The name and display_order parameters of creates, and the length of the request line.

docs/api.md leaves open whether the server reads them from the query or from the form.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal
from urllib.parse import quote

CreateParams = Literal["query", "form", "both"]
"""Where a create carries its parameters."""
Pairs = list[tuple[str, str]]
"""Parameter names and values."""

REQUEST_LINE = 6 * 1024
"""Bytes of a request line; our choice: common servers refuse more than 8 KiB."""
_LARGEST_NUMBER = 2**31 - 1
"""The largest display order that syncd sends."""
_REST, _PER_FILE, _PER_CHARACTER = 64, 64, 12
"""Upper bounds in bytes: of the line without path and parameters, of the parameters of one file
without its name, and of one encoded character."""


def create_parameters(names: Sequence[str], orders: Sequence[int], *, bulk: bool) -> Pairs:
    """All names, then all display orders."""
    if not bulk:
        return [("name", names[0]), ("display_order", str(orders[0]))]
    named = [(f"names[{i}]", name) for i, name in enumerate(names)]
    return named + [(f"display_orders[{i}]", str(order)) for i, order in enumerate(orders)]


def target(path: str, query: Sequence[tuple[str, str]]) -> str:
    """The path with its query; every byte that is not unreserved is %XX."""
    pairs = (f"{quote(name, safe='')}={_quoted(value)}" for name, value in query)
    return f"{path}?{'&'.join(pairs)}" if query else path


def _quoted(value: str) -> str:
    return quote(value, safe="", errors="surrogatepass")


def request_line_size(path: str, query: Sequence[tuple[str, str]]) -> int:
    """Bytes of a POST's request line; `path` includes the path of the base URL."""
    return len(f"POST {target(path, query)} HTTP/1.1")


def fits_request_line(path: str, names: Sequence[str]) -> bool:
    """Whether a create of these names is short enough, whatever their display orders.

    `path`: the attachments of the task, including the path of the base URL.
    """
    bound = len(path) + _REST + sum(_PER_FILE + _PER_CHARACTER * len(name) for name in names)
    if not names or bound <= REQUEST_LINE:  # most requests, without encoding anything
        return True
    bulk = len(names) > 1
    query = create_parameters(names, [_LARGEST_NUMBER] * len(names), bulk=bulk)
    return request_line_size(f"{path}/bulk" if bulk else path, query) <= REQUEST_LINE
