"""A systemctl and a loginctl that only note what they are asked, and answer as told."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

_SCRIPT = """\
#!/bin/sh
echo "$(basename "$0") $*" >> "{log}"
case "$*" in *{fails}*) echo "it went wrong" >&2; exit 1;; esac
case "$*" in *show*) printf '{state}';; esac
"""


class Systemd:
    """`Systemd(monkeypatch, tmp_path).answer(load="not-found")`."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, base: Path) -> None:
        self.bin, self._log = base / "bin", base / "systemd.log"
        self.bin.mkdir()
        monkeypatch.setenv("PATH", f"{self.bin}{os.pathsep}{os.environ['PATH']}")
        self.answer()

    def answer(
        self,
        load: str = "loaded",
        active: str = "active",
        enabled: str = "enabled",
        fails: str = "",
    ) -> None:
        """How the unit stands; `fails`: a word of the command that fails, `show` for all."""
        state = f"LoadState={load}\\nActiveState={active}\\nUnitFileState={enabled}\\n"
        text = _SCRIPT.format(log=self._log, fails=fails or "no-such-word", state=state)
        for name in ("systemctl", "loginctl"):
            (self.bin / name).write_text(text)
            (self.bin / name).chmod(0o755)

    @property
    def asked(self) -> list[str]:
        """The commands that change something."""
        lines = self._log.read_text().splitlines() if self._log.exists() else []
        return [line for line in lines if " show " not in line]
