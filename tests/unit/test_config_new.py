"""The text of a first config, an entry that is added to another, and addresses of the browser."""

from __future__ import annotations

from pathlib import Path

import pytest

from syncd.config import load_config
from syncd.config.addresses import Address, parse_address
from syncd.config.new_config import NewConfig
from syncd.config.new_entry import NewEntry, scalar, with_entry, written_path
from syncd.config.yaml_document import read_document
from syncd.errors import ConfigError, UsageError

ROOT = Path(__file__).parents[2]
URL = "https://focus.toggl.com/api"
NEW = NewEntry("path", "/new", 7)
TEXT = "- path: /new\n  task_id: 7\n"


def test_every_line_of_the_example_but_the_answers_stands_in_a_first_config(tmp_path: Path) -> None:
    (tmp_path / "token").touch(0o600)
    entry = NewEntry("path", "/a/b", 4711, "Landing page #1")
    text = NewConfig(URL, 12, 34, str(tmp_path / "token"), entry).text()
    example = (ROOT / "config.example.yaml").read_text().partition("# A line that")[2].splitlines()
    left_out = [line.strip() for line in example if line not in text.splitlines()]
    assert left_out[1:] == [  # the first is the rest of the line above
        "url: sandbox",
        "organization_id: 1",
        "workspace_id: 1",
        "#token_file: ~/.config/syncd/token",
        "state_dir: .syncd-sandbox",
        "- path: examples/landing-page",
        "task_id: 789",
    ]
    file = tmp_path / "config.yaml"
    file.write_text(text)
    config = load_config(str(file))
    assert config.api == load_config(str(file), with_key=False).api._replace(
        key_source=config.api.key_source
    )
    assert config.entries[0].path == "/a/b"
    assert config.entries[0].task is not None
    assert config.entries[0].task == (URL, 12, 34, 4711)


@pytest.mark.parametrize(
    "name",
    ["/a b", "/a: b", "/a #b", "/- x", "/ü/日本", "/it's", '/"q"', "/tab\\t", "/a, [b]", "/a&b *c"],
)
def test_a_path_is_read_as_it_was_written(name: str) -> None:
    entry = NewEntry("path", name, 7, "a # comment: with [all] sorts\nof \x1b things")
    new = with_entry("f", "folders:\n- path: /x\n  task_id: 1\n", entry)
    document, _ = read_document("f", new)
    assert isinstance(document, dict)
    assert document["folders"][1] == {"path": name, "task_id": 7}


def test_a_home_is_written_as_a_tilde_and_a_dollar_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/h/ann")
    assert written_path("/h/ann/a $b", "/h/ann/c.yaml") == "~/a $$b"
    assert written_path("/h/ann", "/h/ann/c.yaml") == "~/"
    assert written_path("/h/anna/x", "/h/ann/c.yaml") == "/h/anna/x"
    assert written_path("/h/ann/x", "/etc/syncd/c.yaml") == "/h/ann/x"
    assert scalar("~/") == "~/"


@pytest.mark.parametrize(
    ("before", "after", "indent"),
    [
        ("folders:\n  - path: /a\n    task_id: 1\n", "", 2),
        ("folders:\n- path: /a\n  task_id: 1", "", 0),
        ("folders:\n- task_id: 1  # last\n", "\n# end\nsync:\n  order: name\n", 0),
        ("folders:\n  - path: /a\n    #name: x\n", "\n    #more\n  # next\nsync: {}\n", 2),
        ("folders:\n  - path: /a\n    ignore: [a,\n      b]\n", "state_dir: /x\n", 2),
        ("folders:\n  - path: /a\n    ignore:\n      - '*.x'  # c\n      #- y\n", "# z\n", 2),
        ("folders:\n  - {path: /a, task_id: 1}  # c\n", "", 2),
        ("folders:\n  - path: /a\n    name: |\n      text\n", "\napi: {}\n", 2),
        ("folders:\n    - path: /a\n      # c\n", "\n\n", 4),
        ('folders:\r\n  - path: "/a"\r\n', "\r\nsync: {}\r\n", 2),
        ("folders:\n  -\n    path: /a\n    name:\n", "api:\n", 2),
        ("folders: # all\n  - path: /a\n", "...\n", 2),
    ],
)
def test_an_entry_is_added_after_the_last_one_and_its_comments(
    before: str, after: str, indent: int
) -> None:
    text = before + after
    entry = "".join(f"{' ' * indent}{line}\n" for line in TEXT.splitlines())
    if "\r\n" in before:
        entry = entry.replace("\n", "\r\n")
    newline = "" if before.endswith("\n") else "\n"
    assert with_entry("f", text, NEW) == before + newline + entry + after


@pytest.mark.parametrize(
    "text",
    [
        "folders: [{path: /a}]\n",
        "folders: []\n",
        "sync: {}\n",
        "x: &f\n  - path: /a\nfolders: *f\n",
        "x: &f {folders: [{path: /a}]}\n<<: *f\n",
        "{folders: [{path: /a}]}\n",
        "a: &x {b: 1}\nfolders:\n    - path: /a\n      sync: *x\n",
        "x: &i 5\nfolders:\n  - task_id: *i\n",
        "folders:\n  - name: |+\n      text with the empty lines below\n\n\n",
    ],
)
def test_where_an_entry_would_disturb_something_the_lines_are_told(text: str) -> None:
    with pytest.raises(ConfigError, match="add by hand: - path: /new; task_id: 7"):
        with_entry("f", text, NEW)


@pytest.mark.parametrize(
    ("text", "ids"),
    [
        ("https://focus.toggl.com/123/workspaces/456/projects", (123, 456, None)),
        (" <https://focus.toggl.com/123/workspaces/456> ", (123, 456, None)),
        ("focus.toggl.com/organizations/1/workspaces/2/tasks/3?a=b", (1, 2, 3)),
        ("https://focus.toggl.com/1/workspaces/2/board?view=x&task=9#y", (1, 2, 9)),
        ("https://focus.toggl.com/x?organization_id=5&workspace_id=6&task_id=7", (5, 6, 7)),
        ("https://focus.toggl.com/login?next=%2F1%2Fworkspaces%2F2%2Ftasks%2F3", (1, 2, 3)),
        ("https://focus.toggl.com/1/workspaces/2?subtask=5&task=6x", (1, 2, None)),
        ("https://focus.toggl.com/settings", (None, None, None)),
        ("https://focus.toggl.com/0/workspaces/99999999999999999999", (None, None, None)),
    ],
)
def test_the_ids_are_taken_from_an_address(
    text: str, ids: tuple[int | None, int | None, int | None]
) -> None:
    assert parse_address(text) == Address(URL, *ids)


def test_an_address_of_this_machine_leads_to_its_own_api() -> None:
    found = parse_address("http://127.0.0.1:8080/1/workspaces/2/tasks/3")
    assert found == ("http://127.0.0.1:8080/api", 1, 2, 3)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "hello",
        "https://track.toggl.com/1/workspaces/2",
        "https://focus.toggl.com.evil.example/1/workspaces/2",
        "https://me:pw@focus.toggl.com/1/workspaces/2",
        "ftp://focus.toggl.com/1/workspaces/2",
        "http://[::1/1/workspaces/2",
    ],
)
def test_any_other_address_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match=r"focus\.toggl\.com/123/workspaces/456"):
        parse_address(text)
