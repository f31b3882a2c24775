"""Finds entries that sync a task or a folder twice, and files of syncd itself in synced folders."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping

from syncd.config.section import FaultReport, KeyPath, describe, dotted
from syncd.config.settings import FolderEntry

_TASK_FOLDER = re.compile(r"[0-9]+(?:[ _-].*)?", re.ASCII | re.DOTALL)

PlacedEntry = tuple[KeyPath, FolderEntry]
"""An entry, and its key path in the config. The entry's own path is "" if it is faulty."""
Directories = dict[str, list[PlacedEntry]]
"""The entries by the real path of their directory, symbolic links resolved."""


def check(
    report: FaultReport,
    entries: list[PlacedEntry],
    config: str,
    own_files: Mapping[str, str | None],
    state_dir: str,
) -> None:
    """Report every conflict between the entries, and own files that an entry would sync."""
    directories: Directories = {}
    usable = [placed for placed in entries if placed[1].path]
    for placed in usable:
        directories.setdefault(os.path.realpath(placed[1].path), []).append(placed)
    _check_duplicates(report, entries)
    _check_outputs(report, own_files, config)
    for placed in usable:
        _check_nesting(report, directories, placed)
    written = "move it out: syncd would upload it each time that it writes it"
    own: tuple[tuple[str | None, KeyPath, str], ...] = (
        (own_files["token_file"], ("api", "token_file"), "the key would be uploaded: move it out"),
        (own_files["status_page"], ("status_page",), written),
        (own_files["metrics_file"], ("metrics_file",), written),
        (state_dir, ("state_dir",), "move it out: syncd must not sync its own state"),
        (config, (), "move the config out: it would be uploaded too"),
    )
    for path, key, hint in own:
        if path:
            _check_own_file(report, directories, path, key, hint)


def _check_duplicates(report: FaultReport, entries: list[PlacedEntry]) -> None:
    first: dict[tuple[str, object], KeyPath] = {}
    for where, entry in entries:
        name = entry.name if entry.kind == "path" and entry.path else None
        for key, value, shown, hint in (
            ("task_id", entry.task, entry.task, "a task is one folder: remove an entry"),
            ("name", name, describe(name), "give this folder a `name:` of its own"),
        ):
            other = where if value is None else first.setdefault((key, value), where)
            if other != where:
                message = f"{shown} is already that of {_at(report, other)}"
                report.add((*where, key), message, hint)


def _check_outputs(report: FaultReport, own_files: Mapping[str, str | None], config: str) -> None:
    """Report a page or metrics that cannot be a file, or would replace another one."""
    taken = {os.path.realpath(config): "the config itself"}
    if token_file := own_files["token_file"]:
        taken[os.path.realpath(token_file)] = "the file of api.token_file"
    for key in ("status_page", "metrics_file"):
        if not (path := own_files[key]):
            continue
        real = os.path.realpath(path)
        if os.path.isdir(real):
            hint = "name a file in it"
            report.add((key,), f"is a directory: {describe(path)}", hint)
        elif real in taken:
            report.add((key,), f"is {taken[real]}", "name a file of its own")
        taken[real] = f"the file of {key}"


def _check_nesting(report: FaultReport, directories: Directories, placed: PlacedEntry) -> None:
    where, entry = placed
    for (other_where, other), inner in _entries_around(directories, entry.path):
        alike = not inner and entry.kind == other.kind
        told = other_where == where or (alike and other_where > where)  # at the second entry
        if not told and _syncs(other, inner, entry.kind):
            message = f"is synced already by {_at(report, other_where)}"
            hint = f"remove one of the two, or set recursive: false for {dotted(other_where)}"
            report.add((*where, entry.kind), message, hint)


def _syncs(entry: FolderEntry, inner: tuple[str, ...], kind: str) -> bool:
    """Whether an entry syncs files of another one of this kind, which lies at `inner` below it."""
    if entry.kind == "path":
        # The subfolders of an `each` parent lie inside even if the parent itself is that folder.
        return entry.rules.recursive and (inner != () or kind == "each")
    if not inner:
        return kind == "each"
    is_task = len(inner) == 1 and kind == "path"
    return bool(_TASK_FOLDER.fullmatch(inner[0])) and (is_task or entry.rules.recursive)


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
