"""`syncd check`: config, key, state, folders and tasks; what is wrong and how to mend it."""

from __future__ import annotations

import argparse
import os
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import Any

from syncd.cli.assembly import Hooks, assemble
from syncd.cli.errors import NOT_TRIED, exit_code_of, explain
from syncd.cli.format import count, duration_text
from syncd.cli.output import print_error, print_json, print_lines, print_warning
from syncd.config import Config, find_config, load_config
from syncd.engine.report import CONFIG, KEY, LATER, OK, PARTLY, worst
from syncd.errors import ConfigError, FolderError, StateError, SyncdError
from syncd.local.scan import scan
from syncd.model import Folder
from syncd.overview.folders import Target, find_folders
from syncd.state.ledger import Ledger

SKEW = 300.0
"""Seconds by which this clock may differ from the server's without a warning."""
_NOT_TRIED = "not tried: what is wrong above comes first"


@dataclass(frozen=True)
class Check:
    """The result on one thing that was checked."""

    what: str
    """config | key | state | each | folder | task | clock"""
    name: str
    text: str
    """What it is, or what is wrong with it and how to mend it."""
    code: int = OK
    warning: bool = False
    """It is printed, but counts as fine."""

    def to_json(self) -> dict[str, Any]:
        ok = self.code == OK
        error = None if ok and not self.warning else self.text
        return {"what": self.what, "name": self.name, "ok": ok, "error": error}

    def __str__(self) -> str:
        mark = "FAIL" if self.code != OK else "warn" if self.warning else "ok  "
        return f"{mark} {self.name}: {self.text}"


@dataclass
class Checks:
    """The results so far, in order."""

    offline: bool
    results: list[Check] = field(default_factory=list)

    def ok(self, what: str, name: str, text: str) -> None:
        self.results.append(Check(what, name, text))

    def warn(self, what: str, name: str, text: str) -> None:
        self.results.append(Check(what, name, text, warning=True))

    def fail(self, what: str, name: str, text: str, code: int) -> None:
        self.results.append(Check(what, name, text, code))

    @property
    def code(self) -> int:
        return worst([check.code for check in self.results])

    def to_json(self) -> dict[str, Any]:
        code = self.code
        errors = [c.text for c in self.results if c.code == code and code != OK]
        checks = [check.to_json() for check in self.results]
        error = errors[0] if errors else None
        return {"version": 1, "exit": code, "error": error, "checks": checks}


def blank(_: argparse.Namespace) -> dict[str, Any]:
    return {"checks": []}


def run(arguments: argparse.Namespace) -> int:
    """0 if a cycle could do its work; nothing is written."""
    checks = Checks(arguments.offline)
    config = _check_config(checks, arguments.config)
    if config is not None:
        _check_all(checks, config)
    if arguments.json:
        print_json(checks.to_json())
    else:
        for result in checks.results:
            print_lines(str(result))
    for result in checks.results:
        if result.code != OK:
            print_error(f"{result.name}: {result.text}", on_stdout=True)
        elif result.warning and arguments.json:
            print_warning(f"{result.name}: {result.text}", on_stdout=True)
    return checks.code


def _check_config(checks: Checks, argument: str | None) -> Config | None:
    """Load the config, or record every one of its faults."""
    try:
        config = load_config(find_config(argument))
    except ConfigError as error:
        for fault in error.faults:
            checks.fail("config", "config", str(fault), CONFIG)
        return None
    entries = len(config.entries)
    plural = "y" if entries == 1 else "ies"
    checks.ok("config", "config", f"{config.file} ({entries} entr{plural})")
    return config


def _check_all(checks: Checks, config: Config) -> None:
    key = _check_key(checks, config)
    ledger = _check_state(checks, config.state_dir)
    targets = _check_folders(checks, config, ledger)
    if checks.offline:
        return
    if not key or ledger is None:
        for target in targets:
            name = target.folder.name
            checks.fail("task", name, f"{target.folder.task}: {_NOT_TRIED}", checks.code)
        return
    _check_tasks(checks, config, targets)


def _check_key(checks: Checks, config: Config) -> bool:
    source = config.api.key_source
    if source is None or config.api.sandbox:
        checks.ok("key", "key", "none is needed for the built-in sandbox")
        return True
    try:
        source.read()
    except ConfigError as error:
        for fault in error.faults:
            checks.fail("key", "key", str(fault), CONFIG)
        return False
    checks.ok("key", "key", f"{source} holds one")
    return True


def _check_state(checks: Checks, state_dir: str) -> Ledger | None:
    """A copy of the ledger; None = it cannot be used."""
    existing = state_dir
    while not os.path.lexists(existing) and existing != os.path.dirname(existing):
        existing = os.path.dirname(existing)
    own = ("ledger.db", "lock")
    files = [p for p in (os.path.join(state_dir, n) for n in own) if os.path.lexists(p)]
    if not os.path.isdir(existing):
        checks.fail("state", "state_dir", f"{existing} is not a directory: name another", LATER)
        return None
    refused = [p for p in files if not os.access(p, os.R_OK | os.W_OK)]
    if not os.access(existing, os.W_OK | os.X_OK):
        refused = [existing]
    damage: list[str] = []
    try:
        ledger = Ledger.snapshot(state_dir, damage.append)
        ledger.examine()
    except StateError as error:
        checks.fail("state", "state_dir", str(error), exit_code_of(error))
        return None
    for text in damage:
        checks.fail("state", "state_dir", text, PARTLY)
    if refused:
        hint = "make it writable for syncd's user, or name another state_dir"
        checks.fail("state", "state_dir", f"{refused[0]} is not writable: {hint}", LATER)
    elif not damage:
        made = "" if existing == state_dir else " (will be made)"
        checks.ok("state", "state_dir", f"{state_dir}{made}")
    return ledger


def _check_folders(checks: Checks, config: Config, ledger: Ledger | None) -> list[Target]:
    """Check every folder and `each:` parent; returns the folders whose task can be checked."""
    used = ledger or Ledger.blank()
    try:
        folders = find_folders(config, used)
        tasks = [target.folder.task for target in folders.targets]
        attached = {task: used.state(task).attached_paths for task in tasks}
    finally:
        used.close()
    unreadable = {report.path for report in folders.errors}
    for parent in folders.parents:
        if parent not in unreadable:
            found = sum(1 for t in folders.targets if t.parent == parent)
            checks.ok("each", parent, count(found, "task folder"))
    for report in folders.errors:
        what = "each" if report.path in folders.parents else "folder"
        checks.fail(what, report.name, report.error or "", report.exit_code)
    for removed in folders.removed:
        checks.warn("folder", removed.path, str(removed))
    for target in folders.targets:
        _check_folder(checks, target.folder, attached[target.folder.task])
    return list(folders.targets)


def _check_folder(checks: Checks, folder: Folder, attached: Collection[str]) -> None:
    try:
        found = scan(folder.path, folder.rules, attached)
    except FolderError as error:
        checks.fail("folder", folder.name, str(error), PARTLY)
        return
    files = count(len(found.files), "file")
    checks.ok("folder", folder.name, f"{folder.path} ({files} to sync)")
    for problem in found.failed:
        checks.fail("folder", folder.name, f"{problem.path}: {problem.reason}", PARTLY)


def _check_tasks(checks: Checks, config: Config, targets: Sequence[Target]) -> None:
    """List each task once, as any cycle does."""
    refused, skew = False, 0.0
    with assemble(config, writing=False, hooks=Hooks()) as assembly:
        for target in targets:
            folder = target.folder
            if refused:
                checks.fail("task", folder.name, f"{folder.task}: {NOT_TRIED}", KEY)
                continue
            try:
                listing = assembly.context.remote.list(folder.task, folder.rules.max_files)
            except SyncdError as error:
                code, text = explain(error, folder.task)
                refused = code == KEY
                checks.fail("task", folder.name, text, code)
                continue
            attachments = count(len(listing.attachments), "attachment")
            checks.ok("task", folder.name, f"{folder.path} -> {folder.task} ({attachments})")
            skew = max(skew, listing.clock_skew, key=abs)
    if abs(skew) > SKEW:
        side = "behind" if skew > 0 else "ahead of"
        text = f"this clock is {duration_text(abs(skew))} {side} the server's: set it (NTP)"
        checks.warn("clock", "clock", text)
