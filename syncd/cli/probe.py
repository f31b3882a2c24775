"""`syncd probe`: tries on a task what the API's documentation leaves open."""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from typing import Any

from syncd.cli.assembly import Assembly, Hooks, assemble
from syncd.cli.errors import INTERRUPTED, TERMINATED
from syncd.cli.output import print_error, print_json, print_lines, print_warning
from syncd.cli.probe_errors import report
from syncd.cli.probe_table import table
from syncd.config import find_config, load_config
from syncd.engine.report import PARTLY
from syncd.errors import (
    ConfigError,
    Fault,
    StateLocked,
    SyncdError,
    UsageError,
)
from syncd.focus.probing import ProbingClient
from syncd.model import QuotaReading, TaskKey
from syncd.overview.folders import find_folders
from syncd.overview.words import time_text
from syncd.probe.experiment import Experiment
from syncd.probe.findings import Findings
from syncd.probe.record import Record
from syncd.probe.session import REQUESTS, Session
from syncd.state.lock import StateLock, make_state_dir

_LOCK = "probe.lock"


class _TooFew(SyncdError):
    """The quota does not allow a probe now."""


def blank(arguments: argparse.Namespace) -> dict[str, Any]:
    return _document(arguments.task, 0, (), Findings())


def _document(
    task_id: int, requests: int, left_behind: tuple[int, ...], findings: Findings
) -> dict[str, Any]:
    found = findings._asdict()
    return {
        "version": 1,
        "task_id": task_id,
        "requests": requests,
        "left_behind": list(left_behind),
        "findings": found,
    }


def run(arguments: argparse.Namespace) -> int:
    """0 if all that can be told is told, and the task is as it was."""
    if not getattr(arguments, "yes", False) and not sys.stdin.isatty():
        raise UsageError("probe asks before it sends anything: without a terminal add --yes")
    config = load_config(find_config(arguments.config))
    make_state_dir(config.state_dir)
    with ExitStack() as stack:
        stack.enter_context(StateLock(config.state_dir, _LOCK))
        assembly = stack.enter_context(assemble(config, writing=False, hooks=Hooks()))
        task, folder = _task(assembly, arguments.task)
        if folder is not None:
            _keep_others_away(stack, config.state_dir, folder)
        session = Session(Record(config.state_dir, time.time()), task, _connect(assembly))
        directory = stack.enter_context(tempfile.TemporaryDirectory(prefix="syncd-probe-"))
        code = _begin(arguments, assembly, session, directory)
    if arguments.json:
        left, found = session.left_behind, session.findings
        print_json(_document(task.task_id, session.requests, left, found))
    elif session.requests:
        print_lines(*table(session))
    return code


def _task(assembly: Assembly, task_id: int) -> tuple[TaskKey, str | None]:
    """The task, in the workspace of `api:`, or of the folder that feeds it; and that folder."""
    config = assembly.config
    for target in find_folders(config, assembly.context.ledger).targets:
        if target.folder.task.task_id == task_id:
            return target.folder.task, target.folder.path
    api = config.api
    if api.organization_id is None or api.workspace_id is None:
        hint = "add organization_id: and workspace_id: under `api:`"
        message = "does not say in which workspace the task is"
        raise ConfigError(Fault(message, config.file, None, "api", hint))
    return TaskKey(api.url, api.organization_id, api.workspace_id, task_id), None


def _keep_others_away(stack: ExitStack, state_dir: str, folder: str) -> None:
    """Let no cycle meet the files of a probe in a task that a folder feeds."""
    try:
        stack.enter_context(StateLock(state_dir))
    except StateLocked as error:
        text = f"{folder} feeds this task, and {error}; or probe a task that no folder feeds"
        raise StateLocked(text, error.pid) from None
    print_warning(
        f"{folder} feeds this task: whoever looks at the task sees the files of the probe for "
        "some seconds; a task for trying things is better"
    )


def _check_quota(assembly: Assembly, task: TaskKey, needed: int) -> None:
    """Raises _TooFew if it is known that fewer requests are left, the reserve not counted."""
    meter, organization = assembly.context.quota, task.organization_id
    left = meter.left(organization)
    if left is None or left >= needed + meter.reserve:
        return
    at = meter.resumes_at(organization)
    when = f"after {time_text(at, time.time())}" if at is not None else "in an hour"
    raise _TooFew(
        f"{left} requests are left, a probe may take {needed} more and leaves {meter.reserve} to "
        f"your other tools: try again {when}"
    )


def _begin(
    arguments: argparse.Namespace, assembly: Assembly, session: Session, directory: str
) -> int:
    """Probe, if quota and person allow it; returns the exit status."""
    asks = not getattr(arguments, "yes", False)
    try:
        _check_quota(assembly, session.task, REQUESTS)
    except _TooFew as error:
        print_error(str(error))
        return error.exit_code
    if asks or not arguments.quiet:
        _announce(session)
    try:
        agreed = not asks or _agreed()
    except KeyboardInterrupt as stop:
        print(file=sys.stderr)
        print_error("not begun: nothing was sent")
        return _exit_code(stop)
    if not agreed:
        print_error("not begun: nothing was sent")
        return PARTLY
    return _probe(assembly, session, directory)


def _announce(session: Session) -> None:
    task = session.task
    print_lines(
        f"probe: at most {REQUESTS} requests to task {task.task_id} (organization "
        f"{task.organization_id}, workspace {task.workspace_id})",
        f"of {task.url}. It makes three small files there, named",
        f"{session.probe.token}…, and deletes them again; it touches nothing else.",
        error=True,
        flush=True,
    )


def _agreed() -> bool:
    print("Go on? [y/N] ", end="", file=sys.stderr, flush=True)
    answer = sys.stdin.readline()
    if not answer.endswith("\n"):
        print(file=sys.stderr)
    return answer.strip().casefold() in ("y", "yes")


def _connect(assembly: Assembly) -> Callable[[Session], ProbingClient]:
    """A client whose requests session and quota meter hear of."""

    def connect(session: Session) -> ProbingClient:
        meter = assembly.context.quota

        def sending(task: TaskKey, call: str) -> None:
            session.on_request(task, call)
            meter.sending(task, call)

        def answered(organization: int, status: int | None, reading: QuotaReading) -> None:
            meter.answered(organization, status, reading)
            session.on_answer(organization, status, reading)

        return ProbingClient(assembly.transport, on_answer=answered, on_request=sending)

    return connect


def _probe(assembly: Assembly, session: Session, directory: str) -> int:
    """Run the probe, whatever ends it; returns the exit status."""
    task, stopped = session.task, 0
    errors: list[SyncdError] = []

    def check_quota() -> None:
        _check_quota(assembly, task, REQUESTS - session.requests)

    try:
        Experiment(session, directory, check_quota, _stopping).run()
    except KeyboardInterrupt as stop:
        stopped = _exit_code(stop)
    except SyncdError as error:
        errors.append(error)
    code = report(session, errors)
    return stopped or code


def _exit_code(stop: KeyboardInterrupt) -> int:
    """SIGTERM raises a subclass of it."""
    return INTERRUPTED if type(stop) is KeyboardInterrupt else TERMINATED


def _stopping() -> None:
    print_lines(
        "stopping: deletes what it has made; a second Ctrl-C leaves that to the next probe",
        error=True,
        flush=True,
    )
