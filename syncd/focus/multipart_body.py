"""The body of a create: form fields and files, streamed, of exactly the declared length.

A file that grows is cut at its planned size: more bytes would start a second request on the
connection. A file that shrinks ends the request: it is never padded.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from types import TracebackType

from syncd.errors import FileProblem, ShortRead
from syncd.focus import multipart
from syncd.focus.uploads import BLOCK, OpenFile, SentFile, Upload


class MultipartBody:
    """An iterable of known length for requests to send; iterate it once."""

    def __init__(
        self,
        fields: Sequence[tuple[str, str]],
        files: Sequence[tuple[str, Upload]],
        on_bytes: Callable[[int], None] | None = None,
    ) -> None:
        """Open every file; `fields` and `files` come with their form names, fields go first.

        `on_bytes` gets the size of each piece read from a file. Raises FileProblem for a file that
        cannot be opened or is not the planned one.
        """
        names = [text for name, upload in files for text in (name, upload.name)]
        boundary = multipart.new_boundary([*(text for pair in fields for text in pair), *names])
        self.content_type = f"multipart/form-data; boundary={boundary}"
        self.given = 0
        """Bytes handed out so far."""
        self._files: list[OpenFile] = []
        self._parts: list[bytes | OpenFile] = [multipart.field(boundary, *pair) for pair in fields]
        try:
            for name, upload in files:
                self._parts.append(_file_headers(boundary, name, upload))
                file = OpenFile(upload, on_bytes)
                self._files.append(file)
                self._parts += [file, b"\r\n"]
        except BaseException:
            self.close()
            raise
        self._parts.append(multipart.end(boundary))
        sizes = (len(part) if isinstance(part, bytes) else part.size for part in self._parts)
        self._length = sum(sizes)

    def __len__(self) -> int:
        return self._length

    def __enter__(self) -> MultipartBody:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    @property
    def complete(self) -> bool:
        """Whether all bytes were handed out."""
        return self.given == self._length

    def sent(self) -> tuple[SentFile, ...]:
        """The bytes sent of each file; call it when the body is complete."""
        return tuple(file.sent for file in self._files if file.sent is not None)

    def __iter__(self) -> Iterator[bytes | memoryview]:
        """The body in blocks of half a MiB; each may be overwritten when the next is taken.

        Raises ShortRead if a file ends early, FileProblem if that happens in the first block.
        """
        block: bytes | memoryview = b""
        try:
            for piece in self._pieces():
                whole = not block and len(piece) == BLOCK  # as most of a large file: no copy
                block = piece if whole else b"".join((block, piece))
                if len(block) >= BLOCK:
                    self.given += len(block)
                    yield block
                    block = b""
        except ShortRead as error:
            if self.given:
                raise
            raise FileProblem(error.path, error.reason, changed=True, unread=True) from None
        self.given += len(block)
        yield block

    def _pieces(self) -> Iterator[bytes | memoryview]:
        for part in self._parts:
            if isinstance(part, bytes):
                yield part
            else:
                yield from iter(partial(part.read, BLOCK), b"")

    def close(self) -> None:
        """Close every open file."""
        for file in self._files:
            file.close()


def _file_headers(boundary: str, field: str, upload: Upload) -> bytes:
    try:
        return multipart.file_headers(boundary, field, upload.name)
    except UnicodeEncodeError:
        raise FileProblem(upload.file, "its name is not UTF-8") from None
