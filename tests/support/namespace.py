"""Commands in a mount namespace of their own: what is mounted there, nobody else sees."""

from __future__ import annotations

import functools
import os
import subprocess
from collections.abc import Sequence

UNSHARE = ("unshare", "-m") if os.geteuid() == 0 else ("unshare", "-r", "-m")


@functools.cache
def allowed() -> bool:
    """Whether this machine lets us mount at all: containers often do not."""
    probe = [*UNSHARE, "sh", "-c", "mount -t tmpfs none /mnt"]
    try:
        return subprocess.run(probe, capture_output=True, check=False).returncode == 0
    except OSError:
        return False


def inside(*script: str) -> tuple[str, ...]:
    """What to put before a command: it runs once the script has mounted what it wants."""
    text = "set -e; " + "; ".join((*script, 'exec "$@"'))
    return (*UNSHARE, "sh", "-c", text, "sh")


def and_then(before: Sequence[str], after: Sequence[str]) -> tuple[str, ...]:
    """The same, with something to do when the command has ended."""
    text = "; ".join(("set -e", *before, "set +e", '"$@"', "code=$?", *after, "exit $code"))
    return (*UNSHARE, "sh", "-c", text, "sh")
