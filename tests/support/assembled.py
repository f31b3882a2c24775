"""The engine's context, put together as the program does it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from syncd.engine.context import Context, Progress
from syncd.engine.quota import QuotaMeter
from syncd.focus.client import FocusClient
from syncd.focus.transport import HttpTransport
from syncd.state.ledger import Ledger


def context_of(
    url: str,
    transport: HttpTransport,
    ledger: Ledger,
    clock: Callable[[], float],
    sleep: Callable[[float], None],
    *,
    quota: int | None = None,
    reserve: int = 5,
    connections: int = 1,
    max_batch_bytes: int = 1 << 20,
    progress: Progress | None = None,
    create_params: Any = "both",
) -> Context:
    """`quota` is what the config says of it."""
    meter = QuotaMeter(url, ledger, clock, configured=quota, reserve=reserve)
    client = FocusClient(
        transport,
        create_params=create_params,
        on_answer=meter.answered,
        on_request=meter.sending,
        clock=clock,
        sleep=sleep,
    )
    progress = progress or Progress()
    return Context(client, ledger, meter, clock, sleep, progress, connections, max_batch_bytes)
