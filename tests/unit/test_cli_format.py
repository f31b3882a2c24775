"""Reports for people."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest

from syncd.cli.format import report_lines, summary
from syncd.core.plan import Create, Delete, Held, Plan, Put
from syncd.engine.actions import Action, Kind, planned
from syncd.engine.context import Progress
from syncd.engine.cost import Limits, cost
from syncd.engine.report import KEY, LATER, PARTLY, FolderReport, Trouble
from syncd.model import Fingerprint, LocalFile, Problem
from syncd.overview.words import size_text
from syncd.task_state import Attribute, LedgerEntry

LIMITS = Limits(10, 1000, lambda names: True)


def report(**values: Any) -> FolderReport:
    return FolderReport("landing", "/home/ann/landing", 789, **values)


def done(kind: Kind, *names: str) -> list[Action]:
    return [Action(kind, name, "why") for name in names]


def lines(made: FolderReport, *, dry_run: bool = False, verbose: bool = False) -> list[str]:
    return [*map(str, report_lines(made, dry_run=dry_run, verbose=verbose))]


def file(path: str, size: int = 10) -> LocalFile:
    return LocalFile(path, Fingerprint(size, 1, 1, 1))


def entry(path: str, number: int = 100) -> LedgerEntry:
    return LedgerEntry(7, "current", path, 10, Attribute(path, path), Attribute(number, number))


def foreseen(plan: Plan, *, lists: int = 1, keeps_old: bool = False) -> FolderReport:
    limits = LIMITS._replace(keeps_old=keeps_old)
    return report(planned_requests=lists + cost(plan, limits), actions=planned(plan, limits))


def test_a_folder_in_sync_is_one_line() -> None:
    assert lines(report(in_sync=True, requests=1)) == ["landing (task 789): in sync; 1 request"]


def test_everything_that_was_done_is_named() -> None:
    made = report(
        in_sync=True,
        requests=8,
        actions=[
            *done("adopt", "x.doc"),
            *done("replace", "a.png"),
            *done("create", "b.png"),
            Action("delete", "a.png", "why", old_version=True),
            *done("delete", "gone.txt"),
            Action("rename", "new.txt", "why", old_name="old.txt"),
            *done("reorder", "c.pdf"),
        ],
    )
    assert lines(made) == [
        "landing (task 789): in sync; 8 requests",
        "  created   b.png",
        "  replaced  a.png",
        "  renamed   old.txt -> new.txt",
        "  moved     c.pdf",
        "  deleted   gone.txt",
        "  adopted   x.doc",
    ]


def test_everything_that_is_not_synced_is_named_with_its_reason() -> None:
    made = report(
        foreign=["brief.docx"],
        detached=["old.log"],
        contested=["fight.txt"],
        failed=[Problem("x.bin", "413 too large")],
        hints=["a hint"],
        pending=2,
    )
    assert lines(made)[1:] == [
        "  detached  old.log (no synced file any more: the attachment stays)",
        "  foreign   brief.docx (not ours: left alone)",
        "  contested fight.txt (somebody keeps changing it: left as it is until tomorrow)",
        "  failed    x.bin: 413 too large",
        "  hint      a hint",
        "  pending   2 actions left for a later run",
    ]


def test_held_items_say_what_why_and_how_to_go_on() -> None:
    reason = "12 deletes are more than max_delete (10)"
    made = report(held=[Held(41, "gone.txt", 3_565_158, "delete", reason)])
    assert lines(made) == [
        "landing (task 789): held; 0 requests",
        f"  held      delete gone.txt (id 41, 3.4 MiB): {reason}",
        "  `syncd approve` releases exactly these (`--folder landing` if others are held, too)",
    ]


def test_all_held_items_are_named_however_many() -> None:
    made = report(held=[Held(n, f"{n}.txt", 1, "delete", "why") for n in range(100)])
    assert sum("  held " in line for line in lines(made)) == 100


def test_a_folder_name_is_quoted_for_the_shell() -> None:
    made = FolderReport("Land's end", "/x", 1, held=[Held(1, "a", 1, "replace", "why")])
    assert "`--folder 'Land'\"'\"'s end'`" in lines(made)[-1]


@pytest.mark.parametrize(
    ("code", "state", "word"),
    [(PARTLY, "error", "error"), (KEY, "error", "error"), (LATER, "pending", "later")],
)
def test_the_trouble_that_ended_the_run_is_the_last_line(code: int, state: str, word: str) -> None:
    made = report(trouble=Trouble(code, "no such folder"))
    assert lines(made) == [
        f"landing (task 789): {state}; 0 requests",
        f"  {word:<9} no such folder",
    ]


def test_a_parent_folder_has_no_task() -> None:
    assert lines(FolderReport("Focus", "/f", None))[0].startswith("Focus (no task): ")


def test_skipped_files_are_counted_by_reason_and_named_if_verbose() -> None:
    skipped = [Problem(f"l{n}", "symbolic link") for n in range(3)] + [Problem("f", "pipe")]
    made = report(in_sync=True, skipped=skipped)
    assert lines(made)[1:] == [
        "  skipped   l0 and 2 more (symbolic link)",
        "  skipped   f (pipe)",
    ]
    assert len(lines(made, verbose=True)) == 5


def test_long_lists_are_folded_unless_verbose() -> None:
    made = report(actions=done("create", *(f"{n}.png" for n in range(100))))
    assert lines(made)[-1] == "  created   … and 80 more (-v names them)"
    assert len(lines(made)) == 22
    assert len(lines(made, verbose=True)) == 101


def test_names_cannot_steer_the_terminal() -> None:
    made = report(
        actions=done("create", "a\nb\x1b[2J\u202e.png"), failed=[Problem("x", "server: \x9b")]
    )
    text = "\n".join(lines(made))
    assert "a\\nb\\x1b[2J\\u202e.png" in text
    assert "\x1b" not in text
    assert "\x9b" not in text


def test_a_dry_run_names_each_action_with_its_reason_and_its_requests() -> None:
    plan = Plan(
        finish=(Delete(1, "was.txt", 5, "replaced"),),
        creates=(Create(file("a.png"), 100, entry("a.png")), Create(file("b.png"), 200)),
        deletes=(Delete(2, "gone.txt", 5, "gone"), Delete(3, "theirs.txt", 5, "foreign")),
        renames=(Put(entry("n.txt"), "o.txt", 1, "n.txt", 2, put_back=False),),
        reorders=(Put(entry("m.txt"), "m.txt", 1, "m.txt", 350, put_back=True),),
        adopted=("x.doc",),
        waiting=(Problem("w.txt", "still being written"),),
    )
    assert lines(foreseen(plan), dry_run=True) == [
        "landing (task 789): to be done; 9 requests in all, lists included",
        "  list      the task (to see what is there: 1 request)",
        "  delete    was.txt (an old version: 1 request)",
        "  replace   a.png (new content, bulk of 2: 1 request)",
        "  create    b.png (new file, in the bulk of a.png: no request)",
        "  list      the task (to see what was created: 1 request)",
        "  delete    a.png (the old version, once the new one is seen: 1 request)",
        "  delete    gone.txt (its file is gone: 1 request)",
        "  delete    theirs.txt (not ours, and no file has its name (delete: mirror): 1 request)",
        "  rename    o.txt -> n.txt (its file was renamed, and moved from 1 to 2: 1 request)",
        "  move      m.txt (moved in the task, put back, from 1 to 350: 1 request)",
        "  adopt     x.doc (same name and size: no request)",
        "  wait      w.txt (still being written: no request)",
    ]


@pytest.mark.parametrize("count", [0, 1, 2, 10, 11, 35])
def test_the_requests_of_a_dry_run_add_up(count: int) -> None:
    creates = tuple(Create(file(f"{n}.png"), n, entry(f"{n}.png")) for n in range(count))
    plan = Plan(creates=creates)
    made = foreseen(plan)
    assert sum(a.requests for a in made.actions) == cost(plan, LIMITS)
    assert made.planned_requests == 1 + cost(plan, LIMITS)


def test_files_too_large_for_one_bulk_are_shown_in_their_own_requests() -> None:
    creates = tuple(Create(file(name, 600), 1) for name in ("a", "b"))
    reasons = [(a.reason, a.requests) for a in foreseen(Plan(creates=creates)).actions]
    assert reasons == [("new file", 1), ("new file", 1), ("to see what was created", 1)]


def test_where_nothing_is_deleted_a_dry_run_foresees_no_delete() -> None:
    made = foreseen(Plan(creates=(Create(file("a"), 1, entry("a")),)), keeps_old=True)
    assert [a.kind for a in made.actions] == ["replace", "list"]
    assert made.planned_requests == 3


def test_the_summary_of_nothing_to_do() -> None:
    done = [report(in_sync=True, requests=1)]
    assert summary(done, dry_run=False) == "1 folder in sync; nothing to do; 1 request"


def test_the_summary_counts_over_all_folders() -> None:
    held = Held(1, "a", 1, "delete", "why")
    failed = report(
        trouble=Trouble(LATER, "quota"),
        held=[held],
        failed=[Problem("x", "y")],
        actions=done("delete", "d"),
        requests=2,
        pending=3,
    )
    did = [*done("create", "a", "b"), *done("reorder", "c")]
    made = [report(in_sync=True, actions=did, requests=3), failed]
    assert summary(made, dry_run=False) == (
        "1 of 2 folders in sync; 2 created, 1 moved, 1 deleted; 1 held back, 1 failed, "
        "3 pending, 1 in error or put off; 5 requests"
    )


def test_the_summary_of_a_dry_run_speaks_of_what_would_be() -> None:
    made = foreseen(Plan(creates=(Create(file("a"), 1),)))
    assert summary([made], dry_run=True) == (
        "0 of 1 folder in sync; 1 to create; 3 requests in all; nothing was changed"
    )


@pytest.mark.parametrize(
    ("size", "text"),
    [
        (0, "0 bytes"),
        (1, "1 byte"),
        (1023, "1023 bytes"),
        (1024, "1.0 KiB"),
        (1536, "1.5 KiB"),
        (5 * 1024**3, "5.0 GiB"),
        (2**70, "1048576.0 PiB"),
    ],
)
def test_sizes(size: int, text: str) -> None:
    assert size_text(size) == text


def test_progress_that_nobody_watches_is_harmless() -> None:
    progress: Progress = Progress()
    progress.expect(1, 1)
    progress.sent(1)
    progress.done()


def test_the_module_imports_without_rich() -> None:
    code = "import syncd.cli.format, syncd.log, sys; sys.exit('rich' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)
