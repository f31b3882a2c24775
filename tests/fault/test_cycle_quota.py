"""The quota: kept to, kept back from, kept across runs."""

from __future__ import annotations

from itertools import count
from threading import Event

import pytest

from syncd.engine.quota import QuotaMeter
from syncd.model import TaskKey
from syncd.sandbox.messages import LoggedRequest
from tests.fault.conftest import NewWorld
from tests.support.faults import Fault
from tests.support.watching import until
from tests.support.witness import Witness
from tests.support.world import World

HOUR = 3600.0


def spend_all_but(world: World, left: int) -> None:
    """The user's other tools draw on the same quota."""
    quota = world.quirks.quota
    assert quota is not None
    window = world.server.store.windows.get(1)
    used = window.used if window is not None else 0
    assert world.server.spend(1, quota - used - left)


def filled(new_world: NewWorld, count: int, **options: object) -> tuple[World, Witness]:
    options.setdefault("quota", 30)
    world = new_world(**options)
    witness = Witness(world)
    for number in range(count):
        world.write(f"{number:03}", f"content {number}")
    witness.note()
    return world, witness


def test_the_reserve_is_never_drawn_on_by_new_work(new_world: NewWorld) -> None:
    world, _ = filled(new_world, 300)
    report = world.run()
    left = 30 - len(world.server.log)
    assert report.exit_code == 75
    assert left >= 5
    assert left < 5 + 2, "but everything above it was used"
    assert report.error
    assert "quota" in report.error
    again = world.run()
    assert (world.calls(), again.exit_code) == ([], 75)


def test_a_window_later_the_rest_is_done(new_world: NewWorld) -> None:
    world, witness = filled(new_world, 300)
    for _ in range(3):
        report = world.run()
        world.ahead += HOUR + 1
    assert report.in_sync
    witness.assert_settled()
    assert all(entry.status != 402 for entry in world.server.log)


def test_with_wait_one_run_does_it_all(new_world: NewWorld) -> None:
    world, witness = filled(new_world, 300)
    report = world.run(wait=True)
    assert (report.exit_code, report.in_sync) == (0, True)
    assert 1 <= len([s for s in world.slept if s > 60]) <= 2
    assert all(entry.status != 402 for entry in world.server.log)
    witness.assert_settled()


def test_a_replacement_is_not_begun_if_its_requests_do_not_fit(new_world: NewWorld) -> None:
    world, _ = filled(new_world, 3)
    world.run()
    before = world.rows()
    world.write("001", "changed")
    spend_all_but(world, 5 + 1 + 2)
    world.run()
    assert world.calls() == ["GET list"]
    assert world.rows() == before
    world.ahead += HOUR + 1
    assert world.run().replaced == ["001"]


def test_a_replacement_that_just_fits_is_done(new_world: NewWorld) -> None:
    world, witness = filled(new_world, 3)
    world.run()
    world.write("001", "changed")
    witness.note()
    spend_all_but(world, 5 + 1 + 3)
    assert world.run().in_sync
    witness.assert_settled()


def test_an_interrupted_replacement_may_use_the_reserve(new_world: NewWorld) -> None:
    world, witness = filled(new_world, 3)
    world.run()
    world.write("001", "changed")
    witness.note()
    world.server.faults.append(Fault("reset_before", method="DELETE", times=9))
    world.run()
    assert len(world.rows()) == 4
    world.server.faults.clear()
    spend_all_but(world, 4)
    report = world.run()
    assert world.calls() == ["GET list", "DELETE one"]
    assert report.exit_code == 0
    witness.assert_settled()


def test_other_tools_that_spend_it_meanwhile_cost_nothing(new_world: NewWorld) -> None:
    world, witness = filled(new_world, 60)
    world.server.on_request = lambda entry: (
        spend_all_but(world, 0) if entry.method == "POST" and entry.path.endswith("bulk") else None
    )
    report = world.run()
    assert report.exit_code == 75
    world.server.on_request = None
    for _ in range(2):
        world.ahead += HOUR + 1
        world.run()
    witness.assert_settled()


def test_under_scarcity_replacements_come_first_and_order_last(new_world: NewWorld) -> None:
    world, _ = filled(new_world, 6, rules={"order": "manifest"})
    world.run()
    world.write(".syncd-order", "005\n000\n001\n002\n003\n004")
    world.write("000", "changed")
    for number in range(20):
        world.write(f"new{number}", f"{number}")
    (world.root / "001").unlink()
    (world.root / "002").rename(world.root / "002b")
    spend_all_but(world, 5 + 1 + 3)
    report = world.run()
    assert report.replaced == ["000"]
    assert report.deleted == report.renamed == report.reordered == []
    world.ahead += HOUR + 1
    assert world.run().in_sync


@pytest.mark.parametrize("headers", [True, False])
def test_a_402_ends_the_run_and_is_kept(new_world: NewWorld, headers: bool) -> None:
    world, _ = filled(new_world, 3, quota_headers=headers)
    world.run()
    spend_all_but(world, 0)
    if not headers:
        assert world.run().exit_code == 75
        assert world.calls() == ["GET list"]
    else:
        world.run()
        world.run()
    report = world.run()
    assert (world.calls(), report.exit_code) == ([], 75)
    assert world.run(retry=True).exit_code == 75
    assert world.calls() == []
    world.ahead += HOUR + 1
    assert world.run().exit_code == 0


def test_without_headers_probes_come_ever_more_rarely(new_world: NewWorld) -> None:
    world, _ = filled(new_world, 3, quota=4, quota_headers=False, quota_window=86_400.0)
    world.run()
    spend_all_but(world, 0)
    world.run()
    gaps = [600, 1200, 2400, 3600, 3600]
    for gap in gaps:
        world.ahead += gap - 30
        world.run()
        assert world.calls() == []
        world.ahead += 31
        world.run()
        assert world.calls() == ["GET list"]


def test_without_headers_a_configured_quota_is_kept(new_world: NewWorld) -> None:
    world, witness = filled(new_world, 200, quota=None, limit=20)
    report = world.run()
    assert (report.exit_code, len(world.calls())) == (75, 15)
    world.ahead += HOUR + 1
    world.run()
    world.ahead += HOUR + 1
    world.run()
    witness.assert_settled()


def test_without_any_quota_nothing_is_kept_back(new_world: NewWorld) -> None:
    world, witness = filled(new_world, 400, quota=None)
    assert world.run().in_sync
    witness.assert_settled()


@pytest.mark.parametrize("retry_after", ["3", None])
def test_a_throttle_is_waited_for(new_world: NewWorld, retry_after: str | None) -> None:
    world, witness = filled(new_world, 3)
    world.server.faults.append(Fault("429", method="POST", retry_after=retry_after))
    assert world.run().exit_code == 0
    assert sum(world.slept) >= (3 if retry_after else 0.5)
    witness.assert_settled()


def test_a_long_throttle_is_left_to_a_later_run(new_world: NewWorld) -> None:
    world, _ = filled(new_world, 3)
    world.server.faults.append(Fault("429", method="POST", retry_after="600"))
    report = world.run()
    assert (report.exit_code, world.slept) == (75, [])


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_throttled_folder_sends_nothing_before_its_time(new_world: NewWorld, method: str) -> None:
    world, witness = filled(new_world, 3)
    world.server.faults.append(Fault("429", method=method, retry_after="600"))
    first = world.run()
    world.ahead += 300
    again = world.run()
    assert (world.calls(), again.exit_code) == ([], 75)
    assert (again.error, again.resumes_at) == (first.error, pytest.approx(first.resumes_at, abs=5))
    world.ahead += 301
    assert world.run().in_sync
    witness.assert_settled()


def test_retry_forgets_a_throttle(new_world: NewWorld) -> None:
    world, witness = filled(new_world, 3)
    world.server.faults.append(Fault("429", retry_after="600"))
    world.run()
    assert world.run(retry=True).in_sync
    witness.assert_settled()


@pytest.mark.parametrize(("asked", "wait"), [("999999999", 86_401), ("600", -86_400)])
def test_a_throttle_lasts_a_day_at_most_whatever_is_asked_for_and_the_clock_does(
    new_world: NewWorld, asked: str, wait: float
) -> None:
    world, _ = filled(new_world, 3)
    world.ahead = 86_400
    world.server.faults.append(Fault("429", retry_after=asked))
    world.run()
    assert world.run().exit_code == 75
    assert world.calls() == []
    world.ahead += wait
    assert world.run().in_sync


def test_a_view_budget_never_draws_below_zero(new_world: NewWorld) -> None:
    world, _ = filled(new_world, 5)
    world.run()
    world.server.quirks.list_body = lambda: b'{"items": []}'
    spend_all_but(world, 7)
    for _ in range(6):
        assert world.run().exit_code == 75
    assert all(entry.status != 402 for entry in world.server.log)
    assert len(world.rows()) == 5


def test_requests_of_others_are_counted_at_each_change_that_goes_out(
    new_world: NewWorld,
) -> None:
    world = new_world(quota=60)
    for number in range(20):
        world.write(f"{number:02}", f"content {number}")
    assert world.run().in_sync
    for number in range(20):
        (world.root / f"{number:02}").rename(world.root / f"z{number:02}")
    seen: list[object] = []

    def spend(entry: LoggedRequest) -> None:
        seen.append(entry)
        if len(seen) == 3:
            world.server.spend(world.task.organization_id, 40)

    world.server.on_request = spend
    report = world.run()
    assert report.exit_code == 75
    assert 402 not in [r.status for r in world.server.log]
    assert len(world.calls()) < 20
    assert report.pending == 20 - world.calls().count("PUT one")


def test_a_reset_that_was_rounded_down_is_not_asked_for_too_soon(new_world: NewWorld) -> None:
    """`X-Toggl-Quota-Resets-In: 0` and a 402 are one second, not sixty."""
    world = new_world(quota=3, quota_window=10, reserve=0)
    for name in "ab":
        world.write(name, f"content {name}")
    world.run()
    world.write("c", "more")
    report = world.run()
    assert report.resumes_at is not None
    left = report.resumes_at - world.clock()
    assert 1.0 <= left <= 12.0


def test_an_answer_that_was_overtaken_spends_nothing_that_is_not_there(
    new_world: NewWorld,
) -> None:
    world = new_world(quota=8, reserve=0, ids_in_201="object")
    world.max_batch_bytes = 1
    for number in range(12):
        world.write(f"{number:02}", f"content {number}")

    def hold_back(entry: LoggedRequest) -> None:
        """The first upload's answer, with its headers, until the last one is answered."""
        if entry.number == 2:
            until(lambda: len(world.server.log) == 7 and world.server.log[-1].status == 201)

    world.server.on_request = hold_back
    report = world.run()
    assert [entry.status for entry in world.server.log] == [200] + 6 * [201]
    assert (report.exit_code, report.pending) == (75, 6)


def test_where_little_is_left_what_is_on_its_way_is_waited_for(
    new_world: NewWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two are left, of which the plan knows nothing; the second upload is slow to set out."""
    world = new_world(quota=30, reserve=0, ids_in_201="object")
    world.max_batch_bytes = 1
    for number in range(6):
        world.write(f"{number:02}", f"content {number}")
    posts, third, sending = count(1), Event(), QuotaMeter.sending

    def set_out(meter: QuotaMeter, task: TaskKey, method: str) -> None:
        number = next(posts) if method == "POST" else 0
        if number == 2:
            third.wait(0.3)
        elif number == 3:
            third.set()
        sending(meter, task, method)

    monkeypatch.setattr(QuotaMeter, "sending", set_out)
    world.server.on_request = lambda entry: entry.number == 1 and spend_all_but(world, 2)
    assert world.run().exit_code == 75
    assert [entry.status for entry in world.server.log] == [200, 201, 201]
