"""`syncd init` where there is a config: one more folder, all else stays as it is."""

from __future__ import annotations

import itertools
import os
import shlex

from syncd.cli.init_answers import Answer, Options, answer, fault_of, list_tasks, require
from syncd.cli.init_files import Files, replace_text
from syncd.cli.init_first import entry_of
from syncd.cli.init_questions import agrees, ask_address
from syncd.cli.output import print_lines
from syncd.cli.tasks import Place
from syncd.config import Config, load_config
from syncd.config.addresses import Address
from syncd.config.load import load
from syncd.config.new_entry import NewEntry, with_entry
from syncd.config.yaml_document import read_text
from syncd.errors import UsageError
from syncd.model import TaskKey
from syncd.overview.folders import find_folders
from syncd.state.ledger import Ledger


def write(file: str, options: Options, *, asks: bool) -> str | None:
    """Add the folder; returns its path. None = nothing is to be added."""
    config = load_config(file)
    _check(config, options)
    known = options._replace(
        organization_id=options.organization_id or config.api.organization_id,
        workspace_id=options.workspace_id or config.api.workspace_id,
    )
    if not asks:
        require(known.missing(workspace=True), yes=options.yes)
    elif not _is_wanted(config, options):
        return None
    if not (known.organization_id and known.workspace_id):
        known = known.at(ask_address(lambda found: _other_server(config, found)))
    organization, workspace = known.organization_id or 0, known.workspace_id or 0
    place, text = Place(config, organization, workspace), read_text(file)

    def entry(given: Answer) -> NewEntry:
        api = config.api
        return entry_of(given, file)._replace(
            organization_id=None if organization == api.organization_id else organization,
            workspace_id=None if workspace == api.workspace_id else workspace,
            name=_name(config, given.path) if given.kind == "path" else None,
        )

    found = answer(
        known,
        lambda: list_tasks(place, None),
        lambda task_id: _taken(config, place.key._replace(task_id=task_id)),
        lambda given: fault_of(file, with_entry(file, text, entry(given))),
        asks=asks,
    )
    new = with_entry(file, text, entry(found))
    load(file, with_key=True, text=new)
    _write(file, new, found)
    print_lines(f"Added {found.path} to {file}")
    return found.path


def _write(file: str, text: str, found: Answer) -> None:
    """Make the folder, and give the config its new text."""
    with Files() as files:
        if found.make:
            files.directory(found.path)
        try:
            replace_text(file, text)
        except OSError as error:
            error.filename = file  # not its draft
            raise


def _check(config: Config, options: Options) -> None:
    """Raise UsageError for options that do not go with the config that is there."""
    file, api = config.file, config.api
    if options.sandbox and not (api.sandbox and options.folder and options.task_id):
        what = "a playground: add to it with --task and --folder" if api.sandbox else "your own"
        raise UsageError(f"{file} is there already, {what}; -c FILE makes another")
    if options.address and (fault := _other_server(config, options.address)):
        raise UsageError(fault)
    if options.token_file is not None:
        source = api.key_source
        named = source.location[0] if source and source.kind == "token_file" else ""
        if os.path.realpath(named) != os.path.realpath(options.token_file):
            has = f"names its key already: {source}" if source else "needs no key"
            raise UsageError(f"--token-file is for a new config; {file} {has}")


def _other_server(config: Config, address: Address) -> str | None:
    if config.api.sandbox:
        away = shlex.join(["mv", config.file, f"{config.file}.playground"])
        return (
            f"{config.file} is a playground: for a config of your own move it away ({away}), "
            "or name another with -c"
        )
    if config.api.url != address.url:
        return f"{config.file} is for {config.api.url}, not for {address.url}: name another with -c"
    return None


def _is_wanted(config: Config, options: Options) -> bool:
    """Ask before a person who wants a config of their own adds to the playground."""
    if not config.api.sandbox or options.folder or options.task_id:
        print_lines(f"{config.file} is there: this adds a folder to it.")
        return True
    print_lines(f"{_other_server(config, Address(''))}.")
    return agrees("Add a folder to the playground?", default=False)


def _name(config: Config, path: str) -> str | None:
    """A name of its own for a folder whose name another entry has; None = it needs none."""
    for entry in config.entries:
        if entry.path == path:
            raise UsageError(f"{path} is in {config.file} already: name another folder")
    taken = {entry.name for entry in config.entries if entry.kind == "path"}
    parent, name = os.path.split(path)
    if name not in taken:
        return None
    longer = f"{os.path.basename(parent)}-{name}".lstrip("-")
    names = itertools.chain([longer], (f"{longer}-{n}" for n in itertools.count(2)))
    return next(own for own in names if own not in taken)


def _taken(config: Config, task: TaskKey) -> str | None:
    ledger = Ledger.blank()
    try:
        targets = find_folders(config, ledger).targets
    finally:
        ledger.close()
    found = (target.folder.path for target in targets if target.folder.task == task)
    return next((f"{task} is already that of {path}." for path in found), None)
