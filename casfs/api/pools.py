"""Pools of connections: whom they trust, and that their answers keep a pace."""

import ssl
from pathlib import Path
from typing import Any

import requests
import requests.adapters
from requests.utils import DEFAULT_CA_BUNDLE_PATH
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

from casfs.api.bodies import Incoming
from casfs.errors import ConfigError


class _PlainConnection(HTTPConnection):
    response_class = Incoming


class _TlsConnection(HTTPSConnection):
    response_class = Incoming


class _PlainPool(HTTPConnectionPool):
    ConnectionCls = _PlainConnection


class _TlsPool(HTTPSConnectionPool):
    ConnectionCls = _TlsConnection


_POOLS = {"http": _PlainPool, "https": _TlsPool}


class Adapter(requests.adapters.HTTPAdapter):
    """The pool of one endpoint, through a proxy or not.

    Its ``send`` is used without a Session, which would read the body of a redirect, look for a netrc to overwrite the
    signature with, and keep cookies.
    """

    def __init__(self, connections: int, trust: ssl.SSLContext | None) -> None:
        self._trust = trust
        super().__init__(pool_connections=1, pool_maxsize=connections)

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        """Make the pools of direct connections."""
        super().init_poolmanager(*args, **kwargs, ssl_context=self._trust)
        self.poolmanager.pool_classes_by_scheme = _POOLS

    def proxy_manager_for(self, proxy: str, **kwargs: Any) -> Any:
        """Return the pools of connections through *proxy*."""
        manager = super().proxy_manager_for(proxy, **kwargs, ssl_context=self._trust)
        manager.pool_classes_by_scheme = _POOLS
        return manager

    def cert_verify(self, *_: Any) -> None:
        """Leave trust to the context: requests would add the certificates that it brings itself."""


def trust(ca_bundle: str | None) -> ssl.SSLContext:
    """Return whom to trust: the certificates in *ca_bundle*, a file or a directory, else the system's.

    Raises:
        ConfigError: there are no certificates in *ca_bundle*.
    """
    if ca_bundle is None:
        return _system_trust()
    is_directory = Path(ca_bundle).is_dir()
    try:
        return ssl.create_default_context(
            cafile=None if is_directory else ca_bundle, capath=ca_bundle if is_directory else None
        )
    except OSError as error:  # ssl.SSLError is one
        reason = error.strerror if not isinstance(error, ssl.SSLError) else "no certificates in PEM form"
        raise ConfigError(f"--ca-bundle {ca_bundle}: {reason}") from error


def _system_trust() -> ssl.SSLContext:
    """Return the system's trust, or, where the system has no certificates at all, that of requests."""
    paths = ssl.get_default_verify_paths()
    directory = Path(paths.capath) if paths.capath else None
    if paths.cafile or (directory and directory.is_dir() and any(directory.iterdir())):
        return ssl.create_default_context()
    return ssl.create_default_context(cafile=DEFAULT_CA_BUNDLE_PATH)


def incoming(response: requests.Response) -> Incoming:
    """Return the answer on the wire behind *response*."""
    answer = getattr(response.raw, "_fp", None)  # urllib3 has no public name for it
    if not isinstance(answer, Incoming):
        raise TypeError(f"no answer on the wire behind {type(response.raw)}")
    return answer
