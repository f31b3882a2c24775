"""`syncd check`: config, key, state, folders and tasks; what is wrong and how to mend it."""

from __future__ import annotations

import argparse
import os
from collections.abc import Collection, Iterator, Sequence
from typing import Any

from syncd.cli.assembly import Hooks, assemble
from syncd.cli.check_result import Check, Checks
from syncd.cli.check_surroundings import (
    check_outputs,
    check_quotas,
    check_service,
    check_watches,
)
from syncd.cli.errors import NOT_TRIED, exit_code_of, explain
from syncd.cli.output import (
    print_error,
    print_json,
    print_lines,
    print_report,
    print_warning,
)
from syncd.config import Config, find_config, load_config
from syncd.engine.report import CONFIG, KEY, LATER, OK, PARTLY, worst
from syncd.errors import ConfigError, FolderError, StateError, SyncdError
from syncd.local.scan import scan
from syncd.model import Folder
from syncd.overview.folders import Target, find_folders
from syncd.overview.words import count, duration_text
from syncd.state.ledger import Ledger

SKEW = 300.0
"""Seconds by which this clock may differ from the server's without a warning."""
_NO_TASK_FOLDER = (
    'no task folder yet: name a subfolder by its task\'s number, as in "789 Logo" '
    "(`syncd tasks` lists the numbers)"
)
_PROBE = (
    "What the server does where its documentation is silent: `syncd probe --task N` measures it "
    "(N: a task for trying things)."
)


def blank(_: argparse.Namespace) -> dict[str, Any]:
    return {"checks": []}


def run(arguments: argparse.Namespace) -> int:
    """0 if a cycle could do its work; nothing is written."""
    checks = examine(arguments.config, offline=arguments.offline)
    code = code_of(checks)
    if arguments.json:
        error = next((c.text for c in checks if c.code == code), None) if code != OK else None
        documents = [check.to_json() for check in checks]
        print_json({"version": 1, "exit": code, "error": error, "checks": documents})
    show(checks, as_json=arguments.json)
    if not arguments.json and not arguments.offline and code == OK:
        print_lines(_PROBE)
    return code


def show(checks: Checks, *, as_json: bool = False) -> None:
    """Print the results, and on stderr those that are wrong."""
    if not as_json:
        print_report([check.line() for check in checks])
    for result in checks:
        if result.code != OK:
            print_error(f"{result.name}: {result.text}", on_stdout=True)
        elif result.warning and as_json:
            print_warning(f"{result.name}: {result.text}", on_stdout=True)


def examine(config_file: str | None, *, offline: bool, only: str | None = None) -> Checks:
    """Check everything, or of the folders only one; its path, or that of an `each:` parent."""
    checks: Checks = []
    config = _check_config(checks, config_file)
    if config is not None:
        checks += check_outputs(config)
        targets = _check_all(checks, config, offline, only)
        checks += check_watches(config, targets)
        checks.append(check_service(config))
    return checks


def code_of(checks: Checks) -> int:
    return worst(check.code for check in checks)


def _check_config(checks: Checks, argument: str | None) -> Config | None:
    """Load the config, or record every one of its faults."""
    try:
        config = load_config(find_config(argument))
    except ConfigError as error:
        checks += [Check("config", "config", str(fault), CONFIG) for fault in error.faults]
        return None
    entries = len(config.entries)
    plural = "y" if entries == 1 else "ies"
    checks.append(Check("config", "config", f"{config.file} ({entries} entr{plural})"))
    return config


def _check_all(checks: Checks, config: Config, offline: bool, only: str | None) -> list[Target]:
    """Check key, state, folders and tasks; returns the folders."""
    key = _check_key(checks, config)
    ledger = _check_state(checks, config.state_dir)
    targets = _check_folders(checks, config, ledger, only)
    wanted = [target for target in targets if _is_wanted(target, only)]
    if offline:
        return targets
    if not key or ledger is None:
        text, code = "not tried: what is wrong above comes first", code_of(checks)
        folders = (target.folder for target in wanted)
        checks += [Check("task", f.name, f"{f.task}: {text}", code) for f in folders]
    else:
        _check_tasks(checks, config, targets, wanted)
    return targets


def _is_wanted(target: Target, only: str | None) -> bool:
    return only in (None, target.folder.path, target.parent)


def _check_key(checks: Checks, config: Config) -> bool:
    source = config.api.key_source
    if source is None or config.api.sandbox:
        checks.append(Check("key", "key", "none is needed for the built-in sandbox"))
        return True
    try:
        source.read()
    except ConfigError as error:
        checks += [Check("key", "key", str(fault), CONFIG) for fault in error.faults]
        return False
    checks.append(Check("key", "key", f"{source} holds one"))
    return True


def _check_state(checks: Checks, state_dir: str) -> Ledger | None:
    """A copy of the ledger; None = it cannot be used."""

    def add(text: str, code: int = OK) -> None:
        checks.append(Check("state", "state_dir", text, code))

    existing = state_dir
    while not os.path.lexists(existing):
        existing = os.path.dirname(existing)
    if not os.path.isdir(existing):
        add(f"{existing} is not a directory: name another", LATER)
        return None
    damage: list[str] = []
    try:
        ledger = Ledger.snapshot(state_dir, damage.append)
        ledger.examine()
    except StateError as error:
        add(str(error), exit_code_of(error))
        return None
    for text in damage:
        add(text, PARTLY)
    files = (os.path.join(state_dir, name) for name in ("ledger.db", "lock"))
    refused = [p for p in files if os.path.lexists(p) and not os.access(p, os.R_OK | os.W_OK)]
    if not os.access(existing, os.W_OK | os.X_OK):
        refused = [existing]
    if refused:
        hint = "make it writable for syncd's user, or name another state_dir"
        add(f"{refused[0]} is not writable: {hint}", LATER)
    elif not damage:
        add(state_dir if existing == state_dir else f"{state_dir} (will be made)")
    return ledger


def _check_folders(
    checks: Checks, config: Config, ledger: Ledger | None, only: str | None
) -> list[Target]:
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
            text = count(found, "task folder") if found else _NO_TASK_FOLDER
            checks.append(Check("each", parent, text))
    for report in folders.errors:
        what = "each" if report.path in folders.parents else "folder"
        checks.append(Check(what, report.name, report.error or "", report.exit_code))
    for removed in folders.removed:
        checks.append(Check("folder", removed.path, str(removed), warning=True))
    for target in folders.targets:
        if _is_wanted(target, only):
            checks += _check_folder(target.folder, attached[target.folder.task])
    return list(folders.targets)


def _check_folder(folder: Folder, attached: Collection[str]) -> Iterator[Check]:
    try:
        found = scan(folder.path, folder.rules, attached)
    except FolderError as error:
        yield Check("folder", folder.name, str(error), PARTLY)
        return
    files = count(len(found.files), "file")
    yield Check("folder", folder.name, f"{folder.path} ({files} to sync)")
    for problem in found.failed:
        yield Check("folder", folder.name, f"{problem.path}: {problem.reason}", PARTLY)


def _check_tasks(
    checks: Checks, config: Config, targets: Sequence[Target], wanted: Sequence[Target]
) -> None:
    """List the wanted tasks once, as any cycle does; the answers tell of key, clock and quota."""
    code, skew = OK, 0.0
    with assemble(config, writing=False, hooks=Hooks()) as assembly:
        for folder in (target.folder for target in wanted):
            text = f"{folder.task}: {NOT_TRIED}"
            if code != KEY:
                try:
                    listing = assembly.context.remote.list(folder.task, folder.rules.max_files)
                    attachments = count(len(listing.attachments), "attachment")
                    code, text = OK, f"{folder.path} -> {folder.task} ({attachments})"
                    skew = max(skew, listing.clock_skew, key=abs)
                except SyncdError as error:
                    code, text = explain(error, folder.task)
            checks.append(Check("task", folder.name, text, code))
        meter = assembly.context.quota
        if meter.key_worked:
            checks.append(_check_clock(skew))
            if not config.api.sandbox:
                checks.append(Check("key", "key", "accepted by the server"))
        checks += check_quotas(meter, targets)


def _check_clock(skew: float) -> Check:
    side = "behind" if skew > 0 else "ahead of"
    text = f"this clock is {duration_text(abs(skew))} {side} the server's" if skew else ""
    if abs(skew) > SKEW:
        return Check("clock", "clock", f"{text}: set it (NTP)", warning=True)
    return Check("clock", "clock", text or "this clock agrees with the server's")
