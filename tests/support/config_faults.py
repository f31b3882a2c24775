"""Load a config text, and tell its faults."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from syncd.config import load_config
from syncd.errors import ConfigError, Fault

Faults = Callable[[str], list[Fault]]

API = "api: {url: sandbox, organization_id: 1, workspace_id: 2}\n"
ONE = "folders: [{path: Landing, task_id: 789}]\n"


def load_faults(file: Path, text: str | bytes) -> list[Fault]:
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    found: tuple[Fault, ...] = ()
    try:
        load_config(str(file))
    except ConfigError as error:
        found = error.faults
    assert all(fault.file == str(file) for fault in found)
    return list(found)


def only(found: list[Fault]) -> Fault:
    (fault,) = found
    assert fault.hint, "a fault says how to mend it"
    return fault
