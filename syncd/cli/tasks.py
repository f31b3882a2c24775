"""`syncd tasks`: the tasks of a workspace with their ids, to find the one that a folder is."""

from __future__ import annotations

import argparse
import os
import time
from typing import Any, NamedTuple

from syncd.cli.assembly import Hooks, assemble
from syncd.cli.errors import explain
from syncd.cli.output import print_error, print_json, print_lines, print_warning
from syncd.config import ApiSettings, Config, find_config, load_api
from syncd.config.locations import default_state_dir, is_config_named_or_there
from syncd.engine.advice import about_workspace
from syncd.engine.context import Context
from syncd.engine.report import OK, PARTLY
from syncd.errors import ApiError, Refused, TaskRefused, UsageError
from syncd.focus.transport import HttpTransport
from syncd.focus.workspace import Tasks, Workspace
from syncd.model import TaskKey
from syncd.overview.folders import find_folders
from syncd.secrets import KeySource


class Place(NamedTuple):
    """A workspace, with the settings to reach it."""

    config: Config
    organization_id: int
    workspace_id: int

    @property
    def key(self) -> TaskKey:
        """The workspace as the key of a task; no task has the id 0."""
        return TaskKey(self.config.api.url, self.organization_id, self.workspace_id, 0)


def blank(_: argparse.Namespace) -> dict[str, Any]:
    return {"tasks": []}


def run(arguments: argparse.Namespace) -> int:
    """0 if the tasks could be listed, even if none holds the text."""
    place = _place(arguments)
    with assemble(place.config, writing=False, hooks=Hooks()) as assembly:
        targets = find_folders(place.config, assembly.context.ledger).targets
        folders = {target.folder.task: target.folder for target in targets}
        try:
            found = fetch(assembly.context, assembly.transport, place, arguments.text)
        except ApiError as error:
            return _failed(error, place, arguments)
    rows = [(task, folders.get(place.key._replace(task_id=task.id))) for task in found.tasks]
    if arguments.json:
        tasks = [
            {"id": t.id, "name": t.name, "project": t.project, "folder": f.name if f else None}
            for t, f in rows
        ]
        print_json({"version": 1, "tasks": tasks})
    else:
        width = max((len(str(task.id)) for task in found.tasks), default=0)
        for task, folder in rows:
            where = f"  -> {folder.path}" if folder else ""
            print_lines(f"{task.id:{width}}  {task}{where}")
    if not rows:
        what = f'holds "{arguments.text}"' if arguments.text else "is there"
        print_warning(f"no task of workspace {place.workspace_id} {what}")
    if found.left_out:
        print_warning(f"{found.left_out} tasks are not shown: `syncd tasks TEXT` looks for them")
    return OK


def fetch(context: Context, transport: HttpTransport, place: Place, text: str = "") -> Tasks:
    """The tasks that hold the text. Raises ApiError."""
    workspace = Workspace(
        transport,
        place.organization_id,
        place.workspace_id,
        on_answer=context.quota.answered,
        on_request=context.quota.sending,
        clock=time.time,
    )
    return workspace.tasks(text)


def explain_failure(error: ApiError, place: Place) -> tuple[int, str]:
    """The exit status of a failed list of tasks, and how to mend it."""
    if isinstance(error, TaskRefused | Refused):
        return PARTLY, about_workspace(error, place.key)
    return explain(error, place.key)


def _failed(error: ApiError, place: Place, arguments: argparse.Namespace) -> int:
    code, text = explain_failure(error, place)
    if arguments.json:
        print_json({**blank(arguments), "version": 1, "exit": code, "error": text})
    print_error(text, on_stdout=arguments.json)
    return code


def _place(arguments: argparse.Namespace) -> Place:
    """The workspace that the options name, else that of the config. Raises UsageError."""
    config = _config(arguments)
    organization = arguments.organization or _id(config, "organization_id")
    workspace = arguments.workspace or _id(config, "workspace_id")
    missing = [
        *([] if organization else ["--organization"]),
        *([] if workspace else ["--workspace"]),
        *([] if config.api.sandbox or config.api.key_source else ["--token-file"]),
    ]
    if missing or not organization or not workspace:
        where = f"{config.file} names no single one" if config.file else "there is no config"
        raise UsageError(f"give {', '.join(missing)}: {where}; `syncd init` writes a config")
    return Place(config, organization, workspace)


def _config(arguments: argparse.Namespace) -> Config:
    """The config, or what stands for it where there is none; --token-file beats its key."""
    named = arguments.token_file
    source = None
    if named is not None:
        source = KeySource("token_file", (os.path.abspath(os.path.expanduser(named)),))
    if is_config_named_or_there(arguments.config):
        config = load_api(find_config(arguments.config), with_key=source is None)
    else:
        config = Config("", ApiSettings(), default_state_dir("") or os.devnull, ())
    if source is None or config.api.sandbox:
        return config
    return config._replace(api=config.api._replace(key_source=source))


def _id(config: Config, key: str) -> int | None:
    """The id that `api` has, else the one that all folders have."""
    given: int | None = getattr(config.api, key)
    ids = {getattr(entry, key) for entry in config.entries}
    return given or (ids.pop() if len(ids) == 1 else None)
