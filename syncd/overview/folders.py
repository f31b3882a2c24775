"""From the entries of a config to the folders to sync; `each:` parents are expanded."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from syncd.config import Config, FolderEntry
from syncd.engine.report import PARTLY, FolderReport, Trouble
from syncd.errors import FolderError, UsageError
from syncd.local.task_folders import MAX_TASK_ID, find_task_folders
from syncd.local.watcher import WatchTarget
from syncd.model import Folder, TaskKey
from syncd.state.ledger import Ledger

PARENT = "each:"


@dataclass(frozen=True)
class Target:
    """One folder to sync, with the times of its entry; seconds."""

    folder: Folder
    settle: float
    rescan: float
    refresh: float
    parent: str | None = None
    """The `each:` parent that it was found in."""


@dataclass(frozen=True)
class RemovedFolder:
    """A folder that was synced and left the config, or its `each:` parent.

    Its attachments stay as they are.
    """

    task: TaskKey
    path: str
    attachments: int

    def __str__(self) -> str:
        count = f"{self.attachments} attachment{'s' if self.attachments != 1 else ''}"
        return (
            f"{self.path} left: {self.task} and its {count} stay as they are, detached, "
            "until the folder comes back"
        )


@dataclass(frozen=True)
class Folders:
    """The folders of a config as the disk holds them at one moment."""

    targets: tuple[Target, ...]
    errors: tuple[FolderReport, ...]
    """`each:` parents that cannot be read, and subfolders that cannot be synced."""
    removed: tuple[RemovedFolder, ...]
    parents: tuple[str, ...]
    """All `each:` parents."""


def find_folders(config: Config, ledger: Ledger) -> Folders:
    """Expand the config. Of two folders of one task, the known one goes on."""
    known = {task: folder for task, _, folder, _ in ledger.tasks()}
    targets = [_explicit(entry) for entry in config.entries if entry.task is not None]
    taken = {target.folder.task: target.folder.path for target in targets}
    errors: list[FolderReport] = []
    unread: set[str] = set()
    for entry in config.entries:
        if entry.task is not None:
            continue
        try:
            found = list(_expand(entry, config.api.url))
        except FolderError as error:
            unread.add(entry.path)
            errors.append(_error(entry.name, entry.path, None, str(error)))
            continue
        found.sort(key=lambda t: known.get(t.folder.task) != t.folder.path)
        for target in found:
            task = target.folder.task
            if task.task_id > MAX_TASK_ID:
                text = f"{task.task_id} is no task's number: rename the folder"
                errors.append(_error(target.folder.name, target.folder.path, None, text))
            elif task in taken:
                text = f"{task} is fed by {taken[task]} already: rename one of the two folders"
                errors.append(_error(target.folder.name, target.folder.path, task.task_id, text))
            else:
                taken[task] = target.folder.path
                targets.append(target)
    removed = _removed(config, ledger, taken.keys(), unread)
    parents = tuple(e.path for e in config.entries if e.task is None)
    return Folders(tuple(targets), tuple(errors), removed, parents)


def watches(folders: Folders) -> dict[str, WatchTarget]:
    """The directories to watch, by the task's text or, for a parent, its path after `PARENT`."""
    wanted = {
        repr(t.folder.task): WatchTarget(t.folder.path, t.folder.rules.recursive)
        for t in folders.targets
    }
    return wanted | {
        f"{PARENT}{path}": WatchTarget(path, directories_only=True) for path in folders.parents
    }


def register(config: Config, ledger: Ledger, targets: Iterable[Target]) -> None:
    """Record which folder each task is synced from, to notice later that the folder left."""
    ledger.register((t.folder.task, config.file, t.folder.path, t.parent) for t in targets)


def _explicit(entry: FolderEntry) -> Target:
    assert entry.task is not None
    folder = Folder(entry.name, entry.path, entry.task, entry.rules)
    return Target(folder, entry.settle, entry.rescan, entry.refresh)


def _expand(entry: FolderEntry, url: str) -> Iterable[Target]:
    for task_id, name, path in find_task_folders(entry.path):
        task = TaskKey(url, entry.organization_id, entry.workspace_id, task_id)
        folder = Folder(name, path, task, entry.rules)
        yield Target(folder, entry.settle, entry.rescan, entry.refresh, entry.path)


def _removed(
    config: Config, ledger: Ledger, taken: Iterable[TaskKey], unread: set[str]
) -> tuple[RemovedFolder, ...]:
    """Folders that this config synced before; those of other configs are not looked at."""
    here = set(taken)
    removed: list[RemovedFolder] = []
    for task, config_file, folder, parent in ledger.tasks():
        if task in here or config_file != config.file or parent in unread or folder is None:
            continue
        if task.url != config.api.url:
            continue
        state = ledger.state(task)
        ours = sum(e.role in ("current", "detached") for e in state.entries.values())
        ours += len(state.in_doubt)  # sent, and not listed yet
        if ours:
            removed.append(RemovedFolder(task, folder, ours))
    return tuple(removed)


def _error(name: str, path: str, task_id: int | None, text: str) -> FolderReport:
    return FolderReport(name, path, task_id, Trouble(PARTLY, text))


def choose(
    folders: Folders, wanted: Sequence[str] | None
) -> tuple[list[Target], list[FolderReport]]:
    """The folders that `--folder` names, or all. Raises UsageError for an unknown one."""
    if wanted is None:
        return list(folders.targets), list(folders.errors)

    def is_wanted(text: str, name: str, path: str, parent: str | None = None) -> bool:
        return text == name or any(_is_same_path(text, p) for p in (path, parent) if p)

    for text in wanted:
        known = [(t.folder.name, t.folder.path) for t in folders.targets]
        known += [(r.name, r.path) for r in folders.errors]
        is_parent = any(_is_same_path(text, parent) for parent in folders.parents)
        if not is_parent and not any(is_wanted(text, *place) for place in known):
            names = ", ".join(name for name, _ in known) or "none"
            raise UsageError(f"--folder {text}: no such folder in the config (there is: {names})")
    return (
        [
            t
            for t in folders.targets
            if any(is_wanted(w, t.folder.name, t.folder.path, t.parent) for w in wanted)
        ],
        [r for r in folders.errors if any(is_wanted(w, r.name, r.path) for w in wanted)],
    )


def _is_same_path(one: str, other: str) -> bool:
    """Whether two spellings name one folder."""
    return os.path.realpath(one) == os.path.realpath(other)
