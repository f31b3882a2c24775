"""The key is never shown, whoever quotes it, and all files that syncd keeps are private."""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from syncd.sandbox.messages import Request, Response
from tests.fault.conftest import NewScene
from tests.fault.test_hostile_state import wait_for
from tests.support.commands import KEY, Said
from tests.support.processes import launcher, python_m_syncd
from tests.support.scene import Scene

PREFIX = "Bearer toggl_sk_"
ODD_KEY = 'no"form\\at-all'
"""The key's form is not checked: it may hold characters that JSON escapes."""
TRACE = "fedcba9876543210fedcba9876543210"
COMMANDS = (
    *(("--once",), ("--once", "-v"), ("--once", "--json"), ("--once", "--dry-run", "-v")),
    *(("--once", "-v", "--log-format", "json"), ("list", "-v"), ("list", "--json")),
    *(("check",), ("check", "--json"), ("status",), ("status", "--json"), ("approve", "--json")),
)


def escaped(text: str) -> str:
    """JSON with every letter escaped."""
    return "".join(f"\\u{ord(c):04x}" for c in text)


Answers = Callable[[Request], Response]


def echo(status: int, body: Callable[[str], str], **headers: str) -> Answers:
    """A server that quotes the Authorization header."""

    def answer(request: Request) -> Response:
        sent = request.headers.get("authorization", "")
        filled = {name: value.replace("KEY", sent) for name, value in headers.items()}
        return Response(status, filled, body(sent).encode())

    return answer


ECHOES = {
    "the digits alone": echo(400, lambda sent: f"unknown: {sent.removeprefix(PREFIX)}"),
    "a plain text": echo(400, lambda sent: f"bad header Authorization: {sent}"),
    "error_description": echo(
        400, lambda sent: json.dumps({"error": "x", "error_description": f"{sent} is bad"})
    ),
    "error_description, escaped": echo(
        403, lambda sent: f'{{"error_description": "{escaped(sent)} is bad"}}'
    ),
    "trace_id": echo(500, lambda sent: json.dumps({"trace_id": sent})),
    "trace_id of a redirect": echo(302, lambda sent: json.dumps({"trace_id": sent})),
    "a redirect": echo(302, lambda _: "", Location="http://127.0.0.1:9/?key=KEY"),
    "a 401": echo(401, lambda sent: json.dumps({"message": f"{sent}: unknown key"})),
    "a 429": echo(429, lambda sent: json.dumps({"error": sent}), **{"Retry-After": "KEY"}),
    "HTML with 200": echo(200, lambda sent: f"<html>{sent}</html>"),
    "half a list": echo(200, lambda sent: f'{{"items": [{{"name": "{sent}"'),
    "a status of its own": echo(299, lambda sent: json.dumps({"trace_id": sent})),
    "a 402": echo(402, lambda sent: json.dumps({"error": sent})),
}


def all_output(scene: Scene, said: Said) -> str:
    """All output, and the content of every file that a run keeps."""
    kept = [p for p in (*scene.state.rglob("*"), *scene.base.glob("*.log")) if p.is_file()]
    return said.out + said.err + "".join(p.read_bytes().decode("latin-1") for p in kept)


@pytest.mark.parametrize("key", [KEY, ODD_KEY], ids=["a Focus key", "another form"])
def test_a_response_that_quotes_the_key_brings_it_into_no_output_or_file(
    new_scene: NewScene, key: str
) -> None:
    scene = new_scene()
    scene.token.write_text(key)
    scene.write("a", "content")
    assert scene.once().code == 0
    scene.write("b", "new")
    honest = scene.server.handle
    secret = key.removeprefix("toggl_sk_") if key == KEY else key[:8]
    heard: list[str] = []
    for name, answer in ECHOES.items():

        def handle(request: Request, name: str = name, answer: Answers = answer) -> Response:
            heard.append(name)
            return answer(request)

        scene.server.handle = handle  # type: ignore[method-assign]
        for argv in (("--once", "-v", "--json"), ("list", "-v")):
            said = scene.syncd(*argv)
            assert secret not in all_output(scene, said), (name, argv, said)
        if "error_description" in name:
            scene.server.handle = lambda request, answer=answer: (  # type: ignore[method-assign,misc]
                honest(request) if request.method == "GET" else answer(request)
            )
            said = scene.once("-v", "--retry")
            assert secret not in all_output(scene, said), (name, said)
    assert set(heard) == set(ECHOES)


def test_no_command_shows_the_key_at_any_verbosity(new_scene: NewScene) -> None:
    scene = new_scene()
    scene.write("a", "content")
    for argv in COMMANDS:
        said = scene.syncd(*argv)
        assert "toggl_sk_0" not in all_output(scene, said), argv
    scene.server.quirks.key = "another"
    for argv in COMMANDS:
        said = scene.syncd(*argv)
        assert "toggl_sk_0" not in all_output(scene, said), argv


def test_no_traceback_shows_the_key(new_scene: NewScene) -> None:
    scene = new_scene()
    scene.write("a", "content")
    for argv in (("--once", "-v"), ("list", "-v"), ("check", "-v"), ("--once", "-v", "--json")):
        said = scene.syncd(*argv, hook=("explode_with_the_key",))
        assert said.code == 75
        assert "toggl_sk_0" not in all_output(scene, said), argv
        assert "unexpected" in said.out + said.err


def test_no_process_list_shows_the_key(new_scene: NewScene) -> None:
    scene = new_scene()
    scene.write("a", "content")
    process = python_m_syncd("--once", "-v", "-c", str(scene.config))
    seen: list[str] = []

    def look() -> None:
        for name in ("cmdline", "environ"):
            seen.append(Path(f"/proc/{process.pid}/{name}").read_text())

    scene.server.strike_at(1, "before", look)
    wait_for(lambda: bool(seen))
    process.kill()
    process.communicate()
    assert "syncd" in seen[0]
    assert "toggl_sk_" not in "".join(seen)


def test_a_trace_id_is_shown_although_it_looks_like_a_key(new_scene: NewScene) -> None:
    scene = new_scene()
    scene.write("a", "content")
    answer = Response(400, {}, json.dumps({"error": "no", "trace_id": TRACE}).encode())
    honest = scene.server.handle
    scene.server.handle = lambda request: (  # type: ignore[method-assign]
        honest(request) if request.method == "GET" else answer
    )
    assert f"trace_id {TRACE}" in scene.once().out
    assert TRACE in scene.once("--json", "--retry").out
    assert TRACE in scene.syncd("status").out
    assert TRACE in scene.syncd("status", "--json").out
    assert TRACE in scene.syncd("why", str(scene.root / "a")).out
    scene.server.handle = lambda _: Response(  # type: ignore[method-assign]
        429, {"Retry-After": "1"}, answer.body
    )
    for format in ("text", "json"):
        assert TRACE in scene.once("--log-format", format).err, "the log tells of a retry"
    assert TRACE in scene.syncd("list").err
    assert TRACE in scene.syncd("check").out


@pytest.mark.parametrize("mode", [0o604, 0o660, 0o644, 0o622, 0o620])
def test_a_token_file_that_others_can_read_or_write_is_refused(
    new_scene: NewScene, mode: int
) -> None:
    scene = new_scene()
    scene.write("a", "content")
    scene.token.chmod(mode)
    for argv in (("--once",), ("check",), ("list",)):
        said = scene.syncd(*argv)
        assert (said.code, scene.sent()) == (78, [])
        assert f"chmod 600 {scene.token}" in said.out + said.err


@pytest.mark.parametrize("mask", [0o000, 0o022, 0o077, 0o777])
def test_state_files_are_private_whatever_the_umask(new_scene: NewScene, mask: int) -> None:
    scene = new_scene(max_delete=1)
    for name in "abc":
        scene.write(name, name)
    assert scene.once(hook=("umask", mask)).code == 0
    (scene.state / "ledger.db").write_bytes(b"damaged" * 100)
    for name in "abc":
        (scene.root / name).unlink()
    scene.write("d")
    scene.once(hook=("die_in_transaction", 7, "inside"))
    scene.once(hook=("umask", mask))
    scene.syncd("approve", hook=("umask", mask))
    kept = [scene.state, *scene.state.rglob("*")]
    assert len(kept) > 5
    for path in kept:
        wanted = 0o700 if path.is_dir() else 0o600
        assert stat.S_IMODE(path.stat().st_mode) == wanted, path


def test_the_files_of_the_sandbox_are_private(new_scene: NewScene) -> None:
    scene = new_scene()
    scene.write("a")
    scene.configure(url="sandbox")
    assert scene.once(hook=("umask", 0)).code == 0
    for path in (scene.state, *scene.state.rglob("*")):
        assert stat.S_IMODE(path.stat().st_mode) & 0o077 == 0, path


def test_a_key_on_the_command_line_is_not_quoted(new_scene: NewScene) -> None:
    scene = new_scene()
    for argv in (("--once", KEY), ("check", KEY), ("--folder", KEY, "--once"), ("why", KEY)):
        said = scene.syncd(*argv)
        assert said.code != 0
        assert KEY not in said.out + said.err, argv


def test_the_launcher_hides_no_key_that_is_printed(new_scene: NewScene) -> None:
    """The other tests would notice a printed key: they look at the right places."""
    scene = new_scene()
    scene.write("a", "content")
    run = launcher().start("--once", "-c", str(scene.config), hook=("print_the_key", KEY))
    assert KEY in all_output(scene, run.wait())
    assert os.path.exists(run.out)
