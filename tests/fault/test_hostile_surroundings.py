"""A current directory full of somebody's modules, a user whom nobody knows, no home."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.fault.conftest import NewScene
from tests.support.commands import Said
from tests.support.namespace import allowed, inside
from tests.support.processes import ended, environment, python_m_syncd
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


def run(command: list[str], cwd: Path, **env: str) -> Said:
    process: subprocess.Popen[bytes] = subprocess.Popen(
        command,
        cwd=cwd,
        env=environment(**env),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
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


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may become a user whom nobody knows")
@pytest.mark.parametrize("home", [None, "", "relative/home"])
def test_a_user_without_a_home_has_its_state_nowhere_by_chance(
    new_scene: NewScene, home: str | None
) -> None:
    """A container with a random uid: nothing is made where syncd happens to be started."""
    scene = new_scene()
    scene.write("a", "content")
    text = scene.config.read_text()
    scene.config.write_text(text.replace(f"state_dir: '{scene.state}'\n", ""))
    here = scene.base / "here"
    here.mkdir()
    for path in (scene.base, *scene.base.rglob("*")):
        os.chown(path, NOBODY_KNOWN, NOBODY_KNOWN)
    hook = ("without_home", home, str(here))
    said = scene.once(user=NOBODY_KNOWN, hook=hook)
    assert (said.code, scene.names(), os.listdir(here)) == (78, [], []), said
    assert "state_dir: is missing, and this user has no home directory" in said.err
    assert "set XDG_STATE_HOME or HOME" in said.err
    said = scene.once(user=NOBODY_KNOWN, hook=(*hook, str(scene.base / "xdg")))
    assert (said.code, scene.names(), os.listdir(here)) == (0, ["a"], []), said
    assert (scene.base / "xdg/syncd/ledger.db").exists()


class TestAsAnAdministrator:
    """A system service's key is only known inside the service."""

    def configured(self, scene: Scene) -> None:
        text = scene.config.read_text()
        scene.config.write_text(text.replace(str(scene.token), "$CREDENTIALS_DIRECTORY/token"))

    def held(self, scene: Scene) -> None:
        for name in "abc":
            scene.write(name, f"content {name}")
        assert scene.once().code == 0
        for name in "abc":
            (scene.root / name).unlink()
        assert scene.once().code == 1

    def test_status_why_and_approve_need_no_key(self, new_scene: NewScene) -> None:
        scene = new_scene()
        self.held(scene)
        self.configured(scene)
        said = scene.syncd("status", "--json")
        assert (said.code, said.json["folders"][0]["state"]) == (75, "held"), said
        assert scene.syncd("why", str(scene.root / "a"), "--json").json["state"] is not None
        assert scene.syncd("approve").code == 0
        assert (scene.once().code, scene.sent()) == (78, [])

    @pytest.mark.parametrize(
        "source",
        ["token_file: /nowhere/at/all", "token_env: NOT_SET", "token_command: [no-such-command]"],
    )
    def test_no_key_source_is_looked_at(self, new_scene: NewScene, source: str) -> None:
        scene = new_scene()
        self.held(scene)
        text = scene.config.read_text()
        scene.config.write_text(text.replace(f"token_file: '{scene.token}'", source))
        for argv in (("status",), ("approve", "--dry-run"), ("why", str(scene.root / "a"))):
            said = scene.syncd(*argv)
            assert said.code == (75 if argv == ("status",) else 0), said
            assert "api." not in said.err

    @pytest.mark.skipif(not allowed(), reason="this machine lets nobody mount")
    def test_the_state_of_a_config_in_etc_is_where_its_service_keeps_it(
        self, new_scene: NewScene
    ) -> None:
        scene = new_scene()
        self.held(scene)
        self.configured(scene)
        text = scene.config.read_text().replace(f"state_dir: '{scene.state}'\n", "")
        (scene.base / "acme.yaml").write_text(text)
        before = inside(
            "mount -t tmpfs none /etc",
            "mount -t tmpfs none /var/lib",
            "mkdir -p /etc/syncd /var/lib/syncd/acme",
            f"mount --bind {scene.state} /var/lib/syncd/acme",
            f"cp {scene.base}/acme.yaml /etc/syncd/acme.yaml",
        )

        def ask(*argv: str) -> Said:
            config = ("-c", "/etc/syncd/acme.yaml")
            return ended(python_m_syncd(*argv, *config, before=before))

        said = ask("status")
        assert said.code == 75, said
        assert "held: delete a (id 1" in said.out
        assert "let it happen with: syncd approve" in ask("why", str(scene.root / "a")).out
        assert "approved, for exactly these" in ask("approve").out
        assert (scene.state / "approve.json").exists()
