"""What no single key can know: twins, folders in folders, secrets in synced folders."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from syncd.config.section import Report
from syncd.config.settings import FolderEntry
from syncd.config.words import Path, dotted, show
from syncd.model import TaskKey
from syncd.secrets import KeySource

_TASK_FOLDER = re.compile(r"[0-9]+(?:[ _-].*)?", re.ASCII | re.DOTALL)

Placed = tuple[Path, FolderEntry]
"""An entry and where it stands in the config; its path is "" if that is faulty."""


@dataclass
class Checked:
    """What is looked at together; faulty parts are empty."""

    file: str
    key_source: KeySource | None
    state_dir: str
    entries: list[Placed]
    roots: dict[str, list[Placed]] = field(default_factory=dict)
    """The entries by the directory they really mean, links resolved."""


def check(report: Report, checked: Checked) -> None:
    """Report everything that the entries and the files do to each other."""
    for placed in checked.entries:
        if placed[1].path:
            checked.roots.setdefault(os.path.realpath(placed[1].path), []).append(placed)
    _twins(report, checked.entries)
    for placed in checked.entries:
        if placed[1].path:
            _nested(report, checked, placed)
    _own_files(report, checked)


def _twins(report: Report, entries: list[Placed]) -> None:
    tasks: dict[TaskKey, Path] = {}
    names: dict[str, Path] = {}
    for where, entry in entries:
        if entry.task is not None:
            first = tasks.setdefault(entry.task, where)
            if first != where:
                message = f"{entry.task} is already that of {_at(report, first)}"
                report.add((*where, "task_id"), message, "a task is one folder: remove an entry")
        if entry.kind == "path" and entry.path:
            first = names.setdefault(entry.name, where)
            if first != where:
                message = f"{show(entry.name)} is already the name of {_at(report, first)}"
                report.add((*where, "name"), message, "give this folder a `name:` of its own")


def _nested(report: Report, checked: Checked, placed: Placed) -> None:
    where, entry = placed
    for (other_where, other), rest in _around(checked, os.path.realpath(entry.path)):
        if other_where == where:
            continue
        relation = _clash(entry, other, rest)
        if relation == "twice" and other_where > where:
            continue  # told once, of the second
        if relation:
            message, hint = {
                "twice": ("is the same directory as that of", "remove one of the two"),
                "task": ("is already synced by its number through", "remove one of the two"),
                "inside": (
                    "lies inside the recursive folder of",
                    f"set recursive: false for {dotted(other_where)}, or move this folder out",
                ),
            }[relation]
            report.add((*where, entry.kind), f"{message} {_at(report, other_where)}", hint)


def _clash(entry: FolderEntry, other: FolderEntry, rest: tuple[str, ...]) -> str:
    """How `entry`, at `rest` below `other`, is synced a second time by it; "" = it is not."""
    deep = other.rules.recursive
    if other.kind == "path":
        # The subfolders of an `each` parent lie inside even where the parent is the folder itself.
        return "inside" if deep and (rest or entry.kind == "each") else ""
    if not rest:
        return "twice" if entry.kind == "each" else ""
    if not _TASK_FOLDER.fullmatch(rest[0]):
        return ""
    if len(rest) == 1 and entry.kind == "path":
        return "task"
    return "inside" if deep else ""


def _own_files(report: Report, checked: Checked) -> None:
    source = checked.key_source
    secret = source.words[0] if source and source.kind == "token_file" else ""
    own = (
        (secret, ("api", "token_file"), "the key would be uploaded: move it out"),
        (checked.state_dir, ("state_dir",), "move it out: syncd must not sync its own state"),
        (checked.file, (), "move the config out: it would be uploaded too"),
    )
    for path, key, hint in own:
        if not path:
            continue
        for (where, holder), rest in _around(checked, os.path.realpath(path)):
            if holder.kind == "each" and not (rest and _TASK_FOLDER.fullmatch(rest[0])):
                continue
            if key and report.has(key):
                report.add(key, f"lies inside the synced folder of {_at(report, where)}", hint)
            else:
                what = "the config itself" if not key else f"state_dir (by default {show(path)})"
                message = f"{what} lies inside this folder"
                report.add((*where, holder.kind), message, hint)


def _around(checked: Checked, path: str) -> Iterator[tuple[Placed, tuple[str, ...]]]:
    """The entries whose directory is this path or holds it, with the way down from there."""
    rest: tuple[str, ...] = ()
    while True:
        for placed in checked.roots.get(path, ()):
            yield placed, rest
        parent, last = os.path.split(path)
        if parent == path:
            return
        path, rest = parent, (last, *rest)


def _at(report: Report, where: Path) -> str:
    return f"{dotted(where)} on line {report.line(where)}"
