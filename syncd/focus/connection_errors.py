"""Turn an exception of requests or urllib3 into an ApiError.

The messages are written here: those of the libraries hold URLs, and so the names and passwords of
proxies.
"""

from __future__ import annotations

import http.client
import os
import socket
import ssl
from collections.abc import Iterator

import requests
import urllib3.exceptions as u3

from syncd.errors import ApiError, Doubtful, InvalidResponse, Unreachable
from syncd.focus.connections import Exchange
from syncd.focus.multipart import MultipartBody

_TIMEOUTS = (TimeoutError, u3.TimeoutError, requests.Timeout)
_PROXIES = (u3.ProxyError, requests.exceptions.ProxyError)
_NOT_HTTP = (http.client.HTTPException, u3.InvalidHeader, u3.HeaderParsingError, UnicodeError)
_CLOSED = (http.client.RemoteDisconnected, http.client.IncompleteRead)
_UNKNOWN_ISSUER = (18, 19, 20, 21)
"""OpenSSL's codes for a certificate whose issuer is not trusted."""
_CA_HINT = "; if it is your company's, add its CA to the system's store or name it in SSL_CERT_FILE"


def connection_error(
    error: BaseException, current: Exchange, body: MultipartBody | None
) -> ApiError:
    """Unreachable if the request or its body was not begun, else Doubtful or InvalidResponse."""
    chain = list(_chain(error))
    reason = _reason(chain, current)
    if not current.started:
        via = "the proxy" if any(isinstance(e, _PROXIES) for e in chain) else "the server"
        return Unreachable(f"could not reach {via}: {reason}")
    if body is not None and body.given == 0:
        return Unreachable(f"nothing was sent: {reason}")
    if any(isinstance(e, _NOT_HTTP) and not isinstance(e, _CLOSED) for e in chain):
        return InvalidResponse("the answer is not HTTP")
    return Doubtful(f"no answer: {reason}")


def read_failure(error: BaseException, current: Exchange) -> str:
    """Why the body of a response ended early."""
    return _reason(list(_chain(error)), current)


def _chain(error: BaseException) -> Iterator[BaseException]:
    """The error and its causes, outermost first, each once."""
    waiting, seen = [error], set[int]()
    while waiting:
        current = waiting.pop(0)
        if id(current) in seen:
            continue
        seen.add(id(current))
        yield current
        inner = (*current.args, getattr(current, "reason", None))
        inner += (current.__cause__, current.__context__)
        waiting += [item for item in inner if isinstance(item, BaseException)]


def _reason(chain: list[BaseException], current: Exchange) -> str:
    for error in chain:
        if isinstance(error, ssl.SSLCertVerificationError):
            hint = _CA_HINT if error.verify_code in _UNKNOWN_ISSUER else ""
            return f"its certificate is not trusted ({error.verify_message}){hint}"
        if isinstance(error, socket.gaierror):
            return "its name cannot be resolved"
    for error in chain:
        if isinstance(error, ssl.SSLError):
            return "TLS failed"
        if isinstance(error, _TIMEOUTS) and not isinstance(error, u3.NewConnectionError):
            return f"timed out ({current.limit:g} s)"
    for error in chain:
        if isinstance(error, OSError) and error.errno:
            return os.strerror(error.errno).lower()
        if isinstance(error, _CLOSED):
            return "the connection was closed"
    if any("Tunnel connection failed" in str(error) for error in chain):
        return "the proxy refused to connect"
    return type(chain[-1]).__name__
