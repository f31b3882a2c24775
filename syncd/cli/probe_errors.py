"""Why a probe could not tell everything, and what it has left."""

from __future__ import annotations

from collections.abc import Iterable

from syncd.cli.errors import explain
from syncd.cli.output import print_error
from syncd.engine.advice import about_task
from syncd.engine.report import OK, PARTLY, worst
from syncd.errors import ApiError, Refused, SyncdError, TaskRefused
from syncd.model import TaskKey
from syncd.probe.session import Session


def report(session: Session, ended_by: Iterable[SyncdError]) -> int:
    """Print a line for each error, and what was left; returns the exit status."""
    code = OK
    errors = [*ended_by, *session.errors]
    task = session.task
    if session.left_behind or session.lost:
        errors += session.cleaning_errors
        code = PARTLY
        print_error(_left(session))
    for row in session.suspects:
        code = PARTLY
        print_error(
            f'task {task.task_id} holds attachment {row.id}, "{row.name}", which an earlier probe '
            "may have made, though nothing proves that: if so, delete it in Focus"
        )
    for number, text in dict.fromkeys(_explain(error, task) for error in errors):
        print_error(text)
        code = worst([code, number])
    return code


def _explain(error: SyncdError, task: TaskKey) -> tuple[int, str]:
    if isinstance(error, TaskRefused):
        return error.exit_code, about_task(error, task)
    if isinstance(error, Refused):
        return PARTLY, str(error)
    if isinstance(error, ApiError):
        return explain(error, task)
    return error.exit_code, str(error)


def _left(session: Session) -> str:
    """What was not deleted, and what becomes of it."""
    task_id = session.task.task_id
    parts = [f"attachment {id_}" for id_ in session.left_behind]
    if session.lost:
        parts.append(f"what is named {session.probe.token}… (no list has shown it yet)")
    return (
        f"left behind in task {task_id}: {', '.join(parts)}: the next `syncd probe --task "
        f"{task_id}` deletes it first"
    )
