"""The six calls of the attachments API, in the words of the model."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any
from urllib.parse import urlsplit

from syncd.errors import ApiError, Doubtful, FileProblem, TaskRefused, Unbelievable, Unreachable
from syncd.focus import answers
from syncd.focus.query import (
    LIMIT,
    CreateParams,
    Pairs,
    fits_request_line,
    parameters,
    query_size,
)
from syncd.focus.sending import Receipt, Upload
from syncd.focus.transport import ANSWER_LIMIT, Answer, Transport
from syncd.focus.upload import MultipartBody, ShortRead
from syncd.focus.verdicts import quota, verdict
from syncd.model import Attachment, Listing, QuotaReading, Rules, TaskKey
from syncd.text import printable

BULK = 10
"""Files that one bulk create takes."""
_WAITS = (0.5, 2.0)
"""Seconds before a GET is repeated."""
_UPLOAD_PACE = 2 << 20
"""Bytes sent that give the answer one second more."""
_BASE_PATH = "/api"
_ROW = 2 << 10
"""Bytes that a list has for an attachment: its name may take 1 KiB, and an old version of it may
still be there."""
_LONGEST_LIST = 512 << 20
"""Bytes of a list where `max_files` sets no limit: of well over a million attachments."""


class FocusClient:
    """Speaks for one account; calls may run in several threads at a time."""

    def __init__(
        self,
        transport: Transport,
        *,
        on_answer: Callable[[int, int | None, QuotaReading], None],
        on_request: Callable[[TaskKey, str], None],
        create_params: CreateParams = "both",
        clock: Callable[[], float] = time.time,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """`on_request` is called before every request, `on_answer` after every answer, and
        without a status where the server was not reached."""
        self._transport = transport
        self._create_params = create_params
        self._clock = clock
        self._sleep = sleep
        self._on_answer = on_answer
        self._on_request = on_request

    def list(self, task: TaskKey, max_files: int = Rules.max_files) -> Listing:
        """All attachments of a task that are not deleted; `max_files` bounds the answer."""
        what = f"list of {task}"
        answer = self._get(task, _path(task), what, answer_limit=_list_limit(max_files))
        return answers.listing(answer, task.task_id, what, self._clock())

    def view(self, task: TaskKey, attachment_id: int) -> Attachment | None:
        """One attachment; None = it does not exist or is deleted."""
        what = f"view of attachment {attachment_id} of {task}"
        try:
            answer = self._get(task, f"{_path(task)}/{attachment_id}/view", what)
        except TaskRefused as error:
            if error.status == 404:
                return None
            raise
        return answers.viewed(answer, task.task_id, attachment_id, what)

    def create(
        self, task: TaskKey, upload: Upload, on_bytes: Callable[[int], None] | None = None
    ) -> Receipt:
        """Upload one file; `on_bytes` hears of its bytes as they are read."""
        what = f'create "{printable(upload.name)}" for {task}'
        return self._create(task, [upload], what, on_bytes, bulk=False)

    def create_bulk(
        self,
        task: TaskKey,
        uploads: Sequence[Upload],
        on_bytes: Callable[[int], None] | None = None,
    ) -> Receipt:
        """Upload two to ten files, all or none of them."""
        if not 2 <= len(uploads) <= BULK:
            raise ValueError(f"a bulk create takes 2 to {BULK} files, not {len(uploads)}")
        names = f'"{printable(uploads[0].name)}" … "{printable(uploads[-1].name)}"'
        what = f"create {len(uploads)} files ({names}) for {task}"
        return self._create(task, uploads, what, on_bytes, bulk=True)

    def update(self, task: TaskKey, attachment_id: int, name: str, display_order: int) -> None:
        """Set name and display order, always both."""
        what = f'update attachment {attachment_id} ("{printable(name)}") of {task}'
        values = {"name": name, "display_order": display_order}
        answer = self._send(task, "PUT", f"{_path(task)}/{attachment_id}", what, json=values)
        self._expect(answer, 204, what)

    def delete(self, task: TaskKey, attachment_id: int) -> None:
        what = f"delete attachment {attachment_id} of {task}"
        answer = self._send(task, "DELETE", f"{_path(task)}/{attachment_id}", what)
        self._expect(answer, 204, what)

    def fits(self, task: TaskKey, names: Sequence[str]) -> bool:
        """Whether one create may carry these names, whatever their display orders.

        One name always may, unless it can only go by the query.
        """
        if self._create_params == "form" or (self._create_params == "both" and len(names) < 2):
            return True
        return fits_request_line(_full_path(task), names)

    def _create(
        self,
        task: TaskKey,
        uploads: Sequence[Upload],
        what: str,
        on_bytes: Callable[[int], None] | None,
        *,
        bulk: bool,
    ) -> Receipt:
        path = f"{_path(task)}/bulk" if bulk else _path(task)
        query, fields = self._parameters(task, uploads, bulk=bulk)
        part = "files[]" if bulk else "file"
        with MultipartBody(fields, [(part, upload) for upload in uploads], on_bytes) as body:
            extra = len(body) / _UPLOAD_PACE
            answer = self._send(
                task, "POST", path, what, query=query, body=body, timeout_extra=extra
            )
            self._expect(answer, 201, what)
            if not body.complete:
                raise Unbelievable(f"{what}: answered before all of it was sent", status=201)
            return Receipt(body.sent(), answers.created(answer, task.task_id, uploads))

    def _parameters(
        self, task: TaskKey, uploads: Sequence[Upload], *, bulk: bool
    ) -> tuple[Pairs, Pairs]:
        """Query and form of a create; a name too long for the query is left to the form."""
        names = [upload.name for upload in uploads]
        orders = [upload.display_order for upload in uploads]
        named, numbered = parameters(names, orders, bulk=bulk)
        everything = [*named, *numbered]
        if self._create_params == "form":
            return [], everything
        path = f"{_full_path(task)}/bulk" if bulk else _full_path(task)
        fits = query_size(path, everything) <= LIMIT
        if self._create_params == "both":
            return (everything if fits else numbered), everything
        if not fits:
            longest = max(uploads, key=lambda upload: len(upload.name.encode(errors="replace")))
            raise FileProblem(longest.file, "its name is too long for a request")
        return everything, []

    def _get(self, task: TaskKey, path: str, what: str, **options: Any) -> Answer:
        """A GET changes nothing: it alone is repeated, at most twice."""
        for wait in _WAITS:
            try:
                return self._expect(self._send(task, "GET", path, what, **options), 200, what)
            except (Unreachable, Doubtful):
                self._sleep(wait)
        return self._expect(self._send(task, "GET", path, what, **options), 200, what)

    def _send(self, task: TaskKey, method: str, path: str, what: str, **content: Any) -> Answer:
        self._on_request(task, method)
        try:
            answer = self._transport.request(method, path, **content)
        except ShortRead:
            raise
        except ApiError as error:
            if isinstance(error, Unreachable):
                self._on_answer(task.organization_id, None, QuotaReading(None, None))
            raise type(error)(f"{what}: {error}") from None
        self._on_answer(task.organization_id, answer.status, quota(answer))
        return answer

    def _expect(self, answer: Answer, status: int, what: str) -> Answer:
        """The answer, if it is the documented success; only a GET needs all of its body."""
        if answer.status != status:
            raise verdict(answer, what, self._clock())
        if status == 200 and answer.overlong:
            hint = "for a task of so many attachments raise max_files"
            text = f"{what}: the answer cannot be used: {answer.cut}; {hint}"
            raise Unbelievable(text, status=status)
        if status == 200 and answer.cut:
            raise Doubtful(f"{what}: the answer broke off: {answer.cut}", status=status)
        return answer


def _list_limit(max_files: int) -> int:
    """Bytes of a list: room for so many files of ours, and for what others attached besides."""
    return ANSWER_LIMIT + max_files * _ROW if max_files else _LONGEST_LIST


def _path(task: TaskKey) -> str:
    return (
        f"/organizations/{task.organization_id}/workspaces/{task.workspace_id}"
        f"/tasks/{task.task_id}/attachments"
    )


def _full_path(task: TaskKey) -> str:
    """The target path as it stands in the request line."""
    url = urlsplit(task.url)
    return (url.path.rstrip("/") if url.scheme else _BASE_PATH) + _path(task)
