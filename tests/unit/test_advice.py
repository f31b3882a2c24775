"""What is said of a task that the server refuses."""

from __future__ import annotations

import pytest

from syncd.engine.advice import about_task
from syncd.errors import ApiError, Refused, TaskRefused
from syncd.model import TaskKey

TASK = TaskKey("https://focus.toggl.com/api", 123, 456, 789)
WHERE = "(it is the number before /workspaces/ in the task's address in the browser)"
STILL = "is task 789 (organization 123, workspace 456) still there and yours?"


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (TaskRefused("list: 404", status=404), f"list: 404: {STILL}"),
        (
            TaskRefused("list: 403", status=403),
            "list: 403; does your plan or role lack the right, or is organization_id 123 wrong? "
            f"{WHERE}: {STILL}",
        ),
        (
            Refused("list: 400", status=400, description="invalid_organization_id"),
            f"list: 400: invalid_organization_id; is organization_id 123 wrong? {WHERE}: {STILL}",
        ),
    ],
)
def test_a_wrong_organization_is_named_where_it_may_be_the_reason(
    error: ApiError, text: str
) -> None:
    assert about_task(error, TASK) == text
