"""config.example.yaml works, mentions every key, and tells the truth about the defaults."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from syncd.config import load_config
from syncd.config.section import Section
from syncd.errors import ConfigError
from syncd.model import TaskKey

ROOT = Path(__file__).resolve().parents[2]
EXAMPLE = ROOT / "config.example.yaml"
COMMENTED = re.compile(r"^( *)#(?=(?:- )?[a-z_]+:|  [a-z_]+:)", re.MULTILINE)
EACH = re.compile(r"^ *#- each:.*\n(?: *#  .*\n)*", re.MULTILINE)
NO_DEFAULT = re.compile(r"^ *#(?:token_|status_page|metrics_file|on_problem).*\n", re.MULTILINE)


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))


def written(tmp_path: Path, text: str) -> str:
    file = tmp_path / "config.yaml"
    file.write_text(text)
    return str(file)


def test_the_example_loads_and_syncs_the_samples_with_the_sandbox() -> None:
    config = load_config(str(EXAMPLE))
    (entry,) = config.entries
    assert config.api.sandbox
    assert config.state_dir == str(ROOT / ".syncd-sandbox")
    assert entry.task == TaskKey("sandbox", 1, 1, 789)
    assert entry.path == str(ROOT / "examples/landing-page")
    assert 4 <= len(list(Path(entry.path).iterdir())) <= 5


def test_switching_every_commented_key_on_changes_nothing(tmp_path: Path) -> None:
    text = NO_DEFAULT.sub("", EACH.sub("", EXAMPLE.read_text()))
    plain = load_config(written(tmp_path, text))
    active = COMMENTED.sub(r"\1", text)
    assert len(re.findall(COMMENTED, text)) >= 20
    assert load_config(written(tmp_path, active)) == plain


def test_each_key_source_and_the_each_entry_are_accepted(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        load_config(written(tmp_path, COMMENTED.sub(r"\1", EXAMPLE.read_text())))
    assert {fault.key for fault in caught.value.faults} <= {
        "api.token_file",  # the file is not there, and the other two are one source too many
        "api.token_env",
        "api.token_command",
    }


def test_every_key_of_the_schema_is_mentioned(monkeypatch: pytest.MonkeyPatch) -> None:
    known: dict[str, set[str]] = {}
    close = Section.close

    def recording(self: Section, elsewhere: dict[str, str]) -> None:
        known.setdefault(str(self.path[0]) if self.path else "", set()).update(self._known)
        close(self, elsewhere)

    monkeypatch.setattr(Section, "close", recording)
    load_config(str(EXAMPLE))
    assert set(known) == {"", "api", "sync", "folders"}
    text = EXAMPLE.read_text()
    for section, keys in known.items():
        start = text.index(f"\n{section}:") if section else 0
        # the keys of `sync:` may stand in a folder too, and are told about once
        here = text if section in ("", "folders") else re.split(r"\n(?=[a-z_]+:)", text[start:])[1]
        for key in keys:
            assert re.search(rf"^ *#?(?:- |  )?{key}:", here, re.MULTILINE), (section, key)
