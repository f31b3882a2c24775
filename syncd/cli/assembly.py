"""Make the parts that work on a config, and connect them."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import NamedTuple

from syncd.config import Config
from syncd.engine.context import Context, NoTally, Progress, Tally
from syncd.focus.client import FocusClient
from syncd.focus.transport import HttpTransport
from syncd.model import TaskKey
from syncd.overview.status import quota_meter
from syncd.state.ledger import Ledger
from syncd.state.lock import StateLock, make_state_dir

SANDBOX_KEY = "toggl_sk_" + "0" * 32
"""The built-in sandbox takes any key; this one is nobody's."""


class Hooks(NamedTuple):
    """What the runner of cycles is told, and how it stops them."""

    progress: Progress = Progress()
    sleep: Callable[[float], None] = time.sleep
    pulse: Callable[[], None] = lambda: None
    checkpoint: Callable[[], None] = lambda: None
    """Called where work can be left, before each request too: raises Stopped if it is to be."""


class Assembly(NamedTuple):
    """A config, and everything that works on it."""

    config: Config
    context: Context
    transport: HttpTransport
    key: str
    url: str
    """The server's address; of the built-in sandbox with the port that it took."""


@contextmanager
def assemble(
    config: Config, *, writing: bool, hooks: Hooks, key: str | None = None
) -> Iterator[Assembly]:
    """Take the lock, open the ledger (to read only: a copy of it), read the key unless it is
    given, make the client.

    Raises StateError, and ConfigError for the key source.
    """
    with ExitStack() as stack:
        if writing:
            make_state_dir(config.state_dir)
            stack.enter_context(StateLock(config.state_dir))
        key = read_key(config) if key is None else key
        ledger = Ledger.open(config.state_dir) if writing else Ledger.snapshot(config.state_dir)
        stack.callback(ledger.close)
        if writing:
            ledger.prove_writable()
        url = _url(config, stack)
        context, transport = connect(config, ledger, key, url, hooks)
        stack.callback(transport.close)
        yield Assembly(config, context, transport, key, url)


def connect(
    config: Config, ledger: Ledger, key: str, url: str, hooks: Hooks
) -> tuple[Context, HttpTransport]:
    """Make client and quota meter by the section `api`."""
    api = config.api
    meter = quota_meter(api, ledger, time.time)
    transport = HttpTransport(url, key, timeout=api.timeout, connections=api.connections)

    tally = _tally(config, ledger)

    def sending(task: TaskKey, call: str) -> None:
        hooks.checkpoint()
        meter.sending(task, call)
        tally.add("requests", call)
        organization = task.organization_id
        hooks.progress.requested(meter.requests.total, lambda: meter.left(organization))

    client = FocusClient(
        transport,
        create_params=api.create_params,
        on_answer=meter.answered,
        on_request=sending,
        sleep=hooks.sleep,
    )
    context = Context(
        remote=client,
        ledger=ledger,
        quota=meter,
        clock=time.time,
        sleep=hooks.sleep,
        progress=hooks.progress,
        connections=api.connections,
        max_batch_bytes=api.max_batch_bytes,
        pulse=hooks.pulse,
        checkpoint=hooks.checkpoint,
        tally=tally,
    )
    return context, transport


def _tally(config: Config, ledger: Ledger) -> Tally:
    """The totals for `metrics_file`; without it nothing is counted."""
    if config.metrics_file is None:
        return NoTally()
    from syncd.state.counters import Counters

    return Counters(ledger)


def read_key(config: Config) -> str:
    """Read the key from its source; the sandbox needs none."""
    if config.api.sandbox:
        return SANDBOX_KEY
    assert config.api.key_source is not None
    return config.api.key_source.read()


def _url(config: Config, stack: ExitStack) -> str:
    """The server's address; starts the built-in sandbox, which ends with the assembly."""
    if not config.api.sandbox:
        return config.api.url
    from syncd.sandbox.api import FocusApi
    from syncd.sandbox.server import Sandbox

    kept = os.path.isdir(config.state_dir)
    data = os.path.join(config.state_dir, "sandbox") if kept else None
    return stack.enter_context(Sandbox(FocusApi(data_dir=data))).url
