"""What is no YAML, or YAML that a config must not use: one fault each, never a traceback."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from syncd.config import load_config
from syncd.errors import ConfigError
from tests.support.config_faults import API, ONE, Faults, load_faults, only


class TestFile:
    """What is no config at all: one clear fault."""

    @pytest.mark.parametrize(
        ("content", "line", "message"),
        [
            (b"", 1, "is empty"),
            (b"# nothing but a comment\n", 1, "is empty"),
            (b"---\n", 1, "is empty"),
            (b"a: 1\nb: \0\1\2\n", 2, "control character"),
            (b"\x7fELF\x02\x01\x01\0\0", 1, "control character"),
            ("api: 1".encode("utf-16"), 1, "not UTF-8"),
            (b"api:\n  url: caf\xe9\n", 2, "not UTF-8"),
            (b"api:\n  url: \x1b[0m\n", 2, "control character"),
            (b"- a\n- b\n", 1, "not a mapping"),
            (b"\njust text\n", 2, "not a mapping"),
        ],
    )
    def test_a_file_without_a_mapping_is_refused(
        self, tmp_path: Path, content: bytes, line: int, message: str
    ) -> None:
        fault = only(load_faults(tmp_path / "c.yaml", content))
        assert fault.line == line
        assert message in fault.message

    def test_a_file_over_1_mib_is_refused(self, tmp_path: Path) -> None:
        fault = only(load_faults(tmp_path / "c.yaml", b"#" * (1024 * 1024 + 1)))
        assert "larger than 1 MiB" in fault.message

    def test_a_missing_file_a_directory_and_a_pipe_are_refused(self, tmp_path: Path) -> None:
        os.mkfifo(tmp_path / "pipe")
        for path, message in (
            (tmp_path / "gone", "No such file"),
            (tmp_path, "Is a directory"),
            (tmp_path / "pipe", "not a regular file"),
        ):
            with pytest.raises(ConfigError, match=message) as caught:
                load_config(str(path))
            only(list(caught.value.faults))

    def test_an_unreadable_file_is_refused(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def refuse(*_: object) -> int:
            raise PermissionError(13, "Permission denied")

        monkeypatch.setattr(os, "open", refuse)
        with pytest.raises(ConfigError, match="cannot be read: Permission denied"):
            load_config(str(tmp_path / "config.yaml"))


class TestYaml:
    @pytest.mark.parametrize(
        ("text", "line", "message", "hint"),
        [
            ("api:\n  url: 'open\nsync: {}\n", 4, "not valid YAML", "quotes"),
            ("api:\n\turl: sandbox\n", 2, "not valid YAML", "spaces, not with tabs"),
            ("api: {\nfolders: [}\n", 2, "not valid YAML", "colons"),
            ("api: @x\n", 1, "cannot start any token", "in quotes"),
            ("sync:\n  ignore: [*.tmp]\n", 2, "not valid YAML", 'in quotes: "*.tmp"'),
            ("sync: *nowhere\n", 1, "undefined alias", "quotes"),
            ("a: 1\n---\nb: 2\n", 2, "not valid YAML", "one config"),
            ("a: 1\n  b: 2\n", 2, "not valid YAML", "indentation"),
            ("a: " + "[" * 5000 + "\n", None, "nested too deeply", ""),
            ("a:\n" + "".join(" " * n + "- \n" for n in range(1, 500)), None, "too deeply", ""),
            ('a: "\\UFFFFFFFF"\n', None, "not valid YAML", ""),
        ],
    )
    def test_broken_yaml_is_one_fault_with_its_line(
        self, faults: Faults, text: str, line: int | None, message: str, hint: str
    ) -> None:
        (fault,) = faults(text)
        assert message in fault.message
        assert hint in fault.hint
        if line is not None:
            assert abs((fault.line or 0) - line) <= 1

    @pytest.mark.parametrize(
        ("line", "key", "message"),
        [
            ("sync: {order: name, order: size}", "sync.order", "given twice, first on line 3"),
            ("sync: !!python/object/apply:os.system [id]", "sync", "tag"),
            ("sync: {order: !!python/name:os.system }", "sync.order", "tag"),
            ("sync: {ignore: [!keep.txt ]}", "sync.ignore[0]", "tag"),
            ("sync: !!set {order}", "sync", "tag"),
            ("sync: &a {ignore: *a}", "sync.ignore", "contains itself"),
            ("sync: &a [*a]", "sync[0]", "contains itself"),
            ("sync: {<<: 3}", "sync", "takes a mapping"),
            ("sync: {1: 2}", "sync", "must be text"),
            ("sync: {[a]: 2}", "sync", "must be text"),
            ("sync: {max_delete: 010}", "sync.max_delete", "no plain number"),
            ("sync: {max_delete: 1:30}", "sync.max_delete", "no plain number"),
            ("sync: {max_delete: 0x10}", "sync.max_delete", "no plain number"),
            ("sync: {max_delete: !!int abc}", "sync.max_delete", "no plain number"),
            ("sync: {max_delete: !!float abc}", "sync.max_delete", "not a usable float"),
            ("sync: {reverse: !!bool abc}", "sync.reverse", "not a usable bool"),
            ("sync: {max_delete: " + "9" * 5000 + "}", "sync.max_delete", "not a usable int"),
        ],
    )
    def test_yaml_features_that_a_config_refuses(
        self, faults: Faults, line: str, key: str, message: str
    ) -> None:
        found = faults(API + ONE + line + "\n")
        fault = next(fault for fault in found if message in fault.message)
        assert (fault.line, fault.key) == (3, key)
        assert fault.hint

    def test_aliases_that_expand_without_bounds_are_refused(self, faults: Faults) -> None:
        laughs = "a: &a [x, x, x, x, x, x, x, x, x]\n"
        for one, two in zip("abcdefgh", "bcdefghi", strict=True):
            laughs += f"{two}: &{two} [{', '.join([f'*{one}'] * 9)}]\n"
        assert "more than 100,000 values" in only(faults(laughs)).message
        merges = "a: &a {x: 1}\n"
        for one, two in zip("abcdefghijklmnopqrst", "bcdefghijklmnopqrstu", strict=True):
            merges += f"{two}: &{two} {{<<: [*{one}, *{one}, *{one}]}}\n"
        assert "more than 100,000 values" in only(faults(merges)).message

    def test_long_chains_of_aliases_are_refused(self, faults: Faults) -> None:
        chain = "a0: &a0 {x: 1}\n"
        chain += "".join(f"a{n}: &a{n} {{<<: *a{n - 1}}}\n" for n in range(1, 100))
        assert any("nested too deeply" in fault.message for fault in faults(chain))


PIECES: list[str] = ["api", "sync", "folders", "path", "task_id", "each", "ignore", "url", "<<"]
PIECES += ["sandbox", "{", "}", "[", "]", "&a", "*a", "#", "~", "1", "0x1", "1e9", "|", ">", "%"]
PIECES += ["---", "...", "2024-01-01", ".inf", "=", "$A", "'", '"', "\\x"]
PIECES += [": ", ":\n  ", "\n", "\n  ", "- ", "\n- ", ", ", "&a ", "!x ", "!!int ", "!!binary "]
PIECES += ["? ", "\t", "\u2028", "\x85", "\ufeff"]
YAMLISH = st.lists(st.sampled_from(PIECES) | st.text(max_size=3), max_size=25).map("".join)


@given(text=YAMLISH)
@settings(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck))
@example(text="api: !!binary x\n")
@example(text="a: !!timestamp x\n")
@example(text="%YAML 99999999999\n---\na: 1\n")
@example(text="a: !<%FF> b\n")
@example(text="? {a: b}\n: c\n")
def test_no_text_makes_a_traceback(tmp_path: Path, text: str) -> None:
    found = load_faults(tmp_path / "config.yaml", text.encode("utf-8", "surrogatepass"))
    assert all("\n" not in str(fault) for fault in found)


VALUE = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=5,
)
KEYS = ["url", "token_env", "token_command", "quota", "timeout", "order", "settle", "include"]
KEYS += ["max_file_size", "path", "each", "name", "task_id", "recursive", "organization_id"]


@given(st.dictionaries(st.sampled_from(["api", "sync", "folders", "state_dir"]), VALUE),
       st.dictionaries(st.sampled_from(KEYS), VALUE))  # fmt: skip
@settings(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck))
def test_no_value_at_any_key_makes_a_traceback(
    tmp_path: Path, top: dict[str, object], inner: dict[str, object]
) -> None:
    import yaml

    text = yaml.safe_dump({"api": inner, "sync": inner, "folders": [inner]} | top)
    for fault in load_faults(tmp_path / "config.yaml", text):
        assert "\n" not in str(fault)
