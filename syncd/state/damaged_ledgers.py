"""Set a damaged ledger aside, and tell of those that were."""

from __future__ import annotations

import os
import time
from typing import NamedTuple

_JOURNALS = ("-journal", "-wal", "-shm")
_SET_ASIDE = ".damaged-"
_CONSEQUENCE = (
    "attachments that match no file by name and size count as foreign from then on and are "
    "left alone (`syncd list` shows them)"
)


class DamagedLedger(NamedTuple):
    """A damaged ledger that was set aside, and when (seconds since the epoch)."""

    path: str
    at: float


def set_aside(path: str, damage: str) -> str:
    """Rename a damaged ledger and its journals; returns the message for the user."""
    stamp = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())
    new, number = f"{path}{_SET_ASIDE}{stamp}", 1
    while os.path.lexists(new):
        number += 1
        new = f"{path}{_SET_ASIDE}{stamp}-{number}"
    for suffix in (*_JOURNALS, ""):
        if os.path.exists(path + suffix):
            os.replace(path + suffix, f"{new}{suffix}")
    return f"the ledger {path} was damaged ({damage}): it was set aside as {new}; {_CONSEQUENCE}"


def damage_notice(path: str, damage: str) -> str:
    """The message of a command that may not set the ledger aside itself."""
    return f"the ledger {path} is damaged ({damage}): the next run sets it aside; {_CONSEQUENCE}"


def ledgers_set_aside(state_dir: str) -> list[DamagedLedger]:
    """The damaged ledgers in the state directory, the newest last."""
    try:
        names = sorted(os.listdir(state_dir))
    except OSError:
        return []
    paths = [
        os.path.join(state_dir, name)
        for name in names
        if name.startswith(f"ledger.db{_SET_ASIDE}") and not name.endswith(_JOURNALS)
    ]
    return [DamagedLedger(path, os.stat(path).st_ctime) for path in paths if os.path.isfile(path)]
