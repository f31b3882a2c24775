"""The transport: the bytes of a request, and the errors of a request without a response."""

from __future__ import annotations

import time
import traceback
from pathlib import Path

import pytest
from test_focus_server import (
    KEY,
    Peer,
    answering,
    headers_of,
    reply,
    serving,
    transport_to,
)

from syncd import __version__
from syncd.errors import Doubtful, InvalidResponse, KeyRefused, Unreachable
from syncd.focus import environment
from syncd.focus.transport import RESPONSE


@pytest.fixture(autouse=True)
def no_proxy_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY", "REQUESTS_CA_BUNDLE"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)


def test_a_request_has_exactly_these_headers() -> None:
    with answering(reply(200, b"{}")) as server:
        answer = transport_to(f"{server.url}/api/").request("GET", "/x", query=[("a[]", "b c&d")])
    line, headers = server.heads[0].split(b"\r\n")[0], headers_of(server.heads[0])
    assert line == b"GET /api/x?a%5B%5D=b%20c%26d HTTP/1.1"
    assert headers == {
        "host": f"127.0.0.1:{server.port}",
        "user-agent": f"syncd/{__version__}",
        "authorization": f"Bearer {KEY}",
        "accept": "application/json",
        "accept-encoding": "identity",
    }
    assert (answer.status, answer.body, answer.incomplete) == (200, b"{}", "")


def test_netrc_does_not_replace_the_key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / ".netrc").write_text("machine 127.0.0.1 login me password secret\n")
    (tmp_path / ".netrc").chmod(0o600)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("NETRC", str(tmp_path / ".netrc"))
    with answering(reply(200)) as server:
        transport_to(server.url).request("GET", "/")
    assert headers_of(server.heads[0])["authorization"] == f"Bearer {KEY}"


def test_a_loopback_url_is_never_reached_through_a_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    with answering(reply(200)) as proxy, answering(reply(200)) as server:
        for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
            monkeypatch.setenv(name, proxy.url)
        transport_to(server.url).request("GET", "/")
    assert (len(server.heads), proxy.connections) == (1, 0)


def test_proxy_variables_apply_to_other_hosts_unless_no_proxy_names_them(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy:3128")
    assert environment.proxies("https://focus.toggl.com/api")["https"] == "http://proxy:3128"
    monkeypatch.setenv("NO_PROXY", "toggl.com")
    assert environment.proxies("https://focus.toggl.com/api") == {}
    for host in ("localhost", "127.0.0.2", "[::1]", "LOCALHOST."):
        assert environment.proxies(f"https://{host}:1/") == {}


@pytest.mark.parametrize("variable", ["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"])
@pytest.mark.parametrize(
    "value",
    [
        *("http://", "http://me:hush@:1", "http://proxy:port", "ftp://x", "http://[::1", " x"),
        "socks5h://proxy:1080",
    ],
)
def test_an_invalid_proxy_address_is_reported_with_its_variable(
    variable: str, value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(variable, value)
    with pytest.raises(Unreachable) as caught:
        transport_to("https://focus.invalid").request("GET", "/")
    message = f"could not reach the server: {variable} holds no address of an HTTP proxy; write "
    assert str(caught.value).startswith(message)


def test_an_invalid_proxy_of_another_scheme_is_ignored(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://proxy:port")
    monkeypatch.setenv("ALL_PROXY", "nonsense://")
    monkeypatch.setenv("HTTPS_PROXY", "proxy:3128")
    assert environment.proxies("https://focus.invalid")["https"] == "http://proxy:3128"
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy:port")
    assert environment.proxies("https://localhost") == {}


def test_a_proxy_that_refuses_is_unreachable_and_never_gets_the_key(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with answering(b"HTTP/1.1 407 No\r\nContent-Length: 0\r\n\r\n") as proxy:
        monkeypatch.setenv("HTTPS_PROXY", f"http://me:hush@127.0.0.1:{proxy.port}")
        transport = transport_to("https://focus.invalid/api")
        with pytest.raises(Unreachable, match="proxy refused") as caught:
            transport.request("POST", "/x", json={})
    assert proxy.heads[0].startswith(b"CONNECT focus.invalid:443 ")
    assert KEY.encode() not in proxy.heads[0]
    assert "hush" not in "".join(traceback.format_exception(caught.value))


def test_a_redirect_is_not_followed_and_its_body_is_read_up_to_the_limit() -> None:
    with answering(reply(200)) as elsewhere:

        def redirecting(peer: Peer) -> None:
            peer.head()
            head = f"HTTP/1.1 302 Go\r\nLocation: http://localhost:{elsewhere.port}/\r\n\r\n"
            peer.send(head.encode())
            while True:
                peer.send(b"x" * 65536)

        with serving(redirecting) as server:
            answer = transport_to(server.url).request("GET", "/")
    assert (answer.status, elsewhere.connections) == (302, 0)
    assert len(answer.body) <= RESPONSE + 65536
    assert answer.too_long


def test_cookies_are_not_kept() -> None:
    with answering(reply(200, b"", "Set-Cookie: a=b; Path=/")) as server:
        transport = transport_to(server.url)
        transport.request("GET", "/")
        transport.request("GET", "/")
    assert b"cookie" not in server.heads[1].lower()


def test_connections_are_reused_until_they_are_idle_for_too_long() -> None:
    with answering(reply(200, b"{}")) as server:
        transport = transport_to(server.url)
        for _ in range(3):
            transport.request("GET", "/")
        assert server.connections == 1
        transport.close()
        transport.request("GET", "/")
        assert server.connections == 2
        transport._used -= 46
        transport.request("GET", "/")
        transport.request("GET", "/")
        assert server.connections == 3


def test_set_key_applies_to_the_next_request_and_an_empty_key_sends_no_header() -> None:
    with answering(reply(200)) as server:
        transport = transport_to(server.url, key="")
        transport.request("GET", "/")
        transport.set_key("other")
        transport.request("GET", "/")
    assert "authorization" not in headers_of(server.heads[0])
    assert headers_of(server.heads[1])["authorization"] == "Bearer other"


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("http://127.0.0.1:1", "connection refused"),
        ("https://nowhere.invalid", "its name cannot be resolved"),
    ],
)
def test_a_failed_connection_is_unreachable(url: str, reason: str) -> None:
    with pytest.raises(Unreachable, match=f"could not reach the server: {reason}"):
        transport_to(url).request("DELETE", "/x")


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
def test_a_lost_response_is_doubtful(method: str) -> None:
    with (
        serving(lambda peer: peer.head() and None) as server,
        pytest.raises(Doubtful, match="no answer"),
    ):
        transport_to(server.url).request(method, "/x")
    with (
        serving(lambda peer: peer.head() and peer.reset()) as server,
        pytest.raises(Doubtful, match="connection reset"),
    ):
        transport_to(server.url).request(method, "/x")


def test_a_server_that_never_responds_is_doubtful_after_the_timeout() -> None:
    with serving(lambda peer: peer.head() and time.sleep(3)) as server:
        start = time.monotonic()
        with pytest.raises(Doubtful, match="timed out"):
            transport_to(server.url, timeout=0.2).request("PUT", "/x", json={})
        assert time.monotonic() - start < 1


@pytest.mark.parametrize("start", [b"HTTP/1.1 200 OK\r\nX: ", b"HTTP/1.1 200 OK\r\n\r\n"])
def test_a_response_that_trickles_in_is_ended_after_three_timeouts(start: bytes) -> None:
    def dripping(peer: Peer) -> None:
        peer.head()
        peer.send(start)
        while True:
            peer.send(b"x")
            time.sleep(0.02)

    with serving(dripping) as server:
        begin = time.monotonic()
        transport = transport_to(server.url, timeout=0.3)
        if start.endswith(b"\r\n\r\n"):
            answer = transport.request("GET", "/")
            assert answer.status == 200
            assert "timed out" in answer.incomplete
        else:
            with pytest.raises(Doubtful, match="timed out"):
                transport.request("GET", "/")
        assert 0.5 < time.monotonic() - begin < 2


def test_an_endless_response_is_cut_at_the_limit() -> None:
    def endless(peer: Peer) -> None:
        peer.head()
        peer.send(b"HTTP/1.1 200 OK\r\n\r\n")
        while True:
            peer.send(b"x" * (1 << 20))

    with serving(endless) as server:
        answer = transport_to(server.url).request("GET", "/")
    assert answer.too_long
    assert answer.incomplete == "it is longer than 16 MiB"


def test_a_status_is_returned_although_a_reset_follows_it() -> None:
    def hasty(peer: Peer) -> None:
        peer.head()
        peer.send(b"HTTP/1.1 409 No\r\nContent-Length: 99\r\n\r\n{")
        time.sleep(0.1)
        peer.reset()

    with serving(hasty) as server:
        answer = transport_to(server.url).request("DELETE", "/")
    assert (answer.status, answer.incomplete) == (409, "connection reset by peer")


def test_a_response_that_is_not_http_is_invalid() -> None:
    with (
        serving(lambda peer: peer.head() and peer.send(b"SSH-2.0-x\r\n\r\n")) as server,
        pytest.raises(InvalidResponse, match="not HTTP"),
    ):
        transport_to(server.url).request("GET", "/")


def test_no_error_quotes_the_key() -> None:
    with answering(reply(400, f'{{"error_description": "bad {KEY}"}}'.encode())) as server:
        answer = transport_to(server.url).request("GET", "/")
    assert KEY.encode() not in answer.body
    transport = transport_to("http://127.0.0.1:1", key=f"{KEY}\r\nX: y")
    with pytest.raises(KeyRefused) as caught:
        transport.request("GET", "/")
    transport.set_key(KEY)
    with pytest.raises(Unreachable) as unreachable:
        transport.request("GET", "/")
    for error in (caught.value, unreachable.value):
        assert KEY not in "".join(traceback.format_exception(error)) + repr(error)
        assert error.__context__ is None
    assert KEY not in repr(transport)


def test_a_url_with_a_password_is_refused() -> None:
    with pytest.raises(ValueError, match="password"):
        transport_to("http://me:hush@127.0.0.1")


def test_interim_responses_are_skipped_and_the_connection_is_reused() -> None:
    """Otherwise the next request would read the final response of this one."""
    hints = b"HTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\n\r\n"
    interim = b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 102 Processing\r\n\r\n" + hints

    def slow(peer: Peer) -> None:
        for number in range(4):
            peer.head()
            peer.send(interim)
            time.sleep(0.05)
            peer.send(hints + reply(200, f"answer {number}".encode()))

    with serving(slow) as server:
        transport = transport_to(server.url)
        for number in range(4):
            answer = transport.request("GET", "/")
            assert (answer.status, answer.body) == (200, f"answer {number}".encode())
        assert server.connections == 1


def test_endless_interim_responses_time_out() -> None:
    def hinting(peer: Peer) -> None:
        peer.head()
        while True:
            peer.send(b"HTTP/1.1 103 Early Hints\r\n\r\n")
            time.sleep(0.02)

    with serving(hinting) as server, pytest.raises(Doubtful, match="timed out"):
        transport_to(server.url, timeout=0.2).request("GET", "/")


@pytest.mark.parametrize(
    ("method", "status"),
    [
        *(("GET", 101), ("GET", 201), ("GET", 302), ("GET", 700)),
        *(("POST", 200), ("POST", 202), ("PUT", 200), ("DELETE", 200)),
    ],
)
def test_the_connection_is_closed_after_an_undocumented_status(method: str, status: int) -> None:
    with answering(reply(status, b"{}"), reply(404, b"{}")) as server:
        transport = transport_to(server.url)
        assert transport.request(method, "/").status == status
        assert transport.request("GET", "/").status == 404
        assert server.connections == 2


@pytest.mark.parametrize(
    ("method", "status"), [("GET", 200), ("POST", 201), ("PUT", 204), ("DELETE", 204), ("PUT", 500)]
)
def test_the_connection_is_reused_after_a_documented_status(method: str, status: int) -> None:
    with answering(reply(status), reply(404, b"{}")) as server:
        transport = transport_to(server.url)
        assert transport.request(method, "/").status == status
        assert transport.request("GET", "/").status == 404
        assert server.connections == 1
