"""Turns a YAML config into frozen settings, and reports every fault at once.

    locations.py      which config file is used, and the default state directory
    yaml_document.py  YAML text -> plain values, with the line of each
    section.py        reads the keys of one mapping, collects faults
    value_parsers.py  parses durations, sizes, numbers, choices, patterns, URLs, paths
    load.py           builds the settings from the keys
    cross_checks.py   finds entries that conflict, and syncd's own files in synced folders
    settings.py       the settings

The API key is read in `syncd.secrets`, not here.
"""

from __future__ import annotations

from syncd.config.locations import find_config
from syncd.config.settings import ApiSettings, Config, FolderEntry

__all__ = ["ApiSettings", "Config", "FolderEntry", "find_config", "load_api", "load_config"]


def load_config(path: str, *, with_key: bool = True) -> Config:
    """The settings in this file. Raises ConfigError with all faults, in order of line.

    With `with_key=False` the key source is not checked, and the settings contain none.
    """
    from syncd.config.load import load  # importing yaml is slow, and --help does not need it

    return load(path, with_key=with_key)


def load_api(path: str, *, with_key: bool = True) -> Config:
    """The section `api` of a config whose other sections may have faults: the folders are those
    that have none."""
    from syncd.config.load import load_api as load  # as above

    return load(path, with_key=with_key)
