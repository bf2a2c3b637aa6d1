"""Connections through a SOCKS proxy; imported only where there is one, since PySocks is an extra."""

import socket
from collections.abc import Callable
from typing import Any

import socks
from urllib3.connection import HTTPSConnection
from urllib3.connectionpool import HTTPSConnectionPool
from urllib3.contrib.socks import SOCKSConnection
from urllib3.exceptions import ConnectTimeoutError, NewConnectionError, ProxyError

from casfs.api.http.incoming import Incoming
from casfs.api.http.proxies import ProxyRefusalError
from casfs.api.http.resting import RestingConnection, RestingPool
from casfs.api.http.sockets import patient

NEVER = ("0x02", "0x07", "0x08")
"""How PySocks begins what another attempt does not change: the proxy's rules, and what it cannot do. Source: RFC 1928,
section 6."""


class _PlainSocksConnection(SOCKSConnection, RestingConnection):
    response_class = Incoming

    def _new_conn(self) -> Any:
        return patient(_opened(super()._new_conn))


class _TlsSocksConnection(SOCKSConnection, RestingConnection, HTTPSConnection):
    response_class = Incoming

    def _new_conn(self) -> Any:
        return _opened(super()._new_conn)


class _PlainSocksPool(RestingPool):
    ConnectionCls = _PlainSocksConnection


class _TlsSocksPool(RestingPool, HTTPSConnectionPool):
    ConnectionCls = _TlsSocksConnection


POOLS = {"http": _PlainSocksPool, "https": _TlsSocksPool}


def _opened(open_: Callable[[], socket.socket]) -> socket.socket:
    """Return what *open_* returns.

    Raises:
        ProxyRefusalError: the proxy says no.
        ProxyError: there is no way to the proxy.
        gaierror: this machine is to look the host's name up, and does not find it.
    """
    try:
        return open_()
    except (NewConnectionError, ConnectTimeoutError) as error:
        raise _named(error) from None  # whose text may hold what the proxy said


def _named(error: Exception) -> ProxyRefusalError | ProxyError | socket.gaierror:
    """Return what PySocks met: it wraps its own errors in one of its own, and urllib3 that in one without a cause."""
    met = error.__cause__ or error.__context__ or error
    is_there = False
    while isinstance(met, socks.ProxyError) and met.socket_err:
        is_there = not isinstance(met, socks.ProxyConnectionError)
        met = met.socket_err
    if is_there and isinstance(met, socket.gaierror):
        return met
    if (is_there and isinstance(met, TimeoutError)) or "invalid data" in getattr(met, "msg", ""):
        return ProxyRefusalError("it does not speak SOCKS", passing=True)
    if isinstance(met, socks.SOCKS5AuthError):
        return ProxyRefusalError("SOCKS5", passing=False, wants_password=True)
    if isinstance(met, socks.SOCKS5Error | socks.SOCKS4Error):
        return ProxyRefusalError(f"SOCKS {met.msg}", passing=not met.msg.startswith(NEVER))
    return ProxyError("no way to the proxy", met if isinstance(met, Exception) else error)
