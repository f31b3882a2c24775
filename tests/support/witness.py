"""Watches what a run does to a task, request by request, and compares it with the folder."""

from __future__ import annotations

from collections import Counter
from hashlib import sha256

from syncd.core.ordering import wanted_sequence
from syncd.local.scan import scan
from syncd.sandbox.messages import LoggedRequest
from syncd.sandbox.storage import Row
from tests.support.world import World


class Witness:
    """Sees every DELETE when it is done, knows every version of every file, and who is foreign."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.foreign: dict[int, Row] = {}
        self.wrongs: list[str] = []
        self._versions: dict[str, set[str]] = {}
        world.server.on_request = self._see

    def note(self) -> None:
        """The files have changed: these are versions of them, too."""
        for path, content in self.folder().items():
            self._versions.setdefault(content, set()).add(path)

    def seed(self, name: str, content: bytes = b"theirs", order: int = 5) -> Row:
        """An attachment that is somebody else's."""
        world = self.world
        task = (world.task.organization_id, world.task.workspace_id, world.task.task_id)
        row = world.server.seed(task, name, content, order)
        self.foreign[row.id] = row
        return row

    def folder(self) -> dict[str, str]:
        """Path -> content of everything that is to be synced."""
        root = self.world.root
        return {f.path: sha256((root / f.path).read_bytes()).hexdigest() for f in self._files()}

    def ours(self) -> list[Row]:
        return [row for row in self.world.rows() if row.id not in self.foreign]

    def in_order(self) -> list[str]:
        """The files as they should stand."""
        rules = self.world.rules
        snapshot = self._snapshot()
        return wanted_sequence(snapshot.files, rules, snapshot.manifest)

    def assert_settled(self) -> None:
        """The task equals the folder, nothing is doubled, nothing foreign was touched."""
        assert not self.wrongs
        rows = self.ours()
        wanted = self.folder()
        assert Counter(row.name for row in rows) == Counter(wanted.keys())
        assert {row.name: row.sha256 for row in rows} == wanted
        assert [row.name for row in rows] == self.in_order()
        numbers = [row.display_order for row in rows]
        assert len(set(numbers)) == len(numbers), "ties"
        self.assert_foreign_untouched()

    def assert_foreign_untouched(self) -> None:
        there = {row.id: row for row in self.world.rows()}
        for id_, row in self.foreign.items():
            assert there.get(id_) == row

    def _files(self):  # type: ignore[no-untyped-def]
        return self._snapshot().files

    def _snapshot(self):  # type: ignore[no-untyped-def]
        return scan(str(self.world.root), self.world.rules)

    def _see(self, entry: LoggedRequest) -> None:
        if entry.method != "DELETE" or entry.status in (401, 402, 403, 404, 400, 429):
            return
        task = (
            self.world.task.organization_id,
            self.world.task.workspace_id,
            self.world.task.task_id,
        )
        id_ = int(entry.path.rsplit("/", 1)[1])
        row = next(r for r in self.world.server.rows(task, deleted=True) if r.id == id_)
        if row.deleted_at is None:
            return
        there = {r.sha256 for r in self.world.rows()}
        self.note()
        now = self.folder()
        for path in self._versions.get(row.sha256, set()) & now.keys():
            if not any(path in self._versions.get(content, ()) for content in there):
                self.wrongs.append(f"{path}: only version deleted by request {entry.number}")
        if row.sha256 in now.values() and row.sha256 not in there:
            self.wrongs.append(f"{row.name}: wanted content deleted by request {entry.number}")
        if row.id in self.foreign:
            self.wrongs.append(f"{row.name}: foreign, deleted by request {entry.number}")
