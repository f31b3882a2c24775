"""Builds the settings from the keys of a config."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from typing import Any, get_args

from syncd.config import value_parsers as parse
from syncd.config.cross_checks import PlacedEntry, check
from syncd.config.locations import default_state_dir
from syncd.config.section import Section, dotted
from syncd.config.settings import SANDBOX, ApiSettings, Config, CreateParams, FolderEntry
from syncd.config.yaml_document import read_document
from syncd.model import DeletePolicy, Order, Rules, TaskKey
from syncd.secrets import KeyKind, KeySource

Parsers = Mapping[str, Callable[[object], Any]]
"""The parser of each key's value; the key is also the name of the setting."""

_HOURS_A_YEAR = 8760
_RULES: Parsers = {
    "order": parse.one_of(get_args(Order), "natural"),
    "reverse": parse.flag,
    "display_order_step": parse.whole(1, 1_000_000),
    "delete": parse.one_of(get_args(DeletePolicy), "owned"),
    "max_delete": parse.whole(0),
    "recursive": parse.flag,
    "include": parse.patterns,
    "ignore": parse.patterns,
    "max_file_size": parse.size(0),
    "max_files": parse.whole(0),
}
_TIMES: Parsers = {
    "settle": parse.duration(24),
    "rescan": parse.duration(_HOURS_A_YEAR),
    "refresh": parse.duration(_HOURS_A_YEAR),
}
_API: Parsers = {
    "timeout": parse.duration(1),
    "connections": parse.whole(1, 16),
    "max_batch_bytes": parse.size(1),
    "quota": parse.quota,
    "quota_reserve": parse.whole(0),
    "create_params": parse.one_of(get_args(CreateParams), "both"),
}
_IDS = ("organization_id", "workspace_id")
_KEY_SOURCES: tuple[KeyKind, ...] = get_args(KeyKind)
_SYNC_DEFAULTS = Rules()._asdict() | {
    "settle": 2.0,
    "rescan": 60.0,
    "refresh": 3600.0,
}

_WHERE_KEYS_BELONG = {
    **dict.fromkeys((*_RULES, *_TIMES), "under `sync:`, or in an entry of `folders:`"),
    **dict.fromkeys(("url", *_API, *_KEY_SOURCES), "under `api:`"),
    **dict.fromkeys(_IDS, "under `api:`, or in a folder's entry"),
    **dict.fromkeys(("path", "task_id", "name", "each"), "in an entry of `folders:`"),
    **dict.fromkeys(("state_dir", "folders", "sync", "api", "status_page"), "at the left margin"),
    **dict.fromkeys(("metrics_file", "on_problem"), "at the left margin"),
}
_FOLDERS_HINT = "begin each entry with `- path:` and its `task_id:`, or with `- each:`"


def load(file: str, *, with_key: bool, text: str | None = None) -> Config:
    """The settings in this file, or in a text that it is to hold. Raises ConfigError with all
    faults, in order of line."""
    return _Loader(os.path.abspath(file), with_key, text).config()


def load_api(file: str, *, with_key: bool) -> Config:
    """The settings of `api`, whatever is wrong with the rest: the folders are those that are right.

    Raises ConfigError with the faults of `api`.
    """
    return _Loader(os.path.abspath(file), with_key).config(only_api=True)


def _values(section: Section, parsers: Parsers, defaults: Mapping[str, Any]) -> dict[str, Any]:
    return {key: section.take(key, parse, defaults[key]) for key, parse in parsers.items()}


class _Loader:
    """Loads one config."""

    def __init__(self, file: str, with_key: bool, text: str | None = None) -> None:
        data, self._report = read_document(file, text)
        self._root = Section(self._report, (), data)
        self._file = file
        self._with_key = with_key
        self._path = parse.path(os.path.dirname(file))
        self._needed_by: dict[str, list[str]] = {}
        """The ids that `api` lacks, each with the entries that need it."""

    def config(self, *, only_api: bool = False) -> Config:
        root = self._root
        section = root.section("api")
        api = self._api(section)
        # None = not given; 0 = faulty, which is reported already.
        ids = _ids(section, dict.fromkeys(_IDS, None if section.usable else 0))
        section.close(_WHERE_KEYS_BELONG)
        if only_api:
            self._report.raise_if_any()
        api = api._replace(organization_id=ids[_IDS[0]], workspace_id=ids[_IDS[1]])
        section = root.section("sync")
        defaults = _values(section, {**_RULES, **_TIMES}, _SYNC_DEFAULTS)
        section.close(_WHERE_KEYS_BELONG)
        state_dir = self._state_dir()
        outputs = {key: root.take(key, self._path, None) for key in ("status_page", "metrics_file")}
        no_command: tuple[str, ...] = ()
        on_problem = root.take("on_problem", parse.command, no_command)
        entries: list[PlacedEntry] = [
            (folder.path, self._entry(folder, api.url, ids, defaults))
            for folder in root.sections("folders", _FOLDERS_HINT)
            if folder.usable
        ]
        root.close(_WHERE_KEYS_BELONG)
        if only_api:
            whole = tuple(entry for _, entry in entries if entry.path and entry.is_complete)
            return Config(self._file, api, state_dir, whole)
        for key, needed_by in self._needed_by.items():
            hint = f"add {key}: with its number under `api:`, or in each folder's entry"
            message = f"{key} is missing, and needed by {', '.join(needed_by[:5])}"
            self._report.add(("api",), message, hint)
        source = api.key_source
        token_file = source.location[0] if source and source.kind == "token_file" else None
        own_files = {"token_file": token_file, **outputs}
        check(self._report, entries, self._file, own_files, state_dir)
        self._report.raise_if_any()
        found = tuple(entry for _, entry in entries)
        return Config(self._file, api, state_dir, found, **outputs, on_problem=on_problem)

    def _state_dir(self) -> str:
        root = self._root
        given = root.take("state_dir", self._path, "")
        if root.has("state_dir"):
            return given
        found = default_state_dir(self._file)
        if found is None:
            message = "is missing, and this user has no home directory for a default"
            root.add("state_dir", message, "write an absolute path, or set XDG_STATE_HOME or HOME")
        return found or ""

    def _api(self, section: Section) -> ApiSettings:
        default = ApiSettings()
        url = section.take("url", parse.url, default.url if not section.has("url") else "")
        values = _values(section, _API, default._asdict())
        quota, reserve = values["quota"], values["quota_reserve"]
        if quota is not None and quota <= reserve:
            message = f"leaves nothing to send: quota_reserve is {reserve}"
            section.add("quota", message, "write more than quota_reserve, or a smaller reserve")
        return ApiSettings(url, key_source=self._key_source(section, url), **values)

    def _key_source(self, section: Section, url: str) -> KeySource | None:
        if not self._with_key:
            for kind in _KEY_SOURCES:
                section.take(kind, lambda value: value, None)  # whatever it is
            return None
        token_file = section.take("token_file", self._path, "")
        token_env = section.take("token_env", parse.text, "")
        no_command: tuple[str, ...] = ()
        locations: dict[KeyKind, tuple[str, ...]] = {
            "token_file": (token_file,) if token_file else (),
            "token_env": (token_env,) if token_env else (),
            "token_command": section.take("token_command", parse.command, no_command),
        }
        given = sorted((k for k in locations if section.has(k)), key=section.line)
        for extra in given[1:]:
            section.add(extra, f"names a second key source besides {given[0]}", "keep one of them")
        if not given and url not in ("", SANDBOX) and section.usable:
            hint = "add token_file: with the path of a file (chmod 600) that holds your Focus key"
            choices = "one of token_file, token_env and token_command"
            self._report.add(section.path, f"no key source: {choices} is needed", hint)
        if not given or not locations[given[0]]:
            return None
        source = KeySource(given[0], locations[given[0]], self._file, section.line(given[0]))
        self._report.extend(source.faults())
        return source

    def _entry(
        self,
        section: Section,
        url: str,
        default_ids: Mapping[str, int | None],
        defaults: Mapping[str, Any],
    ) -> FolderEntry:
        """An entry of `folders:`. What is faulty is reported, and becomes 0 or empty."""
        path = section.take("path", self._path, "")
        each = section.take("each", self._path, "")
        is_each = section.has("each") and not section.has("path")
        task_id = section.take("task_id", parse.positive_id, 0)
        name = section.take("name", parse.name, "")
        ids = _ids(section, default_ids)
        rules, times = _values(section, _RULES, defaults), _values(section, _TIMES, defaults)
        section.close(_WHERE_KEYS_BELONG)
        _check_keys(section, is_each)
        for key in (key for key, id_ in ids.items() if id_ is None):
            self._needed_by.setdefault(key, []).append(dotted(section.path))
        organization, workspace = (ids[key] or 0 for key in _IDS)
        place = each if is_each else path
        fallback = os.path.basename(place) or os.path.basename(os.path.realpath(place)) or place
        has_task = task_id and not is_each
        return FolderEntry(
            "each" if is_each else "path",
            place,
            name or fallback,
            TaskKey(url, organization, workspace, task_id) if has_task else None,
            organization,
            workspace,
            Rules(**rules),
            **times,
        )


def _ids(section: Section, defaults: Mapping[str, int | None]) -> dict[str, int | None]:
    return {
        key: section.take(key, parse.positive_id, 0 if section.has(key) else defaults[key])
        for key in _IDS
    }


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
        hint = "add task_id: with the task's number; `syncd tasks` lists them"
        section.report.add(section.path, "task_id is missing", hint)
