"""Builds the settings from the keys of a config."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import get_args

from syncd.config import value_parsers as parse
from syncd.config.cross_checks import CheckedConfig, PlacedEntry, check
from syncd.config.fault_text import dotted
from syncd.config.locations import default_state_dir
from syncd.config.path_parser import path as path_from
from syncd.config.section import FaultReport, Section
from syncd.config.settings import (
    SANDBOX,
    ApiSettings,
    Config,
    CreateParams,
    FolderEntry,
    SyncSettings,
)
from syncd.config.yaml_document import read_document
from syncd.model import DeletePolicy, Order, Rules, TaskKey
from syncd.secrets import KeyKind, KeySource

ORDERS: tuple[Order, ...] = get_args(Order)
POLICIES: tuple[DeletePolicy, ...] = get_args(DeletePolicy)
CREATE_PARAMS: tuple[CreateParams, ...] = get_args(CreateParams)
KEY_KINDS: tuple[KeyKind, ...] = get_args(KeyKind)

_MISSING = -1
"""Stands, within this module, for an id that neither the folder nor `api` gives."""
_HOURS_A_YEAR = 8760

_FOLDERS_HINT = "begin each entry with `- path:` and its `task_id:`, or with `- each:`"
_SYNC_KEYS = (*Rules._fields, "settle", "rescan", "refresh")
_API_KEYS = {*ApiSettings.__dataclass_fields__, *KEY_KINDS} - {"key_source"}
_WHERE_KEYS_BELONG = {
    **dict.fromkeys(_SYNC_KEYS, "under `sync:`, or in an entry of `folders:`"),
    **dict.fromkeys(_API_KEYS, "under `api:`"),
    **dict.fromkeys(("organization_id", "workspace_id"), "under `api:`, or in a folder's entry"),
    **dict.fromkeys(("path", "task_id", "name", "each"), "in an entry of `folders:`"),
    **dict.fromkeys(("state_dir", "folders", "sync", "api"), "at the left margin"),
}


@dataclass(frozen=True)
class _Ids:
    """Organization and workspace. None = not given, 0 = given and faulty, which is reported."""

    organization: int | None
    workspace: int | None


def load(file: str, *, with_key: bool) -> Config:
    """The settings in this file. Raises ConfigError with all faults, in order of line."""
    absolute = os.path.abspath(file)
    base = os.path.dirname(absolute)
    report = FaultReport(document := read_document(absolute))
    root = Section(report, (), document.data)
    api, ids = _api(root.section("api"), base, absolute, with_key=with_key)
    sync = root.section("sync")
    defaults = _sync(sync, SyncSettings())
    sync.close(_WHERE_KEYS_BELONG)
    state_dir = _state_dir(root, base, absolute)
    entries: list[PlacedEntry] = [
        (folder.path, _folder(folder, base, api.url, ids, defaults))
        for folder in root.sections("folders", _FOLDERS_HINT)
        if folder.usable
    ]
    root.close(_WHERE_KEYS_BELONG)
    _check_missing_ids(report, entries)
    check(report, CheckedConfig(absolute, api.key_source, state_dir, entries))
    report.raise_if_any()
    return Config(absolute, api, state_dir, tuple(entry for _, entry in entries))


def _state_dir(root: Section, base: str, file: str) -> str:
    given = root.take("state_dir", path_from(base), "")
    if root.has("state_dir"):
        return given
    found = default_state_dir(file)
    if found is None:
        message = "is missing, and this user has no home directory for a default"
        root.add("state_dir", message, "write an absolute path, or set XDG_STATE_HOME or HOME")
    return found or ""


def _api(section: Section, base: str, file: str, *, with_key: bool) -> tuple[ApiSettings, _Ids]:
    default = ApiSettings()
    url = section.take("url", parse.url, default.url if not section.has("url") else "")
    ids = _ids(section, _Ids(None, None))
    source = _key_source(section, base, file, url, check=with_key)
    settings = ApiSettings(
        url=url,
        timeout=section.take("timeout", parse.duration(1), default.timeout),
        connections=section.take("connections", parse.whole(1, 16), default.connections),
        max_batch_bytes=section.take("max_batch_bytes", parse.size(1), default.max_batch_bytes),
        quota=section.take("quota", parse.quota, default.quota),
        quota_reserve=section.take("quota_reserve", parse.whole(0), default.quota_reserve),
        create_params=section.take(
            "create_params",
            parse.one_of(CREATE_PARAMS, default.create_params),
            default.create_params,
        ),
        key_source=source,
    )
    if settings.quota is not None and settings.quota <= settings.quota_reserve:
        message = f"leaves nothing to send: quota_reserve is {settings.quota_reserve}"
        section.add("quota", message, "write more than quota_reserve, or a smaller reserve")
    section.close(_WHERE_KEYS_BELONG)
    if section.usable:
        return settings, ids
    return settings, _Ids(ids.organization or 0, ids.workspace or 0)


def _ids(section: Section, default: _Ids) -> _Ids:
    def take(key: str, inherited: int | None) -> int | None:
        return section.take(key, parse.positive_id, 0 if section.has(key) else inherited)

    return _Ids(
        take("organization_id", default.organization), take("workspace_id", default.workspace)
    )


def _key_source(
    section: Section, base: str, file: str, url: str, *, check: bool
) -> KeySource | None:
    """The key source; with `check=False` its keys are accepted whatever their values are."""
    if not check:
        for kind in KEY_KINDS:
            section.take(kind, lambda value: value, None)
        return None
    nothing: tuple[str, ...] = ()
    token_file = section.take("token_file", path_from(base), "")
    token_env = section.take("token_env", parse.text, "")
    locations: dict[KeyKind, tuple[str, ...]] = {
        "token_file": (token_file,) if token_file else (),
        "token_env": (token_env,) if token_env else (),
        "token_command": section.take("token_command", parse.command, nothing),
    }
    given = sorted((k for k in KEY_KINDS if section.has(k)), key=lambda k: _line(section, k))
    for extra in given[1:]:
        section.add(extra, f"names a second key source besides {given[0]}", "keep one of them")
    if not given and url not in ("", SANDBOX) and section.usable:
        hint = "add token_file: with the path of a file (chmod 600) that holds your Focus key"
        choices = "one of token_file, token_env and token_command"
        section.report.add(section.path, f"no key source: {choices} is needed", hint)
    if not given or not locations[given[0]]:
        return None
    source = KeySource(given[0], locations[given[0]], file, _line(section, given[0]))
    section.report.extend(source.faults())
    return source


def _line(section: Section, key: str) -> int:
    return section.report.line((*section.path, key))


def _sync(section: Section, default: SyncSettings) -> SyncSettings:
    """The keys that both `sync:` and the entry of a folder may hold."""
    take, rules = section.take, default.rules
    return SyncSettings(
        Rules(
            order=take("order", parse.one_of(ORDERS, Rules().order), rules.order),
            reverse=take("reverse", parse.flag, rules.reverse),
            display_order_step=take(
                "display_order_step", parse.whole(1, 1_000_000), rules.display_order_step
            ),
            delete=take("delete", parse.one_of(POLICIES, Rules().delete), rules.delete),
            max_delete=take("max_delete", parse.whole(0), rules.max_delete),
            recursive=take("recursive", parse.flag, rules.recursive),
            include=take("include", parse.patterns, rules.include),
            ignore=take("ignore", parse.patterns, rules.ignore),
            max_file_size=take("max_file_size", parse.size(0), rules.max_file_size),
            max_files=take("max_files", parse.whole(0), rules.max_files),
        ),
        settle=take("settle", parse.duration(24), default.settle),
        rescan=take("rescan", parse.duration(_HOURS_A_YEAR), default.rescan),
        refresh=take("refresh", parse.duration(_HOURS_A_YEAR), default.refresh),
    )


def _folder(
    section: Section, base: str, url: str, defaults: _Ids, sync: SyncSettings
) -> FolderEntry:
    path = section.take("path", path_from(base), "")
    each = section.take("each", path_from(base), "")
    is_each = section.has("each") and not section.has("path")
    task_id = section.take("task_id", parse.positive_id, 0)
    name = section.take("name", parse.name, "")
    ids = _ids(section, defaults)
    settings = _sync(section, sync)
    section.close(_WHERE_KEYS_BELONG)
    _check_keys(section, is_each)
    place = each if is_each else path
    task = None
    if not is_each and task_id:
        # A faulty part is reported and becomes 0 or empty, so that other checks still run.
        task = TaskKey(url, ids.organization or 0, ids.workspace or 0, task_id)
    return FolderEntry(
        kind="each" if is_each else "path",
        path=place,
        name=name or os.path.basename(place) or os.path.basename(os.path.realpath(place)) or place,
        task=task,
        organization_id=_MISSING if ids.organization is None else ids.organization,
        workspace_id=_MISSING if ids.workspace is None else ids.workspace,
        rules=settings.rules,
        settle=settings.settle,
        rescan=settings.rescan,
        refresh=settings.refresh,
    )


def _check_keys(section: Section, is_each: bool) -> None:
    """Report keys that an entry must have, or must not have together."""
    if section.has("path") and section.has("each"):
        section.add("each", "goes with no `path:`", "make two entries of them")
    elif not section.has("path") and not section.has("each"):
        section.report.add(section.path, "names no folder", _FOLDERS_HINT)
    if is_each:
        for key in ("task_id", "name"):
            if section.has(key):
                hint = "the subfolders are named by their tasks; for one folder write `path:`"
                section.add(key, "goes with `path:`, not with `each:`", hint)
    elif not section.has("task_id"):
        hint = "add task_id: with the number in the task's address in Focus"
        section.report.add(section.path, "task_id is missing", hint)


def _check_missing_ids(report: FaultReport, entries: list[PlacedEntry]) -> None:
    """Report an id that `api` lacks once, whichever folders need it."""
    for key in ("organization_id", "workspace_id"):
        needed_by = [dotted(where) for where, entry in entries if getattr(entry, key) == _MISSING]
        if needed_by:
            hint = f"add {key}: with its number under `api:`, or in each folder's entry"
            shown = ", ".join(needed_by[:5])
            report.add(("api",), f"{key} is missing, and needed by {shown}", hint)
