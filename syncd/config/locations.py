"""Where the config is, and where its state goes by default."""

from __future__ import annotations

import os
import pwd

from syncd.errors import ConfigError, Fault

SYSTEM_CONFIG = "/etc/syncd/config.yaml"
SYSTEM_STATE = "/var/lib/syncd"


def find_config(argument: str | None) -> str:
    """The config's absolute path: `-c`, else $SYNCD_CONFIG, else the user's, else the system's.

    A file that `-c` or $SYNCD_CONFIG names must exist; of the other two the first that exists is
    used.
    """
    named = os.environ.get("SYNCD_CONFIG")
    for origin, path in (("-c", argument), ("$SYNCD_CONFIG", named or None)):
        if path is not None:
            if not path or not os.path.lexists(path):
                hint = f"{origin} names it; `syncd init` writes one there"
                raise ConfigError(Fault("there is no such config file", path or '""', hint=hint))
            return os.path.abspath(path)
    candidates = _default_configs()
    for path in candidates:
        if os.path.lexists(path):
            return path
    looked = ", ".join(("-c", "$SYNCD_CONFIG", *candidates))
    hint = "`syncd init` writes one; or name one with -c"
    raise ConfigError(Fault(f"no config found; looked at {looked}", hint=hint))


def is_config_named_or_there(argument: str | None) -> bool:
    """Whether `find_config` has a file to look at, or to complain about."""
    named = argument is not None or bool(os.environ.get("SYNCD_CONFIG"))
    return named or any(map(os.path.lexists, _default_configs()))


def place_for_config(argument: str | None) -> str:
    """Where `syncd init` writes a config, or finds the one to add to. Raises ConfigError."""
    named = argument if argument is not None else os.environ.get("SYNCD_CONFIG") or None
    if named is not None:
        return os.path.abspath(named)
    *users, system = _default_configs()
    is_ours = os.access(system, os.W_OK) and not any(map(os.path.lexists, users))
    if not users or is_ours:
        return system
    return users[0]


def _default_configs() -> list[str]:
    """The user's, if there is a home, and the system's."""
    directory = user_config_dir()
    return [*([] if directory is None else [os.path.join(directory, "config.yaml")]), SYSTEM_CONFIG]


def user_config_dir() -> str | None:
    """Where the user's config and key are by default; None = the user has no home."""
    return _xdg_directory("XDG_CONFIG_HOME", ".config")


def default_state_dir(config: str) -> str | None:
    """The state directory of a config that names none: systemd's $STATE_DIRECTORY, else that of
    `syncd@NAME` for /etc/syncd/NAME.yaml, else the user's. None = the user has no home."""
    given = os.environ.get("STATE_DIRECTORY", "").split(":")[0]
    if os.path.isabs(given):
        return given
    directory, (name, suffix) = os.path.dirname(config), os.path.splitext(os.path.basename(config))
    if (directory, suffix) == (os.path.dirname(SYSTEM_CONFIG), ".yaml"):
        return os.path.join(SYSTEM_STATE, name)
    return _xdg_directory("XDG_STATE_HOME", os.path.join(".local", "state"))


def _xdg_directory(variable: str, default: str) -> str | None:
    """syncd's directory below an XDG base directory; None = there is none, and no home.

    The XDG standard ignores relative bases.
    """
    base: str | None = os.environ.get(variable, "")
    if not base or not os.path.isabs(base):
        base = expand_home(os.path.join("~", default))
    return None if base is None else os.path.join(base, "syncd")


def expand_home(path: str) -> str | None:
    """A path that begins with `~` or `~user`, expanded; None = there is no such home."""
    user, slash, rest = path[1:].partition("/")
    home = "" if user else os.environ.get("HOME", "")
    if not os.path.isabs(home):
        try:
            home = (pwd.getpwnam(user) if user else pwd.getpwuid(os.getuid())).pw_dir
        except KeyError:
            return None
    return home + slash + rest if os.path.isabs(home) else None
