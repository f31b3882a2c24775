"""`syncd tasks`, from the command line against a real sandbox, and lists in other shapes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from syncd.cli.main import main
from tests.support.commands import Shell, bare
from tests.support.faults import Fault


@pytest.fixture
def shell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Shell]:
    monkeypatch.delenv("SYNCD_CONFIG", raising=False)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "xdg"))
    with Shell(tmp_path) as shell:
        yield shell


def answer(shell: Shell, body: Any) -> None:
    shell.quirks.tasks_body = lambda: json.dumps(body).encode()


def ids(shell: Shell, *arguments: str) -> list[int]:
    return [task["id"] for task in shell.json("tasks", *arguments)["tasks"]]


def test_tasks_are_told_with_their_project_and_the_folder_that_has_them(shell: Shell) -> None:
    document = shell.json("tasks")
    assert set(document) == {"version", "tasks"}
    assert document["version"] == 1
    first, *_, last = document["tasks"]
    assert first == {"id": 789, "name": "Landing page", "project": "Website", "folder": "landing"}
    assert last == {"id": 793, "name": "Invoices", "project": None, "folder": None}
    assert [entry.path for entry in shell.server.log] == [
        "/organizations/123/workspaces/456/tasks/stream"
    ] * shell.requests()
    assert shell.requests() == 1
    said = shell.syncd("tasks")
    assert said.out.startswith(f"789  Landing page (Website, Acme)  -> {shell.root}\n790  News")


@pytest.mark.parametrize(
    ("text", "found"),
    [("LOGO", [791]), ("website", [789, 790]), ("MÜLLER", [792]), ("日本", [792]), ("nothing", [])],
)
def test_a_text_is_looked_for_in_name_project_and_client(
    shell: Shell, text: str, found: list[int]
) -> None:
    assert ids(shell, text) == found


def test_a_text_that_no_task_holds_is_no_error(shell: Shell) -> None:
    said = shell.syncd("tasks", "zebra")
    assert (said.code, said.out) == (0, "")
    assert 'no task of workspace 456 holds "zebra"' in said.err


def test_a_task_that_holds_attachments_is_listed_by_the_sandbox_too(shell: Shell) -> None:
    shell.server.seed((123, 456, 4711), "a.txt")
    shell.server.seed((123, 1, 4712), "a.txt")
    assert 4711 in ids(shell)
    assert 4712 not in ids(shell)


def test_a_config_that_lacks_only_the_task_is_enough(shell: Shell) -> None:
    shell.configure(f"{{path: {shell.root}}}", "{path: x, task_id: 791, name: logos}")
    said = shell.syncd("tasks")
    assert said.code == 0
    assert "-> " in next(line for line in said.out.splitlines() if line.startswith("791"))
    assert "`syncd tasks` lists them" in shell.syncd("check").err


def test_options_are_enough_without_a_config(shell: Shell) -> None:
    options = ["--organization", "123", "--workspace", "456", "--token-file", str(shell.token)]
    said = bare("tasks", *options[:4])
    assert said.code == 2
    assert "give --token-file: there is no config" in said.err
    assert "--organization, --workspace, --token-file" in bare("tasks").err
    # Without a config the address is Focus's: nothing is sent there from here.
    shell.token.chmod(0o644)
    assert bare("tasks", *options).code == 78


@pytest.mark.parametrize("number", ["0", "-1", "x", "9223372036854775808"])
def test_a_number_that_no_workspace_has_is_bad_usage(
    capsys: pytest.CaptureFixture[str], number: str
) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["tasks", f"--organization={number}"])
    assert caught.value.code == 2
    assert f"argument --organization: '{number}' is " in capsys.readouterr().err


def test_options_beat_the_config(shell: Shell) -> None:
    other = shell.base / "other"
    other.write_text("toggl_sk_" + "f" * 32)
    other.chmod(0o600)
    shell.quirks.key = other.read_text()
    assert shell.syncd("tasks").code == 77
    assert shell.syncd("tasks", "--token-file", str(other), "--workspace", "9").code == 0
    assert shell.server.log[-1].path == "/organizations/123/workspaces/9/tasks/stream"


def test_without_ids_under_api_those_of_all_folders_are_taken_if_they_are_one(shell: Shell) -> None:
    entry = f"{{path: {shell.root}, task_id: 789, organization_id: 5, workspace_id: %d, name: n%d}}"
    for folders, code in ((entry % (6, 1),), 0), ((entry % (6, 1), entry % (7, 2)), 2):
        shell.configure(*folders)
        text = shell.config.read_text().replace("organization_id: 123, workspace_id: 456,", "")
        shell.config.write_text(text)
        said = shell.syncd("tasks")
        assert said.code == code, said.err
    assert "give --workspace" in said.err


def test_where_there_is_no_stream_the_first_page_is_taken(shell: Shell) -> None:
    shell.quirks.tasks = "pages"
    assert ids(shell, "logo") == [791]
    assert shell.requests() == 2
    assert shell.server.log[-1].query == (("page", "1"), ("per_page", "100"), ("name", "logo"))
    rows = [{"id": n, "name": f"t{n}"} for n in range(1, 101)]
    answer(shell, {"page": 1, "per_page": 100, "data": rows, "total": 250})
    assert len(ids(shell)) == 100


def test_tasks_on_further_pages_are_counted(shell: Shell) -> None:
    shell.quirks.tasks = "pages"
    answer(shell, {"page": 1, "per_page": 100, "data": [{"id": 1, "name": "a"}], "total": 250})
    assert "249 tasks are not shown" in shell.syncd("tasks").err


def test_a_server_without_a_list_of_tasks_is_told_with_the_way_around(shell: Shell) -> None:
    shell.quirks.tasks = "none"
    said = shell.syncd("tasks", "--json")
    assert said.code == said.json["exit"] == 1
    assert said.json["tasks"] == []
    assert "take the task's number from its address in the browser" in said.err
    assert shell.requests() == 2


@pytest.mark.parametrize("body", [{}, {"data": None}, [1, "x"], [{"name": "no id"}], "x", None, 7])
def test_an_answer_of_another_shape_is_no_crash(shell: Shell, body: Any) -> None:
    answer(shell, body)
    said = shell.syncd("tasks")
    assert (said.code, said.out) == (1 if body is not None else 75, "")
    assert shell.requests() == 2


def test_an_answer_that_is_no_json_is_75(shell: Shell) -> None:
    shell.quirks.tasks_body = lambda: b"<html>please log in</html>"
    assert shell.syncd("tasks").code == 75


def test_odd_tasks_are_listed_as_far_as_they_make_sense(shell: Shell) -> None:
    odd = [
        {"id": 1, "name": None, "project": "Text", "more": {"a": [1]}},
        {"id": 2, "name": "two", "project_name": "Flat", "client_name": "Inc"},
        {"id": True, "name": "no"},
        {"id": "3", "name": "no"},
        {"id": -4, "name": "no"},
        {"id": 5, "name": "gone", "deleted_at": "2026-01-01T00:00:00Z"},
        {"id": 6, "name": "six\x1b[31m\n\ud800", "project": {"id": 9, "name": None}, "client": 4},
        {"id": 7, "name": ["x"], "project": []},
        "text",
    ]
    answer(shell, {"items": odd})
    found = shell.json("tasks")["tasks"]
    assert [(t["id"], t["name"], t["project"]) for t in found] == [
        (1, "", "Text"),
        (2, "two", "Flat"),
        (6, "six\x1b[31m\n?", None),
        (7, "", None),
    ]
    assert shell.syncd("tasks").out.splitlines() == [
        "1  (no name) (Text)",
        "2  two (Flat, Inc)",
        "6  six\\x1b[31m\\n?",
        "7  (no name)",
    ]
    assert ids(shell, "inc") == [2]


@pytest.mark.parametrize(
    ("status", "code", "text"),
    [
        (401, 77, "make a new key"),
        (402, 75, "; try again when the quota is renewed"),
        (403, 1, "is organization_id 123 wrong?"),
        (500, 75, "; try again later"),
        (418, 1, "418"),
    ],
)
def test_a_refusal_is_told_as_anywhere_and_sent_once(
    shell: Shell, status: int, code: int, text: str
) -> None:
    shell.server.faults.append(Fault("status_before", status=status))
    said = shell.syncd("tasks")
    assert said.code == code
    assert text in said.err
    assert len(said.err.splitlines()) == 1
    assert shell.requests() == 1


def test_a_redirect_is_not_followed_and_an_absent_server_is_75(shell: Shell) -> None:
    shell.server.faults.append(Fault("redirect"))
    assert shell.syncd("tasks").code == 75
    assert shell.requests() == 1
    shell.sandbox.stop()
    said = shell.syncd("tasks")
    assert said.code == 75
    assert "api.url" in said.err
