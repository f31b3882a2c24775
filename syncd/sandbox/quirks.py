"""How this server fills in what the documentation leaves open."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal


@dataclass
class Quirks:
    """Knobs, mutable at any time; the defaults are the hardest server that the docs allow."""

    key: str | None = None
    """The one accepted key; None = any that is not empty."""
    quota: int | None = 30
    """Requests per window and organization; None = no quota and no headers."""
    quota_window: float = 3600.0
    quota_headers: bool = True
    params: Literal["both", "query", "form"] = "both"
    """Where creates read name and order from; with both, the query wins."""
    ids_in_201: Literal["none", "object", "array", "items"] = "none"
    """`object` answers a bulk create with an array."""
    rewrite_name: Callable[[str], str] | None = None
    unique_names: Literal[False, "refuse", "suffix"] = False
    name_limit: int | None = None
    """Characters; a longer name is refused with 400."""
    orders: Literal["kept", "ignored", "renumbered"] = "kept"
    """ignored: the server numbers by itself · renumbered: 1..N after every write."""
    order_limit: int = 2**31 - 1
    """Largest number; beyond it, or below zero, 400."""
    max_file_size: int | None = None
    max_request_size: int | None = None
    max_bulk: int = 10
    poison: Callable[[str], bool] | None = None
    """Names whose file is refused."""
    poison_status: int = 400
    list_lag: float = 0.0
    """Seconds until the list shows a write; `view` shows it at once."""
    list_deleted: bool = False
    """The list carries deleted rows too, with deleted_at set."""
    list_body: Callable[[], bytes] | None = None
    """Replaces the body of every list answer."""
    list_content_type: str = "application/json"
    view_soft_deleted: bool = True
    """200 with deleted_at set; else 404."""
    task_gone: Literal[None, 400, 403, 404, "empty"] = None
    """How the list answers for a task that is gone; creates get 404 where this says `empty`."""
    gone_tasks: frozenset[int] | None = None
    """The tasks that task_gone speaks of; None = every task."""
    created_fraction: bool = False
    """Times carry microseconds; else whole seconds, cut off."""
