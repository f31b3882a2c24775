"""Finds the folders of an `each:` parent: subfolders whose names begin with a task id."""

from __future__ import annotations

import os
import re

from syncd.core.ordering import natural_key
from syncd.local.root_folder import folder_error
from syncd.text import escaped_unless_utf8

_TASK_FOLDER = re.compile(r"([0-9]+)(?:[ _-].*)?", re.DOTALL)


def find_task_folders(parent: str) -> list[tuple[int, str, str]]:
    """(task id, name, path) of every task folder, in natural order; two of one task included.

    A link to a folder counts, and so does a broken link: its scan reports the fault, while
    leaving it out would report that the folder left. Raises FolderError if the parent cannot be
    read.
    """
    found: list[tuple[int, str, str]] = []
    try:
        with os.scandir(parent) as entries:
            for entry in entries:
                match = _TASK_FOLDER.fullmatch(entry.name)
                if match and int(match[1]) > 0 and _is_folder_or_broken_link(entry):
                    path = os.path.join(parent, entry.name)
                    found.append((int(match[1]), escaped_unless_utf8(entry.name), path))
    except (OSError, ValueError) as error:
        raise folder_error(parent, os.path.abspath(parent), error, mend="`each:`") from error
    return sorted(found, key=lambda folder: (natural_key(folder[1]), folder[2]))


def _is_folder_or_broken_link(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir() or (entry.is_symlink() and not os.path.exists(entry.path))
    except OSError:
        return True
