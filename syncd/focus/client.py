"""The six attachment calls of the Focus API (docs/api.md), with the values of syncd.model."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any

from syncd.errors import (
    ApiError,
    Doubtful,
    FileProblem,
    InvalidResponse,
    ShortRead,
    TaskRefused,
    Unreachable,
)
from syncd.focus.headers import quota
from syncd.focus.multipart import MultipartBody
from syncd.focus.query import (
    REQUEST_LINE,
    CreateParams,
    Pairs,
    create_parameters,
    fits_request_line,
    request_line_size,
)
from syncd.focus.responses import parse_created, parse_list, parse_view
from syncd.focus.status_codes import status_error
from syncd.focus.transport import RESPONSE, HttpTransport, Response
from syncd.focus.uploads import Receipt, Upload
from syncd.model import Attachment, Listing, QuotaReading, Rules, TaskKey
from syncd.text import printable

_METHODS = {
    "list": "GET",
    "view": "GET",
    "create": "POST",
    "create_bulk": "POST",
    "update": "PUT",
    "delete": "DELETE",
}
"""The six calls, and the HTTP method of each."""
_BULK_FILES = 10
"""Files in one bulk create; documented."""
_ATTACHMENT = 2 << 10
"""Bytes that a list has for one attachment: its name may take 1 KiB, and the list may also show
its previous version."""
_LIST = 512 << 20
"""Bytes of a list without `max_files`: enough for more than a million attachments."""
_RETRY_WAITS = (0.5, 2.0)
"""Seconds before a GET is sent again."""
_UPLOAD_BYTES_PER_SECOND = 2 << 20
"""An upload's response may take one second more per this many bytes sent."""


class FocusClient:
    """One account's client; several threads may use it.

    Every call raises ApiError for a response that is not its documented success.
    """

    max_files = _BULK_FILES

    def __init__(
        self,
        transport: HttpTransport,
        *,
        on_answer: Callable[[int, int | None, QuotaReading], None],
        on_request: Callable[[TaskKey, str], None],
        create_params: CreateParams = "both",
        clock: Callable[[], float] = time.time,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """`on_request(task, name of the call)` is called before every request,
        `on_answer(organization, status, quota)` after every response; its status is None if the
        server was not reached."""
        self._transport = transport
        self._create_params = create_params
        self._clock = clock
        self._sleep = sleep
        self._on_answer = on_answer
        self._on_request = on_request

    def list(self, task: TaskKey, max_files: int = Rules().max_files) -> Listing:
        """All attachments of a task that are not deleted; `max_files` limits the body's size."""
        call = f"list of {task}"
        limit = RESPONSE + max_files * _ATTACHMENT if max_files else _LIST
        response = self._get(task, "list", attachments_path(task), call, response_limit=limit)
        return parse_list(response, task.task_id, call, self._clock())

    def view(self, task: TaskKey, attachment_id: int) -> Attachment | None:
        """One attachment; None = it does not exist or is deleted."""
        call = f"view of attachment {attachment_id} of {task}"
        try:
            response = self._get(
                task, "view", f"{attachments_path(task)}/{attachment_id}/view", call
            )
        except TaskRefused as error:
            if error.status == 404:
                return None
            raise
        return parse_view(response, task.task_id, attachment_id, call)

    def create(
        self, task: TaskKey, upload: Upload, on_bytes: Callable[[int], None] | None = None
    ) -> Receipt:
        """Upload one file; `on_bytes` gets the size of each piece that is read from it.

        Raises FileProblem before a request is sent, ShortRead if the file shrinks during it.
        """
        call = f'create "{printable(upload.name)}" for {task}'
        return self._create(task, [upload], call, on_bytes)

    def create_bulk(
        self,
        task: TaskKey,
        uploads: Sequence[Upload],
        on_bytes: Callable[[int], None] | None = None,
    ) -> Receipt:
        """Upload 2 to 10 files; the server creates all of them or none. Raises as `create`."""
        if not 2 <= len(uploads) <= _BULK_FILES:
            raise ValueError(f"a bulk create takes 2 to {_BULK_FILES} files, not {len(uploads)}")
        names = f'"{printable(uploads[0].name)}" … "{printable(uploads[-1].name)}"'
        call = f"create {len(uploads)} files ({names}) for {task}"
        return self._create(task, uploads, call, on_bytes)

    def update(self, task: TaskKey, attachment_id: int, name: str, display_order: int) -> None:
        """Set name and display order; what a PUT does to a missing field is not documented."""
        call = f'update attachment {attachment_id} ("{printable(name)}") of {task}'
        values = {"name": name, "display_order": display_order}
        response = self._send(
            task, "update", f"{attachments_path(task)}/{attachment_id}", call, json=values
        )
        self._expect(response, 204, call)

    def delete(self, task: TaskKey, attachment_id: int) -> None:
        """Delete an attachment."""
        call = f"delete attachment {attachment_id} of {task}"
        response = self._send(task, "delete", f"{attachments_path(task)}/{attachment_id}", call)
        self._expect(response, 204, call)

    def fits(self, task: TaskKey, names: Sequence[str]) -> bool:
        """Whether one create may carry these names, whatever their display orders.

        A single name that is too long for the query goes in the form, where that is allowed.
        """
        if self._create_params == "form" or (self._create_params == "both" and len(names) < 2):
            return True
        return fits_request_line(self._transport.base_path + attachments_path(task), names)

    def _create(
        self,
        task: TaskKey,
        uploads: Sequence[Upload],
        call: str,
        on_bytes: Callable[[int], None] | None,
    ) -> Receipt:
        bulk = len(uploads) > 1
        suffix, part = ("/bulk", "files[]") if bulk else ("", "file")
        path = f"{attachments_path(task)}{suffix}"
        query, fields = self._parameters(self._transport.base_path + path, uploads)
        with MultipartBody(fields, [(part, upload) for upload in uploads], on_bytes) as body:
            extra = len(body) / _UPLOAD_BYTES_PER_SECOND
            response = self._send(
                task,
                "create_bulk" if bulk else "create",
                path,
                call,
                query=query,
                body=body,
                timeout_extra=extra,
            )
            self._expect(response, 201, call)
            if not body.complete:
                raise InvalidResponse(f"{call}: answered before all of it was sent", status=201)
            return Receipt(body.sent(), parse_created(response, task.task_id, uploads))

    def _parameters(self, path: str, uploads: Sequence[Upload]) -> tuple[Pairs, Pairs]:
        """Query and form fields; names too long for the query are only in the form."""
        names = [upload.name for upload in uploads]
        orders = [upload.display_order for upload in uploads]
        everything = create_parameters(names, orders, bulk=len(uploads) > 1)
        if self._create_params == "form":
            return [], everything
        fits = request_line_size(path, everything) <= REQUEST_LINE
        if self._create_params == "both":
            return (everything if fits else everything[len(names) :]), everything
        if not fits:
            longest = max(uploads, key=lambda upload: len(upload.name.encode(errors="replace")))
            raise FileProblem(longest.file, "its name is too long for a request")
        return everything, []

    def _get(self, task: TaskKey, name: str, path: str, call: str, **options: Any) -> Response:
        """Send a GET, at most three times: it changes nothing, so it may be repeated."""
        for wait in _RETRY_WAITS:
            try:
                return self._expect(self._send(task, name, path, call, **options), 200, call)
            except (Unreachable, Doubtful):
                self._sleep(wait)
        return self._expect(self._send(task, name, path, call, **options), 200, call)

    def _send(self, task: TaskKey, name: str, path: str, call: str, **content: Any) -> Response:
        """`name` is the call's, `call` what is told of it when it fails."""
        self._on_request(task, name)
        try:
            response = self._transport.request(_METHODS[name], path, **content)
        except ShortRead:
            raise
        except ApiError as error:
            if isinstance(error, Unreachable):
                self._on_answer(task.organization_id, None, QuotaReading(None, None))
            raise type(error)(f"{call}: {error}") from None
        self._on_answer(task.organization_id, response.status, quota(response))
        return response

    def _expect(self, response: Response, status: int, call: str) -> Response:
        """Return the response if its status is the documented success; a GET needs all its body."""
        if response.status != status:
            raise status_error(response, call, self._clock())
        if status == 200 and response.too_long:
            hint = "for a task of so many attachments raise max_files"
            text = f"{call}: the answer cannot be used: {response.incomplete}; {hint}"
            raise InvalidResponse(text, status=status)
        if status == 200 and response.incomplete:
            text = f"{call}: the answer broke off: {response.incomplete}"
            raise Doubtful(text, status=status)
        return response


def attachments_path(task: TaskKey) -> str:
    """The attachments of a task, below the base URL."""
    return (
        f"/organizations/{task.organization_id}/workspaces/{task.workspace_id}"
        f"/tasks/{task.task_id}/attachments"
    )
