"""`syncd check`: config, key, state, folders and tasks; what is wrong and how to mend it."""

from __future__ import annotations

import argparse
import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from syncd.cli.output import print_json, say, tell_failure, tell_warning
from syncd.cli.reading import NOT_TRIED, answer, duration, explain
from syncd.config import Config, find_config, load_config
from syncd.core.ignore import selection
from syncd.engine.report import CONFIG, KEY, LATER, OK, PARTLY, worst
from syncd.errors import ConfigError, FolderError, StateError, SyncdError
from syncd.local.scan import scan
from syncd.model import Folder
from syncd.service.folders import Target, find_folders
from syncd.state.ledger import Ledger

SKEW = 300.0
"""Seconds of difference between this clock and the server's that are worth a warning."""
_UNKNOWN = "not tried: what is wrong above comes first"


@dataclass(frozen=True)
class Check:
    """One thing that was looked at."""

    what: str
    """config | key | state | each | folder | task | clock"""
    name: str
    text: str
    """What was found, or what is wrong with it."""
    code: int = OK
    warning: bool = False
    """Worth telling, but it counts as fine."""

    def as_json(self) -> dict[str, Any]:
        ok = self.code == OK
        error = None if ok and not self.warning else self.text
        return {"what": self.what, "name": self.name, "ok": ok, "error": error}

    def __str__(self) -> str:
        mark = "FAIL" if self.code != OK else "warn" if self.warning else "ok  "
        return f"{mark} {self.name}: {self.text}"


@dataclass
class Checks:
    """All that was looked at, in order."""

    offline: bool
    found: list[Check] = field(default_factory=list)

    def ok(self, what: str, name: str, text: str) -> None:
        self.found.append(Check(what, name, text))

    def warn(self, what: str, name: str, text: str) -> None:
        self.found.append(Check(what, name, text, warning=True))

    def fail(self, what: str, name: str, text: str, code: int) -> None:
        self.found.append(Check(what, name, text, code))

    @property
    def code(self) -> int:
        return worst([check.code for check in self.found])

    def as_json(self) -> dict[str, Any]:
        code = self.code
        errors = [c.text for c in self.found if c.code == code and code != OK]
        checks = [check.as_json() for check in self.found]
        error = errors[0] if errors else None
        return {"version": 1, "exit": code, "error": error, "checks": checks}


def check(arguments: argparse.Namespace) -> int:
    """0 if a cycle could do its work; nothing is written."""
    return answer(arguments, _check, {"checks": []})


def _check(arguments: argparse.Namespace) -> int:
    checks = Checks(arguments.offline)
    config = _check_config(checks, arguments.config)
    if config is not None:
        _check_all(checks, config)
    if arguments.json:
        print_json(checks.as_json())
    else:
        for one in checks.found:
            say(str(one))
    for one in checks.found:
        if one.code != OK:
            tell_failure(f"{one.name}: {one.text}", on_stdout=True)
        elif one.warning and arguments.json:
            tell_warning(f"{one.name}: {one.text}", on_stdout=True)
    return checks.code


def _check_config(checks: Checks, argument: str | None) -> Config | None:
    """The config, or every one of its faults."""
    try:
        config = load_config(find_config(argument))
    except ConfigError as error:
        for fault in error.faults:
            checks.fail("config", "config", str(fault), CONFIG)
        return None
    count = len(config.entries)
    checks.ok("config", "config", f"{config.file} ({count} entr{'y' if count == 1 else 'ies'})")
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
            checks.fail("task", name, f"{target.folder.task}: {_UNKNOWN}", checks.code)
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
    """A copy of the ledger, if it can be used."""
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
        code, text = _state_trouble(error)
        checks.fail("state", "state_dir", text, code)
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


def _state_trouble(error: StateError) -> tuple[int, str]:
    from syncd.cli.failing import code_of

    return code_of(error), str(error)


def _check_folders(checks: Checks, config: Config, ledger: Ledger | None) -> list[Target]:
    """Every folder, `each:` parents too; returns those whose task is worth a look."""
    import time

    books = ledger or Ledger.blank()
    try:
        folders = find_folders(config, books, time.time())
    finally:
        books.close()
    unreadable = {report.path for report in folders.errors}
    for parent in folders.parents:
        if parent not in unreadable:
            count = sum(1 for t in folders.targets if t.parent == parent)
            checks.ok("each", parent, f"{count} task folder{'s' * (count != 1)}")
    for report in folders.errors:
        what = "each" if report.path in folders.parents else "folder"
        checks.fail(what, report.name, report.error or "", report.exit_code())
    for left in folders.left:
        checks.warn("folder", left.path, str(left))
    for target in folders.targets:
        _check_folder(checks, target.folder)
    return list(folders.targets)


def _check_folder(checks: Checks, folder: Folder) -> None:
    rules = folder.rules
    try:
        found = scan(
            folder.path,
            selection(rules),
            recursive=rules.recursive,
            max_file_size=rules.max_file_size,
            max_files=rules.max_files,
            manifest=rules.order == "manifest",
        )
    except FolderError as error:
        checks.fail("folder", folder.name, str(error), PARTLY)
        return
    count = len(found.files)
    checks.ok("folder", folder.name, f"{folder.path} ({count} file{'s' * (count != 1)} to sync)")
    for problem in found.failed:
        checks.fail("folder", folder.name, f"{problem.path}: {problem.reason}", PARTLY)


def _check_tasks(checks: Checks, config: Config, targets: Sequence[Target]) -> None:
    """One list each, as any cycle begins."""
    from syncd.cli.wiring import Hooks, open_workshop

    refused, skew = False, 0.0
    with open_workshop(config, writing=False, hooks=Hooks()) as workshop:
        for target in targets:
            folder = target.folder
            if refused:
                checks.fail("task", folder.name, f"{folder.task}: {NOT_TRIED}", KEY)
                continue
            try:
                listing = workshop.tools.client.list(folder.task, folder.rules.max_files)
            except SyncdError as error:
                code, text = explain(error, folder.task)
                refused = code == KEY
                checks.fail("task", folder.name, text, code)
                continue
            count = len(listing.attachments)
            plural = "s" * (count != 1)
            text = f"{folder.path} -> {folder.task} ({count} attachment{plural})"
            checks.ok("task", folder.name, text)
            skew = max(skew, listing.clock_skew, key=abs)
    if abs(skew) > SKEW:
        side = "behind" if skew > 0 else "ahead of"
        text = f"this clock is {duration(abs(skew))} {side} the server's: set it (NTP)"
        checks.warn("clock", "clock", text)
