"""Read files for their digests, each version once in a run."""

from __future__ import annotations

from collections.abc import Callable

from syncd.errors import FileProblem
from syncd.local.file_content import digest
from syncd.model import Fingerprint, LocalFile


class Contents:
    """Digests of the files below one root, as they were read in this run."""

    def __init__(self, checkpoint: Callable[[], None]) -> None:
        self._checkpoint = checkpoint
        self._known: dict[str, tuple[Fingerprint, str]] = {}

    def know(self, path: str, fingerprint: Fingerprint, content: str) -> None:
        """A file was read for its upload: it need not be read again."""
        self._known[path] = (fingerprint, content)

    def digest(self, root: str, path: str, fingerprint: Fingerprint) -> str:
        """The sha256 of a version of a file, in hex.

        Raises FileProblem. A file that cannot be read to its end is read twice before.
        """
        known = self._known.get(path)
        if known is None or known[0] != fingerprint:
            try:
                content = self._read(root, path, fingerprint)
            except FileProblem as problem:
                if not problem.unread:
                    raise
                content = self._read(root, path, fingerprint)
            known = self._known[path] = (fingerprint, content)
        return known[1]

    def of(self, root: str, file: LocalFile) -> str | None:
        """The digest of a file; None = it is another version by now, or cannot be read."""
        if file.digest is not None:
            return file.digest
        try:
            return self.digest(root, file.path, file.fingerprint)
        except FileProblem:
            return None

    def why_unreadable(self, root: str, file: LocalFile) -> str | None:
        """Why a file cannot be read to its end; None = it can, or is another version by now."""
        self._known.pop(file.path, None)
        try:
            self.digest(root, file.path, file.fingerprint)
        except FileProblem as problem:
            return problem.reason if problem.unread else None
        return None

    def _read(self, root: str, path: str, fingerprint: Fingerprint) -> str:
        content, _ = digest(root, path, fingerprint, lambda _: self._checkpoint())
        return content
