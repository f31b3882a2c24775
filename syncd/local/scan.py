"""Scans a folder: which files the rules sync, and why others are skipped or fail.

A scan opens directories and the manifest only, and follows no symbolic link. Only the root itself
can make it fail; all other trouble is listed in the snapshot.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Collection, Iterable
from errno import ELOOP, ENOTDIR

from syncd.core.ordering import MANIFEST
from syncd.errors import FolderError
from syncd.local.file_content import open_beneath, strerror
from syncd.local.ignore import selection
from syncd.local.manifest import ManifestUnreadable, parse_manifest, read_manifest
from syncd.local.mounts import nested_mounts
from syncd.local.root_folder import READ_DIRECTORY, folder_error, identity_of, open_root
from syncd.local.unicode_collisions import find_collisions
from syncd.model import Fingerprint, FolderSnapshot, LocalFile, Problem, Rules
from syncd.text import escaped_unless_utf8, is_utf8, printable

OTHER_FILE_SYSTEM = "another file system"
_DOWNLOADS = (".part", ".crdownload")
_KINDS = {
    stat.S_IFLNK: "symbolic link",
    stat.S_IFIFO: "named pipe",
    stat.S_IFSOCK: "socket",
    stat.S_IFCHR: "device",
    stat.S_IFBLK: "device",
}


def scan(path: str, rules: Rules, attached: Collection[str] = ()) -> FolderSnapshot:
    """A snapshot of the folder at `path`, sorted by bytes.

    `attached` holds the paths of files that already have an attachment: of two names that are
    equal after NFC, the attached one is synced. Raises FolderError if the root cannot be read, or
    as soon as more than `max_files` files are found.
    """
    root, root_fd = open_root(path)
    try:
        walk = _Walk(root, root_fd, rules)
        try:
            walk.run()
            identity = identity_of(root_fd, root)
        except OSError as error:
            raise folder_error(path, root, error) from error
        walk.drop_collisions(attached)
        listed, unknown = walk.read_manifest() if rules.order == "manifest" else ((), ())
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
    """One walk through the folder. At most two directories are open at a time."""

    def __init__(self, root: str, root_fd: int, rules: Rules) -> None:
        self._root = root
        self._root_fd = root_fd
        self._rules = rules
        self._selection = selection(rules)
        self._device = os.fstat(root_fd).st_dev
        self._user = os.geteuid()
        self._mounts = nested_mounts(root)
        self._pending = [""]
        """Relative paths of directories to read."""
        self._vanished: list[str] = []
        """Files that a directory listed and that were gone when their status was read."""
        self._downloads: set[str] = set()
        self.files: list[LocalFile] = []
        self.skipped: list[Problem] = []
        self.failed: list[Problem] = []
        self.scanned: set[str] = set()
        self.occupied: set[str] = set()
        self.undecided: dict[str, int | None] = {}

    def run(self) -> None:
        """Read all directories. Raises OSError if the root cannot be read."""
        while self._pending:
            directory = self._pending.pop()
            try:
                if self._read_directory(directory):
                    self.scanned.add(directory)
            except OSError as error:
                if not directory:
                    raise
                self._fail(directory, _directory_problem(error), "/")
        self._retry_vanished()

    def read_manifest(self) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """Synced paths in the manifest's order, and lines that name no synced file."""
        try:
            text = read_manifest(self._root_fd)
        except ManifestUnreadable as error:
            self.failed.append(Problem(MANIFEST, str(error)))
            return (), ()
        return parse_manifest(text, [file.path for file in self.files])

    def drop_collisions(self, attached: Collection[str]) -> None:
        """Of paths that are equal after NFC keep one; the others fail."""
        dropped = find_collisions([file.path for file in self.files], frozenset(attached))
        for path, reason in dropped.items():
            self._fail(path, reason)
        if dropped:
            self.files = [file for file in self.files if file.path not in dropped]

    def downloading(self) -> frozenset[str]:
        """Empty files NAME beside NAME.part or NAME.crdownload, which a browser will fill."""
        empty = (file.path for file in self.files if file.size == 0)
        return frozenset(p for p in empty if any(p + end in self._downloads for end in _DOWNLOADS))

    def _read_directory(self, directory: str) -> bool:
        """Read one directory; False = it is on another file system."""
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
                        self._add_subfolder(path, entry)
                    elif self._selection.selects(path):
                        self._add_file(path, entry.name, fd)
        finally:
            os.close(fd)
        return True

    def _add_subfolder(self, path: str, entry: os.DirEntry[str]) -> None:
        if self._selection.ignores(path, directory=True):
            return
        if not is_utf8(path):
            self._fail(path, "name is not UTF-8", "/")
        elif not self._rules.recursive:
            self._skip(path, "subfolder (recursive is off)", "/")
        elif path in self._mounts or entry.stat(follow_symlinks=False).st_dev != self._device:
            self._skip(path, OTHER_FILE_SYSTEM, "/")
        else:
            self._pending.append(path)

    def _add_file(self, path: str, name: str, directory_fd: int, *, again: bool = False) -> None:
        """Add what is no directory. Raises PermissionError if the directory forbids to look."""
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
        limit = self._rules.max_file_size
        if path in self._mounts:
            self._skip(path, OTHER_FILE_SYSTEM)
        elif not stat.S_ISREG(status.st_mode):
            self._skip(path, _KINDS.get(stat.S_IFMT(status.st_mode), "not a regular file"))
        elif 0 < limit < status.st_size:
            self._skip(path, f"too large ({status.st_size} bytes, max_file_size is {limit})")
        elif not self._readable(status, name, directory_fd):
            self._fail(path, "permission denied")
            self.undecided[path] = status.st_size
        else:
            self.files.append(LocalFile(path, Fingerprint.of(status)))
            if 0 < self._rules.max_files < len(self.files):
                raise _too_many_files(self._root, self._rules.max_files)

    def _readable(self, status: os.stat_result, name: str, directory_fd: int) -> bool:
        if status.st_uid == self._user and status.st_mode & stat.S_IRUSR:
            return True  # no ACL overrides this, and it saves a system call
        return os.access(name, os.R_OK, dir_fd=directory_fd, effective_ids=True)

    def _retry_vanished(self) -> None:
        """Look once more for files that vanished: an editor may replace a file while saving."""
        for path in self._vanished:
            directory, _, name = path.rpartition("/")
            try:
                fd = open_beneath(self._root_fd, directory, READ_DIRECTORY)
                try:
                    self._add_file(path, name, fd, again=True)
                finally:
                    os.close(fd)
            except OSError:
                self.occupied.add(path)
                self.undecided[path] = None

    def _skip(self, path: str, reason: str, suffix: str = "") -> None:
        self.skipped.append(Problem(path + suffix, reason))
        self.occupied.add(path)

    def _fail(self, path: str, reason: str, suffix: str = "") -> None:
        if is_utf8(path):
            self.occupied.add(path)
        self.failed.append(Problem(escaped_unless_utf8(path) + suffix, reason))


def _directory_problem(error: OSError) -> str:
    """Why a subfolder was not read."""
    if isinstance(error, FileNotFoundError):
        return "folder vanished during the scan"
    if error.errno in (ELOOP, ENOTDIR):
        return "folder was replaced during the scan"
    return f"folder cannot be read: {strerror(error)}"


def _too_many_files(root: str, limit: int) -> FolderError:
    return FolderError(
        f"{printable(root)}: more than {limit} files to sync, and max_files is {limit}: nothing of "
        "its task is touched; if it is the right folder, raise max_files (0 = no limit), or leave "
        "files out with ignore"
    )


def _sorted(problems: Iterable[Problem]) -> tuple[Problem, ...]:
    return tuple(sorted(problems, key=lambda problem: (problem.path, problem.reason)))
