"""The proxy between this machine and an endpoint: which one, and what it means when it refuses."""

import importlib.util
import re
from dataclasses import dataclass
from http import HTTPStatus
from ipaddress import ip_address
from urllib.parse import urlsplit

from requests.utils import get_environ_proxies

from casfs.errors import ConfigError

SOCKS = ("socks5h", "socks5", "socks4a", "socks4")
"""Those with a letter behind the digit let the proxy look the host's name up."""
NO_PYSOCKS = "names a SOCKS proxy, which needs PySocks, which is not installed: pip install 'casfs[socks]'"

PASSING = (HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_EARLY, HTTPStatus.TOO_MANY_REQUESTS)
"""Refusals below 500 that another attempt may change."""


@dataclass(frozen=True, slots=True)
class Proxy:
    """A proxy that is asked for the endpoint.

    Attributes:
        url: with user and password, where there are any; never to be shown.
        variable: where it is named.
        name: host and port, to be shown.
    """

    url: str
    variable: str
    name: str

    @property
    def scheme(self) -> str:
        """How it is spoken to."""
        return self.url.partition("://")[0].lower()

    @property
    def is_socks(self) -> bool:
        """Whether it passes bytes on and knows nothing of HTTP."""
        return self.scheme in SOCKS

    def __repr__(self) -> str:
        return f"Proxy({self.name!r}, {self.variable!r})"


class ProxyRefusalError(Exception):
    """A proxy answered, and said no.

    Attributes:
        said: its words.
        passing: whether it may say yes another time.
        wants_password: whether it wants to know who asks.
    """

    def __init__(self, said: str, *, passing: bool, wants_password: bool = False) -> None:
        super().__init__(said)
        self.said = said
        self.passing = passing
        self.wants_password = wants_password

    @classmethod
    def of_status(cls, status: int) -> "ProxyRefusalError":
        """Return the refusal that an HTTP status makes."""
        known = status in HTTPStatus.__members__.values()
        said = f"HTTP {status} {HTTPStatus(status).phrase}" if known else f"HTTP {status}"
        # Some answer 401 to a wrong password. Source: measured with tinyproxy 1.11.
        wants_password = status in (HTTPStatus.PROXY_AUTHENTICATION_REQUIRED, HTTPStatus.UNAUTHORIZED)
        return cls(said, passing=status >= 500 or status in PASSING, wants_password=wants_password)


def proxy_for(endpoint: str) -> Proxy | None:
    """Return the proxy that the environment names for *endpoint*; never one for this machine itself.

    Raises:
        ConfigError: it cannot be used.
    """
    if _is_here(endpoint):
        return None
    named = get_environ_proxies(endpoint)
    key = next((key for key in (endpoint.partition("://")[0], "all") if named.get(key)), None)
    return None if key is None else _proxy(named[key], f"{key.upper()}_PROXY")


def _proxy(text: str, variable: str) -> Proxy:
    url = text if "://" in text else f"http://{text}"
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        host, port = None, None
        parts = urlsplit("")
    if not host or not re.fullmatch(r"[\w.:%-]+", host):
        raise ConfigError(f"{variable} holds no URL of a proxy, like http://HOST:PORT")
    if parts.scheme not in ("http", "https", *SOCKS):
        raise ConfigError(f"{variable}: {parts.scheme!a} is no kind of proxy: http, https and {', '.join(SOCKS)} are")
    if parts.scheme in SOCKS and importlib.util.find_spec("socks") is None:
        raise ConfigError(f"{variable} {NO_PYSOCKS}")
    shown = f"[{host}]" if ":" in host else host
    return Proxy(url, variable, shown if port is None else f"{shown}:{port}")


def _is_here(url: str) -> bool:
    """Return whether *url* names this machine, which no proxy can reach: the demo's endpoint does."""
    host = urlsplit(url).hostname or ""
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False
