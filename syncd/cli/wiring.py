"""Puts the parts together: the only place that knows them all."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field

from syncd.config import Config
from syncd.engine.meter import Meter
from syncd.engine.tools import Progress, Silent, Tools
from syncd.focus.client import FocusClient
from syncd.focus.transport import HttpTransport
from syncd.model import TaskKey
from syncd.state.ledger import Ledger
from syncd.state.lock import StateLock, make_state_dir

SANDBOX_KEY = "toggl_sk_" + "0" * 32
"""The built-in sandbox takes any key; this one is nobody's."""


@dataclass(frozen=True)
class Hooks:
    """What whoever runs cycles wants to hear of, or to decide."""

    progress: Progress = field(default_factory=Silent)
    sleep: Callable[[float], None] = time.sleep
    pulse: Callable[[], None] = lambda: None
    checkpoint: Callable[[], None] = lambda: None
    before_request: Callable[[], None] = lambda: None
    """May raise Stopped, like `checkpoint`."""


@dataclass(frozen=True)
class Workshop:
    """A config with everything that works on it."""

    config: Config
    tools: Tools
    transport: HttpTransport
    key: str
    url: str
    """Where the server really is: the built-in sandbox takes a free port."""


@contextmanager
def open_workshop(config: Config, *, writing: bool, hooks: Hooks) -> Iterator[Workshop]:
    """Lock and ledger (or, to read only, a copy of it), key, client.

    Raises StateError, and ConfigError for the key source.
    """
    with ExitStack() as stack:
        if writing:
            make_state_dir(config.state_dir)
            stack.enter_context(StateLock(config.state_dir))
        key = read_key(config)
        ledger = Ledger.open(config.state_dir) if writing else Ledger.snapshot(config.state_dir)
        stack.callback(ledger.close)
        if writing:
            ledger.prove_writable()
        url = _url(config, stack)
        tools, transport = equip(config, ledger, key, url, hooks)
        stack.callback(transport.close)
        yield Workshop(config, tools, transport, key, url)


def equip(
    config: Config, ledger: Ledger, key: str, url: str, hooks: Hooks
) -> tuple[Tools, HttpTransport]:
    """Client and meter as the section `api` wants them."""
    api = config.api
    meter = Meter(api.url, ledger, time.time, configured=api.quota, reserve=api.quota_reserve)
    transport = HttpTransport(url, key, timeout=api.timeout, connections=api.connections)

    def sending(task: TaskKey, method: str) -> None:
        hooks.checkpoint()
        hooks.before_request()
        meter.sending(task, method)

    client = FocusClient(
        transport,
        create_params=api.create_params,
        on_answer=meter.answered,
        on_request=sending,
        sleep=hooks.sleep,
    )
    tools = Tools(
        client=client,
        ledger=ledger,
        meter=meter,
        clock=time.time,
        sleep=hooks.sleep,
        progress=hooks.progress,
        connections=api.connections,
        max_batch_bytes=api.max_batch_bytes,
        pulse=hooks.pulse,
        checkpoint=hooks.checkpoint,
    )
    return tools, transport


def read_key(config: Config) -> str:
    """The key as it is now; the sandbox needs none."""
    if config.api.sandbox:
        return SANDBOX_KEY
    assert config.api.key_source is not None
    return config.api.key_source.read()


def _url(config: Config, stack: ExitStack) -> str:
    """The server's address; the built-in sandbox is started for as long as it is needed."""
    if not config.api.sandbox:
        return config.api.url
    from syncd.sandbox.server import Sandbox

    kept = os.path.isdir(config.state_dir)
    data = os.path.join(config.state_dir, "sandbox") if kept else None
    return stack.enter_context(Sandbox(data_dir=data)).url
