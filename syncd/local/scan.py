"""Looks at a folder: which files today's rules sync, and what stands in the way of others.

Nothing is opened but directories (and the manifest), no link is followed, and whatever a
folder holds, a scan ends with a snapshot. Only the root itself can make it fail.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Collection, Iterable
from typing import Protocol

from syncd.core.ordering import MANIFEST
from syncd.local.digest import fingerprint, open_beneath, strerror
from syncd.local.manifest import ManifestUnreadable, parse_manifest, read_manifest
from syncd.local.mounts import nested_mounts
from syncd.local.root import (
    READ_DIRECTORY,
    directory_reason,
    folder_error,
    identity_of,
    is_utf8,
    open_root,
    printable,
    too_many_files,
)
from syncd.local.twins import twins
from syncd.model import FolderSnapshot, LocalFile, Problem

OTHER_FILE_SYSTEM = "another file system"
_DOWNLOADS = (".part", ".crdownload")
_KINDS = {
    stat.S_IFLNK: "symbolic link",
    stat.S_IFIFO: "named pipe",
    stat.S_IFSOCK: "socket",
    stat.S_IFCHR: "device",
    stat.S_IFBLK: "device",
}


class Selects(Protocol):
    """What the scan asks about a path (core.ignore.Selection has it)."""

    def selects(self, path: str) -> bool: ...
    def prunes(self, directory: str) -> bool: ...
    def ignores(self, path: str, *, directory: bool = False) -> bool: ...


def scan(
    folder_path: str,
    selection: Selects,
    *,
    recursive: bool,
    max_file_size: int = 0,
    max_files: int = 0,
    known: Collection[str] = (),
    manifest: bool = False,
) -> FolderSnapshot:
    """One look at the folder; results are sorted by bytes.

    `known`: paths already attached, which win over a twin of another Unicode form.
    `max_file_size` in bytes, `max_files`: 0 = no limit. Raises FolderError if the root cannot be
    read, or as soon as more files are found than may be synced.
    """
    root, root_fd = open_root(folder_path)
    try:
        walk = _Walk(root, root_fd, selection, recursive, max_file_size, max_files)
        try:
            walk.run()
            identity = identity_of(root_fd, root)
        except OSError as error:
            raise folder_error(folder_path, root, error) from error
        walk.drop_twins(frozenset(known))
        listed, unknown = walk.manifest() if manifest else ((), ())
    finally:
        os.close(root_fd)
    return FolderSnapshot(
        root=root,
        identity=identity,
        files=tuple(sorted(walk.files, key=lambda file: file.path)),
        skipped=_sorted(walk.skipped),
        failed=_sorted(walk.failed),
        scanned=frozenset(walk.scanned),
        occupied=frozenset(walk.occupied),
        downloading=walk.downloading(),
        undecided=walk.undecided,
        unknown_order_lines=unknown,
        manifest=listed,
    )


class _Walk:
    """Collects one scan. Directories are opened from the root down, two at a time at most."""

    def __init__(
        self,
        root: str,
        root_fd: int,
        selection: Selects,
        recursive: bool,
        max_file_size: int,
        max_files: int,
    ) -> None:
        self._root = root
        self._root_fd = root_fd
        self._device = os.fstat(root_fd).st_dev
        self._user = os.geteuid()
        self._mounts = nested_mounts(root)
        self._selection = selection
        self._recursive = recursive
        self._max_file_size = max_file_size
        self._max_files = max_files
        self._pending = [""]
        self._vanished: list[str] = []
        self._downloads: set[str] = set()
        self.files: list[LocalFile] = []
        self.skipped: list[Problem] = []
        self.failed: list[Problem] = []
        self.scanned: set[str] = set()
        self.occupied: set[str] = set()
        self.undecided: dict[str, int | None] = {}

    def run(self) -> None:
        """Raises OSError for the root alone."""
        while self._pending:
            directory = self._pending.pop()
            try:
                if self._read(directory):
                    self.scanned.add(directory)
            except OSError as error:
                if not directory:
                    raise
                self._fail(directory, directory_reason(error), "/")
        self._look_again()

    def manifest(self) -> tuple[tuple[str, ...], tuple[str, ...]]:
        try:
            text = read_manifest(self._root_fd)
        except ManifestUnreadable as error:
            self.failed.append(Problem(MANIFEST, str(error)))
            return (), ()
        return parse_manifest(text, [file.path for file in self.files])

    def drop_twins(self, known: frozenset[str]) -> None:
        """Of paths that are equal after NFC one goes on, the others fail."""
        dropped = twins([file.path for file in self.files], known)
        for path, reason in dropped.items():
            self._fail(path, reason)
        if dropped:
            self.files = [file for file in self.files if file.path not in dropped]

    def downloading(self) -> frozenset[str]:
        """Empty files beside their own NAME.part or NAME.crdownload: a browser fills them."""
        empty = (file.path for file in self.files if file.size == 0)
        return frozenset(p for p in empty if any(p + end in self._downloads for end in _DOWNLOADS))

    def _read(self, directory: str) -> bool:
        """Reads one directory; False if it lies on another file system."""
        fd = open_beneath(self._root_fd, directory, READ_DIRECTORY)
        try:
            if os.fstat(fd).st_dev != self._device:
                self._skip(directory, OTHER_FILE_SYSTEM, "/")
                return False
            prefix = f"{directory}/" if directory else ""
            with os.scandir(fd) as entries:
                for entry in entries:
                    path = prefix + entry.name
                    if path.endswith(_DOWNLOADS):
                        self._downloads.add(path)
                    if entry.is_dir(follow_symlinks=False):
                        self._subfolder(path, entry)
                    elif self._selection.selects(path):
                        self._file(path, entry.name, fd)
        finally:
            os.close(fd)
        return True

    def _subfolder(self, path: str, entry: os.DirEntry[str]) -> None:
        if self._selection.ignores(path, directory=True):
            return
        if not is_utf8(path):
            self._fail(path, "name is not UTF-8", "/")
        elif not self._recursive:
            self._skip(path, "subfolder (recursive is off)", "/")
        elif self._selection.prunes(path):
            return
        elif path in self._mounts or entry.stat(follow_symlinks=False).st_dev != self._device:
            self._skip(path, OTHER_FILE_SYSTEM, "/")  # not even opened
        else:
            self._pending.append(path)

    def _file(self, path: str, name: str, directory_fd: int, *, again: bool = False) -> None:
        """Takes in what is no directory; raises PermissionError if the directory forbids it."""
        if not is_utf8(path):
            self._fail(path, "name is not UTF-8")
            return
        try:
            status = os.stat(name, dir_fd=directory_fd, follow_symlinks=False)
        except PermissionError:
            raise
        except FileNotFoundError:
            if not again:
                self._vanished.append(path)
            return
        except OSError as error:
            self._fail(path, strerror(error))
            self.undecided[path] = None
            return
        if path in self._mounts:
            self._skip(path, OTHER_FILE_SYSTEM)
        elif not stat.S_ISREG(status.st_mode):
            kind = _KINDS.get(stat.S_IFMT(status.st_mode), "not a regular file")
            self._skip(path, kind)
        elif 0 < self._max_file_size < status.st_size:
            limit = f"{status.st_size} bytes, max_file_size is {self._max_file_size}"
            self._skip(path, f"too large ({limit})")
        elif not self._readable(status, name, directory_fd):
            self._fail(path, "permission denied")
            self.undecided[path] = status.st_size
        else:
            self.files.append(LocalFile(path, fingerprint(status)))
            if 0 < self._max_files < len(self.files):
                raise too_many_files(self._root, self._max_files)

    def _readable(self, status: os.stat_result, name: str, directory_fd: int) -> bool:
        if status.st_uid == self._user and status.st_mode & stat.S_IRUSR:
            return True  # no ACL takes the owner's right away, and this saves a system call
        return os.access(name, os.R_OK, dir_fd=directory_fd, effective_ids=True)

    def _look_again(self) -> None:
        """Looks once more for names that were listed but not there: an editor's save swaps."""
        for path in self._vanished:
            directory, _, name = path.rpartition("/")
            try:
                fd = open_beneath(self._root_fd, directory, READ_DIRECTORY)
                try:
                    self._file(path, name, fd, again=True)
                finally:
                    os.close(fd)
            except OSError:
                self.occupied.add(path)
                self.undecided[path] = None

    def _skip(self, path: str, reason: str, mark: str = "") -> None:
        self.skipped.append(Problem(path + mark, reason))
        self.occupied.add(path)

    def _fail(self, path: str, reason: str, mark: str = "") -> None:
        if is_utf8(path):
            self.occupied.add(path)
        else:
            path = printable(path)
        self.failed.append(Problem(path + mark, reason))


def _sorted(problems: Iterable[Problem]) -> tuple[Problem, ...]:
    return tuple(sorted(problems, key=lambda problem: (problem.path, problem.reason)))
