"""TLS: verification that cannot be switched off, and early answers through it."""

from __future__ import annotations

import shutil
import socket
import ssl
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest
from test_focus_server import Peer, length_of, reply, serving, transport_to, upload_of

from syncd.errors import Unreachable
from syncd.focus.upload import MultipartBody

pytestmark = pytest.mark.skipif(shutil.which("openssl") is None, reason="makes a certificate")
_BUNDLES = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE")


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("tls") / "both.pem"
    command = (
        "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 "
        f"-subj /CN=localhost -addext subjectAltName=DNS:localhost -keyout {path} -out {path}.crt"
    )
    subprocess.run(command.split(), check=True, capture_output=True)
    path.write_text(path.read_text() + Path(f"{path}.crt").read_text())
    return path


@pytest.fixture(autouse=True)
def no_bundles(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in _BUNDLES:
        monkeypatch.delenv(name, raising=False)


def wrapping(certificate: Path) -> Any:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    return lambda sock: context.wrap_socket(sock, server_side=True)


def answer_once(peer: Peer) -> None:
    while head := peer.head():
        left = length_of(head) - len(peer.rest)
        peer.rest = b""
        while left:
            left -= len(peer.sock.recv(min(left, 1 << 16)))
        peer.send(reply(201, b"{}"))


def test_a_certificate_that_nobody_vouches_for_is_refused(certificate: Path) -> None:
    with (
        serving(answer_once, wrapping(certificate)) as server,
        pytest.raises(Unreachable, match="certificate is not trusted"),
    ):
        transport_to(f"https://localhost:{server.port}").request("DELETE", "/")


@pytest.mark.parametrize("variable", _BUNDLES)
def test_a_bundle_of_the_environment_is_trusted_for_its_hosts_only(
    certificate: Path, variable: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(variable, f"{certificate}.crt")
    with serving(answer_once, wrapping(certificate)) as server:
        transport = transport_to(f"https://localhost:{server.port}")
        monkeypatch.delenv(variable)
        assert transport.request("PUT", "/", json={}).status == 201
        monkeypatch.setenv(variable, f"{certificate}.crt")
        with pytest.raises(Unreachable, match="certificate is not trusted"):
            transport_to(f"https://127.0.0.1:{server.port}").request("GET", "/")


def test_a_bundle_that_does_not_exist_is_named_as_the_reason(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", "/nowhere.pem")
    with pytest.raises(Unreachable, match="CA bundle that the environment names"):
        transport_to("https://localhost:1").request("GET", "/")


def test_a_server_without_tls_is_unreachable() -> None:
    with (
        serving(lambda peer: peer.send(b"HTTP/1.1 400 Bad\r\n\r\n")) as server,
        pytest.raises(Unreachable, match="TLS failed"),
    ):
        transport_to(f"https://localhost:{server.port}").request("POST", "/", json={})


@pytest.mark.parametrize("ending", ["complete", "close", "stay"])
def test_an_upload_over_tls_and_answers_that_come_early(
    certificate: Path, ending: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def early(peer: Peer) -> None:
        if ending == "complete":
            answer_once(peer)
            return
        peer.head()
        peer.send(reply(413, b"{}"))
        if ending == "close":
            peer.sock.shutdown(socket.SHUT_RDWR)
        else:
            time.sleep(3)

    monkeypatch.setenv("SSL_CERT_FILE", f"{certificate}.crt")
    path = tmp_path / "big"
    with path.open("wb") as file:
        file.truncate(32 << 20)
    with (
        serving(early, wrapping(certificate)) as server,
        MultipartBody([], [("file", upload_of(path))]) as body,
    ):
        transport = transport_to(f"https://localhost:{server.port}", timeout=0.5)
        answer = transport.request("POST", "/", body=body)
        assert answer.status == (201 if ending == "complete" else 413)
        assert body.complete == (ending == "complete")
