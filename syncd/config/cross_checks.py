"""Finds conflicts between entries (one task, name or directory twice, a folder inside another),
and files of syncd itself that lie in a synced folder."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from syncd.config.fault_text import KeyPath, describe, dotted
from syncd.config.section import FaultReport
from syncd.config.settings import FolderEntry
from syncd.model import TaskKey
from syncd.secrets import KeySource

_TASK_FOLDER = re.compile(r"[0-9]+(?:[ _-].*)?", re.ASCII | re.DOTALL)

PlacedEntry = tuple[KeyPath, FolderEntry]
"""An entry, and its key path in the config. The entry's own path is "" if it is faulty."""


@dataclass
class CheckedConfig:
    """The values that are checked against each other; faulty ones are empty."""

    file: str
    key_source: KeySource | None
    state_dir: str
    entries: list[PlacedEntry]
    by_directory: dict[str, list[PlacedEntry]] = field(default_factory=dict)
    """The entries by the real path of their directory, symbolic links resolved."""


def check(report: FaultReport, config: CheckedConfig) -> None:
    """Report every conflict."""
    usable = [placed for placed in config.entries if placed[1].path]
    for placed in usable:
        config.by_directory.setdefault(os.path.realpath(placed[1].path), []).append(placed)
    _check_duplicates(report, config.entries)
    for placed in usable:
        _check_nesting(report, config, placed)
    _check_own_files(report, config)


def _check_duplicates(report: FaultReport, entries: list[PlacedEntry]) -> None:
    tasks: dict[TaskKey, KeyPath] = {}
    names: dict[str, KeyPath] = {}
    for where, entry in entries:
        if entry.task is not None:
            first = tasks.setdefault(entry.task, where)
            if first != where:
                message = f"{entry.task} is already that of {_at(report, first)}"
                report.add((*where, "task_id"), message, "a task is one folder: remove an entry")
        if entry.kind == "path" and entry.path:
            first = names.setdefault(entry.name, where)
            if first != where:
                message = f"{describe(entry.name)} is already the name of {_at(report, first)}"
                report.add((*where, "name"), message, "give this folder a `name:` of its own")


def _check_nesting(report: FaultReport, config: CheckedConfig, placed: PlacedEntry) -> None:
    where, entry = placed
    for (other_where, other), inner in _entries_around(config, os.path.realpath(entry.path)):
        if other_where == where:
            continue
        conflict = _conflict(entry, other, inner)
        if conflict == "same" and other_where > where:
            continue  # reported once, at the second entry
        if conflict:
            message, hint = {
                "same": ("is the same directory as that of", "remove one of the two"),
                "task": ("is already synced by its number through", "remove one of the two"),
                "inside": (
                    "lies inside the recursive folder of",
                    f"set recursive: false for {dotted(other_where)}, or move this folder out",
                ),
            }[conflict]
            report.add((*where, entry.kind), f"{message} {_at(report, other_where)}", hint)


def _conflict(entry: FolderEntry, other: FolderEntry, inner: tuple[str, ...]) -> str:
    """How `other` also syncs the files of `entry`, which lies at `inner` below it; "" = it does
    not."""
    if other.kind == "path":
        # The subfolders of an `each` parent lie inside even if the parent itself is that folder.
        return "inside" if other.rules.recursive and (inner or entry.kind == "each") else ""
    if not inner:
        return "same" if entry.kind == "each" else ""
    if not _TASK_FOLDER.fullmatch(inner[0]):
        return ""
    if len(inner) == 1 and entry.kind == "path":
        return "task"
    return "inside" if other.rules.recursive else ""


def _check_own_files(report: FaultReport, config: CheckedConfig) -> None:
    source = config.key_source
    token_file = source.location[0] if source and source.kind == "token_file" else ""
    own = (
        (token_file, ("api", "token_file"), "the key would be uploaded: move it out"),
        (config.state_dir, ("state_dir",), "move it out: syncd must not sync its own state"),
        (config.file, (), "move the config out: it would be uploaded too"),
    )
    for path, key, hint in own:
        if not path:
            continue
        for (where, entry), inner in _entries_around(config, os.path.realpath(path)):
            if entry.kind == "each" and not (inner and _TASK_FOLDER.fullmatch(inner[0])):
                continue
            if key and report.has(key):
                report.add(key, f"lies inside the synced folder of {_at(report, where)}", hint)
            else:
                what = f"state_dir (by default {describe(path)})" if key else "the config itself"
                report.add((*where, entry.kind), f"{what} lies inside this folder", hint)


def _entries_around(
    config: CheckedConfig, path: str
) -> Iterator[tuple[PlacedEntry, tuple[str, ...]]]:
    """The entries whose directory is `path` or contains it, each with the names from that
    directory down to `path`."""
    inner: tuple[str, ...] = ()
    while True:
        for placed in config.by_directory.get(path, ()):
            yield placed, inner
        parent, last = os.path.split(path)
        if parent == path:
            return
        path, inner = parent, (last, *inner)


def _at(report: FaultReport, where: KeyPath) -> str:
    return f"{dotted(where)} on line {report.line(where)}"
