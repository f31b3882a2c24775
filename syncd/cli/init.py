"""`syncd init`: writes a first config, or adds a folder to one, and starts it."""

from __future__ import annotations

import argparse
import os
import sys

from syncd.cli import init_add, init_first
from syncd.cli.errors import INTERRUPTED
from syncd.cli.init_answers import Options
from syncd.cli.init_finish import finish, install_service
from syncd.cli.output import print_error, print_lines
from syncd.config.locations import place_for_config
from syncd.errors import ConfigError, Fault


def run(arguments: argparse.Namespace) -> int:
    """0 if the config is written and `check` likes it; else what `check` says, or the first run."""
    file = place_for_config(arguments.config)
    options = Options.of(arguments)
    asks = sys.stdin.isatty() and not arguments.yes
    is_there = os.path.lexists(file)
    if is_there and arguments.service and options.adds_nothing:
        return install_service(file)
    try:
        added = (init_add if is_there else init_first).write(file, options, asks=asks)
    except (EOFError, KeyboardInterrupt) as error:
        if type(error) not in (EOFError, KeyboardInterrupt):
            raise  # SIGTERM
        print_lines("", error=True)
        print_error("stopped: nothing was written")
        return INTERRUPTED
    except OSError as error:
        message = f"cannot be written ({error.strerror}): nothing was written"
        fault = Fault(message, error.filename or file, hint="name another place with -c")
        raise ConfigError(fault) from error
    if added is None:
        return 0
    return finish(arguments, file, added, asks=asks)
