"""Writes what `syncd init` makes: all of it or nothing, and nothing over what is there."""

from __future__ import annotations

import contextlib
import os
from types import TracebackType

from syncd.state.whole_file import replace_file


class Files:
    """`with Files() as files:` an error or Ctrl-C inside takes away what was made."""

    def __init__(self) -> None:
        self._made: list[str] = []
        """Files and directories in the order in which they were made."""

    def __enter__(self) -> Files:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if kind is None:
            return
        for path in reversed(self._made):
            with contextlib.suppress(OSError):
                if os.path.isdir(path) and not os.path.islink(path):
                    os.rmdir(path)
                else:
                    os.unlink(path)

    def directory(self, path: str) -> None:
        """Make a directory and those above it, for its owner alone, unless it is there."""
        if path and not os.path.isdir(path):
            self.directory(os.path.dirname(path))
            os.mkdir(path, 0o700)
            self._made.append(path)

    def file(self, path: str, text: str) -> None:
        """Make a file that its owner alone may read. Raises FileExistsError if one is there."""
        self.directory(os.path.dirname(path))
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW
        descriptor = os.open(path, flags, 0o600)
        self._made.append(path)
        with os.fdopen(descriptor, "w", encoding="utf-8", newline="") as stream:
            stream.write(text)
            stream.flush()
            os.fsync(descriptor)


def replace_text(path: str, text: str) -> None:
    """Give a file another text at once; mode and owner stay, and so does a link to it."""
    path = os.path.realpath(path)
    status = os.stat(path)
    with open(path, "rb") as old:
        bom = b"\xef\xbb\xbf" if old.read(3) == b"\xef\xbb\xbf" else b""
    owner = (status.st_uid, status.st_gid)
    mode = status.st_mode & 0o7777
    replace_file(path, bom + text.encode(), mode=mode, owner=owner, sync=True)
