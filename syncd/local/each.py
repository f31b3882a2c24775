"""Finds the folders of an `each:` parent: its subfolders that are named by a task."""

from __future__ import annotations

import os
import re

from syncd.core.ordering import natural_key
from syncd.errors import FolderError
from syncd.local.digest import strerror
from syncd.local.root import mend_missing, printable

HIGHEST = 2**63 - 1
"""The greatest number that a task can have."""
_TASK = re.compile(r"([0-9]+)(?:[ _-].*)?", re.DOTALL)


def task_folders(parent: str) -> list[tuple[int, str, str]]:
    """(task_id, name, path) of every subfolder named by a task id, in natural order.

    A link to a folder counts, and so does one that leads nowhere: its scan will say what is
    wrong, while leaving it out would look as if the folder had left. Two subfolders of one task
    are both given. Raises FolderError if the parent cannot be read.
    """
    found: list[tuple[int, str, str]] = []
    try:
        with os.scandir(parent) as entries:
            for entry in entries:
                match = _TASK.fullmatch(entry.name)
                if match and int(match[1]) > 0 and _may_be_folder(entry):
                    path = os.path.join(parent, entry.name)
                    found.append((int(match[1]), printable(entry.name), path))
    except FileNotFoundError as error:
        message = f"{printable(parent)}: no such folder; {mend_missing(parent)} or mend `each:`"
        raise FolderError(message) from error
    except NotADirectoryError as error:
        raise FolderError(f"{printable(parent)}: not a folder; mend `each:`") from error
    except (OSError, ValueError) as error:
        why = strerror(error) if isinstance(error, OSError) else str(error)
        raise FolderError(f"{printable(parent)}: cannot be read ({why}); see to it") from error
    return sorted(found, key=lambda folder: (natural_key(folder[1]), folder[2]))


def _may_be_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir() or (entry.is_symlink() and not os.path.exists(entry.path))
    except OSError:
        return True
