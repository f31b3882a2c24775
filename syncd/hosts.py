"""Host names that always mean this machine."""

from __future__ import annotations

import ipaddress


def is_loopback(host: str) -> bool:
    """Whether a host is this machine, decided without a name server.

    Only `localhost` and loopback addresses are: a resolver may send any other name, `x.localhost`
    included, elsewhere.
    """
    name = host.removesuffix(".").lower()
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return name == "localhost"
