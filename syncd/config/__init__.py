"""YAML -> frozen settings: strict, every problem at once, with file, line and key path.

    find.py      which file, and where state goes when the config does not say
    document.py  YAML text -> plain values, with the line of each (the only place that knows yaml)
    section.py   taking keys out of a mapping, one typed parser each, and collecting faults
    values.py    the parsers: durations, sizes, numbers, choices, patterns, URL
    paths.py     `~`, `$VAR`, and paths relative to the config
    load.py      the keys of the contract, and the settings they become
    checks.py    what no single key can know: overlaps, twins, secrets in synced folders
    settings.py  the result

The key itself is never read here: see `syncd.secrets`.
"""

from __future__ import annotations

from syncd.config.find import find_config
from syncd.config.settings import ApiSettings, Config, FolderEntry

__all__ = ["ApiSettings", "Config", "FolderEntry", "find_config", "load_config"]


def load_config(path: str, *, with_key: bool = True) -> Config:
    """The settings in this file. ConfigError with all faults, in order of line.

    For what needs no key, the key source is passed over; there is none in the settings then.
    """
    from syncd.config.load import load  # yaml takes its time; --help does without

    return load(path, with_key=with_key)
