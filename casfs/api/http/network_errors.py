"""Names for what goes wrong between two machines: every exception of requests, urllib3 and the sockets below.

Messages are made of the host and of the system's words, never of an exception's text: that of a bad header or a bad
proxy would hold the token or the proxy's password.
"""

import contextlib
import errno
import http.client
import socket
import ssl
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeVar

import requests
import urllib3.exceptions

from casfs.api.http.certificates import mending
from casfs.api.http.proxies import Proxy, ProxyRefusalError
from casfs.errors import CasfsError, ConfigError, NoWayError, TransferError, UnreachableError, UntrustedError

Cause = TypeVar("Cause", bound=BaseException)

_OF_THE_NETWORK = (requests.RequestException, urllib3.exceptions.HTTPError, http.client.HTTPException, OSError)

_UNUSABLE = (
    requests.exceptions.InvalidURL,
    requests.exceptions.InvalidSchema,
    requests.exceptions.MissingSchema,
    urllib3.exceptions.LocationValueError,
    ValueError,
)


class SilenceError(TransferError):
    """Somebody took the connection and said nothing in time."""


@dataclass(frozen=True, slots=True)
class Way:
    """The way to an endpoint.

    Attributes:
        host: and port, as SOURCE has them.
        proxy: between here and there, or None.
        is_new: whether nobody has ever answered on it: then it may be a wrong one, and waiting would not mend that.
    """

    host: str
    proxy: Proxy | None = None
    is_new: bool = False

    def __str__(self) -> str:
        return self.host if self.proxy is None else f"{self.host} through the proxy {self.proxy.name}"

    @property
    def proxy_too(self) -> str:
        """The proxy, and where it is named, behind the host that it leads to."""
        proxy = f"{self.proxy.name} of {self.proxy.variable}" if self.proxy else "there"
        return f"{self.host}: the proxy {proxy}"


@contextlib.contextmanager
def failed_requests(way: Way) -> Iterator[None]:
    """Name what goes wrong until the head of a response has come over *way*.

    Raises:
        UnreachableError, TransferError, ConfigError: one line that begins with the host.
    """
    try:
        yield
    except CasfsError:
        raise
    except (*_OF_THE_NETWORK, ProxyRefusalError) as error:
        named = _named(way, list(_causes(error)))
        raise named from (None if isinstance(named, ConfigError) else error)
    except ValueError:  # a header or a URL that cannot be sent
        raise _unusable(way) from None


@contextlib.contextmanager
def broken_bodies() -> Iterator[None]:
    """Name what goes wrong while a body is read.

    Raises:
        TransferError: it broke off, is too slow, or its chunks are none.
    """
    try:
        yield
    except TimeoutError as error:
        raise TransferError(f"the body stalls: {error}") from error
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise TransferError(f"the body broke off: {_reason([error])}") from error


def _named(way: Way, causes: list[BaseException]) -> CasfsError:
    """Return the error that *causes*, outermost first, come to."""
    if refusal := _found(causes, ProxyRefusalError):
        return refused_by_proxy(way, refusal)
    is_of_proxy = _found(causes, urllib3.exceptions.ProxyError) is not None
    who = way.proxy_too if is_of_proxy else str(way)
    error = _unreachable(way, who, causes) or _broken(way, who, causes)
    if isinstance(error, UnreachableError):
        error.is_of_proxy = is_of_proxy
    return error


def _unreachable(way: Way, who: str, causes: list[BaseException]) -> CasfsError | None:
    """Return why there is no connection; None if there is, or was, one."""
    if untrusted := _found(causes, ssl.SSLCertVerificationError):
        return UntrustedError(f"{who}: {mending(untrusted)}")
    if unknown := _found(causes, socket.gaierror):
        kind = NoWayError if unknown.errno in _NO_SUCH_HOST else UnreachableError
        is_ours = way.proxy is not None and who == str(way)
        hint = "; behind socks5h:// or socks4a:// the proxy looks it up" if is_ours else ""
        return kind(f"{who}: no such host ({_reason(causes)}){hint}")
    if _found(causes, urllib3.exceptions.NewConnectionError):  # which is a ConnectTimeoutError, too
        return _unconnected(way, who, causes)
    if _found(causes, urllib3.exceptions.ConnectTimeoutError):
        return UnreachableError(f"{who}: nobody answers")
    if tls := _found(causes, ssl.SSLError):
        return _without_tls(way, who, tls)
    return _unconnected(way, who, causes) if _found(causes, urllib3.exceptions.ProxyError) else None


def _broken(way: Way, who: str, causes: list[BaseException]) -> CasfsError:
    """Return what ended a connection that was there."""
    if any(isinstance(cause, TimeoutError) and cause.errno == errno.ETIMEDOUT for cause in causes):
        return TransferError(f"{who}: the connection was dead: what was sent did not arrive")
    if _found(causes, TimeoutError, BlockingIOError, urllib3.exceptions.ReadTimeoutError):
        return SilenceError(f"{who}: no answer in time")
    if isinstance(causes[0], _UNUSABLE):
        return _unusable(way)
    return TransferError(f"{who}: the connection broke ({_reason(causes)})")


_NO_SUCH_HOST = (socket.EAI_NONAME, socket.EAI_NODATA)
"""What a name server says that was asked; EAI_AGAIN is that none answered. Source: getaddrinfo(3)."""

_OTHER_PROTOCOL = ("WRONG_VERSION_NUMBER", "HTTP_REQUEST", "PACKET_LENGTH_TOO_LONG", "RECORD_LAYER_FAILURE")
"""What OpenSSL says of bytes that are no TLS; which of them depends on its version."""


def _unconnected(way: Way, who: str, causes: list[BaseException]) -> CasfsError:
    """Return what it is to find nobody: for good, where nobody has ever been."""
    if way.is_new and _found(causes, ConnectionRefusedError):
        return NoWayError(f"{who}: nobody listens there ({_reason(causes)}): are host and port right?")
    return UnreachableError(f"{who}: cannot connect ({_reason(causes)})")


def _without_tls(way: Way, who: str, error: ssl.SSLError) -> CasfsError:
    """Return what an *error* of TLS is: for good, unless the connection broke or there has been TLS before."""
    said = (error.reason or "it broke off").lower().replace("_", " ")
    if not way.is_new or isinstance(error, ssl.SSLEOFError | ssl.SSLZeroReturnError):
        return TransferError(f"{who}: TLS fails ({said})")
    plain = ": is it http:// in place of https://?" * (error.reason in _OTHER_PROTOCOL)
    return NoWayError(f"{who}: no TLS ({said}){plain}")


def refused_by_proxy(way: Way, refusal: ProxyRefusalError) -> UnreachableError:
    """Return what it is that the proxy of *way* refuses."""
    kind = UnreachableError if refusal.passing and not refusal.wants_password and not way.is_new else NoWayError
    error = kind(f"{way.proxy_too} {_refused(refusal)}")
    error.is_of_proxy = True
    return error


def _refused(refusal: ProxyRefusalError) -> str:
    if refusal.wants_password:
        return f"wants user and password, or does not take those that it got ({refusal.said})"
    if refusal.passing:
        return f"does not get there ({refusal.said})"
    return f"refuses the way ({refusal.said}); hosts in NO_PROXY are asked without it"


def _unusable(way: Way) -> ConfigError:
    return ConfigError(f"{way.host}: the endpoint, the proxy or the credentials hold characters that cannot be sent")


def _reason(causes: list[BaseException]) -> str:
    """Return the system's words for the innermost of *causes*, or its kind."""
    words = [cause.strerror for cause in causes if isinstance(cause, OSError) and isinstance(cause.strerror, str)]
    return words[-1] if words else type(causes[-1]).__name__


def _found(causes: list[BaseException], *kinds: type[Cause]) -> Cause | None:
    return next((cause for cause in causes if isinstance(cause, kinds)), None)


def _causes(error: BaseException) -> Iterator[BaseException]:
    """Yield *error* and what is behind it, outermost first: urllib3 and requests hand causes on as arguments."""
    seen: list[BaseException] = []
    behind: list[object] = [error]
    while behind:
        cause = behind.pop(0)
        if isinstance(cause, BaseException) and not any(cause is known for known in seen):
            seen.append(cause)
            behind += [*cause.args, getattr(cause, "reason", None), cause.__cause__]
            yield cause
