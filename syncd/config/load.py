"""The keys of a config, and the settings they become."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import get_args

from syncd.config import values
from syncd.config.checks import Checked, Placed, check
from syncd.config.document import read_document
from syncd.config.find import default_state_dir
from syncd.config.paths import path as path_from
from syncd.config.section import Report, Section
from syncd.config.settings import (
    SANDBOX,
    ApiSettings,
    Config,
    CreateParams,
    FolderEntry,
    SyncSettings,
)
from syncd.config.words import dotted
from syncd.model import DeletePolicy, Order, Rules, TaskKey
from syncd.secrets import KeyKind, KeySource

ORDERS: tuple[Order, ...] = get_args(Order)
POLICIES: tuple[DeletePolicy, ...] = get_args(DeletePolicy)
CREATE_PARAMS: tuple[CreateParams, ...] = get_args(CreateParams)
KEY_KINDS: tuple[KeyKind, ...] = get_args(KeyKind)

_MISSING = -1
"""An id that neither the folder nor `api` gives; it never leaves this module."""

YEAR = 8760
"""Hours."""

_FOLDERS_HINT = "begin each entry with `- path:` and its `task_id:`, or with `- each:`"
_SYNC_KEYS = (*Rules.__dataclass_fields__, "settle", "rescan", "refresh")
_API_KEYS = {*ApiSettings.__dataclass_fields__, *KEY_KINDS} - {"key_source"}
_ELSEWHERE = {
    **dict.fromkeys(_SYNC_KEYS, "under `sync:`, or in an entry of `folders:`"),
    **dict.fromkeys(_API_KEYS, "under `api:`"),
    **dict.fromkeys(("organization_id", "workspace_id"), "under `api:`, or in a folder's entry"),
    **dict.fromkeys(("path", "task_id", "name", "each"), "in an entry of `folders:`"),
    **dict.fromkeys(("state_dir", "folders", "sync", "api"), "at the left margin"),
}


@dataclass(frozen=True)
class _Ids:
    """Organization and workspace: None = not given, 0 = faulty, and reported."""

    organization: int | None
    workspace: int | None


def load(file: str, *, with_key: bool) -> Config:
    """The settings in this file. ConfigError with all faults, in order of line."""
    absolute = os.path.abspath(file)
    base = os.path.dirname(absolute)
    report = Report(document := read_document(absolute))
    root = Section(report, (), document.data)
    api, ids = _api(root.section("api"), base, absolute, with_key=with_key)
    sync = root.section("sync")
    defaults = _sync(sync, SyncSettings())
    sync.close(_ELSEWHERE)
    state_dir = root.take("state_dir", path_from(base), "")
    if not state_dir and not root.has("state_dir"):
        state_dir = default_state_dir(absolute) or ""
        if not state_dir:
            message = "is missing, and this user has no home directory for a default"
            root.add("state_dir", message, "write an absolute path, or set XDG_STATE_HOME or HOME")
    entries: list[Placed] = [
        (folder.path, _folder(folder, base, api.url, ids, defaults))
        for folder in root.sections("folders", _FOLDERS_HINT)
        if folder.usable
    ]
    root.close(_ELSEWHERE)
    _lacking(report, entries)
    check(report, Checked(absolute, api.key_source, state_dir, entries))
    report.raise_if_any()
    return Config(absolute, api, state_dir, tuple(entry for _, entry in entries))


def _api(section: Section, base: str, file: str, *, with_key: bool) -> tuple[ApiSettings, _Ids]:
    default = ApiSettings()
    url = section.take("url", values.url, default.url if not section.has("url") else "")
    ids = _ids(section, _Ids(None, None))
    needed = url not in ("", SANDBOX) and section.usable
    take_source = _key_source if with_key else _pass_over_key_source
    source = take_source(section, base, file, needed=needed)
    settings = ApiSettings(
        url=url,
        timeout=section.take("timeout", values.duration(1), default.timeout),
        connections=section.take("connections", values.whole(1, 16), default.connections),
        max_batch_bytes=section.take("max_batch_bytes", values.size(1), default.max_batch_bytes),
        quota=section.take("quota", values.quota, default.quota),
        quota_reserve=section.take("quota_reserve", values.whole(0), default.quota_reserve),
        create_params=section.take(
            "create_params",
            values.one_of(CREATE_PARAMS, default.create_params),
            default.create_params,
        ),
        key_source=source,
    )
    if settings.quota is not None and settings.quota <= settings.quota_reserve:
        message = f"leaves nothing to send: quota_reserve is {settings.quota_reserve}"
        section.add("quota", message, "write more than quota_reserve, or a smaller reserve")
    section.close(_ELSEWHERE)
    if section.usable:
        return settings, ids
    return settings, _Ids(ids.organization or 0, ids.workspace or 0)


def _ids(section: Section, default: _Ids) -> _Ids:
    def take(key: str, otherwise: int | None) -> int | None:
        return section.take(key, values.positive_id, 0 if section.has(key) else otherwise)

    return _Ids(
        take("organization_id", default.organization), take("workspace_id", default.workspace)
    )


def _key_source(section: Section, base: str, file: str, *, needed: bool) -> KeySource | None:
    nothing: tuple[str, ...] = ()
    token_file = section.take("token_file", path_from(base), "")
    token_env = section.take("token_env", values.text, "")
    words: dict[KeyKind, tuple[str, ...]] = {
        "token_file": (token_file,) if token_file else (),
        "token_env": (token_env,) if token_env else (),
        "token_command": section.take("token_command", values.words, nothing),
    }
    given = sorted((k for k in KEY_KINDS if section.has(k)), key=lambda k: _line(section, k))
    for extra in given[1:]:
        section.add(extra, f"names a second key source besides {given[0]}", "keep one of them")
    if not given:
        if needed:
            hint = "add token_file: with the path of a file (chmod 600) that holds your Focus key"
            choices = "one of token_file, token_env and token_command"
            section.report.add(section.path, f"no key source: {choices} is needed", hint)
        return None
    if not words[given[0]]:
        return None
    source = KeySource(given[0], words[given[0]], file, _line(section, given[0]))
    section.report.extend(source.faults())
    return source


def _pass_over_key_source(section: Section, *_: str, needed: bool) -> None:
    """The keys are known, and nobody looks at what they say."""
    del needed
    for kind in KEY_KINDS:
        section.take(kind, lambda value: value, None)


def _line(section: Section, key: str) -> int:
    return section.report.line((*section.path, key))


def _sync(section: Section, default: SyncSettings) -> SyncSettings:
    """The keys that `sync:` and every folder may hold."""
    take, rules = section.take, default.rules
    return SyncSettings(
        Rules(
            order=take("order", values.one_of(ORDERS, Rules.order), rules.order),
            reverse=take("reverse", values.flag, rules.reverse),
            display_order_step=take(
                "display_order_step", values.whole(1, 1_000_000), rules.display_order_step
            ),
            delete=take("delete", values.one_of(POLICIES, Rules.delete), rules.delete),
            max_delete=take("max_delete", values.whole(0), rules.max_delete),
            recursive=take("recursive", values.flag, rules.recursive),
            include=take("include", values.patterns, rules.include),
            ignore=take("ignore", values.patterns, rules.ignore),
            max_file_size=take("max_file_size", values.size(0), rules.max_file_size),
            max_files=take("max_files", values.whole(0), rules.max_files),
        ),
        settle=take("settle", values.duration(24), default.settle),
        rescan=take("rescan", values.duration(YEAR), default.rescan),
        refresh=take("refresh", values.duration(YEAR), default.refresh),
    )


def _folder(
    section: Section, base: str, url: str, defaults: _Ids, sync: SyncSettings
) -> FolderEntry:
    path = section.take("path", path_from(base), "")
    each = section.take("each", path_from(base), "")
    is_each = section.has("each") and not section.has("path")
    task_id = section.take("task_id", values.positive_id, 0)
    name = section.take("name", values.name, "")
    ids = _ids(section, defaults)
    settings = _sync(section, sync)
    section.close(_ELSEWHERE)
    _complain(section, is_each)
    place = each if is_each else path
    task = None
    if not is_each and task_id:
        # A faulty part is 0 or empty: reported, and no reason to hide what else is wrong.
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


def _complain(section: Section, is_each: bool) -> None:
    """What an entry lacks, or has too much."""
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


def _lacking(report: Report, entries: list[Placed]) -> None:
    """One fault for an id that `api` lacks, however many folders needed it."""
    for key in ("organization_id", "workspace_id"):
        need = [dotted(where) for where, entry in entries if getattr(entry, key) == _MISSING]
        if need:
            hint = f"add {key}: with its number under `api:`, or in each folder's entry"
            report.add(("api",), f"{key} is missing, and needed by {', '.join(need[:5])}", hint)
