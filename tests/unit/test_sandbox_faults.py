"""Injected faults, in-process."""

from __future__ import annotations

import pytest
import requests

from tests.support.faults import Fault
from tests.support.sandbox import World


def faulty(fault: Fault) -> World:
    world = World()
    world.api.faults.append(fault)
    return world


def test_status_after_carries_the_request_out_and_status_before_does_not() -> None:
    world = faulty(Fault("status_before", method="POST", status=503, retry_after="7"))
    answer = world.create()
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "7")
    assert world.items() == []
    world = faulty(Fault("status_after", method="POST"))
    assert world.create().status_code == 500
    assert len(world.items()) == 1


@pytest.mark.parametrize(
    ("kind", "error", "made"),
    [
        ("reset_before", requests.ConnectionError, 0),
        ("reset_after", requests.ConnectionError, 1),
        ("hang", requests.ReadTimeout, 0),
        ("hang_after", requests.ReadTimeout, 1),
        ("cut", requests.ConnectionError, 1),
    ],
)
def test_a_request_without_a_response_may_be_carried_out(
    kind: str, error: type[Exception], made: int
) -> None:
    world = faulty(Fault(kind))  # type: ignore[arg-type]
    with pytest.raises(error):
        world.create()
    assert world.api.log[-1].status == 0
    assert world.api.faulty[world.api.log[-1].number] == kind
    assert len(world.items()) == made


def test_a_late_commit_is_carried_out_after_its_time() -> None:
    world = faulty(Fault("late_commit", seconds=30))
    assert world.create().status_code == 500
    world.now += 29
    assert world.items() == []
    world.now += 2
    assert world.items()[0]["created_at"] == "2023-11-14T22:13:50Z"
    world = faulty(Fault("late_commit", seconds=30, drop="hang"))
    with pytest.raises(requests.ReadTimeout):
        world.create()


def test_429_garbage_redirect_delay_and_slow_read() -> None:
    answer = faulty(Fault("429", retry_after="3")).create()
    assert (answer.status_code, answer.headers["Retry-After"]) == (429, "3")
    world = faulty(Fault("garbage"))
    answer = world.call("GET")
    assert (answer.status_code, answer.headers["Content-Type"][:9]) == (200, "text/html")
    answer = faulty(Fault("redirect")).call("GET", allow_redirects=False)
    assert (answer.status_code, answer.headers["Location"]) == (302, "http://127.0.0.1:9/elsewhere")
    world = faulty(Fault("delay", seconds=4))
    assert world.create().status_code == 201
    assert world.slept == [4]
    world = faulty(Fault("slow_read", seconds=2))
    assert world.create().status_code == 201
    assert world.slept == [2]


def test_a_fault_applies_to_the_requests_that_match_its_filters() -> None:
    world = faulty(Fault("429", method="GET", suffix="/attachments", skip=1, times=2))
    assert world.create().status_code == 201
    assert [world.call("GET").status_code for _ in range(4)] == [200, 429, 429, 200]
    world = faulty(Fault("429", at_request=2, times=None))
    assert [world.call("GET").status_code for _ in range(3)] == [200, 429, 200]
    world = faulty(Fault("429", match=lambda method, path: path.endswith("/7/view"), times=None))
    assert world.call("GET", "/7/view").status_code == 429
    assert world.call("GET", "/8/view").status_code == 404


def test_a_reset_in_the_middle_of_a_body_reads_no_further() -> None:
    world = faulty(Fault("reset_before", after_bytes=0))
    with pytest.raises(requests.ConnectionError):
        world.create()
    assert world.api.log[-1].size == 0


def test_a_faulty_request_counts_against_the_quota_too() -> None:
    world = faulty(Fault("reset_before"))
    world.api.quirks.quota = 10
    with pytest.raises(requests.ConnectionError):
        world.create()
    assert world.call("GET").headers["X-Toggl-Quota-Remaining"] == "8"


def test_the_log_counts_by_method_and_end_of_path() -> None:
    world = World()
    world.create()
    world.bulk("x")
    world.call("GET")
    api = world.api
    assert (api.count(), api.count("POST"), api.count("POST", "/bulk")) == (3, 2, 1)
    assert api.count(suffix="/attachments") == 2
    assert [entry.number for entry in api.log] == [1, 2, 3]
    assert [entry.status for entry in api.log] == [201, 201, 200]
    assert api.log[0].query == (("name", "a.txt"), ("display_order", "100"))
