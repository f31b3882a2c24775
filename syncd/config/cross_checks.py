"""Finds conflicts between entries (one task, name or directory twice, a folder inside another),
and files of syncd itself that lie in a synced folder."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator

from syncd.config.faults import FaultReport, KeyPath, describe, dotted
from syncd.config.settings import FolderEntry
from syncd.model import TaskKey

_TASK_FOLDER = re.compile(r"[0-9]+(?:[ _-].*)?", re.ASCII | re.DOTALL)

PlacedEntry = tuple[KeyPath, FolderEntry]
"""An entry, and its key path in the config. The entry's own path is "" if it is faulty."""


Directories = dict[str, list[PlacedEntry]]
"""The entries by the real path of their directory, symbolic links resolved."""


def check(
    report: FaultReport,
    entries: list[PlacedEntry],
    config: str,
    token_file: str | None,
    state_dir: str,
) -> None:
    """Report every conflict between the entries, and own files that an entry would sync."""
    directories: Directories = {}
    for placed in entries:
        if placed[1].path:
            directories.setdefault(os.path.realpath(placed[1].path), []).append(placed)
    _check_duplicates(report, entries)
    for placed in entries:
        if placed[1].path:
            _check_nesting(report, directories, placed)
    own = (
        (token_file, ("api", "token_file"), "the key would be uploaded: move it out"),
        (state_dir, ("state_dir",), "move it out: syncd must not sync its own state"),
        (config, (), "move the config out: it would be uploaded too"),
    )
    for path, key, hint in own:
        if path:
            _check_own_file(report, directories, path, key, hint)


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


def _check_nesting(report: FaultReport, directories: Directories, placed: PlacedEntry) -> None:
    where, entry = placed
    for (other_where, other), inner in _entries_around(directories, entry.path):
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


def _check_own_file(
    report: FaultReport, directories: Directories, path: str, key: KeyPath, hint: str
) -> None:
    """Report a file or directory of syncd that an entry would sync, at its key if it has one."""
    for (where, entry), inner in _entries_around(directories, path):
        if entry.kind == "each" and not (inner and _TASK_FOLDER.fullmatch(inner[0])):
            continue
        if key and key in report.lines:
            report.add(key, f"lies inside the synced folder of {_at(report, where)}", hint)
        else:
            what = f"state_dir (by default {describe(path)})" if key else "the config itself"
            report.add((*where, entry.kind), f"{what} lies inside this folder", hint)


def _entries_around(
    directories: Directories, path: str
) -> Iterator[tuple[PlacedEntry, tuple[str, ...]]]:
    """The entries whose directory is `path` or contains it, each with the names from that
    directory down to `path`."""
    inner: tuple[str, ...] = ()
    path = os.path.realpath(path)
    while True:
        for placed in directories.get(path, ()):
            yield placed, inner
        parent, last = os.path.split(path)
        if parent == path:
            return
        path, inner = parent, (last, *inner)


def _at(report: FaultReport, where: KeyPath) -> str:
    return f"{dotted(where)} on line {report.line(where)}"
