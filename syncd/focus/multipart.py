"""The body of a create: multipart/form-data, streamed, of exactly the declared length.

A file that grows is cut at its planned size: more bytes would start a second request on the
connection. A file that shrinks ends the request: it is never padded.
"""

from __future__ import annotations

import functools
import mimetypes
import re
import secrets
from collections.abc import Callable, Iterator, Sequence
from urllib.parse import quote

from syncd.errors import FileProblem, ShortRead
from syncd.focus.uploads import BLOCK, OpenFile, SentFile, Upload

_ENCODINGS = {
    "gzip": "application/gzip",
    "bzip2": "application/x-bzip2",
    "xz": "application/x-xz",
    "compress": "application/x-compress",
    "br": "application/x-brotli",
}
_types = functools.cache(mimetypes.MimeTypes)
"""The built-in types, without the system's; slow to make."""
_ESCAPED = re.compile(r'["\\\x00-\x1f\x7f-\x9f]')


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
        boundary = f"syncd-{secrets.token_hex(16)}"
        self.content_type = f"multipart/form-data; boundary={boundary}"
        self.given = 0
        """Bytes handed out so far."""
        self._files: list[OpenFile] = []
        self._parts: list[bytes | OpenFile] = [_field(boundary, *pair) for pair in fields]
        try:
            for name, upload in files:
                self._parts.append(_file_headers(boundary, name, upload))
                file = OpenFile(upload, on_bytes)
                self._files.append(file)
                self._parts += [file, b"\r\n"]
        except BaseException:
            self.close()
            raise
        self._parts.append(f"--{boundary}--\r\n".encode())
        sizes = (len(part) if isinstance(part, bytes) else part.size for part in self._parts)
        self._length = sum(sizes)

    def __len__(self) -> int:
        return self._length

    def __enter__(self) -> MultipartBody:
        return self

    def __exit__(self, *_: object) -> None:
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
                while piece := part.read(BLOCK):
                    yield piece

    def close(self) -> None:
        """Close every open file."""
        for file in self._files:
            file.close()


def _field(boundary: str, name: str, value: str) -> bytes:
    """A text field with its value unescaped. Raises UnicodeEncodeError for a lone surrogate."""
    disposition = f'Content-Disposition: form-data; name="{_escaped(name)}"'
    return f"--{boundary}\r\n{disposition}\r\n\r\n{value}\r\n".encode()


def _file_headers(boundary: str, field: str, upload: Upload) -> bytes:
    """The headers of a file part; the file's bytes and a line break follow."""
    base = upload.name.rpartition("/")[2] or "file"
    names = f'name="{_escaped(field)}"; filename="{_escaped(base)}"'
    head = f"--{boundary}\r\nContent-Disposition: form-data; {names}\r\n"
    try:
        return f"{head}Content-Type: {content_type(base)}\r\n\r\n".encode()
    except UnicodeEncodeError:
        raise FileProblem(upload.file, "its name is not UTF-8") from None


def _escaped(text: str) -> str:
    """A quoted header value: `"`, backslash and control characters are percent-escaped."""
    return _ESCAPED.sub(lambda found: quote(found[0], safe=""), text)


def content_type(name: str) -> str:
    """The type by the last suffix of the name: `a.tar.gz` is gzip."""
    kind, encoding = _types().guess_type(f"./{name}", strict=False)
    if encoding is not None:
        return _ENCODINGS.get(encoding, "application/octet-stream")
    return kind or "application/octet-stream"
