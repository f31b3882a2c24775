"""Files that come with the package: the example config, the units, the style sheet of the page."""

from __future__ import annotations

from importlib.resources import files
from importlib.resources.abc import Traversable


def packaged(name: str) -> str:
    """The text of one."""
    return packaged_path(name).read_text(encoding="utf-8")


def packaged_path(name: str) -> Traversable:
    """Where it is."""
    return files("syncd").joinpath("data", name)
