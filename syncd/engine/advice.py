"""What a person can do about a task that the server refuses to show or to change."""

from __future__ import annotations

from syncd.errors import ApiError
from syncd.model import TaskKey


def about_task(error: ApiError, task: TaskKey) -> str:
    """The error, and what to look at: the right, the numbers, the task itself."""
    numbers = f"organization {task.organization_id}, workspace {task.workspace_id}"
    return (
        f"{error}{_right(error, task)}: is task {task.task_id} ({numbers}) still there and yours?"
    )


def about_workspace(error: ApiError, task: TaskKey) -> str:
    """An error about all tasks of the task's workspace, and what to look at."""
    return f"{error}{_right(error, task)}"


def _right(error: ApiError, task: TaskKey) -> str:
    """A 403 speaks of plan, role or organization: Focus refuses numbers of others with it."""
    told = "organization_id" in error.description
    if error.status != 403 and not told:
        return ""
    plan = "does your plan or role lack the right, or " if error.status == 403 else ""
    return (
        f"; {plan}is organization_id {task.organization_id} wrong? "
        "(it is the number before /workspaces/ in the task's address in the browser)"
    )


def lacks_right(error: ApiError) -> str:
    """What a 403 for every upload to a task that was listed may mean."""
    return "; does your plan or role lack the right?" if error.status == 403 else ""
