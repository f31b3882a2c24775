"""From config entries to folders: `each:` parents are looked at, what left is told."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from syncd.config import Config, FolderEntry
from syncd.core.books import in_doubt
from syncd.engine.report import PARTLY, FolderReport
from syncd.errors import FolderError, UsageError
from syncd.local import watchlist
from syncd.local.each import HIGHEST, task_folders
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
class Left:
    """A folder that is in the config no more; its attachments stay as they are."""

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
    """What a config makes of the disk at one moment."""

    targets: tuple[Target, ...]
    errors: tuple[FolderReport, ...]
    """`each:` parents that cannot be read, and subfolders that cannot be synced."""
    left: tuple[Left, ...]
    parents: tuple[str, ...]
    """All `each:` parents."""


def find_folders(config: Config, ledger: Ledger, now: float) -> Folders:
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
            found = list(_each(entry, config.api.url))
        except FolderError as error:
            unread.add(entry.path)
            errors.append(_error(entry.name, entry.path, None, str(error)))
            continue
        found.sort(key=lambda t: known.get(t.folder.task) != t.folder.path)
        for target in found:
            task = target.folder.task
            if task.task_id > HIGHEST:
                text = f"{task.task_id} is no task's number: rename the folder"
                errors.append(_error(target.folder.name, target.folder.path, None, text))
            elif task in taken:
                text = f"{task} is fed by {taken[task]} already: rename one of the two folders"
                errors.append(_error(target.folder.name, target.folder.path, task.task_id, text))
            else:
                taken[task] = target.folder.path
                targets.append(target)
    left = _left(config, ledger, taken.keys(), unread, now)
    parents = tuple(e.path for e in config.entries if e.task is None)
    return Folders(tuple(targets), tuple(errors), left, parents)


def watches(folders: Folders) -> dict[str, watchlist.Target]:
    """What is to be watched, by the task's text or, for a parent, its path after `PARENT`."""
    wanted = {
        repr(t.folder.task): watchlist.Target(t.folder.path, t.folder.rules.recursive)
        for t in folders.targets
    }
    return wanted | {
        f"{PARENT}{path}": watchlist.Target(path, directories=True) for path in folders.parents
    }


def register(config: Config, ledger: Ledger, targets: Iterable[Target]) -> None:
    """Note where each task is fed from, to tell one day that its folder left."""
    for target in targets:
        ledger.register(target.folder.task, config.file, target.folder.path, target.parent)


def _explicit(entry: FolderEntry) -> Target:
    assert entry.task is not None
    folder = Folder(entry.name, entry.path, entry.task, entry.rules)
    return Target(folder, entry.settle, entry.rescan, entry.refresh)


def _each(entry: FolderEntry, url: str) -> Iterable[Target]:
    for task_id, name, path in task_folders(entry.path):
        task = TaskKey(url, entry.organization_id, entry.workspace_id, task_id)
        folder = Folder(name, path, task, entry.rules)
        yield Target(folder, entry.settle, entry.rescan, entry.refresh, entry.path)


def _left(
    config: Config, ledger: Ledger, taken: Iterable[TaskKey], unread: set[str], now: float
) -> tuple[Left, ...]:
    """Tasks that this config fed before; those of other configs are not looked at."""
    here = set(taken)
    left: list[Left] = []
    for task, fed_by, folder, parent in ledger.tasks():
        if task in here or fed_by != config.file or parent in unread or folder is None:
            continue
        if task.url != config.api.url:
            continue
        past = ledger.past(task, now)
        ours = sum(e.role in ("current", "detached") for e in past.entries)
        ours += len(in_doubt(past))  # sent, and not listed yet
        if ours:
            left.append(Left(task, folder, ours))
    return tuple(left)


def _error(name: str, path: str, task_id: int | None, text: str) -> FolderReport:
    report = FolderReport(name, path, task_id)
    report.fails(PARTLY, text)
    return report


def chosen(
    folders: Folders, wanted: Sequence[str] | None
) -> tuple[list[Target], list[FolderReport]]:
    """The folders asked for by `--folder`, or all. UsageError for one that there is not."""
    if wanted is None:
        return list(folders.targets), list(folders.errors)

    def is_wanted(text: str, name: str, path: str, parent: str | None = None) -> bool:
        return text == name or any(_same_place(text, p) for p in (path, parent) if p)

    for text in wanted:
        known = [(t.folder.name, t.folder.path) for t in folders.targets]
        known += [(r.name, r.path) for r in folders.errors]
        is_parent = any(_same_place(text, parent) for parent in folders.parents)
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


def _same_place(one: str, other: str) -> bool:
    """Whether two spellings name one folder."""
    return os.path.realpath(one) == os.path.realpath(other)
