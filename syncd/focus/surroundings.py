"""What of the environment counts for a connection: proxies and trusted authorities, read once."""

from __future__ import annotations

import http.cookiejar
import ipaddress
import os
from urllib.parse import urlsplit

from requests.utils import get_environ_proxies

_BUNDLES = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE")


def no_cookies() -> http.cookiejar.CookiePolicy:
    """Nothing is kept and nothing returned."""
    return http.cookiejar.DefaultCookiePolicy(allowed_domains=[])


def proxies(base_url: str) -> dict[str, str]:
    """The proxies for a URL by *_PROXY and NO_PROXY; never any for this machine itself."""
    if is_loopback(urlsplit(base_url).hostname or ""):
        return {}
    return dict(get_environ_proxies(base_url))


def trust() -> str | bool:
    """The bundle that the environment names, else the built-in one; verification stays on."""
    return next((path for name in _BUNDLES if (path := os.environ.get(name))), True)


def is_loopback(host: str) -> bool:
    name = host.rstrip(".").lower()
    if name == "localhost" or name.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False
