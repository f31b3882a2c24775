"""Tells cheaply that nothing in a folder moved, so that it need not be scanned again."""

from __future__ import annotations

import os

from syncd.local.ignore import selection
from syncd.model import Rules


def folder_hash(path: str, rules: Rules) -> int | None:
    """A number that is another one after any change that a scan may see; it holds in this process.

    None = something could not be read.
    """
    ignores = selection(rules).ignores
    seen: list[object] = []
    try:
        root = os.path.realpath(path)
        status = os.stat(root)
        seen += (root, status.st_dev, status.st_ino, os.statvfs(root).f_fsid)
        pending = [""]
        while pending:
            above = pending.pop()
            with os.scandir(os.path.join(root, above)) as entries:
                for entry in entries:
                    s = entry.stat(follow_symlinks=False)
                    seen.append((entry.name, s.st_ino, s.st_size, s.st_mtime_ns, s.st_ctime_ns))
                    if not rules.recursive or not entry.is_dir(follow_symlinks=False):
                        continue
                    below = os.path.join(above, entry.name)
                    if s.st_dev == status.st_dev and not ignores(below, directory=True):
                        pending.append(below)
    except (OSError, ValueError):
        return None
    return hash(tuple(seen))
