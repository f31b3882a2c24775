"""Opens files of a folder without following symbolic links, and computes their digests."""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Callable
from errno import ELOOP, ENOENT, ENOTDIR

from syncd.errors import FileProblem
from syncd.model import Fingerprint

CHUNK = 1 << 20

_NO_LINK = os.O_NOFOLLOW | os.O_CLOEXEC
# To pass through a directory takes the right to search it, not to read it.
_SEARCH = _NO_LINK | os.O_DIRECTORY | getattr(os, "O_PATH", os.O_RDONLY)
_READ = _NO_LINK | os.O_NONBLOCK | os.O_RDONLY


def absolute_path(root: str, path: str) -> str:
    """The absolute path of `path`, which is relative to `root` and has `/` separators."""
    return os.path.join(root, *path.split("/"))


def strerror(error: OSError) -> str:
    """The system's error text in lower case, without the path: "permission denied"."""
    text = os.strerror(error.errno) if error.errno else str(error)
    return text[:1].lower() + text[1:]


def open_beneath(root_fd: int, path: str, flags: int) -> int:
    """A descriptor of the relative `path` below the directory `root_fd`; "" is the root itself.

    No part of the path may be a symbolic link. Raises OSError, with ELOOP or ENOTDIR for a link.
    """
    if not path:
        return os.open(".", flags | _NO_LINK, dir_fd=root_fd)
    *above, name = path.split("/")
    if any(part in ("", ".", "..") for part in (*above, name)) or "\0" in path:
        raise FileNotFoundError(ENOENT, "not a path below the folder", path)
    at = root_fd
    try:
        for part in above:
            inner = os.open(part, _SEARCH, dir_fd=at)
            if at != root_fd:
                os.close(at)
            at = inner
        return os.open(name, flags | _NO_LINK, dir_fd=at)
    finally:
        if at != root_fd:
            os.close(at)


def open_file(root: str, path: str) -> int:
    """A descriptor of the regular file `path` below the resolved `root`; the caller closes it.

    Follows no symbolic link and does not wait for a pipe. Raises FileProblem.
    """
    try:
        root_fd = os.open(root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            fd = open_beneath(root_fd, path, _READ)
        finally:
            os.close(root_fd)
    except OSError as error:
        raise _open_problem(path, error) from error
    if stat.S_ISREG(os.fstat(fd).st_mode):
        return fd
    os.close(fd)
    raise FileProblem(path, "no longer a regular file", changed=True)


def digest(
    root: str,
    path: str,
    expected: Fingerprint | None = None,
    on_progress: Callable[[int], object] = lambda _: None,
) -> tuple[str, Fingerprint]:
    """The sha256 of a file in hex, and the file's fingerprint before and after reading.

    `root` is resolved; `on_progress` gets the number of bytes of each chunk. Raises FileProblem:
    `changed` if the fingerprint is not the expected one or changes while the file is read,
    `unread` if it does not change and the file still cannot be read to its end.
    """
    fd = open_file(root, path)
    try:
        before = Fingerprint.of(os.fstat(fd))
        if expected is not None and before != expected:
            raise FileProblem(path, "changed since it was scanned", changed=True)
        hasher = hashlib.sha256()
        buffer = memoryview(bytearray(CHUNK))
        total = 0
        while count := os.readv(fd, [buffer]):
            hasher.update(buffer[:count])
            total += count
            on_progress(count)
            if total > before.size:
                break
        if Fingerprint.of(os.fstat(fd)) != before:
            raise FileProblem(path, "changed while it was read", changed=True)
        if total < before.size:
            reason = f"ends after {total} bytes, though its size is {before.size}"
            raise FileProblem(path, reason, unread=True)
        if total > before.size:
            raise FileProblem(path, f"goes on behind its size, {before.size} bytes", unread=True)
    except OSError as error:
        raise FileProblem(path, f"cannot be read: {strerror(error)}", unread=True) from error
    finally:
        os.close(fd)
    return hasher.hexdigest(), before


def _open_problem(path: str, error: OSError) -> FileProblem:
    if error.errno == ENOENT:
        return FileProblem(path, "no longer there", changed=True)
    if error.errno in (ELOOP, ENOTDIR):
        return FileProblem(path, "is or lies behind a symbolic link now", changed=True)
    return FileProblem(path, strerror(error))
