"""A multipart body of exactly the planned length, read from files that are what was planned.

Never a byte more than was declared (the surplus would be taken for a second request) and never
padding for bytes that are missing (the request is broken off instead).
"""

from __future__ import annotations

import errno
import hashlib
import os
import stat
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Protocol

from syncd.errors import Doubtful, FileProblem
from syncd.focus import parts
from syncd.focus.sending import Sent, Upload
from syncd.model import Fingerprint

_BLOCK = 1 << 20
_FLAGS = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY
_GONE = {
    errno.ENOENT: "no longer there",
    errno.ENOTDIR: "no longer there",
    errno.ELOOP: "is a symbolic link now",
    errno.ENXIO: "is not a regular file now",
}
_REASONS = {errno.EACCES: "permission denied", errno.EPERM: "permission denied"}


class ShortRead(Doubtful):
    """A file gave out before its planned end: the request was broken off half-way."""

    def __init__(self, path: str, reason: str) -> None:
        super().__init__(f"{path}: {reason} while it was sent; the request was broken off")
        self.path = path
        self.reason = reason


class _Part(Protocol):
    size: int

    def take(self, limit: int) -> bytes:
        """The next bytes, `limit` at most; nothing = the part is done."""

    def close(self) -> None: ...


class _Text:
    """Headers, form values, boundaries."""

    def __init__(self, data: bytes) -> None:
        self.size = len(data)
        self._rest = memoryview(data)

    def take(self, limit: int) -> bytes:
        piece, self._rest = bytes(self._rest[:limit]), self._rest[limit:]
        return piece

    def close(self) -> None:
        pass


class _File:
    """One opened file; what was read is known by its sha256."""

    def __init__(self, upload: Upload, on_bytes: Callable[[int], None] | None) -> None:
        self.path = upload.file
        self.size = upload.fingerprint.size
        self.sent: Sent | None = None
        self._planned = upload.fingerprint
        self._on_bytes = on_bytes
        self._left = self.size
        self._sha = hashlib.sha256()
        self._fd = _open(upload)

    def take(self, limit: int) -> bytes:
        if self.sent is not None:
            return b""
        piece = self._read(min(limit, self._left)) if self._left else b""
        self._left -= len(piece)
        self._sha.update(piece)
        if not self._left:
            changed = _fingerprint(os.fstat(self._fd)) != self._planned
            self.sent = Sent(self._sha.hexdigest(), changed)
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
    """What requests sends: it has a length and is read once, from the start to the end.

    `given` bytes were handed out so far; `complete` when that was all.
    """

    def __init__(
        self,
        fields: Sequence[tuple[str, str]],
        files: Sequence[tuple[str, Upload]],
        on_bytes: Callable[[int], None] | None = None,
    ) -> None:
        """`fields` and `files` with their form names, fields first; opens every file.

        Raises FileProblem when a file cannot be read or is not the planned one.
        """
        boundary = parts.boundary([*fields, *((name, upload.name) for name, upload in files)])
        self.content_type = f"multipart/form-data; boundary={boundary}"
        self.given = 0
        self._at = 0
        self._files: list[_File] = []
        self._parts: list[_Part] = [_Text(parts.field(boundary, *pair)) for pair in fields]
        try:
            for name, upload in files:
                self._parts.append(_Text(_file_head(boundary, name, upload)))
                file = _File(upload, on_bytes)
                self._files.append(file)
                self._parts += [file, _Text(b"\r\n")]
        except BaseException:
            self.close()
            raise
        self._parts.append(_Text(parts.end(boundary)))
        self._length = sum(part.size for part in self._parts)

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
        return self.given == self._length

    def sent(self) -> tuple[Sent, ...]:
        """What went over the wire of each file; only once the body is complete."""
        return tuple(file.sent for file in self._files if file.sent is not None)

    def read(self, size: int = -1) -> bytes:
        """The next bytes, `size` at most (1 MiB without); b"" at the end."""
        want = size if size > 0 else _BLOCK
        pieces: list[bytes] = []
        while want and self._at < len(self._parts):
            piece = self._take(want)
            if piece:
                pieces.append(piece)
                want -= len(piece)
            else:
                self._at += 1
        data = pieces[0] if len(pieces) == 1 else b"".join(pieces)
        self.given += len(data)
        return data

    def _take(self, want: int) -> bytes:
        try:
            return self._parts[self._at].take(want)
        except ShortRead as error:
            if self.given:
                raise
            raise FileProblem(error.path, error.reason, changed=True, unread=True) from None

    def close(self) -> None:
        """Close every file that is still open."""
        for file in self._files:
            file.close()


def _file_head(boundary: str, field: str, upload: Upload) -> bytes:
    try:
        return parts.file_head(boundary, field, upload.name)
    except UnicodeEncodeError:
        raise FileProblem(upload.file, "its name is not UTF-8") from None


def _fingerprint(status: os.stat_result) -> Fingerprint:
    return Fingerprint(status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_ino)


def _open(upload: Upload) -> int:
    """Open a file that is still the planned one, without following or waiting."""
    try:
        fd = os.open(upload.file, _FLAGS)
    except OSError as error:
        gone = error.errno in _GONE
        raise FileProblem(upload.file, _reason(error), changed=gone) from None
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
    return _GONE.get(number) or _REASONS.get(number) or os.strerror(number).lower()
