"""`syncd probe`, from the command line against sandboxes with every habit and fault."""

from __future__ import annotations

import errno
import itertools
import os
import signal
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from syncd.sandbox.messages import LoggedRequest
from syncd.state.lock import StateLock
from tests.support.commands import Said, Shell
from tests.support.faults import Fault
from tests.support.processes import launcher
from tests.support.quirks import Quirks
from tests.support.terminal import Terminal

TASK = (123, 456, 4711)
FINDINGS = {
    "create_answers_with_ids": False,
    "bulk_answers_with_ids": False,
    "name_from": "query",
    "order_from": "query",
    "names": "kept",
    "orders": "kept",
    "names_unique": False,
    "update_keeps_other_field": None,
    "view_shows_deleted": True,
    "list_lags": False,
    "quota_headers": True,
}
"""Of the sandbox as it is."""


NUMBERS = itertools.count()


class Clock:
    """Moves only when the probe sleeps."""

    def __init__(self) -> None:
        self.now = 1_700_000_000.0

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr("syncd.probe.session.sleep", clock.sleep)
    return clock


@pytest.fixture
def shell(tmp_path: Path, clock: Clock) -> Iterator[Shell]:
    with Shell(tmp_path, Quirks(quota=60)) as shell:
        shell.server.clock = clock
        shell.server.seed(TASK, "theirs.pdf", b"theirs", 5)
        yield shell


def live(shell: Shell) -> list[tuple[int, str, int]]:
    return [(r.id, r.name, r.display_order) for r in shell.server.rows(TASK)]


def probe(shell: Shell, *arguments: str) -> Said:
    """Probe the task; within the requests that were announced."""
    before = shell.requests()
    said = shell.syncd("probe", "--task", "4711", "--yes", "--json", *arguments)
    assert shell.requests() - before <= 14
    assert said.json.keys() == {"version", "task_id", "requests", "left_behind", "findings"}
    assert said.json["requests"] == shell.requests() - before
    assert tuple(said.json["findings"]) == tuple(FINDINGS)
    return said


def test_a_probe_tells_what_the_server_does_and_leaves_the_task_as_it_was(shell: Shell) -> None:
    before = live(shell)
    said = probe(shell)
    assert said.code == 0, said.err
    assert said.json | {"requests": 0} == {
        "version": 1,
        "task_id": 4711,
        "requests": 0,
        "left_behind": [],
        "findings": FINDINGS,
    }
    assert live(shell) == before
    assert not (shell.state / "probe.json").exists()
    assert "at most 14 requests" in said.err


@pytest.mark.parametrize(
    ("quirks", "findings"),
    [
        ({"params": "query"}, {"name_from": "query", "order_from": "query"}),
        ({"params": "form"}, {"name_from": "form", "order_from": "form"}),
        (
            {"ids_in_201": "object"},
            {"create_answers_with_ids": True, "bulk_answers_with_ids": True},
        ),
        ({"ids_in_201": "array"}, {"create_answers_with_ids": True, "bulk_answers_with_ids": True}),
        ({"ids_in_201": "items"}, {"create_answers_with_ids": True, "bulk_answers_with_ids": True}),
        ({"rewrite_name": str.upper}, {"names": "changed"}),
        ({"rewrite_name": lambda n: n.replace(" ", "_")}, {"names": "changed"}),
        (
            {"rewrite_name": lambda _: f"upload {next(NUMBERS)}"},
            {"names": "changed", "name_from": "other", "names_unique": None},
        ),
        ({"unique_names": "refuse"}, {"names_unique": True}),
        ({"unique_names": "suffix"}, {"names_unique": True}),
        ({"orders": "ignored"}, {"orders": "ignored", "order_from": "other"}),
        ({"orders": "renumbered"}, {"orders": "renumbered"}),
        (
            {"orders": "renumbered", "params": "form"},
            {"orders": "renumbered", "order_from": "form", "name_from": "form"},
        ),
        ({"list_lag": 1.0}, {"list_lags": True}),
        ({"list_lag": 9.0}, {"list_lags": True}),
        (
            {"list_lag": 25.0, "ids_in_201": "items"},
            {"list_lags": True, "create_answers_with_ids": True, "bulk_answers_with_ids": True},
        ),
        ({"list_deleted": True}, {}),
        ({"view_soft_deleted": False}, {"view_shows_deleted": False}),
        ({"quota_headers": False}, {"quota_headers": False}),
        ({"quota": None}, {"quota_headers": False}),
        ({"created_fraction": True}, {}),
    ],
)
def test_every_habit_of_a_server_is_recognised(
    shell: Shell, quirks: dict[str, Any], findings: dict[str, Any]
) -> None:
    vars(shell.server.quirks).update(quirks)
    before = live(shell)
    said = probe(shell)
    assert said.json["findings"] == FINDINGS | findings
    assert said.code == 0, said.err
    assert [name for _, name, _ in live(shell)] == [name for _, name, _ in before]


TROUBLES: dict[str, dict[str, Any]] = {
    "lost": {"kind": "reset_after"},
    "500": {"kind": "status_before"},
    "500, done": {"kind": "status_after"},
    "402": {"kind": "status_before", "status": 402},
    "404": {"kind": "status_before", "status": 404},
    "429": {"kind": "429", "retry_after": "3"},
    "a portal": {"kind": "garbage"},
    "done late": {"kind": "late_commit", "seconds": 3.0},
}


@pytest.mark.parametrize("number", range(1, 13))
def test_one_failing_request_leaves_nothing_behind(shell: Shell, number: int) -> None:
    """Every other request with half of the troubles, the rest with the other half."""
    shell.server.quirks.quota = None
    before = live(shell)
    for name in [*TROUBLES][number % 2 :: 2]:
        fault = Fault(**TROUBLES[name], skip=number - 1)
        shell.server.faults = [fault]
        said = probe(shell)
        assert fault.times == 0, name
        assert said.json["left_behind"] == [], name
        assert live(shell) == before, name
        assert said.code in (0, 1, 75), name


@pytest.mark.parametrize("trouble", ["lost", "402"])
def test_what_cannot_be_cleaned_up_is_told_and_the_next_probe_does_it_first(
    shell: Shell, trouble: str
) -> None:
    shell.server.quirks.quota = None
    before = live(shell)
    for number in (2, 3, 5, 8, 10):
        shell.server.faults = [Fault(**TROUBLES[trouble], skip=number - 1, times=None)]
        said = probe(shell)
        shell.server.faults = []
        there = {row[0] for row in live(shell)} - {row[0] for row in before}
        told = set(said.json["left_behind"])
        assert told >= there or number < 6, number  # before that no list has told the ids
        assert said.code == 75
        assert "syncd probe --task 4711" in said.err or not told
        assert (shell.state / "probe.json").exists() or not there
        again = probe(shell)
        assert again.code == 0, again.err
        assert again.json["left_behind"] == []
        assert live(shell) == before, number


def interrupted_at(shell: Shell, *numbers: int) -> None:
    """Ctrl-C while the probe waits for the answers to these requests, which are carried out."""
    here, start = threading.main_thread().ident, shell.requests()
    assert here is not None

    def interrupt(entry: LoggedRequest) -> None:
        if entry.number - start in numbers:
            signal.pthread_kill(here, signal.SIGINT)

    shell.server.on_request = interrupt


def test_ctrl_c_at_any_request_leaves_nothing_behind(shell: Shell) -> None:
    shell.server.quirks.quota = None
    before = live(shell)
    for number in range(1, 12):
        interrupted_at(shell, number)
        said = probe(shell)
        assert (said.code, said.json["left_behind"]) == (130, []), number
        assert live(shell) == before, number


def test_a_second_ctrl_c_ends_it_and_the_next_probe_cleans_up(shell: Shell) -> None:
    before = live(shell)
    interrupted_at(shell, 5, 6)
    said = probe(shell)
    assert said.code == 130
    assert len(said.json["left_behind"]) == 1  # the bulk create has not told its ids yet
    assert f"left behind in task 4711: attachment {said.json['left_behind'][0]}, what is named" in (
        said.err
    )
    shell.server.on_request = None
    again = probe(shell)
    assert again.code == 0
    assert live(shell) == before
    assert "DELETE" in [entry.method for entry in shell.server.log[-again.json["requests"] :]][1]


def test_a_file_that_others_attach_meanwhile_stays(shell: Shell) -> None:
    """It comes between the first list and the second, as those of the probe do."""

    def attach(entry: LoggedRequest) -> None:
        if entry.method == "POST":
            shell.server.seed(TASK, f"theirs {entry.number}", b"x" * 9000, 7)

    shell.server.quirks.rewrite_name = lambda name: "upload"
    shell.server.quirks.orders = "ignored"
    shell.server.on_request = attach
    assert probe(shell).code == 0
    assert [name for _, name, _ in live(shell)] == ["theirs.pdf", "theirs 2", "theirs 4"]


def test_sigterm_leaves_nothing_behind(shell: Shell) -> None:
    before = live(shell)
    run = launcher().start("probe", "--task", "4711", "--yes", "--json", "-c", str(shell.config))

    def terminate(entry: LoggedRequest) -> None:
        if entry.number == 4:
            os.kill(run.pid.result(), signal.SIGTERM)

    shell.server.on_request = terminate
    said = run.wait()
    assert said.code == -signal.SIGTERM
    assert said.json["left_behind"] == []
    assert live(shell) == before


def test_it_asks_in_a_terminal_and_sends_nothing_before_the_answer(shell: Shell) -> None:
    terminal = Terminal("probe", "--task", "4711", "-c", str(shell.config))
    terminal.shows(lambda text: "Go on? [y/N]" in text)
    assert shell.requests() == 0
    terminal.type("y\n")
    code, text = terminal.ended()
    assert code == 0
    assert "create_params: query fits" in text
    assert "12 requests of 14; task 4711 is as it was" in text


@pytest.mark.parametrize(("answer", "code"), [("n\n", 1), ("\x04", 1), ("", 130)])
def test_who_does_not_say_yes_sends_nothing(shell: Shell, answer: str, code: int) -> None:
    terminal = Terminal("probe", "--task", "4711", "-c", str(shell.config))
    terminal.shows(lambda text: "Go on? [y/N]" in text)
    if answer:
        terminal.type(answer)
    else:
        terminal.process.send_signal(signal.SIGINT)
    assert terminal.ended()[0] == code
    assert "not begun: nothing was sent" in terminal.text
    assert shell.requests() == 0


def test_without_a_terminal_it_wants_to_be_told(shell: Shell) -> None:
    said = shell.syncd("probe", "--task", "4711")
    assert (said.code, said.out) == (2, "")
    assert "add --yes" in said.err
    assert shell.requests() == 0


def test_a_task_that_a_folder_feeds_is_probed_while_no_cycle_can_meet_it(shell: Shell) -> None:
    shell.write("a.txt")
    shell.syncd("--once")
    before = shell.server.rows((123, 456, 789))
    with StateLock(str(shell.state)):
        said = shell.syncd("probe", "--task", "789", "--yes")
    assert said.code == 75
    assert "feeds this task, and another syncd is at work on this state" in said.err
    assert shell.requests() == 3
    said = shell.syncd("probe", "--task", "789", "--yes")
    assert said.code == 0
    assert f"{shell.root} feeds this task" in said.err
    assert shell.server.rows((123, 456, 789)) == before
    assert shell.json("--once")["requests"] == 1


@pytest.mark.parametrize(("left", "sent"), [(18, 1), (19, 12)])
def test_it_begins_only_if_its_requests_and_the_reserve_are_left(
    shell: Shell, left: int, sent: int
) -> None:
    shell.server.spend(123, 60 - left)
    said = probe(shell)
    assert said.json["requests"] == sent
    assert said.code == (0 if sent > 1 else 75)
    assert ("try again after" in said.err) == (sent == 1)


def test_a_quota_that_is_known_to_be_too_small_costs_no_request(shell: Shell) -> None:
    shell.server.spend(123, 40)
    shell.write("a.txt")
    assert shell.syncd("--once").code == 0
    shell.server.log.clear()
    assert probe(shell).code == 75
    assert shell.requests() == 0


@pytest.mark.parametrize(("status", "code"), [(401, 77), (403, 1), (404, 1), (500, 75)])
def test_a_task_that_cannot_be_listed_is_told_as_elsewhere(
    shell: Shell, status: int, code: int
) -> None:
    shell.server.faults = [Fault("status_before", status=status, times=None)]
    said = probe(shell)
    assert said.code == code
    assert set(said.json["findings"].values()) <= {None, True}
    assert said.err.count("syncd: ") == 1


def test_a_probe_says_what_is_the_matter_with_its_own_record(shell: Shell) -> None:
    shell.state.mkdir()
    (shell.state / "probe.json").write_text("{")
    said = shell.syncd("probe", "--task", "4711", "--yes", "--json")
    assert said.code == 75
    assert "probe.json cannot be read (it is damaged); nothing was sent" in said.err
    assert said.json["findings"] == dict.fromkeys(FINDINGS)
    assert shell.requests() == 0


def test_a_disk_that_is_full_stops_a_probe_before_it_makes_anything(
    shell: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_descriptor: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("syncd.probe.record.os.fsync", full)
    said = probe(shell)
    assert said.code == 75
    assert "probe.json cannot be written: No space left on device; make room" in said.err
    assert [entry.method for entry in shell.server.log] == ["GET"]


def test_the_table_says_what_it_means_for_syncd_at_any_width(
    shell: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    shell.server.quirks.quota = None
    for width in (40, 80, 200):
        monkeypatch.setenv("COLUMNS", str(width))
        said = shell.syncd("probe", "--task", "4711", "--yes", "-q")
        assert (said.code, said.err) == (0, "")
        table, _, rest = said.out.partition("\n\n")
        assert max(map(len, table.splitlines())) <= width
        assert "tells no id" in table
        assert rest.startswith("create_params: query fits")
