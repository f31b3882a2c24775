"""Writes what `syncd init` makes: all of it or nothing, and nothing over what is there."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable
from typing import Any

from syncd.state.whole_file import replace_file


class Files(contextlib.ExitStack):
    """`with Files() as files:` an error or Ctrl-C inside takes away what was made."""

    def __exit__(self, *error: Any) -> bool | None:
        if error[0] is None:
            self.pop_all()
        return super().__exit__(*error)

    def directory(self, path: str) -> None:
        """Make a directory and those above it, for its owner alone, unless it is there."""
        if path and not os.path.isdir(path):
            self.directory(os.path.dirname(path))
            os.mkdir(path, 0o700)
            self.callback(_remove, os.rmdir, path)

    def file(self, path: str, text: str) -> None:
        """Make a file that its owner alone may read. Raises FileExistsError if one is there."""
        self.directory(os.path.dirname(path))
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW
        descriptor = os.open(path, flags, 0o600)
        self.callback(_remove, os.unlink, path)
        with os.fdopen(descriptor, "w", encoding="utf-8", newline="") as stream:
            stream.write(text)
            stream.flush()
            os.fsync(descriptor)


def _remove(remove: Callable[[str], None], path: str) -> None:
    with contextlib.suppress(OSError):
        remove(path)


def replace_text(path: str, text: str) -> None:
    """Give a file another text at once; mode and owner stay, and so does a link to it."""
    path = os.path.realpath(path)
    status = os.stat(path)
    with open(path, "rb") as old:
        bom = b"\xef\xbb\xbf" if old.read(3) == b"\xef\xbb\xbf" else b""
    owner = (status.st_uid, status.st_gid)
    mode = status.st_mode & 0o7777
    replace_file(path, bom + text.encode(), mode=mode, owner=owner, sync=True)
