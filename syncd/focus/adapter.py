"""Makes requests use the connections of `syncd.focus.connections`, also through a proxy."""

from __future__ import annotations

import socket
import ssl
from typing import Any

from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.poolmanager import PoolManager, ProxyManager

from syncd.focus.connections import Connection, TLSConnection

_BLOCK = 1 << 20
"""Bytes read from a request body at a time."""
_UNSENT = 1 << 18
"""Bytes that the kernel buffers and has not sent: with its default of megabytes a socket on a slow
line accepts nothing for so long that the upload looks stalled."""


class _Pool(HTTPConnectionPool):
    ConnectionCls = Connection

    def _put_conn(self, conn: Any) -> None:
        if conn is not None and conn.must_close:
            conn.close()
        super()._put_conn(conn)


class _TLSPool(_Pool, HTTPSConnectionPool):
    ConnectionCls = TLSConnection


def _socket_options() -> list[Any]:
    options = list(HTTPConnection.default_socket_options)
    if hasattr(socket, "TCP_NOTSENT_LOWAT"):
        options.append((socket.IPPROTO_TCP, socket.TCP_NOTSENT_LOWAT, _UNSENT))
    return options


class ConnectionAdapter(HTTPAdapter):
    """Never retries; verifies every server, and every proxy, by one TLS context."""

    def __init__(self, connections: int, context: ssl.SSLContext | None) -> None:
        """`context`: None if the base URL is http://."""
        self._options = {
            "blocksize": _BLOCK,
            "socket_options": _socket_options(),
            "ssl_context": context,
        }
        super().__init__(pool_connections=4, pool_maxsize=connections, max_retries=0)

    def init_poolmanager(
        self, connections: int, maxsize: int, block: bool = False, **options: Any
    ) -> None:
        super().init_poolmanager(connections, maxsize, block, **{**options, **self._options})
        _set_pools(self.poolmanager)

    def proxy_manager_for(self, proxy: str, **kwargs: Any) -> ProxyManager:
        manager: ProxyManager = super().proxy_manager_for(
            proxy, **kwargs, **self._options, proxy_ssl_context=self._options["ssl_context"]
        )
        _set_pools(manager)
        return manager

    def cert_verify(self, conn: Any, url: str, verify: Any, cert: Any) -> None:  # noqa: ARG002
        """Leave the trusted CAs to the context: requests would add its own list."""
        conn.cert_reqs = "CERT_REQUIRED"


def _set_pools(manager: PoolManager) -> None:
    manager.pool_classes_by_scheme = {"http": _Pool, "https": _TLSPool}
