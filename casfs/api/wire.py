"""Names for what goes wrong between two machines: every exception of requests, urllib3 and the sockets below.

Messages are made of the host and of the system's words, never of an exception's text: that of a bad header or a bad
proxy would hold the token or the proxy's password.
"""

import contextlib
import errno
import http.client
import ssl
from collections.abc import Iterator

import requests
import urllib3.exceptions

from casfs.errors import CasfsError, ConfigError, TransferError, UnreachableError, UntrustedError

_UNUSABLE = (
    requests.exceptions.InvalidURL,
    requests.exceptions.InvalidSchema,
    requests.exceptions.MissingSchema,
    urllib3.exceptions.LocationValueError,
    ValueError,
)


@contextlib.contextmanager
def failed_requests(host: str) -> Iterator[None]:
    """Name what goes wrong until the head of an answer has come from *host*.

    Raises:
        UnreachableError, UntrustedError, TransferError, ConfigError: one line that begins with *host*.
    """
    try:
        yield
    except CasfsError:
        raise
    except (requests.RequestException, urllib3.exceptions.HTTPError, http.client.HTTPException, OSError) as error:
        named = _named(host, list(_causes(error)))
        raise named from (None if isinstance(named, ConfigError) else error)
    except ValueError:  # a header or a URL that cannot be sent
        raise _unusable(host) from None


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


def _named(host: str, causes: list[BaseException]) -> CasfsError:
    """Return the error that *causes*, outermost first, come to."""
    for cause in causes:
        if isinstance(cause, ssl.SSLCertVerificationError):
            return UntrustedError(
                f"{host}: its certificate is not trusted ({cause.verify_message}); "
                "--ca-bundle FILE names the certificates to trust"
            )
    for kind, what in _UNREACHABLE.items():
        if any(isinstance(cause, kind) for cause in causes):
            return UnreachableError(f"{host}: {what} ({_reason(causes)})")
    if any(isinstance(cause, TimeoutError) and cause.errno == errno.ETIMEDOUT for cause in causes):
        return TransferError(f"{host}: the connection was dead: what was sent did not arrive")
    if any(isinstance(cause, TimeoutError | BlockingIOError | urllib3.exceptions.ReadTimeoutError) for cause in causes):
        return TransferError(f"{host}: no answer in time")
    if isinstance(causes[0], _UNUSABLE):
        return _unusable(host)
    return TransferError(f"{host}: the connection broke ({_reason(causes)})")


_UNREACHABLE: dict[type[BaseException], str] = {  # the first that fits: each is a kind of the one behind it
    urllib3.exceptions.ProxyError: "no way through the proxy",
    requests.exceptions.InvalidProxyURL: "the proxy's URL cannot be used",
    urllib3.exceptions.NameResolutionError: "no such host",
    urllib3.exceptions.NewConnectionError: "cannot connect",
    urllib3.exceptions.ConnectTimeoutError: "nobody answers",
    ssl.SSLError: "no TLS",
}


def _unusable(host: str) -> ConfigError:
    return ConfigError(f"{host}: the endpoint, the proxy or the credentials hold characters that cannot be sent")


def _reason(causes: list[BaseException]) -> str:
    """Return the system's words for the innermost of *causes*, or its kind."""
    words = [cause.strerror for cause in causes if isinstance(cause, OSError) and isinstance(cause.strerror, str)]
    return words[-1] if words else type(causes[-1]).__name__


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
