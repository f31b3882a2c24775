"""Reads `.syncd-order`, the list of a folder's paths in the wanted order."""

from __future__ import annotations

import os
import stat
from collections.abc import Collection
from errno import ELOOP
from unicodedata import normalize

from syncd.core.ordering import MANIFEST
from syncd.local.file_content import open_beneath, strerror

MAX_BYTES = 1 << 20
"""Enough for ten thousand long names."""


class ManifestUnreadable(Exception):
    """The reason is the exception's text, in one line."""


def read_manifest(root_fd: int) -> str:
    """The text of the manifest; "" = there is none. Raises ManifestUnreadable."""
    try:
        fd = open_beneath(root_fd, MANIFEST, os.O_RDONLY | os.O_NONBLOCK)
    except FileNotFoundError:
        return ""
    except OSError as error:
        why = "a symbolic link is not followed" if error.errno == ELOOP else strerror(error)
        raise ManifestUnreadable(why) from error
    try:
        if not stat.S_ISREG(os.fstat(fd).st_mode):
            raise ManifestUnreadable("not a regular file")
        content = b""
        while len(content) <= MAX_BYTES and (chunk := os.read(fd, MAX_BYTES + 1 - len(content))):
            content += chunk
    except OSError as error:
        raise ManifestUnreadable(strerror(error)) from error
    finally:
        os.close(fd)
    if len(content) > MAX_BYTES:
        raise ManifestUnreadable("larger than 1 MiB")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ManifestUnreadable("not UTF-8") from error


def parse_manifest(text: str, paths: Collection[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The synced paths in the order of their lines, and the lines that name no synced file.

    A line that begins with `#` is a comment (`./#a` names the file `#a`). A line that names no
    synced file exactly may differ from one in spaces around it and in its Unicode form.
    """
    synced = set(paths)
    by_form = {normalize("NFC", path): path for path in sorted(synced, reverse=True)}
    listed: dict[str, None] = {}
    unknown: dict[str, None] = {}
    for line in text.split("\n"):
        line = line.removesuffix("\r")
        if not line.strip() or line.startswith("#"):
            continue
        for spelling in (line, line.strip()):
            path = spelling.removeprefix("./")
            found = path if path in synced else by_form.get(normalize("NFC", path))
            if found is not None:
                listed[found] = None
                break
        else:
            unknown[line.strip()] = None
    return tuple(listed), tuple(unknown)
