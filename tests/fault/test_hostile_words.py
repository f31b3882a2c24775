"""What others wrote is read with bounds and printed without steering a terminal."""

from __future__ import annotations

import json
import os
import time

import pytest

from syncd.local.ignore import Selection, pattern_fault
from syncd.model import Rules
from syncd.sandbox.messages import Response
from tests.fault.conftest import NewScene
from tests.support.commands import Said
from tests.support.scene import Scene
from tests.support.witness import Witness

EVIL = "\x1b]0;owned\x07\x1b[2J\r\u202e\x9b31m\x08\u2028"
"""Sets the title, clears the screen, turns text around; eight-bit controls too."""
CATASTROPHES = (
    *("*a*a*a*a*a*a*a*b", "*a" * 40 + "b", "[a-z]*" * 20 + "!", "?*" * 60 + "b"),
    *("**/a/" * 20 + "b", "a/**/" * 20 + "b", "**/*a*/" * 20 + "b", "*a*/**/" * 20 + "*b*a*c"),
    *("**/" * 30 + "b", "*/" * 40 + "b", "**/a" * 20 + "/b", "a**" * 40 + "b", "*" * 200 + "b"),
    *("a" * 5000, "[" + "a" * 4000 + "]*b", "!" + "*a" * 60 + "b"),
)


@pytest.mark.parametrize("pattern", CATASTROPHES, ids=lambda p: p[:20])
@pytest.mark.parametrize("kind", ["ignore", "include"])
def test_no_pattern_takes_long(pattern: str, kind: str) -> None:
    """Either it is refused, or it is quick on the longest name and on a deep path."""
    if pattern_fault(pattern) is not None:
        return
    started = time.process_time()
    choice = Selection(Rules(recursive=True, **{kind: (pattern,)}))
    for path in ("a" * 255, "a" * 254 + "c", "ab" * 127, "/".join("a" * 100), "a/" * 200 + "c"):
        choice.selects(path)
        choice.reason(path)
    assert time.process_time() - started < 0.1 * 5


def assert_harmless(said: Said) -> None:
    for text in (said.out, said.err):
        loose = {c for c in text if not c.isprintable() and c not in "\n"}
        assert not loose, said


def every_command(scene: Scene, path: str) -> list[Said]:
    lines = (
        *(("--once", "--dry-run"), ("--once",), ("--once", "-v"), ("list",), ("list", "-v")),
        *(("status",), ("check",), ("approve", "--dry-run"), ("why", path), ("check", "-v")),
        *(("--once", "--json"), ("list", "--json"), ("why", path, "--json"), ("status", "--json")),
        *(("--once", "-v", "--log-format", "json"), ("approve",)),
    )
    return [scene.syncd(*argv) for argv in lines]


def test_no_file_name_steers_a_terminal(new_scene: NewScene) -> None:
    scene = new_scene(recursive=True, max_delete=1)
    Witness(scene).seed(f"theirs{EVIL}")  # type: ignore[arg-type]
    for name in (f"a{EVIL}", f"b{EVIL}", f"c{EVIL}", f"sub{EVIL}/d", "e"):
        scene.write(name, f"content {name}")
    path = str(scene.root / f"a{EVIL}")
    os.mkfifo(scene.root / f"pipe{EVIL}")
    (scene.root / f"link{EVIL}").symlink_to(f"nowhere{EVIL}")
    with open(os.fsencode(scene.root) + b"/\xff\x1b[2J", "wb"):
        pass
    for said in every_command(scene, path):
        assert_harmless(said)
    scene.write(f"b{EVIL}", "changed")
    (scene.root / f"a{EVIL}").rename(scene.root / f"aa{EVIL}")
    (scene.root / f"c{EVIL}").unlink()
    (scene.root / "e").unlink()
    said = every_command(scene, path)
    for one in said:
        assert_harmless(one)
    assert "\\x1b[2J" in said[0].out
    assert any("held" in one.out for one in said)


def test_no_words_of_a_server_steer_a_terminal(new_scene: NewScene) -> None:
    scene = new_scene()
    scene.write("a", "content")
    assert scene.once().code == 0
    scene.write("b", "new")
    honest = scene.server.handle
    body = {"error": EVIL, "error_description": f"no{EVIL}\nno", "trace_id": f"t{EVIL}"}
    texts = (json.dumps(body), json.dumps(body, ensure_ascii=False), f"plain {EVIL}")
    for status, text in ((400, texts[0]), (403, texts[1]), (422, texts[2]), (401, texts[1])):
        bad = Response(status, {}, text.encode())
        scene.server.handle = lambda request, bad=bad: (  # type: ignore[method-assign,misc]
            honest(request) if request.method == "GET" else bad
        )
        said = [scene.once("--retry"), scene.syncd("status")]
        said.append(scene.syncd("why", str(scene.root / "b")))
        scene.server.handle = lambda _, bad=bad: bad  # type: ignore[method-assign,misc]
        said += [scene.once(), scene.syncd("list"), scene.syncd("check"), scene.syncd("status")]
        for one in said:
            assert_harmless(one)
        assert any("\\x1b" in one.out + one.err for one in said), status


def test_no_argument_steers_a_terminal(new_scene: NewScene) -> None:
    """A shell fills in file names: `syncd why *`."""
    scene = new_scene()
    for argv in (
        ("why", "a", f"b{EVIL}"),
        (f"--{EVIL}",),
        (EVIL,),
        ("sandbox", "--port", EVIL),
        ("--once", "--folder", EVIL),
        ("why", f"/{EVIL}"),
    ):
        said = scene.syncd(*argv)
        assert said.code in (1, 2), said
        assert_harmless(said)


def test_no_word_of_a_config_steers_a_terminal(new_scene: NewScene) -> None:
    scene = new_scene()
    name = json.dumps(f"x{EVIL}")
    for line in (
        f"{name}: 1",
        f"sync: {{order: {name}}}",
        f"folders: [{{path: {name}, task_id: 3}}]",
        f"api: {{url: {name}}}",
        f"state_dir: {name}",
        f"x{EVIL}",
    ):
        scene.config.write_text(line + "\n")
        for argv in (("--once",), ("check",), ("status",)):
            said = scene.syncd(*argv)
            assert said.code == 78
            assert_harmless(said)
