"""`syncd init` where there is no config yet: a new one, with its key."""

from __future__ import annotations

import os
from typing import NamedTuple

from syncd.cli.init_answers import Answer, Options, answer, fault_of, list_tasks, require
from syncd.cli.init_files import Files
from syncd.cli.init_questions import agrees, ask_address, ask_key
from syncd.cli.output import print_lines
from syncd.cli.tasks import Place, explain_failure
from syncd.config import ApiSettings, Config
from syncd.config.addresses import Address
from syncd.config.load import load
from syncd.config.locations import default_state_dir, find_config
from syncd.config.new_config import PLAYGROUND, NewConfig, playground
from syncd.config.new_entry import NewEntry, written_path
from syncd.config.settings import SANDBOX
from syncd.errors import ApiError, ConfigError, KeyRefused, UsageError
from syncd.focus.workspace import Task
from syncd.secrets import KeySource
from syncd.text import is_utf8

_SAMPLE_TASK = 789
_SAMPLE = "Change me, rename me, delete me; then see what `syncd --once --dry-run` says.\n"
_WELCOME = (
    "syncd keeps a folder and the attachments of a task in Toggl Focus the same.",
    "An API key is made at https://focus.toggl.com/settings (a new one ends the old one).",
)


class _Key(NamedTuple):
    """Where the key is, or is to be stored."""

    file: str
    new: str | None = None
    """The key itself, if it is not in the file yet."""

    def read(self) -> str:
        return self.new or KeySource("token_file", (self.file,)).read()


def write(file: str, options: Options, *, asks: bool) -> str:
    """Write the config, and whatever it needs; returns the path of its folder."""
    if options.sandbox:
        return _write_sandbox(file, options, asks=asks)
    if asks:
        print_lines(*_WELCOME)
    else:
        stored = _stored_key(file) if options.yes else None
        options = options._replace(token_file=options.token_file or stored)
        require(options.missing(workspace=True, key=True), yes=options.yes)
    key = _key(file, options, asks=asks)
    address, key, tasks = _reach(file, options, key, asks=asks)
    options = options._replace(task_id=address.task_id)
    key_file = written_path(key.file, file)

    def text_with(given: Answer) -> str:
        ids = (address.organization_id or 0, address.workspace_id or 0)
        return NewConfig(address.url, *ids, key_file, entry_of(given, file), _state(file)).text()

    found = answer(
        options,
        lambda: tasks,
        lambda _: None,
        lambda given: fault_of(file, text_with(given)),
        asks=asks,
    )
    with Files() as files:
        if found.make:
            files.directory(found.path)
        if key.new is not None:
            files.file(key.file, f"{key.new}\n")
        _write_config(files, file, text_with(found))
    print_lines(f"Wrote {file}" + (f", and the key to {key.file}" if key.new else ""))
    return found.path


def _reach(
    file: str, options: Options, key: _Key, *, asks: bool
) -> tuple[Address, _Key, tuple[Task, ...] | None]:
    """The workspace, the key that it accepts, and its tasks if one of them is to be chosen.

    Asks again for a key or an address that the server refuses.
    """
    url = options.address.url if options.address else ApiSettings().url
    known = Address(url, options.organization_id, options.workspace_id, options.task_id)
    address = known
    while True:
        if not (address.organization_id and address.workspace_id):
            address = ask_address(lambda found: _differs(found, options))
            address = address._replace(task_id=options.task_id or address.task_id)
        if not asks or options.kind == "each" or address.task_id:
            return address, key, None
        place = _place(file, address, key)
        try:
            return address, key, list_tasks(place, key.read())
        except KeyRefused:
            print_lines("Focus refuses this key: is it the newest one, and not expired?")
            key = _Key(_free(key.file), ask_key())
        except ApiError as error:
            print_lines(explain_failure(error, place)[1])
            if known.organization_id and known.workspace_id:
                return address, key, None
            address = known


def entry_of(given: Answer, file: str) -> NewEntry:
    """The entry of `folders:` for an answer. Raises UsageError for a path that YAML cannot hold."""
    if not is_utf8(given.path):
        raise UsageError(f"{given.path}: its name is not UTF-8: rename the folder")
    task = given.task
    return NewEntry(
        given.kind,
        written_path(given.path, file),
        task.id if task else None,
        str(task) if task and task.name else "",
    )


def _write_sandbox(file: str, options: Options, *, asks: bool) -> str:
    """Write a config for the built-in server, beside it a folder with a sample."""
    ids = (options.organization_id or 1, options.workspace_id or 1)
    task = options.task_id or (_SAMPLE_TASK if options.kind == "path" else None)
    path = options.folder or playground(file)
    options = options._replace(task_id=task, folder=path)
    found = answer(options, lambda: None, lambda _: None, lambda _: None, asks=asks)
    entry = entry_of(found, file)
    if path == playground(file):
        entry = entry._replace(path=PLAYGROUND)
    with Files() as files:
        files.directory(path)
        if path == playground(file) and not os.listdir(path):
            files.file(os.path.join(path, "hello.txt"), _SAMPLE)
        _write_config(files, file, NewConfig(SANDBOX, *ids, None, entry).text())
    print_lines(f"Wrote {file}: a playground, nothing of it leaves this machine")
    print_lines(f"Its folder: {path}")
    return path


def _write_config(files: Files, file: str, text: str) -> None:
    load(file, with_key=True, text=text)
    try:
        files.file(file, text)
    except FileExistsError:
        raise UsageError(f"{file} is there already, and not written over") from None


def _key(file: str, options: Options, *, asks: bool) -> _Key:
    """The key in the file that is named, or in the usual one; else it is asked for."""
    place = options.token_file
    if place is not None:
        if os.path.lexists(place) or not asks:
            KeySource("token_file", (place,)).read()
            return _Key(place)
        return _Key(place, ask_key())
    stored = _stored_key(file)
    if stored is not None and agrees(f"Use the key in {stored}?"):
        return _Key(stored)
    return _Key(_free(_usual(file)), ask_key())


def _stored_key(file: str) -> str | None:
    """The usual key file, if it holds a key."""
    usual = _usual(file)
    try:
        KeySource("token_file", (usual,)).read()
    except ConfigError:
        return None
    return usual


def _state(file: str) -> str | None:
    """A state of its own for a config beside the usual one: one state has one owner."""
    try:
        usual = find_config(None)
    except ConfigError:
        return None
    state = default_state_dir(file)
    if usual == file or state is None or state != default_state_dir(usual):
        return None
    name = os.path.splitext(os.path.basename(file))[0]
    return written_path(f"{state}-{name}", file)


def _usual(file: str) -> str:
    return os.path.join(os.path.dirname(file), "token")


def _free(path: str) -> str:
    """The path, or one like it where nothing is yet."""
    number, free = 1, path
    while os.path.lexists(free):
        number += 1
        free = f"{path}-{number}"
    return free


def _differs(found: Address, options: Options) -> str | None:
    """What speaks against an address: the options say something else."""
    for name in ("organization_id", "workspace_id"):
        given = getattr(options, name)
        if given and given != getattr(found, name):
            return f"It says {name} {getattr(found, name)}, and the option {given}"
    return None


def _place(file: str, address: Address, key: _Key) -> Place:
    source = KeySource("token_file", (key.file,))
    config = Config(file, ApiSettings(address.url, key_source=source), os.path.dirname(file), ())
    return Place(config, address.organization_id or 0, address.workspace_id or 0)
