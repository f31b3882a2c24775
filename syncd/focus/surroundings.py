"""What of the environment counts for a connection: proxies and trusted authorities, read once."""

from __future__ import annotations

import http.cookiejar
import ipaddress
import os
import re
import ssl
from urllib.parse import urlsplit

from requests.utils import DEFAULT_CA_BUNDLE_PATH, get_environ_proxies, select_proxy
from urllib3.exceptions import LocationParseError
from urllib3.util import parse_url

_BUNDLES = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE")
_HOST_AND_PORT = re.compile(r"[\w.-]+:\d+/?\Z")


class Unusable(Exception):
    """A variable holds what cannot be used; the text names it, and tells no value of a proxy's,
    as that may hold a password."""


def no_cookies() -> http.cookiejar.CookiePolicy:
    """Nothing is kept and nothing returned."""
    return http.cookiejar.DefaultCookiePolicy(allowed_domains=[])


def proxies(base_url: str) -> dict[str, str]:
    """The proxies for a URL by *_PROXY and NO_PROXY; never any for this machine itself.

    Raises Unusable if the one that would be taken is none.
    """
    if is_loopback(urlsplit(base_url).hostname or ""):
        return {}
    found = dict(get_environ_proxies(base_url))
    proxy = select_proxy(base_url, found)
    if proxy and (fault := _proxy_fault(_with_scheme(proxy))):
        raise Unusable(f"{_variable(urlsplit(base_url).scheme, proxy)} {fault}")
    return {scheme: _with_scheme(proxy) for scheme, proxy in found.items()}


def _with_scheme(proxy: str) -> str:
    """Others take `proxy:3128` for an address, too; requests takes `proxy` for its scheme."""
    return f"http://{proxy}" if _HOST_AND_PORT.match(proxy) else proxy


def _proxy_fault(proxy: str) -> str | None:
    hint = "write it like http://proxy.example.com:3128"
    try:
        url = parse_url(proxy)
    except (LocationParseError, ValueError):
        return f"holds no address of a proxy; {hint}"
    scheme = url.scheme or "http"
    if scheme.startswith("socks"):
        return f"names a SOCKS proxy, which is not supported; {hint}"
    if scheme not in ("http", "https") or not url.host:
        return f"holds no address of a proxy; {hint}"
    return None


def _variable(scheme: str, proxy: str) -> str:
    """The variable that a proxy comes from."""
    for wanted in (f"{scheme}_proxy", "all_proxy"):
        for name, value in os.environ.items():
            if name.lower() == wanted and value == proxy:
                return name
    return f"{scheme}_proxy"


def trust() -> ssl.SSLContext:
    """Whom to trust: the bundle that a variable names, else the system's store (where there is
    none, the list that comes with requests); besides, what SSL_CERT_DIR names.

    Verification cannot be switched off. Raises Unusable for a bundle that cannot be read.
    """
    name = next((name for name in _BUNDLES if os.environ.get(name)), None)
    if name is not None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        _load(context, name, os.environ[name])
    else:
        from truststore import SSLContext  # only where there is TLS: it takes its time

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
    except OSError as error:  # ssl.SSLError is one, too
        reason = "no certificates" if isinstance(error, ssl.SSLError) else error.strerror
        raise Unusable(f"{name} names a CA bundle that cannot be used: {path}: {reason}") from None


def _system_has_store() -> bool:
    found = ssl.get_default_verify_paths()
    return bool(found.cafile or (found.capath and os.listdir(found.capath)))


def is_loopback(host: str) -> bool:
    name = host.rstrip(".").lower()
    if name == "localhost" or name.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False
