"""The input and the result of a create, and the reading of its files."""

from __future__ import annotations

import errno
import hashlib
import os
import stat
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import NamedTuple

from syncd.errors import FileProblem, ShortRead
from syncd.model import Attachment, Fingerprint

BLOCK = 1 << 19
"""Bytes read at a time."""
_LARGE = 4 << 20
"""Bytes of a file from which a thread for its digest pays."""
_BUFFERS = 3
"""Blocks of a large file that may wait to be hashed."""
_FLAGS = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY
_REPLACED = {
    errno.ENOENT: "no longer there",
    errno.ENOTDIR: "no longer there",
    errno.ELOOP: "is a symbolic link now",
    errno.ENXIO: "is not a regular file now",
}
"""Errors of `open` that mean that the planned file is gone or was replaced."""
_DENIED = {errno.EACCES: "permission denied", errno.EPERM: "permission denied"}


class Upload(NamedTuple):
    """A file to send; the client refuses it if its fingerprint has changed."""

    file: str
    """Absolute path."""
    name: str
    """Name of the attachment."""
    display_order: int
    fingerprint: Fingerprint


class SentFile(NamedTuple):
    """The bytes of one file that went out."""

    digest: str
    """sha256 in hex."""
    changed: bool
    """The file's fingerprint changed while it was sent."""


class Receipt(NamedTuple):
    """A confirmed create."""

    sent: tuple[SentFile, ...]
    """In the order of the uploads."""
    attachments: tuple[Attachment, ...] | None = None
    """In the order of the uploads; None = the response does not identify all of them."""


class OpenFile:
    """An open file, hashed while it is read."""

    def __init__(self, upload: Upload, on_bytes: Callable[[int], None] | None) -> None:
        """Raises FileProblem if it cannot be opened or is not the planned one."""
        self.path = upload.file
        self.size = upload.fingerprint.size
        self.sent: SentFile | None = None
        """Set when the last byte was taken."""
        self._planned = upload.fingerprint
        self._on_bytes = on_bytes
        self._left = self.size
        self._sha = hashlib.sha256()
        self._blocks = _Blocks(self._sha.update) if self.size >= _LARGE else None
        self._fd = _open(upload)

    def read(self, limit: int) -> bytes | memoryview:
        """The next bytes, at most `limit`; empty at the planned end. Raises ShortRead.

        What a large file gives is overwritten a few reads later.
        """
        if self.sent is not None:
            return b""
        piece = self._read(min(limit, self._left)) if self._left else b""
        self._left -= len(piece)
        if not self._left:
            changed = Fingerprint.of(os.fstat(self._fd)) != self._planned
            self.close()
            self.sent = SentFile(self._sha.hexdigest(), changed)
        if piece and self._on_bytes is not None:
            self._on_bytes(len(piece))
        return piece

    def _read(self, count: int) -> bytes | memoryview:
        try:
            if self._blocks is not None:
                piece: bytes | memoryview = self._blocks.read(self._fd, count)
            else:
                piece = os.read(self._fd, count)
                self._sha.update(piece)
        except OSError as error:
            raise ShortRead(self.path, _reason(error)) from None
        if not piece:
            raise ShortRead(self.path, "shrank")
        return piece

    def close(self) -> None:
        """Close the file; what was read of it is hashed then."""
        fd, self._fd = self._fd, -1
        if fd >= 0:
            os.close(fd)
        if self._blocks is not None:
            self._blocks.finish()


class _Blocks:
    """Reads into a few buffers in turn, while a second thread works on those read before."""

    def __init__(self, work: Callable[[memoryview], None]) -> None:
        self._work = work
        self._thread = ThreadPoolExecutor(max_workers=1)
        self._buffers: deque[tuple[memoryview, Future[None]]] = deque()

    def read(self, fd: int, limit: int) -> memoryview:
        """The next bytes, at most `limit` and a block; they stay for _BUFFERS - 1 more reads."""
        if len(self._buffers) < _BUFFERS:
            buffer = memoryview(bytearray(BLOCK))
        else:
            buffer, worked = self._buffers.popleft()
            worked.result()
        piece = buffer[: os.readv(fd, [buffer[:limit]])]
        self._buffers.append((buffer, self._thread.submit(self._work, piece)))
        return piece

    def finish(self) -> None:
        """Wait until all that was read is worked on, and give the buffers back."""
        self._thread.shutdown()
        self._buffers.clear()


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
        if Fingerprint.of(status) != upload.fingerprint:
            raise FileProblem(upload.file, "changed since it was planned", changed=True)
    except BaseException:
        os.close(fd)
        raise
    return fd


def _reason(error: OSError) -> str:
    number = error.errno or 0
    return _REPLACED.get(number) or _DENIED.get(number) or os.strerror(number).lower()
