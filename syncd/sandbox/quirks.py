"""Settings for what the API's documentation leaves open (docs/api.md)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal


@dataclass
class Quirks:
    """May change at any time; the defaults are the least helpful server that the docs allow."""

    key: str | None = None
    """The accepted key; None = any that is not empty."""
    quota: int | None = 30
    """Requests per window and organization; None = no quota and no headers."""
    quota_window: float = 3600.0
    """Seconds."""
    quota_headers: bool = True
    params: Literal["both", "query", "form"] = "both"
    """Where creates read name and display order; with `both` the query wins."""
    ids_in_201: Literal["none", "object", "array", "items"] = "none"
    """The body of a 201; with `object` a bulk create answers an array."""
    rewrite_name: Callable[[str], str] | None = None
    unique_names: Literal[False, "refuse", "suffix"] = False
    name_limit: int | None = None
    """Characters; a longer name gets 400."""
    orders: Literal["kept", "ignored", "renumbered"] = "kept"
    """ignored: the server assigns its own numbers · renumbered: 1 … N after every write."""
    max_file_size: int | None = None
    """Bytes; a larger file gets 413."""
    max_request_size: int | None = None
    """Bytes; a larger body gets 413."""
    poison: Callable[[str], bool] | None = None
    """Names whose files get `poison_status`."""
    poison_status: int = 400
    list_lag: float = 0.0
    """Seconds until the list shows a write; `view` shows it at once."""
    list_deleted: bool = False
    """The list also shows deleted rows, with deleted_at set."""
    list_body: Callable[[], bytes] | None = None
    """Replaces the body of every list."""
    view_soft_deleted: bool = True
    """`view` of a deleted row: 200 with deleted_at set, or 404."""
    task_gone: Literal[None, 400, 403, 404, "empty"] = None
    """The response of a task that is gone; `empty`: an empty list, and 404 for all other calls."""
    gone_tasks: frozenset[int] | None = None
    """Ids of the tasks that are gone while `task_gone` is set; None = all."""
    created_fraction: bool = False
    """Times have microseconds; else whole seconds, rounded down."""
