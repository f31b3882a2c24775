"""Which hosts are this machine."""

from __future__ import annotations

import pytest

from syncd.hosts import is_loopback


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST.", "127.0.0.1", "127.9.9.9", "::1"])
def test_localhost_and_loopback_addresses_are_this_machine(host: str) -> None:
    assert is_loopback(host)


@pytest.mark.parametrize(
    "host", ["", "x.localhost", "localhost.evil.com", "127.0.0.1.evil.com", "0.0.0.0", "10.0.0.1"]
)
def test_a_host_that_a_resolver_could_send_elsewhere_is_not_this_machine(host: str) -> None:
    assert not is_loopback(host)
