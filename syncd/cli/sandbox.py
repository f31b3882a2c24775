"""`syncd sandbox`: a local Focus API to try things on."""

from __future__ import annotations

import argparse

from syncd.cli.output import print_lines
from syncd.errors import UsageError
from syncd.sandbox.server import serve


def run(arguments: argparse.Namespace) -> int:
    """Serve until SIGINT or SIGTERM; uploads are kept in memory only."""
    try:
        serve(arguments.port, arguments.quota, lambda line: print_lines(line, flush=True), None)
    except (OSError, OverflowError) as error:
        reason = getattr(error, "strerror", None) or error
        raise UsageError(f"--port {arguments.port}: {reason}") from None
    return 0
