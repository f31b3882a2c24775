"""A current directory full of somebody's modules, a user whom nobody knows, no home."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.fault.conftest import NewScene
from tests.support.commands import Said
from tests.support.processes import ended, environment
from tests.support.scene import Scene

ASCII = {"PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0", "LC_ALL": "C"}
NOBODY_KNOWN = 54321
"""A user id without an entry in /etc/passwd."""


def console_script(scene: Scene) -> list[str]:
    """What pip puts into `bin`."""
    script = scene.base / "bin" / "syncd"
    script.parent.mkdir(exist_ok=True)
    script.write_text("from syncd.cli.main import entry_point\nentry_point()\n")
    return [sys.executable, str(script)]


def run(command: list[str], cwd: Path, user: int | None = None, **env: str) -> Said:
    process = subprocess.Popen(
        command,
        cwd=cwd,
        env=environment(**env),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        user=user,
    )
    return ended(process)


@pytest.mark.parametrize("how", ["the console script", "python -m"])
@pytest.mark.parametrize("locale", [ASCII, {"LC_ALL": "C.UTF-8"}], ids=["ascii", "utf-8"])
def test_no_code_of_the_current_directory_runs(
    new_scene: NewScene, how: str, locale: dict[str, str]
) -> None:
    """In a locale that is not UTF-8, syncd starts itself again."""
    scene = new_scene()
    scene.write("ä", "content")
    here = scene.base / "here"
    here.mkdir()
    for module in ("yaml", "requests", "sqlite3", "secrets", "pathspec"):
        (here / f"{module}.py").write_text("import os\nos.write(2, b'not ours')\nos._exit(9)\n")
    by_module = how == "python -m"
    command = [sys.executable, "-m", "syncd"] if by_module else console_script(scene)
    said = run([*command, "--once", "-c", str(scene.config)], here, **locale)
    assert (said.code, scene.names()) == (0, ["ä"]), said
    assert "not ours" not in said.err


def test_python_is_started_again_with_the_options_that_it_was_given(new_scene: NewScene) -> None:
    scene = new_scene()
    scene.write("ä", "content")
    python, script = console_script(scene)
    command = [python, "-v", "-S", script, "--version"]
    said = run(command, scene.base, **ASCII)
    assert said.code == 0
    assert said.err.count("# installing zipimport hook") == 2
