"""Requests go to the host of api.url only, and TLS is verified whatever the environment holds."""

from __future__ import annotations

import http.server
import os
import shutil
import ssl
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from syncd.sandbox.messages import Response
from tests.fault.conftest import NewScene
from tests.support.namespace import allowed, inside
from tests.support.scene import Scene

ANYWHERE = "0.0.0.0"
REDIRECTS = (301, 302, 303, 307, 308)


class Listener(http.server.ThreadingHTTPServer):
    """Another host; records each request line it gets."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.requests: list[str] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class _Handler(http.server.BaseHTTPRequestHandler):
    server: Listener

    def handle_one_request(self) -> None:
        self.close_connection = True
        self.server.requests.append(self.rfile.readline().decode("latin-1"))


@contextmanager
def listening(context: ssl.SSLContext | None = None) -> Iterator[Listener]:
    with Listener() as server:
        if context is not None:
            server.socket = context.wrap_socket(server.socket, server_side=True)
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        yield server
        server.shutdown()


def with_changes(new_scene: NewScene) -> Scene:
    scene = new_scene()
    for name in "abc":
        scene.write(name, f"content {name}")
    assert scene.once().code == 0
    scene.write("a", "changed")
    (scene.root / "b").unlink()
    scene.write("n", "new")
    return scene


@pytest.mark.parametrize(
    ("method", "statuses"), [("GET", REDIRECTS), ("POST", (307,)), ("DELETE", (308,))]
)
def test_a_redirect_is_not_followed(
    new_scene: NewScene, method: str, statuses: tuple[int, ...]
) -> None:
    scene = with_changes(new_scene)
    honest = scene.server.handle
    with listening() as other:
        for status in statuses:
            away = Response(status, {"Location": f"{other.url}/api"})
            scene.server.handle = lambda request, away=away: (  # type: ignore[method-assign,misc]
                away if request.method == method else honest(request)
            )
            assert scene.once().code == 75
        assert other.requests == []


def test_a_loopback_url_is_never_reached_through_a_proxy(new_scene: NewScene) -> None:
    scene = with_changes(new_scene)
    with listening() as proxy:
        names = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy")
        said = scene.python("--once", env=dict.fromkeys(names, proxy.url))
        assert (said.code, proxy.requests) == (0, [])
    assert sorted(scene.names()) == ["a", "c", "n"]


def test_a_netrc_file_does_not_replace_the_key(new_scene: NewScene) -> None:
    scene = with_changes(new_scene)
    home = scene.base / "home"
    home.mkdir()
    (home / ".netrc").write_text("machine 127.0.0.1 login somebody password else\n")
    (home / ".netrc").chmod(0o600)
    seen: list[str] = []
    honest = scene.server.handle
    scene.server.handle = lambda request: (  # type: ignore[method-assign]
        seen.append(request.headers["authorization"]) or honest(request)  # type: ignore[func-returns-value]
    )
    env = {"HOME": str(home), "NETRC": str(home / ".netrc")}
    assert scene.python("--once", env=env).code == 0
    assert {value.partition("_")[0] for value in seen} == {"Bearer toggl"}


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    if shutil.which("openssl") is None:
        pytest.skip("makes a certificate")
    path = tmp_path_factory.mktemp("tls") / "both.pem"
    command = (
        "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj "
        f"/CN=localhost -addext subjectAltName=IP:127.0.0.1 -keyout {path} -out {path}.crt"
    )
    subprocess.run(command.split(), check=True, capture_output=True)
    path.write_text(path.read_text() + Path(f"{path}.crt").read_text())
    return path


SWITCHES = {
    "nothing": {},
    "PYTHONHTTPSVERIFY": {"PYTHONHTTPSVERIFY": "0"},
    "empty bundles": {"CURL_CA_BUNDLE": "", "REQUESTS_CA_BUNDLE": "", "SSL_CERT_FILE": ""},
    "switches of other programs": {
        "SSL_NO_VERIFY": "1",
        "NODE_TLS_REJECT_UNAUTHORIZED": "0",
        "GIT_SSL_NO_VERIFY": "1",
        "SYNCD_INSECURE": "1",
        "PYTHONWARNINGS": "ignore",
    },
}


@pytest.mark.parametrize("switch", SWITCHES)
def test_an_untrusted_certificate_is_75_whatever_the_environment(
    new_scene: NewScene, certificate: Path, switch: str
) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    scene = new_scene()
    scene.write("a", "content")
    with listening(context) as server:
        url = f"https://127.0.0.1:{server.server_port}/api"
        scene.configure(url=url)
        said = scene.python("--once", env=SWITCHES[switch])
        assert said.code == 75
        assert "certificate is not trusted" in said.out
        assert server.requests == []
        trusting = {"SSL_CERT_FILE": f"{certificate}.crt"}
        assert scene.python("--once", env=trusting).code == 75
        assert server.requests, "with the bundle named, the request reaches the server"


@pytest.mark.skipif(
    not allowed() or ssl.get_default_verify_paths().cafile is None,
    reason="covers the system's store by a mount",
)
def test_a_ca_in_the_system_store_is_trusted(new_scene: NewScene, certificate: Path) -> None:
    """A company installs its CA there; a service has no variable that names it."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    scene = new_scene()
    store = os.path.realpath(str(ssl.get_default_verify_paths().cafile))
    with listening(context) as server:
        scene.configure(url=f"https://127.0.0.1:{server.server_port}/api")
        company = inside(f"mount --bind {certificate}.crt {store}")
        assert "certificate is not trusted" in scene.python("--once").out
        assert server.requests == []
        assert "certificate" not in scene.python("--once", before=company).out
        assert server.requests


def test_no_config_key_turns_verification_off(new_scene: NewScene) -> None:
    scene = new_scene()
    text = scene.config.read_text()
    for word in ("verify: false", "insecure: true", "ssl_verify: false", "tls: off"):
        scene.config.write_text(text.replace("organization_id", f"{word}, organization_id", 1))
        said = scene.once()
        assert (said.code, "unknown key" in said.err) == (78, True), said


def test_http_to_another_machine_is_refused_before_anything_is_sent(new_scene: NewScene) -> None:
    scene = new_scene()
    for url in ("http://example.com/api", f"http://{ANYWHERE}/api", "http://localhost.evil.com/"):
        scene.configure(url=url)
        said = scene.once()
        assert (said.code, "https" in said.err) == (78, True), said
