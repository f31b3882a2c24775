"""Which folder a file on the command line lies in."""

from __future__ import annotations

import os

from syncd.overview.folders import Folders, Target


def find_place(file: str, folders: Folders) -> tuple[Target, str] | None:
    """The folder that a file, there or not, lies in, and its relative path: by its path as it is
    spelled, else resolved.

    The last part of the path is never resolved: a link in a folder is a file of its own.
    """
    spelled = os.path.abspath(file)
    real = os.path.join(os.path.realpath(os.path.dirname(spelled)), os.path.basename(spelled))
    for path in (spelled, real):
        found = [
            (len(root), target, os.path.relpath(path, root))
            for target in folders.targets
            for root in (target.folder.path, os.path.realpath(target.folder.path))
            if _below(path, root)
        ]
        if found:
            _, target, inner = max(found, key=lambda place: place[0])
            return target, inner
    return None


def _below(path: str, root: str) -> bool:
    return path != root and path.startswith(root.rstrip("/") + "/")


def why_in_no_folder(file: str, folders: Folders) -> str:
    """Why a file belongs to no folder."""
    path = os.path.abspath(file)
    left_out = [(r.path, r.error or "its folder cannot be synced") for r in folders.errors]
    left_out += [(removed.path, str(removed)) for removed in folders.removed]
    for place, reason in left_out:
        if place == path or _below(path, place):
            return reason
    for target in folders.targets:
        if path in (target.folder.path, os.path.realpath(target.folder.path)):
            return f"this is the folder {target.folder.name} itself; name a file in it"
    for parent in folders.parents:
        if _below(path, parent):
            return (
                f"it lies below {parent}, but in no subfolder that begins with a task's number "
                "(4711 Logo): only such are synced"
            )
    names = ", ".join(t.folder.path for t in folders.targets) or "none"
    return f"it lies in no folder of the config (there is: {names})"
