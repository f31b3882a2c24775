"""What `syncd init` needs to know, from the options and from a person."""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable, Iterator
from typing import Literal, NamedTuple

from syncd.cli.assembly import Hooks, assemble
from syncd.cli.init_questions import agrees, ask_folder, ask_task, folder_path
from syncd.cli.output import print_lines
from syncd.cli.tasks import Place, explain_failure, fetch
from syncd.config.addresses import Address, parse_address
from syncd.config.load import load
from syncd.errors import ApiError, ConfigError, KeyRefused, Refused, TaskRefused, UsageError
from syncd.focus.workspace import Task


class Options(NamedTuple):
    """The options of the command line; what they name together fits together."""

    address: Address | None
    """Of --address; None = not given."""
    organization_id: int | None
    workspace_id: int | None
    task_id: int | None
    kind: Literal["path", "each"]
    folder: str | None
    """An absolute path."""
    token_file: str | None
    """An absolute path."""
    sandbox: bool
    yes: bool

    @classmethod
    def of(cls, arguments: argparse.Namespace) -> Options:
        """Raises UsageError for an address or a path that makes no sense."""
        address = None if arguments.address is None else parse_address(arguments.address)
        if arguments.each is not None and arguments.task is not None:
            raise UsageError("--task goes with --folder: the subfolders of --each name their tasks")
        if arguments.sandbox and (address or arguments.token_file is not None):
            raise UsageError("--sandbox goes without --address and --token-file: it needs none")
        organization, workspace, task = (
            _one(f"--{name}", getattr(arguments, name), getattr(address, f"{name}_id", None))
            for name in ("organization", "workspace", "task")
        )
        kind: Literal["path", "each"] = "path" if arguments.each is None else "each"
        folder = _path(f"--{'folder' if kind == 'path' else 'each'}", arguments, kind)
        task = task if kind == "path" else None
        token_file = _path("--token-file", arguments, "token_file")
        rest = (arguments.sandbox, arguments.yes)
        return cls(address, organization, workspace, task, kind, folder, token_file, *rest)

    def at(self, address: Address) -> Options:
        """With the workspace of an address, and its task if none is named yet."""
        return self._replace(
            organization_id=address.organization_id,
            workspace_id=address.workspace_id,
            task_id=self.task_id or (address.task_id if self.kind == "path" else None),
        )

    @property
    def adds_nothing(self) -> bool:
        """Whether no option says what to write."""
        return not (self.address or self.task_id or self.folder or self.sandbox)

    def missing(self, *, workspace: bool = False, key: bool = False) -> Iterator[str]:
        """The options that are missing; `workspace`, `key`: whether these are needed, too."""
        if workspace and not (self.organization_id or self.workspace_id):
            yield "--address (or --organization and --workspace)"
        elif workspace:
            yield from ["--organization"] * (not self.organization_id)
            yield from ["--workspace"] * (not self.workspace_id)
        if self.kind == "path" and not self.task_id:
            yield "--task"
        if not self.folder:
            yield "--folder (or --each)"
        if key and not self.token_file:
            yield "--token-file"


class Answer(NamedTuple):
    """The folder, and its task."""

    kind: Literal["path", "each"]
    path: str
    make: bool
    """The folder is still to be made."""
    task: Task | None


def require(missing: Iterator[str], *, yes: bool) -> None:
    """Raise UsageError with what would have to be asked."""
    if names := ", ".join(missing):
        why = "--yes asks nothing" if yes else "nothing is asked without a terminal"
        raise UsageError(f"missing: {names}; {why}")


def answer(
    options: Options,
    tasks: Callable[[], tuple[Task, ...] | None],
    task_fault: Callable[[int], str | None],
    fault: Callable[[Answer], str | None],
    *,
    asks: bool,
) -> Answer:
    """Task and folder, asked for where the options have none.

    `tasks`: those to choose from, None = there is no list; `task_fault` and `fault`: what speaks
    against a task, and against a folder for it.
    """
    task: Task | None = None
    if options.kind == "path":
        given = options.task_id
        if given is not None and (problem := task_fault(given)):
            raise UsageError(problem)
        task = Task(given, "") if given is not None else ask_task(tasks(), task_fault)

    def speaks_against(path: str) -> str | None:
        try:
            return fault(Answer(options.kind, path, False, task))
        except UsageError as error:
            return str(error)

    if options.folder is None:
        path, make = ask_folder(speaks_against)
        return Answer(options.kind, path, make, task)
    path, make = options.folder, not os.path.isdir(options.folder)
    if make and (os.path.lexists(path) or not (asks or options.yes or options.sandbox)):
        wrong = "no folder" if os.path.lexists(path) else "not there: make it, or let --yes make it"
        raise UsageError(f"{path} is {wrong}")
    if make and asks and not agrees(f"{path} is not there yet. Make it?"):
        raise UsageError(f"{path} is not there: name a folder that is")
    return Answer(options.kind, path, make, task)


def fault_of(file: str, text: str) -> str | None:
    """What is wrong with a config that is to be written, its key aside."""
    try:
        load(file, with_key=False, text=text)
    except ConfigError as error:
        fault = error.faults[0]
        return f"{fault.message} ({fault.hint})" if fault.hint else fault.message
    return None


def list_tasks(place: Place, key: str | None) -> tuple[Task, ...] | None:
    """The tasks of a workspace; None = there is no list, which is told.

    `key`: None = that of the config. Raises KeyRefused; with a key also what a wrong address
    leads to.
    """
    try:
        with assemble(place.config, writing=False, hooks=Hooks(), key=key) as assembly:
            return fetch(assembly.context, assembly.transport, place).tasks
    except ApiError as error:
        wrong_address = key is not None and isinstance(error, TaskRefused | Refused)
        if wrong_address or isinstance(error, KeyRefused):
            raise
        print_lines(explain_failure(error, place)[1])
        return None


def _one(name: str, given: int | None, found: int | None) -> int | None:
    if given and found and given != found:
        raise UsageError(f"{name} {given}, but --address says {found}: give one of them")
    return given or found


def _path(name: str, arguments: argparse.Namespace, key: str) -> str | None:
    """The absolute path that an option gives."""
    text = getattr(arguments, "folder" if key == "path" else key)
    path = None if text is None else folder_path(text)
    if text is not None and (not text or path is None):
        raise UsageError(f"{name} {text!r}: no such path")
    return path
