"""What tests of several modules start from."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.config_faults import Faults, load_faults


@pytest.fixture
def faults(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Faults:
    for variable in ("STATE_DIRECTORY", "XDG_STATE_HOME", "CREDENTIALS_DIRECTORY", "UNSET"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    return lambda text: load_faults(tmp_path / "config.yaml", text)


@pytest.fixture
def new_user(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A home, and no variable that names a place for config or state."""
    monkeypatch.setenv("HOME", str(tmp_path))
    for name in ("SYNCD_CONFIG", "XDG_CONFIG_HOME", "XDG_STATE_HOME", "STATE_DIRECTORY"):
        monkeypatch.delenv(name, raising=False)
