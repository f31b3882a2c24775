"""A disk on which chosen files cannot be opened, or not be read to their end.

It stands where the system calls are: whoever opens and reads files by them is deceived.
"""

from __future__ import annotations

import errno
import os
from pathlib import Path
from typing import Any

import pytest


class Disk:
    """`disk.shut(path)`, `disk.breaks(path, after=2)`, `disk.mend()`."""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self._shut: dict[str, tuple[int, int]] = {}
        self._broken: dict[str, tuple[int, int | None]] = {}
        self.reads = 0
        """How often a broken place was met."""
        self._open, self._read, self._readv = os.open, os.read, os.readv
        patch.setattr(os, "open", self._opened)
        patch.setattr(os, "read", self._was_read)
        patch.setattr(os, "readv", self._was_read_into)

    def shut(self, path: Path, number: int = errno.EIO, times: int = 1 << 30) -> None:
        """Opening it fails, so many times."""
        self._shut[os.path.realpath(path)] = (number, times)

    def breaks(self, path: Path, after: int = 0, number: int | None = errno.EIO) -> None:
        """Behind so many bytes reading it fails, or (None) it ends there, whatever its size."""
        self._broken[os.path.realpath(path)] = (after, number)

    def mend(self) -> None:
        self._shut.clear()
        self._broken.clear()

    def _opened(self, path: Any, flags: int, *rest: Any, dir_fd: int | None = None) -> int:
        if not flags & os.O_DIRECTORY and isinstance(path, str):
            base = os.readlink(f"/proc/self/fd/{dir_fd}") if dir_fd is not None else ""
            whole = os.path.join(base, path)
            number, times = self._shut.get(whole, (0, 0))
            if times:
                self._shut[whole] = (number, times - 1)
                raise OSError(number, os.strerror(number), path)
        return self._open(path, flags, *rest, dir_fd=dir_fd)

    def _was_read(self, fd: int, count: int) -> bytes:
        return self._read(fd, self._allowed(fd, count))

    def _was_read_into(self, fd: int, buffers: Any) -> int:
        if not self._broken:
            return self._readv(fd, buffers)
        piece = self._was_read(fd, len(buffers[0]))
        buffers[0][: len(piece)] = piece
        return len(piece)

    def _allowed(self, fd: int, count: int) -> int:
        """How much of a read is possible, if any is."""
        broken = self._broken.get(os.readlink(f"/proc/self/fd/{fd}")) if self._broken else None
        if broken is None:
            return count
        after, number = broken
        left = after - os.lseek(fd, 0, os.SEEK_CUR)
        if left > 0:
            return min(count, left)
        self.reads += 1
        if number is None:
            return 0
        raise OSError(number, os.strerror(number))
