"""The six calls in the unusual ways that tell what a server does (docs/api.md, what is open)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from syncd.errors import TaskRefused
from syncd.focus.client import FocusClient, attachments_path
from syncd.focus.query import Pairs, create_parameters
from syncd.focus.transport import Response
from syncd.focus.uploads import Receipt, Upload
from syncd.model import TaskKey

Labels = Sequence[tuple[str, int]]
"""The name and the display order of each file."""


class ProbingClient(FocusClient):
    """A client for one thread that sends every request once, also a GET."""

    _pairs: tuple[Pairs, Pairs] = ([], [])

    def create_diverging(
        self, task: TaskKey, uploads: Sequence[Upload], in_query: Labels, in_form: Labels
    ) -> Receipt:
        """Create one file, or several in bulk, of which query and form say different things."""
        self._pairs = (_parameters(in_query), _parameters(in_form))
        if len(uploads) == 1:
            return self.create(task, uploads[0])
        return self.create_bulk(task, uploads)

    def update_name_only(self, task: TaskKey, attachment_id: int, name: str) -> None:
        """Send a PUT without display_order; the documentation does not say what that does."""
        call = f"update the name of attachment {attachment_id} of {task}"
        path = f"{attachments_path(task)}/{attachment_id}"
        self._expect(self._send(task, "update", path, call, json={"name": name}), 204, call)

    def shows(self, task: TaskKey, attachment_id: int) -> bool:
        """Whether `view` answers 200 for an attachment, deleted or not."""
        call = f"view of attachment {attachment_id} of {task}"
        path = f"{attachments_path(task)}/{attachment_id}/view"
        try:
            self._get(task, "view", path, call)
        except TaskRefused as error:
            if error.status == 404:
                return False
            raise
        return True

    def _parameters(self, path: str, uploads: Sequence[Upload]) -> tuple[Pairs, Pairs]:  # noqa: ARG002
        return self._pairs

    def _get(self, task: TaskKey, name: str, path: str, call: str, **options: Any) -> Response:
        return self._expect(self._send(task, name, path, call, **options), 200, call)


def _parameters(labels: Labels) -> Pairs:
    names, orders = zip(*labels, strict=True)
    return create_parameters(names, orders, bulk=len(labels) > 1)
