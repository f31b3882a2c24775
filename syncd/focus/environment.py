"""Proxies and trusted CAs, from environment variables and the system."""

from __future__ import annotations

import os
import re
import ssl
from urllib.parse import urlsplit

from requests.utils import DEFAULT_CA_BUNDLE_PATH, get_environ_proxies, select_proxy
from urllib3.exceptions import LocationParseError
from urllib3.util import parse_url

from syncd.hosts import is_loopback

_BUNDLES = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE")
_HOST_AND_PORT = re.compile(r"[\w.-]+:\d+/?\Z")


class UnusableVariable(Exception):
    """An environment variable is wrong. The text names it, but not a proxy's value: that may hold
    a password."""


def proxies(base_url: str) -> dict[str, str]:
    """The proxies for a URL, by scheme, from *_PROXY and NO_PROXY; none for a loopback address.

    Raises UnusableVariable if the proxy to be used is not an http:// or https:// address.
    """
    if is_loopback(urlsplit(base_url).hostname or ""):
        return {}
    found = dict(get_environ_proxies(base_url))
    proxy = select_proxy(base_url, found)
    if proxy and not _is_http_address(_with_scheme(proxy)):
        raise UnusableVariable(
            f"{_variable(urlsplit(base_url).scheme, proxy)} holds no address of an HTTP proxy; "
            "write it like http://proxy.example.com:3128 (SOCKS is not supported)"
        )
    return {scheme: _with_scheme(proxy) for scheme, proxy in found.items()}


def _with_scheme(proxy: str) -> str:
    """Accept `proxy:3128`, as other programs do; requests would read `proxy` as the scheme."""
    return f"http://{proxy}" if _HOST_AND_PORT.match(proxy) else proxy


def _is_http_address(proxy: str) -> bool:
    try:
        url = parse_url(proxy)
    except (LocationParseError, ValueError):
        return False
    return (url.scheme or "http") in ("http", "https") and bool(url.host)


def _variable(scheme: str, proxy: str) -> str:
    """The name of the variable that holds this proxy."""
    for wanted in (f"{scheme}_proxy", "all_proxy"):
        for name, value in os.environ.items():
            if name.lower() == wanted and value == proxy:
                return name
    return f"{scheme}_proxy"


def tls_context() -> ssl.SSLContext:
    """A context that verifies servers by the CA bundle of a variable, else by the system's store.

    The bundle of requests replaces a missing system store; SSL_CERT_DIR adds to all of them.
    Nothing turns verification off. Raises UnusableVariable for an unreadable bundle.
    """
    name = next((name for name in _BUNDLES if os.environ.get(name)), None)
    if name is not None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        _load(context, name, os.environ[name])
    else:
        from truststore import SSLContext  # slow to import, and only https:// needs it

        context = SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        if not _system_has_store():
            context.load_verify_locations(DEFAULT_CA_BUNDLE_PATH)
    for directory in os.environ.get("SSL_CERT_DIR", "").split(os.pathsep):
        if os.path.isdir(directory):
            context.load_verify_locations(capath=directory)
    return context


def _load(context: ssl.SSLContext, name: str, path: str) -> None:
    try:
        if os.path.isdir(path):
            context.load_verify_locations(capath=path)
        else:
            context.load_verify_locations(path)
    except OSError as error:  # ssl.SSLError is an OSError
        reason = "no certificates" if isinstance(error, ssl.SSLError) else error.strerror
        raise UnusableVariable(
            f"{name} names a CA bundle that cannot be used: {path}: {reason}"
        ) from None


def _system_has_store() -> bool:
    found = ssl.get_default_verify_paths()
    return bool(found.cafile or (found.capath and os.listdir(found.capath)))
