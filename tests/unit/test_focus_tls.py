"""TLS: verification cannot be switched off, and early responses are read through it."""

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
from syncd.focus import environment
from syncd.focus.multipart import MultipartBody

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
    for name in (*_BUNDLES, "SSL_CERT_DIR", "HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.delenv(name, raising=False)


def hashed(certificate: Path, folder: Path) -> Path:
    """A folder as SSL_CERT_DIR wants it: each certificate under the hash of its subject."""
    command = ["openssl", "x509", "-hash", "-noout", "-in", f"{certificate}.crt"]
    name = subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()
    folder.mkdir()
    shutil.copy(f"{certificate}.crt", folder / f"{name}.0")
    return folder


def certifi() -> str:
    """A bundle that does not hold our certificate."""
    return environment.DEFAULT_CA_BUNDLE_PATH


def wrapping(certificate: Path) -> Any:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    return lambda sock: context.wrap_socket(sock, server_side=True)


def answer_all(peer: Peer) -> None:
    while head := peer.head():
        left = length_of(head) - len(peer.rest)
        peer.rest = b""
        while left:
            left -= len(peer.sock.recv(min(left, 1 << 16)))
        peer.send(reply(201, b"{}"))


def test_a_certificate_of_an_unknown_issuer_is_refused(certificate: Path) -> None:
    with (
        serving(answer_all, wrapping(certificate)) as server,
        pytest.raises(Unreachable, match=r"certificate is not trusted .*the system's store"),
    ):
        transport_to(f"https://localhost:{server.port}").request("DELETE", "/")


@pytest.mark.parametrize("variable", _BUNDLES)
def test_a_ca_bundle_of_the_environment_is_trusted_and_host_names_are_still_checked(
    certificate: Path, variable: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(variable, f"{certificate}.crt")
    with serving(answer_all, wrapping(certificate)) as server:
        transport = transport_to(f"https://localhost:{server.port}")
        monkeypatch.delenv(variable)
        assert transport.request("PUT", "/", json={}).status == 201
        monkeypatch.setenv(variable, f"{certificate}.crt")
        with pytest.raises(Unreachable, match="certificate is not trusted"):
            transport_to(f"https://127.0.0.1:{server.port}").request("GET", "/")


@pytest.mark.parametrize("variable", _BUNDLES)
def test_a_bundle_that_cannot_be_used_is_named_with_its_variable(
    variable: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "text").write_text("no certificate")
    for path, reason in (("/nowhere.pem", "No such file"), (str(tmp_path / "text"), "no certif")):
        monkeypatch.setenv(variable, path)
        match = f"{variable} names a CA bundle that cannot be used: {path}: {reason}"
        with pytest.raises(Unreachable, match=match):
            transport_to("https://localhost:1").request("GET", "/")


@pytest.mark.parametrize("beside", [None, "SSL_CERT_FILE", "REQUESTS_CA_BUNDLE"])
def test_the_certificates_of_ssl_cert_dir_are_trusted_in_addition(
    certificate: Path, beside: str | None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    folder = hashed(certificate, tmp_path / "certs")
    monkeypatch.setenv("SSL_CERT_DIR", f"/nowhere:{folder}")
    if beside is not None:
        monkeypatch.setenv(beside, certifi())
    with serving(answer_all, wrapping(certificate)) as server:
        transport = transport_to(f"https://localhost:{server.port}")
        assert transport.request("PUT", "/", json={}).status == 201


def test_a_bundle_may_be_a_folder(
    certificate: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(hashed(certificate, tmp_path / "certs")))
    with serving(answer_all, wrapping(certificate)) as server:
        transport = transport_to(f"https://localhost:{server.port}")
        assert transport.request("PUT", "/", json={}).status == 201


def test_the_bundle_of_requests_replaces_a_missing_system_store(
    certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    nothing = ssl.get_default_verify_paths()._replace(cafile=None, capath=None)
    monkeypatch.setattr(ssl, "get_default_verify_paths", lambda: nothing)
    monkeypatch.setattr(environment, "DEFAULT_CA_BUNDLE_PATH", f"{certificate}.crt")
    with serving(answer_all, wrapping(certificate)) as server:
        transport = transport_to(f"https://localhost:{server.port}")
        assert transport.request("PUT", "/", json={}).status == 201


def test_an_https_proxy_is_verified_by_the_same_cas(
    certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refusing(peer: Peer) -> None:
        peer.head()
        peer.send(b"HTTP/1.1 407 No\r\nContent-Length: 0\r\n\r\n")

    with serving(refusing, wrapping(certificate)) as proxy:
        monkeypatch.setenv("HTTPS_PROXY", f"https://localhost:{proxy.port}")
        with pytest.raises(Unreachable, match="certificate is not trusted"):
            transport_to("https://focus.invalid").request("GET", "/")
        monkeypatch.setenv("SSL_CERT_FILE", f"{certificate}.crt")
        with pytest.raises(Unreachable, match="the proxy refused"):
            transport_to("https://focus.invalid").request("GET", "/")


def test_a_server_without_tls_is_unreachable() -> None:
    with (
        serving(lambda peer: peer.send(b"HTTP/1.1 400 Bad\r\n\r\n")) as server,
        pytest.raises(Unreachable, match="TLS failed"),
    ):
        transport_to(f"https://localhost:{server.port}").request("POST", "/", json={})


@pytest.mark.parametrize("ending", ["complete", "close", "stay"])
def test_an_early_response_ends_an_upload_over_tls(
    certificate: Path, ending: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def early(peer: Peer) -> None:
        if ending == "complete":
            answer_all(peer)
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
