"""Reads `.syncd-order`: the paths of a folder in the order that its owner wants."""

from __future__ import annotations

import os
import stat
from collections.abc import Collection
from errno import ELOOP
from unicodedata import normalize

from syncd.core.ordering import MANIFEST
from syncd.local.digest import open_beneath, strerror

LIMIT = 1 << 20
"""Bytes; ten thousand long names fit."""


class ManifestUnreadable(Exception):
    """Its text says why, in one line."""


def read_manifest(root_fd: int) -> str:
    """The text of the manifest, "" if there is none. Raises ManifestUnreadable."""
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
        while len(content) <= LIMIT and (chunk := os.read(fd, LIMIT + 1 - len(content))):
            content += chunk
    except OSError as error:
        raise ManifestUnreadable(strerror(error)) from error
    finally:
        os.close(fd)
    if len(content) > LIMIT:
        raise ManifestUnreadable("larger than 1 MiB")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ManifestUnreadable("not UTF-8") from error


def parse_manifest(text: str, paths: Collection[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """(listed paths in order, lines that name no synced file).

    One path a line; `#` starts a comment line (`./#a` names a file that starts so). Spaces
    around a path and another Unicode form of it are forgiven unless they name a file.
    """
    there = set(paths)
    by_form = {normalize("NFC", path): path for path in sorted(there, reverse=True)}
    listed: dict[str, None] = {}
    unknown: dict[str, None] = {}
    for line in text.split("\n"):
        line = line.removesuffix("\r")
        if not line.strip() or line.startswith("#"):
            continue
        for spelling in (line, line.strip()):
            path = spelling.removeprefix("./")
            found = path if path in there else by_form.get(normalize("NFC", path))
            if found is not None:
                listed[found] = None
                break
        else:
            unknown[line.strip()] = None
    return tuple(listed), tuple(unknown)
