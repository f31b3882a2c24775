"""One file of a folder, seen as the next cycle will see it; only what must be is read."""

from __future__ import annotations

from dataclasses import replace

from syncd.core.ignore import Selection
from syncd.core.matching import Matches, match, wanted_digests
from syncd.errors import FileProblem
from syncd.local.digest import digest
from syncd.local.root import printable
from syncd.local.scan import scan
from syncd.model import FolderSnapshot, LocalFile, Past
from syncd.service.folders import Target


def look(target: Target, choice: Selection, past: Past) -> FolderSnapshot:
    rules = target.folder.rules
    return scan(
        target.folder.path,
        choice,
        recursive=rules.recursive,
        max_file_size=rules.max_file_size,
        max_files=rules.max_files,
        known=[e.path for e in past.entries if e.role in ("current", "detached")],
    )


def obstacle(snapshot: FolderSnapshot, path: str) -> str | None:
    """Why a path that the patterns take is not synced: a link, too large, another file system."""
    shown = printable(path)
    for problem in (*snapshot.skipped, *snapshot.failed):
        inside = problem.path.endswith("/") and f"{shown}/".startswith(problem.path)
        if problem.path == shown or inside:
            where = f" ({problem.path})" if inside else ""
            return f"{problem.reason}{where}"
    return None


def matched(
    path: str, snapshot: FolderSnapshot, past: Past, choice: Selection
) -> tuple[Matches, LocalFile | None]:
    """The matching of a cycle, which would read every file in question.

    Here only those of this file's size are read; others that look unchanged count as that.
    """
    entries = {e.path: e for e in past.entries if e.role in ("current", "detached")}
    sizes = {e.size for p, e in entries.items() if p == path}
    sizes |= {f.size for f in snapshot.files if f.path == path}
    while wanted := wanted_digests(snapshot, past, choice.selects):
        files = []
        for file in snapshot.files:
            if file.path in wanted:
                entry = entries.get(file.path)
                content = entry.digest if entry and entry.size == file.size else None
                if file.size in sizes:
                    content = _read(snapshot.root, file)
                file = replace(file, digest=content or "?")
            files.append(file)
        snapshot = replace(snapshot, files=tuple(files))
    mine = next((f for f in snapshot.files if f.path == path), None)
    return match(snapshot, past, choice.selects), mine


def _read(root: str, file: LocalFile) -> str | None:
    try:
        return digest(root, file.path, file.fingerprint)[0]
    except FileProblem:
        return None  # it changes just now: what it is, the next cycle will see
