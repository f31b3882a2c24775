"""What a run costs in the ledger, counted: transactions, rows read and rows written."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import pytest

from syncd.state.database import Database
from tests.fault.conftest import NewWorld
from tests.support.world import World

OPENING = 1
"""Transactions that begin a run: creates under way when the last one died are in doubt."""


class Costs:
    """Counts from the next run on."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.transactions = self.read = self.written = 0
        transaction, query, execute_many = (
            Database.transaction,
            Database.query,
            Database.execute_many,
        )

        @contextmanager
        def counted_transaction(database: Database) -> Iterator[None]:
            self.transactions += 1
            with transaction(database):
                yield

        def counted_query(database: Database, sql: str, values: Iterable[object] = ()) -> Any:
            found = query(database, sql, values)
            self.read += len(found)
            return found

        def counted_many(database: Database, sql: str, rows: Sequence[Sequence[object]]) -> None:
            self.written += len(rows)
            execute_many(database, sql, rows)

        monkeypatch.setattr(Database, "transaction", counted_transaction)
        monkeypatch.setattr(Database, "query", counted_query)
        monkeypatch.setattr(Database, "execute_many", counted_many)


def of_a_run(world: World, monkeypatch: pytest.MonkeyPatch) -> Costs:
    """The run succeeds."""
    with monkeypatch.context() as patch:
        costs = Costs(patch)
        assert world.run().in_sync
    return costs


def synced(new_world: NewWorld, files: int, **quirks: Any) -> World:
    world = new_world(**quirks)
    for number in range(files):
        world.write(f"{number}.txt", f"content {number}")
    assert world.run().in_sync
    return world


@pytest.mark.parametrize("files", [1, 50])
def test_where_nothing_is_to_do_the_time_of_the_list_is_all_that_is_written(
    new_world: NewWorld, monkeypatch: pytest.MonkeyPatch, files: int
) -> None:
    world = synced(new_world, files)
    world.run()
    costs = of_a_run(world, monkeypatch)
    assert costs.transactions == OPENING + 1
    assert costs.written <= 3
    assert files < costs.read <= 2 * files + 10, "each row once"


@pytest.mark.parametrize(("ids", "transactions"), [("none", 3), ("array", 2)])
def test_one_new_file_is_an_intent_an_answer_and_a_list(
    new_world: NewWorld, monkeypatch: pytest.MonkeyPatch, ids: str, transactions: int
) -> None:
    world = synced(new_world, 50, ids_in_201=ids)
    world.run()
    world.write("new.txt", "new")
    costs = of_a_run(world, monkeypatch)
    assert costs.transactions <= OPENING + transactions
    assert costs.written <= 20, "those of the other files stay as they are"


def test_a_bulk_costs_one_transaction(new_world: NewWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    world = new_world()
    for number in range(100):
        world.write(f"{number}.txt", f"content {number}")
    costs = of_a_run(world, monkeypatch)
    task, last_answers, listing = 1, 2, 1  # two requests are on their way at a time
    assert costs.transactions <= OPENING + task + 10 + last_answers + listing
    assert costs.written <= 100 * (2 + 3 + 3) + 20


@pytest.mark.parametrize("count", [1, 3])
def test_a_change_costs_one_transaction_and_the_list_before_them_one(
    new_world: NewWorld, monkeypatch: pytest.MonkeyPatch, count: int
) -> None:
    world = synced(new_world, 9)
    world.run()
    for number in range(count):
        (world.root / f"{number}.txt").unlink()
    costs = of_a_run(world, monkeypatch)
    assert costs.transactions <= OPENING + 1 + count + 1
