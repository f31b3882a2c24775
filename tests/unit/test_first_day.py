"""The way of a new user, from `init` to the upgrade of an older ledger, on a real server."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.commands import KEY, Shell
from tests.support.old_ledger import to_first_format
from tests.support.quirks import Quirks

NEW_KEY = "toggl_sk_" + "9" * 32


@pytest.fixture
def shell(tmp_path: Path, new_user: None) -> Iterator[Shell]:
    with Shell(tmp_path, Quirks(quota=None, key=KEY)) as shell:
        shell.config.unlink()
        yield shell


def in_task(shell: Shell) -> list[str]:
    rows = shell.server.rows((123, 456, 789))
    return [row.name for row in sorted(rows, key=lambda row: row.display_order)]


def test_the_first_day_of_a_new_user(shell: Shell) -> None:
    names = ["draft.txt", "invoice.txt", "logo.txt", "notes.txt"]
    for name in names:
        shell.write(name, f"content of {name}")
    address = shell.sandbox.url.replace("/api", "/123/workspaces/456/list?task=789")
    given = ("--address", address, "--folder", str(shell.root), "--token-file", str(shell.token))

    said = shell.syncd("init", *given, "--yes", "--no-service")
    assert said.code == 0, said.err
    assert in_task(shell) == names

    shell.write("draft.txt", "another draft")
    (shell.root / "logo.txt").rename(shell.root / "mark.txt")
    (shell.root / "notes.txt").unlink()
    assert shell.syncd("--once", "-q").code == 0
    assert in_task(shell) == ["draft.txt", "invoice.txt", "mark.txt"]

    for name in ("draft.txt", "invoice.txt", "mark.txt"):
        (shell.root / name).rename(shell.base / name)
    said = shell.syncd("--once", "-q")
    assert said.code == 1
    assert "`syncd approve --folder landing` releases it" in said.err
    assert len(in_task(shell)) == 3, "nothing was deleted"
    (shell.base / "invoice.txt").rename(shell.root / "invoice.txt")
    assert "delete draft.txt" not in shell.syncd("approve", "--dry-run").out
    assert shell.syncd("--once", "-q").code == 0
    assert in_task(shell) == ["invoice.txt"]
    (shell.root / "invoice.txt").unlink()
    shell.write("a.txt", "a")
    assert shell.syncd("--once", "-q").code == 0
    assert in_task(shell) == ["a.txt"]

    shell.server.quirks.key = NEW_KEY
    shell.write("b.txt", "b")
    said = shell.syncd("--once", "-q")
    assert said.code == 77
    assert "put a new one in place" in said.err
    shell.token.write_text(NEW_KEY)
    assert shell.syncd("--once", "-q").code == 0
    assert in_task(shell) == ["a.txt", "b.txt"]

    state = shell.base / ".local/state/syncd"
    page = shell.base / "page.html"
    assert "landing (task 789): in sync" in shell.syncd("status", "--html", str(page)).out
    assert "b.txt" in page.read_text()
    assert "unchanged since it was uploaded" in shell.syncd("why", str(shell.root / "b.txt")).out
    assert shell.syncd("log").out.count("\n") >= 12

    to_first_format(state / "ledger.db")
    shell.write("c.txt", "c")
    said = shell.syncd("--once", "--json")
    assert said.json["folders"][0]["created"] == ["c.txt"]
    assert said.json["folders"][0]["requests"] == 3
    assert (state / "ledger.db.format5").is_file()
    assert "created c.txt" in shell.syncd("log").out


def test_what_is_held_back_is_done_once_it_is_approved(shell: Shell) -> None:
    for name in "abcd":
        shell.write(name, name)
    given = ["--address", shell.sandbox.url.replace("/api", "/123/workspaces/456/?task=789")]
    given += ["--folder", str(shell.root), "--token-file", str(shell.token), "--yes"]
    assert shell.syncd("init", *given).code == 0
    for name in "abcd":
        (shell.root / name).unlink()
    assert shell.syncd("--once", "-q").code == 1
    said = shell.syncd("approve")
    assert said.code == 0
    assert "approved, for exactly these attachments" in said.out
    assert shell.syncd("--once", "-q").code == 0
    assert in_task(shell) == []
