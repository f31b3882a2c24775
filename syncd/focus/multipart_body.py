"""The body of a create: form fields and files, streamed, of exactly the declared length.

A file that grows is cut at its planned size: more bytes would start a second request on the
connection. A file that shrinks ends the request: it is never padded.
"""

from __future__ import annotations

import errno
import hashlib
import os
import stat
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from types import TracebackType

from syncd.errors import FileProblem, ShortRead
from syncd.focus import multipart
from syncd.focus.uploads import SentFile, Upload
from syncd.model import Fingerprint

_BLOCK = 1 << 20
_FLAGS = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY
_REPLACED = {
    errno.ENOENT: "no longer there",
    errno.ENOTDIR: "no longer there",
    errno.ELOOP: "is a symbolic link now",
    errno.ENXIO: "is not a regular file now",
}
"""Errors of `open` that mean that the planned file is gone or was replaced."""
_DENIED = {errno.EACCES: "permission denied", errno.EPERM: "permission denied"}


class _File:
    """An open file, hashed while it is read."""

    def __init__(self, upload: Upload, on_bytes: Callable[[int], None] | None) -> None:
        self.path = upload.file
        self.size = upload.fingerprint.size
        self.sent: SentFile | None = None
        """Set when the last byte was taken."""
        self._planned = upload.fingerprint
        self._on_bytes = on_bytes
        self._left = self.size
        self._sha = hashlib.sha256()
        self._fd = _open(upload)

    def read(self, limit: int) -> bytes:
        """The next bytes, at most `limit`; empty at the planned end. Raises ShortRead."""
        if self.sent is not None:
            return b""
        piece = self._read(min(limit, self._left)) if self._left else b""
        self._left -= len(piece)
        self._sha.update(piece)
        if not self._left:
            changed = _fingerprint(os.fstat(self._fd)) != self._planned
            self.sent = SentFile(self._sha.hexdigest(), changed)
            self.close()
        if piece and self._on_bytes is not None:
            self._on_bytes(len(piece))
        return piece

    def _read(self, count: int) -> bytes:
        try:
            piece = os.read(self._fd, count)
        except OSError as error:
            raise ShortRead(self.path, _reason(error)) from None
        if not piece:
            raise ShortRead(self.path, "shrank")
        return piece

    def close(self) -> None:
        fd, self._fd = self._fd, -1
        if fd >= 0:
            os.close(fd)


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
        self._files: list[_File] = []
        self._parts: list[bytes | _File] = [multipart.field(boundary, *pair) for pair in fields]
        try:
            for name, upload in files:
                self._parts.append(_file_headers(boundary, name, upload))
                file = _File(upload, on_bytes)
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

    def __iter__(self) -> Iterator[bytes]:
        """The body in blocks of about 1 MiB.

        Raises ShortRead if a file ends early, FileProblem if that happens in the first block.
        """
        block = b""
        try:
            for piece in self._pieces():
                block += piece
                if len(block) >= _BLOCK:
                    self.given += len(block)
                    yield block
                    block = b""
        except ShortRead as error:
            if self.given:
                raise
            raise FileProblem(error.path, error.reason, changed=True, unread=True) from None
        self.given += len(block)
        yield block

    def _pieces(self) -> Iterator[bytes]:
        for part in self._parts:
            if isinstance(part, bytes):
                yield part
            else:
                yield from iter(partial(part.read, _BLOCK), b"")

    def close(self) -> None:
        """Close every open file."""
        for file in self._files:
            file.close()


def _file_headers(boundary: str, field: str, upload: Upload) -> bytes:
    try:
        return multipart.file_headers(boundary, field, upload.name)
    except UnicodeEncodeError:
        raise FileProblem(upload.file, "its name is not UTF-8") from None


def _fingerprint(status: os.stat_result) -> Fingerprint:
    return Fingerprint(status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_ino)


def _open(upload: Upload) -> int:
    """Open the planned file, without following a link or waiting for a pipe."""
    try:
        fd = os.open(upload.file, _FLAGS)
    except OSError as error:
        replaced = error.errno in _REPLACED
        raise FileProblem(upload.file, _reason(error), changed=replaced) from None
    try:
        status = os.fstat(fd)
        if not stat.S_ISREG(status.st_mode):
            raise FileProblem(upload.file, "is not a regular file now", changed=True)
        if _fingerprint(status) != upload.fingerprint:
            raise FileProblem(upload.file, "changed since it was planned", changed=True)
    except BaseException:
        os.close(fd)
        raise
    return fd


def _reason(error: OSError) -> str:
    number = error.errno or 0
    return _REPLACED.get(number) or _DENIED.get(number) or os.strerror(number).lower()
