"""A kill, a full disk, a lost or an old ledger: nothing is lost and nothing is doubled."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from syncd.errors import StateError
from syncd.state.database import Database
from tests.fault.conftest import NewWorld
from tests.fault.test_cycle_faults import calm, many_things
from tests.support.witness import Witness
from tests.support.world import World


class Killed(BaseException):
    """As if the process had died here: nothing of ours catches it."""


class Commits:
    """Lets a number of commits through, then ends the process: before or after one of them."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, left: int, *, after: bool) -> None:
        self.left = left
        self.after = after
        self.honest = Database.transaction
        monkeypatch.setattr(Database, "transaction", self._patched())

    def _patched(self) -> Any:
        commits = self

        @contextmanager
        def transaction(database: Database) -> Iterator[None]:
            commits.left -= 1
            if commits.left < 0 and not commits.after:
                raise Killed
            with commits.honest(database):
                yield
            if commits.left < 0:
                raise Killed

        return transaction


def killed_at(world: World, monkeypatch: pytest.MonkeyPatch, commit: int, *, after: bool) -> bool:
    """Run until the process dies at this commit; False = it came to its end before."""
    with monkeypatch.context() as patch:
        Commits(patch, commit, after=after)
        try:
            world.run()
        except Killed:
            return True
    return False


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize(
    ("first", "step", "ids"), [(0, 2, "none"), (1, 2, "none"), (1, 4, "array")]
)
def test_killed_at_any_commit(
    new_world: NewWorld,
    monkeypatch: pytest.MonkeyPatch,
    first: int,
    step: int,
    after: bool,
    ids: str,
) -> None:
    for commit in range(first, 100, step):
        world, witness = many_things(new_world, ids_in_201=ids)
        if not killed_at(world, monkeypatch, commit, after=after):
            assert commit > 8
            return
        calm(world, witness, runs=1)
        world.sandbox.stop()
    pytest.fail("it never came to its end")


@pytest.mark.parametrize("commit", range(0, 12, 2))
def test_when_the_ledger_cannot_be_written_nothing_more_is_sent(
    new_world: NewWorld, monkeypatch: pytest.MonkeyPatch, commit: int
) -> None:
    world, witness = many_things(new_world)
    left = [commit]
    honest = Database.transaction
    sent_before_the_end: list[int] = []

    @contextmanager
    def full(database: Database) -> Iterator[None]:
        left[0] -= 1
        if left[0] < 0:
            sent_before_the_end.append(len(world.server.log))
            raise StateError("disk full")
        with honest(database):
            yield

    with monkeypatch.context() as patch:
        patch.setattr(Database, "transaction", full)
        with pytest.raises(StateError):
            world.run()
    # What was under way in the other connection may have come in since.
    assert len(world.server.log) <= sent_before_the_end[0] + 1
    calm(world, witness, runs=1)


class TestTheLedgerIsLost:
    def test_all_is_adopted_and_nothing_is_sent(self, new_world: NewWorld) -> None:
        world, witness = many_things(new_world)
        world.run()
        lose(world)
        report = world.run()
        assert (report.exit_code, world.calls()) == (0, ["GET list"])
        assert sorted(report.adopted) == sorted(witness.folder())
        calm(world, witness, runs=0)

    def test_a_file_changed_meanwhile_is_uploaded_again_and_its_old_version_is_foreign(
        self, new_world: NewWorld
    ) -> None:
        world = new_world()
        for name in "abc":
            world.write(name, name)
        world.run()
        lose(world)
        world.write("a", "new content")
        report = world.run()
        assert (report.created, report.foreign, report.exit_code) == (["a"], ["a"], 0)
        assert sorted(world.names()) == ["a", "a", "b", "c"]

    @pytest.mark.parametrize("content", [b"", b"not a database at all", b"SQLite format 3\0" * 99])
    def test_a_damaged_ledger_is_set_aside(self, new_world: NewWorld, content: bytes) -> None:
        world, witness = many_things(new_world)
        world.run()
        (world.state / "ledger.db").write_bytes(content)
        report = world.run()
        assert (report.exit_code, world.calls()) == (0, ["GET list"])
        assert bool(list(world.state.glob("ledger.db.damaged-*"))) == bool(content)
        calm(world, witness, runs=0)


class TestAnOldCopyOfTheLedger:
    def test_from_before_everything(self, new_world: NewWorld) -> None:
        world, witness = many_things(new_world)
        keep(world)
        world.run()
        restore(world)
        calm(world, witness, runs=2)

    def test_from_before_a_replacement(self, new_world: NewWorld) -> None:
        world = new_world()
        witness = Witness(world)
        world.write("a", "one")
        witness.note()
        world.run()
        keep(world)
        world.write("a", "two")
        witness.note()
        world.run()
        restore(world)
        report = world.run()
        assert report.created == report.replaced == []
        assert world.calls() == ["GET list", "GET view"]
        calm(world, witness, runs=0)

    def test_from_within_a_replacement(self, new_world: NewWorld) -> None:
        """The copy knows the old version, and that the new one is on its way."""
        world = new_world()
        witness = Witness(world)
        world.write("a", "one")
        witness.note()
        world.run()
        world.write("a", "two")
        witness.note()
        world.server.on_request = lambda entry: (
            keep(world) if entry.method == "POST" else witness._see(entry)
        )
        world.run()
        restore(world)
        calm(world, witness, runs=1)


def lose(world: World) -> None:
    (world.state / "ledger.db").unlink()


def keep(world: World) -> None:
    shutil.copy(world.state / "ledger.db", world.base / "ledger.copy")


def restore(world: World) -> None:
    shutil.copy(world.base / "ledger.copy", world.state / "ledger.db")
