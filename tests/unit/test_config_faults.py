"""What a config must not say: one line each, with its place and how to mend it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.config_faults import API, ONE, Faults, only


def test_all_faults_come_at_once_in_order_of_line(faults: Faults) -> None:
    found = faults(
        """api:
  url: http://focus.example.com/api
  organization_id: "12"
  workspace_id: 3
  tokn_file: x
sync:
  order: naturl
  settle: 2
  settle: 4s
  evil: !!python/object/apply:os.system ["id"]
  ignore: ["*.tmp", "[a", 3]
folders:
  - path: a
    recursive: true
    task_id: 1
  - path: a/b
    taskid: 4
  - each: ~nosuchuser/x
    max_delete: -1
state_dir: a/state
extra: 1
"""
    )
    assert [(fault.line, fault.key) for fault in found] == [
        (2, "api.url"),
        (3, "api.organization_id"),
        (5, "api.tokn_file"),
        (7, "sync.order"),
        (8, "sync.settle"),
        (9, "sync.settle"),
        (10, "sync.evil"),
        (10, "sync.evil"),
        (11, "sync.ignore[1]"),
        (11, "sync.ignore[2]"),
        (16, "folders[1]"),
        (16, "folders[1].path"),
        (17, "folders[1].taskid"),
        (18, "folders[2].each"),
        (19, "folders[2].max_delete"),
        (20, "state_dir"),
        (21, "extra"),
    ]
    assert all(fault.hint for fault in found)


@pytest.mark.parametrize(
    ("sync", "message", "hint"),
    [
        ("ordr: name", "unknown key", "did you mean order?"),
        ("zzz: 1", "unknown key", "valid here: order, reverse"),
        ("timeout: 1s", "unknown key", "belongs under `api:`"),
        ("task_id: 1", "unknown key", "an entry of `folders:`"),
        ("order: Natural", "must be one of natural, name", "did you mean natural?"),
        ("order: 3", "not the number 3", "the default"),
        ("delete: false", "not the switch false", ""),
        ('reverse: "true"', 'must be true or false, not "true"', "no quotes"),
        ("reverse: 1", "must be true or false", ""),
        ("max_delete: -1", "must be at least 0", "at least 0"),
        ("max_delete: 1.5", "must be a whole number", ""),
        ("max_delete: true", "must be a whole number, not the switch true", ""),
        ('max_delete: "3"', "must be a whole number", "no quotes"),
        ("max_delete:", "not empty", ""),
        ("display_order_step: 0", "must be at least 1", ""),
        ("display_order_step: 1000001", "must be at most 1,000,000", ""),
        ("settle: 2", "must be a duration, not the number 2", "give it a unit: 2s"),
        ("settle: 2 sec", "must be a duration", "200ms, 2s, 1m or 1h"),
        ("settle: -2s", "must be a duration", ""),
        ("settle: 0s", "must lie between 1ms and 24h", ""),
        ("refresh: 9000h", "must lie between", ""),
        ("rescan: [1m]", "must be a duration, not a list", ""),
        ("max_file_size: 5XB", "must be a size", "32MiB"),
        ("max_file_size: '1.5'", "must be a size", ""),
        ("max_file_size: -5", "must be at least 0", ""),
        ("max_file_size: 9999999999GiB", "must be at most", ""),
        ("max_files: -1", "must be at least 0", ""),
        ("max_files: 1KB", "must be a whole number", ""),
        ("max_fiels: 5", "unknown key", "max_files"),
        ("include: '*.png'", "must be a list of patterns", "write a list"),
        ("ignore:", "must be a list of patterns, not empty", "[] for none"),
        ("ignore: ['#x']", "is no usable pattern", "is a comment"),
        ("ignore: ['a\\']", "is no usable pattern", ""),
        ("ignore: ['[z-a]']", "is no usable pattern", ""),
        ("ignore: ['']", "is empty", ""),
        ("ignore: [3]", "must be text, not the number 3", "in quotes"),
        (f"ignore: [{'x' * 1001}]", "is no usable pattern", "1000 characters"),
        ("ignore: [a*b*c*d*e*f*g*h]", "is no usable pattern", "more than 6 stars"),
        (f"ignore: [{'x, ' * 1001}]", "1,001 patterns, more than 1,000", ""),
    ],
)
def test_a_wrong_rule_is_refused(faults: Faults, sync: str, message: str, hint: str) -> None:
    fault = only(faults(API + ONE + "sync:\n  " + sync + "\n"))
    assert fault.line == 4
    assert fault.key.partition("[")[0] == "sync." + sync.partition(":")[0]
    assert message in fault.message
    assert hint in fault.hint


@pytest.mark.parametrize(
    ("api", "message"),
    [
        ("url: http://focus.toggl.com/api", "would send the key in the clear"),
        ("url: http://127.0.0.1.example.com", "in the clear"),
        ("url: http://127.1", "in the clear"),
        ("url: http://0.0.0.0", "in the clear"),
        ("url: https://me:secret@focus.toggl.com", "must not hold a user name or password"),
        ("url: https://focus.toggl.com/api?x=1", "query or fragment"),
        ("url: https://focus.toggl.com/api#x", "query or fragment"),
        ("url: ftp://focus.toggl.com", "must begin with https://"),
        ("url: focus.toggl.com/api", "must be an https:// address or sandbox"),
        ("url: Sandbox", "must be an https:// address or sandbox"),
        ("url: 'https:///api'", "not a valid address"),
        ("url: https://host:99999", "not a valid address"),
        ("url: 'https://[::1'", "not a valid address"),
        ("url: https://tögg.l", "plain ASCII"),
        ("url: 'https://a b'", "plain ASCII"),
        ("url: 3", "must be text"),
        ("connections: 0", "at least 1"),
        ("connections: 17", "at most 16"),
        ("timeout: 30", "must be a duration"),
        ("timeout: 2h", "must lie between 1ms and 1h"),
        ("max_batch_bytes: 0", "at least 1"),
        ("quota: 0", "at least 1"),
        ("quota: never", "must be auto or a whole number"),
        ("quota_reserve: -1", "at least 0"),
        ("create_params: body", "must be one of query, form, both"),
        ("organization_id: 0", "at least 1"),
        ("workspace_id: 9223372036854775808", "at most"),
        ("token_file: gone", "does not exist"),
        ("token_file: ''", "is empty"),
        ("token_env: UNSET", "UNSET, which is not set"),
        ("token_command: pass show toggl", "must be a list of words"),
        ("token_command: []", "must be a list of words, not empty"),
        ("token_command: [no-such-command-at-all]", "was not found"),
    ],
)
def test_a_wrong_api_section_is_refused(faults: Faults, api: str, message: str) -> None:
    lines = {"url": "url: sandbox", "organization_id": "organization_id: 1"}
    lines |= {"workspace_id": "workspace_id: 2", api.partition(":")[0]: api}
    text = "api:\n  " + "\n  ".join(lines.values()) + "\n"
    fault = only(faults(text + ONE))
    assert (fault.line, fault.key) == (
        2 + list(lines).index(api.partition(":")[0]),
        "api." + api.partition(":")[0],
    )
    assert message in fault.message
    assert "secret" not in str(fault)


def test_the_real_api_needs_exactly_one_key_source(faults: Faults, tmp_path: Path) -> None:
    ids = "api: {organization_id: 1, workspace_id: 2"
    assert "no key source" in only(faults(ids + "}\n" + ONE)).message
    (tmp_path / "token").touch(0o600)
    fault = only(faults(ids + ", token_env: PATH, token_file: token}\n" + ONE))
    assert "second key source besides" in fault.message


def test_a_key_source_that_others_can_read_is_refused(faults: Faults, tmp_path: Path) -> None:
    (tmp_path / "token").touch()
    (tmp_path / "token").chmod(0o644)
    ids = "api: {organization_id: 1, workspace_id: 2, token_file: token}\n"
    fault = only(faults(ids + ONE))
    assert (fault.line, fault.key) == (1, "api.token_file")
    assert "chmod 600" in fault.hint


def test_an_id_that_api_lacks_is_one_fault_for_all_folders(faults: Faults) -> None:
    text = "api: {url: sandbox, organization_id: 1}\nfolders:\n"
    text += "".join(f"- {{path: p{n}, task_id: {n}}}\n" for n in range(1, 9))
    fault = only(faults(text))
    assert fault.message.startswith("workspace_id is missing, and needed by folders[0], folders[1]")


@pytest.mark.parametrize(
    ("folders", "key", "message"),
    [
        ("", "folders", "is missing"),
        ("folders:", "folders", "must be a list"),
        ("folders: []", "folders", "nothing to sync"),
        ("folders: {path: a, task_id: 1}", "folders", "must be a list"),
        ("folders: [a]", "folders[0]", "must be a section"),
        ("folders: [{}]", "folders[0]", "names no folder"),
        ("folders: [{path: a}]", "folders[0]", "task_id is missing"),
        ("folders: [{task_id: 1}]", "folders[0]", "names no folder"),
        ("folders: [{path: a, each: b, task_id: 1}]", "folders[0].each", "goes with no `path:`"),
        ("folders: [{each: a, task_id: 1}]", "folders[0].task_id", "not with `each:`"),
        ("folders: [{each: a, name: x}]", "folders[0].name", "not with `each:`"),
        ("folders: [{path: a, task_id: -1}]", "folders[0].task_id", "at least 1"),
        ("folders: [{path: a, task_id: 1, name: x/y}]", "folders[0].name", "a slash"),
        ("folders: [{path: a, task_id: 1, name: 3}]", "folders[0].name", "must be text"),
        ("folders: [{path: ~, task_id: 1}]", "folders[0].path", "has no value"),
        ("folders: [{path: '', task_id: 1}]", "folders[0].path", "is empty"),
        ('folders: [{path: "a\\0b", task_id: 1}]', "folders[0].path", "control character"),
        ("folders: [{path: $UNSET/a, task_id: 1}]", "folders[0].path", "$UNSET"),
        ("folders: [{path: '${}', task_id: 1}]", "folders[0].path", "not set"),
        ("folders: [{path: ~nosuchuser/a, task_id: 1}]", "folders[0].path", "does not exist"),
    ],
)
def test_a_wrong_folder_entry_is_refused(
    faults: Faults, folders: str, key: str, message: str
) -> None:
    found = faults(API + folders + "\n")
    fault = next(fault for fault in found if fault.key == key)
    assert message in fault.message
    assert fault.hint


def test_two_folders_of_one_task_are_reported_whatever_else_is_wrong(faults: Faults) -> None:
    found = faults(
        """api: {url: sandbox, organization_id: zero, workspace_id: 2}
folders: [{path: a, task_id: 1}, {path: b, task_id: 1}]
"""
    )
    assert [fault.key for fault in found] == ["api.organization_id", "folders[1].task_id"]


def test_a_quota_no_larger_than_the_reserve_is_refused(faults: Faults) -> None:
    api = API.replace("}", ", quota: 5}")
    assert "quota_reserve is 5" in only(faults(api + ONE)).message
    assert not faults(API.replace("}", ", quota: 5, quota_reserve: 4}") + ONE)


def test_the_hint_names_the_default(faults: Faults) -> None:
    found = only(faults(API.replace("}", ", create_params: all}") + ONE))
    assert found.hint == "write both, the default"
