"""Which config counts, and where state goes when it does not say."""

from __future__ import annotations

import os

from syncd.errors import ConfigError, Fault

SYSTEM_CONFIG = "/etc/syncd/config.yaml"


def find_config(argument: str | None) -> str:
    """The config's absolute path: `-c`, $SYNCD_CONFIG, the user's own, the system's.

    The first two must exist if they are given; of the others the first that exists counts.
    """
    named = os.environ.get("SYNCD_CONFIG")
    for origin, path in (("-c", argument), ("$SYNCD_CONFIG", named or None)):
        if path is not None:
            if not path or not os.path.lexists(path):
                hint = f"{origin} names it; see config.example.yaml for one to start from"
                raise ConfigError(Fault("there is no such config file", path or '""', hint=hint))
            return os.path.abspath(path)
    places = (os.path.join(_xdg("XDG_CONFIG_HOME", ".config"), "config.yaml"), SYSTEM_CONFIG)
    for path in places:
        if os.path.lexists(path):
            return path
    looked = ", ".join(("-c", "$SYNCD_CONFIG", *places))
    hint = "copy config.example.yaml to one of the two files, or name one with -c"
    raise ConfigError(Fault(f"no config found; looked at {looked}", hint=hint))


def default_state_dir() -> str:
    """Where state goes unless the config says: systemd's place, else the user's own."""
    given = os.environ.get("STATE_DIRECTORY", "").split(":")[0]
    if os.path.isabs(given):
        return given
    return _xdg("XDG_STATE_HOME", os.path.join(".local", "state"))


def _xdg(variable: str, default: str) -> str:
    """syncd's directory under an XDG base; as the standard says, a relative base is ignored."""
    base = os.environ.get(variable, "")
    if not os.path.isabs(base):
        base = os.path.join(os.path.expanduser("~"), default)
    return os.path.join(base, "syncd")
