"""What the simulation found: each as short as it could be made, kept so that it stays mended.

`begin` gives the quirks of server and disk; at the end all is calm and everything is looked at.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from syncd.sandbox.faults import Fault
from tests.property.test_simulation import Never, Trouble, Unique
from tests.support.simulation import Crash

DISK = {"tick": 0.004, "latency": 0.0, "connections": 1, "backwards": False, "step": 100}
SERVER = {
    "ids_in_201": "none",
    "orders": "kept",
    "rewrite_name": None,
    "list_lag": 0.0,
    "quota": None,
    "created_fraction": True,
    "view_soft_deleted": True,
}
REFUSE = 1


@contextmanager
def played(
    machine: type[Trouble] = Trouble, *, unique: int = 0, batch: int = 1 << 20, **other: Any
) -> Iterator[Trouble]:
    """The machine's rules, called by hand."""
    it = machine()
    disk = {name: other.pop(name, value) for name, value in DISK.items()}
    it.begin(unique=unique, batch=batch, **disk, quirks={**SERVER, **other})
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


def test_nor_is_one_that_no_list_had_shown_yet() -> None:
    """Its first list came after that of a create that had been lost, which then claimed it."""
    server = {"ids_in_201": "object", "list_lag": 60.0, "created_fraction": False}
    with played(Never, unique=3, **server, latency=0.3, view_soft_deleted=False) as it:
        it.write_many(["e", "d", "f10", "c", "B 1", "sub/y", "h", "f9.log", "sub/x", "g", "b", "a"])
        it.run_in_trouble_and_die(seed=70, nth=3, fault=("hang", {}), crash=Crash(31, "way", 4.0))
        it.write_many(["sub/x", "f10", "b", "d", "g", "B 1", "a", "c", "e"])
        it.run_in_trouble(seed=1038, troubles=[(("reset_before", {}), None, 1, 1)])
        it.run_with_a_fault_at(seed=3465, nth=9, fault=("status_before", {"status": 503}))
        it.back_up_on_save(4, 0)


def test_a_rename_on_its_way_is_not_undone_by_a_move_under_a_lagging_list() -> None:
    """The list showed the old name, which was taken for the server's form of the new one."""
    server = {"ids_in_201": "items", "orders": "renumbered", "list_lag": 3.0}
    with played(Never, **server, tick=1.0, latency=0.3, backwards=True, step=1) as it:
        it.write("h", 7, True)
        it.twin(5, "d")
        it.edit_hidden(4, True)
        it.run(False, False)
        it.rotate([2, 3])
        it.write("f10", 5, False)
        it.rotate([12, 4, 7])
        it.rename(7, "sub/y")
        it.wait(3700.0)
        it.run_in_trouble(0, [(("reset_before", {}), None, 2, 1)])
        it.edit_hidden(18, False)
        it.run(False, False)


def test_a_rename_before_the_first_list_is_not_in_sync_yet() -> None:
    """Only what a list shows is renamed; the report said all was well."""
    with played(ids_in_201="items", list_lag=60.0) as it:
        it.write("a", 5, True)
        it.run(False, False)
        it.rename(0, "b")
        report = it.a.run()
        assert report is not None
        assert (report.in_sync, report.exit_code()) == (False, 75)


def test_nor_where_the_old_name_resembles_the_new_one_and_is_another_files_by_now() -> None:
    with played(list_lag=60.0, ids_in_201="object") as it:
        it.write_many(["b", "c", "d", "e"])
        it.run(False, False)
        it.wait(61.0)
        it.rename(0, "a.bak")
        it.run(False, False)
        it.write("b", 7, True)
        it.change_order(order="manifest", reverse=False, manifest=["c", "d", "e", "b", "a.bak"])
        it.run(False, False)


def test_a_file_renamed_while_its_upload_is_in_doubt_is_not_uploaded_again() -> None:
    with played(list_lag=60.0) as it:
        it.write("a", 5, True)
        it.run(False, False)
        it.rename(0, "b")
        it.run(False, False)
        it.wait(61.0)
        it.run(False, False)
        assert it.sim.log == ["GET", "PUT 1"]


def test_what_leaves_anyway_is_not_moved_aside() -> None:
    """A name was to be made free of an attachment that had been deleted just before."""
    with played(Unique, unique=REFUSE) as it:
        it.write("f10", 5, True)
        it.run(False, False)
        it.rename(0, "h")
        it.run_and_die(0, [], Crash(at=12))
        it.write_many(["B 1", "a", "d", "f10", "h", "e"])
        it.rename(5, "a")


def test_a_name_that_is_taken_in_the_servers_own_form_is_made_free_too() -> None:
    with played(Unique, unique=REFUSE, rewrite_name=str.lower) as it:
        it.write("B 1", 5, True)
        it.settle()
        it.write("B 1", 7, True)


def test_what_somebody_else_sends_meanwhile_is_not_taken_for_ours() -> None:
    """Of one size and number, and another name: on a server that was seen to keep names."""
    with played() as it:
        it.write("a", 5, True)
        it.settle()
        it.write("b", 5, True)
        it.run_and_die(0, [], Crash(at=11))
        assert it.sim.log == ["GET"]
        it.people_add("theirs", 5, 100_100)


def test_a_rename_under_a_lagging_list_does_not_undo_a_move() -> None:
    """The list showed the old number, which was taken for the server's own, and went along."""
    with played(list_lag=60.0, ids_in_201="object") as it:
        it.write_many(["a", "b", "c", "d"])
        it.run(False, False)
        it.wait(61.0)
        it.change_order(order="manifest", reverse=False, manifest=["b", "c", "a", "d"])
        it.run(False, False)
        it.rename(0, "e")
        it.run(False, False)


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
    with played(orders="ignored", step=1) as it:
        it.write_many(["a", "b", "c"])
        it.run(False, False)
        it.write("d", 5, True)
        it.run(False, False)
        it.people_move(3, 0)


def test_of_two_attachments_for_one_path_the_one_renamed_to_it_last_is_its_latest_version() -> None:
    """The other was sent before, but listed after: it was kept, and the later one deleted."""
    with played(list_lag=60.0) as it:
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


def test_one_that_is_accepted_ends_the_refusal_of_all() -> None:
    """The others went on being passed over, and the report said that all was well."""
    with played(batch=1) as it:
        it.write_many(["a", "b", "c"])
        it.a.run(Fault("status_before", method="POST", status=413, times=None))
        it.write("b", 7, True)
        report = it.a.run()
        assert report is not None
        assert (report.in_sync, sorted(report.created)) == (True, ["a", "b", "c"])


def listed_beside_one_that_is_not(it: Trouble) -> None:
    """a and b hold the same; somebody has deleted the attachment of a since its 201."""
    it.write("a", 5, True)
    it.run(False, False)
    it.people_delete(0)
    it.twin(0, "b")
    it.run(False, False)


def test_a_version_with_a_files_content_stays_until_a_list_shows_that_files_own() -> None:
    """Somebody had deleted that, within the ten minutes for which its 201 was believed."""
    with played(ids_in_201="items") as it:
        listed_beside_one_that_is_not(it)
        it.rename(0, "c")
        it.write("b", 5, True)
        it.run(False, False)


def test_nor_does_one_go_whose_own_file_is_gone() -> None:
    with played(ids_in_201="items") as it:
        listed_beside_one_that_is_not(it)
        it.delete(1)
        it.run(False, False)


def replaced_by_one_never_listed(it: Trouble) -> None:
    """d is another file by now, whose attachment somebody has deleted since its 201."""
    it.write("d", 5, True)
    it.settle()
    it.write("a", 5, True)
    it.run(False, False)
    it.people_delete(1)
    it.rename(0, "d")
    it.run(False, False)


def test_nor_does_it_go_before_what_replaced_it_was_seen_if_their_file_is_gone() -> None:
    with played(ids_in_201="items") as it:
        replaced_by_one_never_listed(it)
        it.delete(0)
        it.run(False, False)
        assert it.sim.log[:3] == ["GET", "DELETE 2", "GET"]


def test_an_old_version_stays_until_its_files_next_one_is_sent() -> None:
    """What had replaced it was another file's by then, and nobody knew that it had been deleted."""
    with played(ids_in_201="items") as it:
        replaced_by_one_never_listed(it)
        it.rename(0, "a")
        it.write("d", 5, True)
        it.run(False, False)
        assert it.sim.log == ["GET", "POST", "DELETE 1"]


def test_what_was_adopted_is_given_the_servers_form_when_it_is_moved() -> None:
    """Its name stood as it was sent by somebody else: the server's form looked like a person's."""
    with played(rewrite_name=str.lower) as it:
        it.write_many(["B 1", "c"])
        it.people_add_twin(0, 77_777)
        it.people_add_twin(1, 5)
        it.run(False, False)
        assert it.sim.log == ["GET", "PUT 1"]


def test_what_comes_a_minute_late_is_not_taken_for_what_was_sent_and_answered_since() -> None:
    """Both carried one name, size and number; the new version went, and the old one stayed."""
    with played(batch=12) as it:
        it.write_many(["a", "b", "B 1", "c"])
        late = ("late_commit", {"seconds": 60.0, "drop": "hang"})
        it.run_in_trouble_and_die(0, 3, late, Crash(at=28, kind="before"))
        it.write("B 1", 5, False)
        it.a.disk.rename("b", "g")
        it.run_in_trouble(0, [(("hang", {}), "PUT", 0, 1)])


def test_a_late_twin_is_known_by_a_small_number_where_numbers_were_seen_to_be_kept() -> None:
    """What had shown it was gone by then, and a number so small seemed to be met by chance."""
    with played(ids_in_201="object", list_lag=60.0) as it:
        it.write_many(["e"])
        it.run(False, False)
        it.write("a.bak", 5, False)
        it.people_add_twin(0, 5)
        it.run(False, False)
        it.rename(0, "f10")
        it.write("e", 5, False)
        it.run_in_trouble(0, [(("reset_after", {}), "POST", 0, 1)])


def test_an_order_is_tried_anew_once_what_was_refused_can_be_moved() -> None:
    """What could be moved was moved in vain, twice: that seemed to be the server's own order."""
    with played(orders="renumbered") as it:
        it.write_many(["e", "f9.log", "h"])
        it.run(False, False)
        it.write_many(["a", "b"])
        refused = ("status_before", {"status": 413})
        it.run_in_trouble(0, [(refused, "PUT", 1, 1)])
        it.run(False, False)


def test_nor_is_a_number_met_by_chance_if_it_is_there_twice() -> None:
    """All were small, since what had been adopted stood at 5: the twin counted as foreign."""
    with played(batch=1) as it:
        it.write_many(["c", "g", "d", "B 1", "f10"])
        it.people_add_twin(4, 5)
        late = ("late_commit", {"seconds": 60.0, "drop": "hang"})
        it.run_in_trouble(0, [(late, "POST", 1, 1)])


def test_a_version_that_came_back_is_not_replaced_by_one_that_was_sent_before() -> None:
    """That came to light a minute later, and the other was deleted as if it were the older one."""
    with played(list_lag=60.0) as it:
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


def test_what_a_file_was_moved_over_goes_when_the_rename_is_done() -> None:
    """The list that showed the other lagged: it had been deleted, and the process died over it."""
    with played() as it:
        it.write_many(["a", "b"])
        it.run(False, False)
        it.rename(1, "a")
        it.run(False, False)
        assert it.sim.log == ["GET", "PUT 2", "DELETE 1"]


def test_nor_is_what_came_late_while_that_was_being_sent_taken_for_it() -> None:
    """One of two that were sent at once took its time, and the ledger knew of both since before."""
    with played(batch=12, connections=2, backwards=True) as it:
        it.write_many(["a", "c", "e", "g", "h"])
        it.run_with_a_fault_at(0, 4, ("late_commit", {"seconds": 60.0, "drop": "hang"}))
        it.write_many(["f9.log", "f10", "d", "h"])
        it.run_with_a_fault_at(0, 2, ("hang_after", {}))


def test_which_of_two_came_within_the_second_of_a_201_is_not_guessed() -> None:
    """One of them was of a send that had been given up; the new version was taken for it."""
    server = {"created_fraction": False, "list_lag": 3.0}
    with played(Never, batch=12, connections=2, **server) as it:
        it.run_with_a_fault_at(1, 1, ("status_after", {"status": 503}))
        it.write_many(["g", "f10"])
        late = ("late_commit", {"seconds": 4.5, "drop": "reset"})
        it.run_in_trouble(100, [(("garbage", {}), None, 3, 3), (late, None, 1, 1)])
        it.run_with_a_fault_at(1, 7, ("status_before", {"status": 400}))
