"""What the simulation found: each as short as it could be made, kept so that it stays mended.

`begin` gives the quirks of server and disk; at the end all is calm and everything is looked at.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from tests.property.test_simulation import Never, Trouble
from tests.support.faults import Fault
from tests.support.simulated_run import Crash

DISK = {
    "tick": 0.004,
    "latency": 0.0,
    "connections": 1,
    "backwards": False,
    "batch": 1 << 20,
    "step": 100,
}


@contextmanager
def played(
    machine: type[Trouble] = Trouble, *, server: Any = None, **disk: Any
) -> Iterator[Trouble]:
    """The machine's rules, called by hand; `server` is its quirk."""
    it = machine()
    it.begin(quirk=server or {}, **{**DISK, **disk})
    try:
        yield it
    except BaseException:
        shutil.rmtree(it.base)
        raise
    it.teardown()


def test_a_version_that_was_released_is_not_taken_for_the_next_upload() -> None:
    """`delete: never` had forgotten it, and then took it for new: another content was believed."""
    with played(Never, tick=2.0) as it:
        it.write("z", 5, False)
        it.run_and_die(0, [], Crash(at=25, kind="before"))
        it.write("z", 0, False)
        it.run_and_die(0, [], Crash(at=25, kind="before"))
        it.write("z", 5, False)


def test_a_rename_before_the_first_list_is_not_in_sync_yet() -> None:
    """Only what a list shows is renamed; the report said all was well."""
    with played(server={"list_lag": 60.0}) as it:
        it.write("a", 5, True)
        it.run(False, False)
        it.rename(0, "b")
        report = it.a.run()
        assert report is not None
        assert (report.in_sync, report.exit_code) == (False, 75)


def test_a_file_renamed_while_its_upload_is_in_doubt_is_not_uploaded_again() -> None:
    with played(server={"list_lag": 60.0}) as it:
        it.write("a", 5, True)
        it.run(False, False)
        it.rename(0, "b")
        it.run(False, False)
        it.wait(61.0)
        it.run(False, False)
        assert it.sim.log == ["GET", "PUT 1"]


def test_an_attachment_that_is_deleted_anyway_is_not_renamed_aside() -> None:
    """A name was to be made free of an attachment that had been deleted just before."""
    with played(server={"unique_names": "refuse"}) as it:
        it.write("f10", 5, True)
        it.run(False, False)
        it.rename(0, "h")
        it.run_and_die(0, [], Crash(at=12))
        it.write_many(["B 1", "a", "d", "f10", "h", "e"])
        it.rename(5, "a")


def test_an_earlier_name_that_arrives_late_is_not_the_servers_form_of_the_next_one() -> None:
    with played() as it:
        it.write_many(["a", "b", "c"])
        it.run(False, False)
        it.rename(0, "d")
        it.a.run(Fault("late_commit", method="PUT", seconds=30.0))
        it.rename(2, "e")
        it.run(False, False)


def test_a_number_met_by_chance_on_a_server_that_ignores_them_is_put_back_twice_at_most() -> None:
    """It stood as sent, so that every other number was a person's, and put back for ever."""
    with played(server={"orders": "ignored"}, step=1) as it:
        it.write_many(["a", "b", "c"])
        it.run(False, False)
        it.write("d", 5, True)
        it.run(False, False)
        it.people_move(3, 0)


def test_the_attachment_renamed_to_a_path_last_is_its_latest_version() -> None:
    """The other was sent before, but listed after: it was kept, and the later one deleted."""
    with played(server={"list_lag": 60.0}) as it:
        it.change_rules(ignore=["c"], largest=0, recursive=False)
        it.write("a", 5, True)
        it.run(False, False)
        it.wait(61.0)
        it.run(False, False)
        it.write("b", 5, True)
        it.run(False, False)
        it.rename(1, "c")
        it.rename(0, "b")
        it.run(False, False)
        assert it.sim.log == ["GET", "PUT 1"]
        it.write("b", 5, True)
        it.wait(61.0)


def test_a_released_version_does_not_make_two_creates_look_served() -> None:
    """The lost one then took what the later one had made, and the file was sent for ever."""
    with played(Never, batch=1) as it:
        it.write("d", 5, True)
        it.a.run(Fault("status_before", method="POST"))
        it.write("d", 5, True)
        it.run(False, False)
        it.write("d", 5, True)
        it.run(False, False)
        assert it.sim.log == ["GET", "POST", "GET"]


def test_an_accepted_file_ends_the_refusal_of_all() -> None:
    """The others went on being passed over, and the report said that all was well."""
    with played(batch=1) as it:
        it.write_many(["a", "b", "c"])
        it.a.run(Fault("status_before", method="POST", status=413, times=None))
        it.write("b", 7, True)
        report = it.a.run()
        assert report is not None
        assert (report.in_sync, sorted(report.created)) == (True, ["a", "b", "c"])


def test_a_create_carried_out_a_minute_late_is_not_taken_for_one_answered_since() -> None:
    """Both carried one name, size and number; the new version went, and the old one stayed."""
    with played(batch=12) as it:
        it.write_many(["a", "b", "B 1", "c"])
        late = ("late_commit", {"seconds": 60.0, "drop": "hang"})
        it.run_in_trouble_and_die(0, 3, late, Crash(at=28, kind="before"))
        it.write("B 1", 5, False)
        it.a.disk.rename("b", "g")
        it.run_in_trouble(0, [(("hang", {}), "PUT", 0, 1)])


def test_an_order_is_tried_anew_once_what_was_refused_can_be_moved() -> None:
    """What could be moved was moved in vain, twice: that seemed to be the server's own order."""
    with played(server={"orders": "renumbered"}) as it:
        it.write_many(["e", "f9.log", "h"])
        it.run(False, False)
        it.write_many(["a", "b"])
        refused = ("status_before", {"status": 413})
        it.run_in_trouble(0, [(refused, "PUT", 1, 1)])
        it.run(False, False)


def test_a_late_twin_is_found_among_small_numbers() -> None:
    """All were small, since what had been adopted stood at 5: the twin counted as foreign."""
    with played(batch=1) as it:
        it.write_many(["c", "g", "d", "B 1", "f10"])
        it.people_add_twin(4, 5)
        late = ("late_commit", {"seconds": 60.0, "drop": "hang"})
        it.run_in_trouble(0, [(late, "POST", 1, 1)])


def test_a_version_that_came_back_is_not_replaced_by_one_that_was_sent_before() -> None:
    """That came to light a minute later, and the other was deleted as if it were the older one."""
    with played(server={"list_lag": 60.0}) as it:
        it.write("d", 7, True)
        first = it.a.disk.files["d"]
        it.run(False, False)
        it.wait(61.0)
        it.run(False, False)
        it.write("d", 5, False)
        it.run(False, False)
        it.a.disk.write("d", first)
        it.run(False, False)
        it.write("d", 0, False)
        it.run(False, False)


def test_a_late_create_is_not_taken_for_one_that_was_being_sent_meanwhile() -> None:
    """One of two that were sent at once took its time, and the ledger knew of both since before."""
    with played(batch=12, connections=2, backwards=True) as it:
        it.write_many(["a", "c", "e", "g", "h"])
        it.run_with_a_fault_at(0, 4, ("late_commit", {"seconds": 60.0, "drop": "hang"}))
        it.write_many(["f9.log", "f10", "d", "h"])
        it.run_with_a_fault_at(0, 2, ("hang_after", {}))


def test_an_old_version_whose_delete_was_refused_is_no_delete_of_its_file() -> None:
    """The DELETE of the old version was refused; its file went, and later all files did."""
    with played() as it:
        it.write_many(["a", "b", "c", "d", "e"])
        it.run(False, False)
        it.write("a", 7, True)
        refused = ("status_before", {"status": 400})
        it.run_in_trouble(0, [(refused, "DELETE", 0, 1)])
        it.delete(0)
        it.run(False, False)
        it.wait(700.0)
        it.delete_all()
        it.run(False, False)
