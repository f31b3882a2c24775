"""From the entries of a config to the folders to sync; `each:` parents are expanded."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple

from syncd.config import Config, FolderEntry
from syncd.engine.report import PARTLY, FolderReport, Trouble
from syncd.errors import FolderError, UsageError
from syncd.local.task_folders import find_task_folders
from syncd.model import MAX_ID, Folder, TaskKey
from syncd.state.ledger import Ledger

if TYPE_CHECKING:
    from syncd.local.watcher import WatchTarget

PARENT = "each:"


class Target(NamedTuple):
    """One folder to sync, with the times of its entry; seconds."""

    folder: Folder
    settle: float
    rescan: float
    refresh: float
    parent: str | None = None
    """The `each:` parent that it was found in."""


class RemovedFolder(NamedTuple):
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


class Folders(NamedTuple):
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
    targets = [_target(e, e.name, e.path, e.task) for e in config.entries if e.task is not None]
    taken = {target.folder.task: target.folder.path for target in targets}
    errors: list[FolderReport] = []
    parents = [entry for entry in config.entries if entry.task is None]
    unread: set[str] = set()
    for entry in parents:
        try:
            found = list(_expand(entry, config.api.url))
        except FolderError as error:
            unread.add(entry.path)
            errors.append(FolderReport(entry.name, entry.path, None, Trouble(PARTLY, str(error))))
            continue
        found.sort(key=lambda t: known.get(t.folder.task) != t.folder.path)
        for target in found:
            task, path = target.folder.task, target.folder.path
            if task.task_id > MAX_ID:
                text = f"{task.task_id} is no task's number: rename the folder"
                errors.append(FolderReport(target.folder.name, path, None, Trouble(PARTLY, text)))
            elif task in taken:
                text = f"{task} is fed by {taken[task]} already: rename one of the two folders"
                errors.append(FolderReport.of(target.folder, Trouble(PARTLY, text)))
            else:
                taken[task] = path
                targets.append(target)
    removed = tuple(_removed(config, ledger, taken.keys(), unread))
    return Folders(tuple(targets), tuple(errors), removed, tuple(e.path for e in parents))


def watches(folders: Folders) -> dict[str, WatchTarget]:
    """The directories to watch, by the task's text or, for a parent, its path after `PARENT`."""
    from syncd.local.watcher import WatchTarget  # only the service needs it

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


def _expand(entry: FolderEntry, url: str) -> Iterator[Target]:
    for task_id, name, path in find_task_folders(entry.path):
        task = TaskKey(url, entry.organization_id, entry.workspace_id, task_id)
        yield _target(entry, name, path, task, entry.path)


def _target(
    entry: FolderEntry, name: str, path: str, task: TaskKey, parent: str | None = None
) -> Target:
    folder = Folder(name, path, task, entry.rules)
    return Target(folder, entry.settle, entry.rescan, entry.refresh, parent)


def _removed(
    config: Config, ledger: Ledger, taken: Collection[TaskKey], unread: set[str]
) -> Iterator[RemovedFolder]:
    """Folders that this config synced before; those of other configs are not looked at."""
    for task, config_file, folder, parent in ledger.tasks():
        if task in taken or config_file != config.file or parent in unread or folder is None:
            continue
        if task.url != config.api.url:
            continue
        state = ledger.state(task)
        ours = sum(e.role in ("current", "detached") for e in state.entries.values())
        ours += len(state.in_doubt)  # sent, and not listed yet
        if ours:
            yield RemovedFolder(task, folder, ours)


def choose(
    folders: Folders, wanted: Sequence[str] | None
) -> tuple[list[Target], list[FolderReport]]:
    """The folders that `--folder` names, or all. Raises UsageError for an unknown one."""
    if wanted is None:
        return list(folders.targets), list(folders.errors)

    def named(text: str, name: str, *paths: str | None) -> bool:
        real = os.path.realpath(text)
        return text == name or any(path and os.path.realpath(path) == real for path in paths)

    known = [(t.folder.name, t.folder.path) for t in folders.targets]
    known += [(r.name, r.path) for r in folders.errors]
    for text in wanted:
        places = (*known, *((parent, parent) for parent in folders.parents))
        if not any(named(text, *place) for place in places):
            names = ", ".join(name for name, _ in known) or "none"
            raise UsageError(f"--folder {text}: no such folder in the config (there is: {names})")
    targets = [
        t
        for t in folders.targets
        if any(named(text, t.folder.name, t.folder.path, t.parent) for text in wanted)
    ]
    return targets, [r for r in folders.errors if any(named(w, r.name, r.path) for w in wanted)]
