"""Configuration, man page and completions are what their sources make them, and true."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from docs.generate import files
from docs.keys import KEYS, Key
from syncd.config import Config, load_config
from syncd.config.section import Section

ROOT = Path(__file__).resolve().parents[2]
SETTINGS = [key for key in KEYS if key.default[0] != "("]


def named(key: Key) -> str:
    return f"{key.section}.{key.name}" if key.section else key.name


@pytest.fixture(autouse=True)
def home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("SYNCD_TOKEN", "toggl_sk_0123456789abcdef0123456789abcdef")
    monkeypatch.setenv("PATH", str(tmp_path / "bin"), prepend=os.pathsep)
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin/pass").touch(mode=0o755)
    monkeypatch.delenv("XDG_STATE_HOME", raising=False)
    (tmp_path / ".config/syncd").mkdir(parents=True)
    (tmp_path / ".config/syncd/token").write_text("toggl_sk_0123456789abcdef0123456789abcdef\n")
    (tmp_path / ".config/syncd/token").chmod(0o600)


def loaded(tmp_path: Path, key: Key | None = None, value: str = "") -> Config:
    """A config that is as short as can be, with one value of one key."""
    base = {
        "api": {"url": "sandbox", "organization_id": "1", "workspace_id": "1"},
        "sync": {},
        "folders": {"path": "folder", "task_id": "1"},
        "": {},
    }
    if key is not None:
        if (key.section, key.name) == ("folders", "each"):
            base["folders"] = {}
        base[key.section][key.name] = value
    lines = [f"{name}: {text}" for name, text in base[""].items()]
    for section in ("api", "sync"):
        lines += [f"{section}: {{}}"] if not base[section] else [f"{section}:"]
        lines += [f"  {name}: {text}" for name, text in base[section].items()]
    lines += ["folders:", *(f"    {name}: {text}" for name, text in base["folders"].items())]
    lines[-len(base["folders"])] = lines[-len(base["folders"])].replace("    ", "  - ", 1)
    file = tmp_path / "config.yaml"
    file.write_text("\n".join(lines) + "\n")
    return load_config(str(file))


@pytest.mark.parametrize("name", files())
def test_generated_files_are_as_the_sources_make_them(name: str) -> None:
    committed = (ROOT / name).read_text(encoding="utf-8")
    assert committed == files()[name], "run `python -m docs.generate`, and look at what changed"


def test_every_key_that_the_loader_knows_is_described_and_no_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    known: dict[str, set[str]] = {}
    close = Section.close

    def recording(self: Section, elsewhere: dict[str, str]) -> None:
        known.setdefault(str(self.path[0]) if self.path else "", set()).update(self._known)
        close(self, elsewhere)

    monkeypatch.setattr(Section, "close", recording)
    loaded(tmp_path)
    told = {section: {k.name for k in KEYS if k.section == section} for section in known}
    told["folders"] |= told["sync"]
    told[""] |= {"api", "sync", "folders"}
    assert told == known


@pytest.mark.parametrize("key", SETTINGS, ids=named)
def test_a_default_that_is_told_is_the_one_that_holds(key: Key, tmp_path: Path) -> None:
    if key.name == "url":
        assert f'url: str = "{key.default}"' in (ROOT / "syncd/config/settings.py").read_text()
        return
    assert loaded(tmp_path, key, key.default) == loaded(tmp_path)


@pytest.mark.parametrize("key", KEYS, ids=named)
def test_an_example_is_accepted_and_makes_a_difference(key: Key, tmp_path: Path) -> None:
    without, given = loaded(tmp_path), loaded(tmp_path, key, key.example)
    assert given != without or key.example == "sandbox"


@pytest.mark.skipif(shutil.which("man") is None, reason="man is not installed here")
def test_man_shows_the_page_without_a_warning() -> None:
    command = ["man", "--warnings", "-E", "UTF-8", "-l", "-Tutf8", "-Z", "docs/syncd.1"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
