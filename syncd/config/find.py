"""Which config counts, and where state goes when it does not say."""

from __future__ import annotations

import os
import pwd

from syncd.errors import ConfigError, Fault

SYSTEM_CONFIG = "/etc/syncd/config.yaml"
SYSTEM_STATE = "/var/lib/syncd"


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
    own = _xdg("XDG_CONFIG_HOME", ".config")
    places = ([os.path.join(own, "config.yaml")] if own is not None else []) + [SYSTEM_CONFIG]
    for path in places:
        if os.path.lexists(path):
            return path
    looked = ", ".join(("-c", "$SYNCD_CONFIG", *places))
    hint = "copy config.example.yaml to one of these files, or name one with -c"
    raise ConfigError(Fault(f"no config found; looked at {looked}", hint=hint))


def default_state_dir(config: str) -> str | None:
    """Where the state of this config goes unless it says so itself: where systemd says; where
    `syncd@NAME` keeps it; the user's own place. None = the user has no home directory."""
    given = os.environ.get("STATE_DIRECTORY", "").split(":")[0]
    if os.path.isabs(given):
        return given
    directory, (name, suffix) = os.path.dirname(config), os.path.splitext(os.path.basename(config))
    if (directory, suffix) == (os.path.dirname(SYSTEM_CONFIG), ".yaml"):
        return os.path.join(SYSTEM_STATE, name)
    return _xdg("XDG_STATE_HOME", os.path.join(".local", "state"))


def _xdg(variable: str, default: str) -> str | None:
    """syncd's directory under an XDG base; as the standard says, a relative base is ignored."""
    base = os.environ.get(variable, "")
    if not os.path.isabs(base):
        own = home()
        if own is None:
            return None
        base = os.path.join(own, default)
    return os.path.join(base, "syncd")


def home() -> str | None:
    """The user's home directory, an absolute path; None = neither HOME nor passwd names one."""
    given = os.environ.get("HOME", "")
    if not os.path.isabs(given):
        try:
            given = pwd.getpwuid(os.getuid()).pw_dir
        except KeyError:
            return None
    return given if os.path.isabs(given) else None
