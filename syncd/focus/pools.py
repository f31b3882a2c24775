"""Pools of our own connections, as requests uses them: no retries, one idea of whom to trust."""

from __future__ import annotations

import socket
import ssl
from typing import Any

from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.poolmanager import PoolManager, ProxyManager

from syncd.focus.wire import Listening, ListeningTLS

BLOCK = 1 << 20
"""Bytes asked of a body at a time."""
UNSENT = 1 << 18
"""Bytes the kernel may hold that are not on their way yet: else a slow line looks stalled, as
the socket takes more only when a third of a buffer of megabytes is free."""


class _Pool(HTTPConnectionPool):
    ConnectionCls = Listening

    def _put_conn(self, conn: Any) -> None:
        if conn is not None and conn.spent:
            conn.close()
        super()._put_conn(conn)


class _TLSPool(_Pool, HTTPSConnectionPool):
    ConnectionCls = ListeningTLS


_POOLS = {"http": _Pool, "https": _TLSPool}


def _socket_options() -> list[Any]:
    options = list(HTTPConnection.default_socket_options)
    if hasattr(socket, "TCP_NOTSENT_LOWAT"):
        options.append((socket.IPPROTO_TCP, socket.TCP_NOTSENT_LOWAT, UNSENT))
    return options


class Adapter(HTTPAdapter):
    """No retries, big blocks, our connections; with a proxy too.

    `context` knows whom to trust; None = there is no TLS to come.
    """

    def __init__(self, connections: int, context: ssl.SSLContext | None) -> None:
        self._options = {
            "blocksize": BLOCK,
            "socket_options": _socket_options(),
            "ssl_context": context,
        }
        super().__init__(pool_connections=4, pool_maxsize=connections, max_retries=0)

    def init_poolmanager(
        self, connections: int, maxsize: int, block: bool = False, **options: Any
    ) -> None:
        super().init_poolmanager(connections, maxsize, block, **{**options, **self._options})
        _use_our_pools(self.poolmanager)

    def proxy_manager_for(self, proxy: str, **kwargs: Any) -> ProxyManager:
        manager: ProxyManager = super().proxy_manager_for(
            proxy, **kwargs, **self._options, proxy_ssl_context=self._options["ssl_context"]
        )
        _use_our_pools(manager)
        return manager

    def cert_verify(self, conn: Any, url: str, verify: Any, cert: Any) -> None:  # noqa: ARG002
        """All is verified, by the context: no list that comes with requests besides."""
        conn.cert_reqs = "CERT_REQUIRED"


def _use_our_pools(manager: PoolManager) -> None:
    manager.pool_classes_by_scheme = dict(_POOLS)
