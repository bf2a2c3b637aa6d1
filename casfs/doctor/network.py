"""The way to the service: proxy, name, connection; and what one request to it tells."""

import socket
from collections.abc import Iterator
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from casfs.api.client import Client
from casfs.api.clock import LARGEST_S, TOLERANCE_S
from casfs.api.http.proxies import Proxy, proxy_for
from casfs.doctor.check import Check, fail, ok, warn
from casfs.errors import (
    AccessDeniedError,
    CasfsError,
    CredentialsError,
    DeadlineError,
    ProtocolError,
    TransferError,
    UnreachableError,
    UntrustedError,
)
from casfs.models import Vault
from casfs.waiting import Deadline

CONNECT_S = 5.0
"""For a connection to a proxy, which is near."""
ON_THE_WAY = "look at SOURCE, at the firewall and at the proxy"
INSPECTED = "a proxy that looks into TLS shows a certificate of its own: --ca-bundle FILE names who has signed that"
ASK_S = 15.0
"""For the one question, with all its retries."""


def way_to(endpoint_url: str) -> Iterator[Check]:
    """Yield what is between here and the endpoint."""
    proxy = proxy_for(endpoint_url)
    yield _of_proxy(proxy)
    host = urlsplit(endpoint_url).hostname or ""
    if proxy is not None:
        yield ok("dns", f"the proxy looks {host} up")
        return
    try:
        found = {str(entry[4][0]) for entry in socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)}
    except OSError as error:
        mending = "look at SOURCE and /etc/resolv.conf; behind a proxy, set HTTPS_PROXY"
        yield fail("dns", f"{host} has no address: {error.strerror}", mending)
    else:
        yield ok("dns", f"{host} is {', '.join(sorted(found))}")


def _of_proxy(proxy: Proxy | None) -> Check:
    if proxy is None:
        return ok("proxy", "none")
    parts = urlsplit(proxy.url)
    usual = {"https": 443, "http": 80}.get(parts.scheme, 1080)
    try:
        socket.create_connection((parts.hostname or "", parts.port or usual), CONNECT_S).close()
    except OSError as error:
        mending = f"correct {proxy.variable}, or name the host in NO_PROXY"
        return fail("proxy", f"{proxy.name} does not answer: {error.strerror or error}", mending)
    return ok("proxy", f"{proxy.name}, of {proxy.variable}")


@dataclass(slots=True)
class Question:
    """One question to the service, and what came of it.

    Attributes:
        client: asks.
        endpoint_url: where.
        origin: where the keys come from.
        proxy: that is asked for it, None where there is none.
        vault: the one that is to be the root; None for all.
        vaults: that were found; None where they may not be listed.
        is_answered: whether the service takes the keys.
    """

    client: Client
    endpoint_url: str
    origin: str
    proxy: Proxy | None
    vault: str | None
    vaults: list[Vault] | None = None
    is_answered: bool = field(default=False)

    def checks(self) -> Iterator[Check]:
        """Ask, and yield what that tells."""
        error = self._asked()
        yield from self._of_connection(error)
        yield from self._of_clock()
        yield from self._of_keys(error)

    def _asked(self) -> CasfsError | None:
        deadline = Deadline.after(ASK_S)
        try:
            self.vaults = list(self.client.vaults(deadline))
        except CasfsError as error:
            return error
        return None

    def _of_connection(self, error: CasfsError | None) -> Iterator[Check]:
        secure = self.endpoint_url.startswith("https:")
        if isinstance(error, UnreachableError) and error.is_of_proxy and self.proxy is not None:
            yield fail("through the proxy", str(error), self._mending_of_proxy(self.proxy, error))
        elif isinstance(error, UntrustedError):
            yield fail("tls", str(error), "" if self.proxy is None else INSPECTED)
        elif isinstance(error, UnreachableError):
            yield fail("connection", str(error), ON_THE_WAY)
        elif not isinstance(error, TransferError | DeadlineError):  # which may end a connection before there is TLS
            through = f", through the proxy {self.proxy.name}" if self.proxy is not None else ""
            yield ok("tls", f"the certificate is trusted{through}" if secure else "not used: the endpoint is http")

    def _mending_of_proxy(self, proxy: Proxy, error: UnreachableError) -> str:
        without = "or name the host in NO_PROXY"
        if isinstance(error, UntrustedError):
            return f"name the proxy's own certificate by --ca-bundle FILE too, correct {proxy.variable}, {without}"
        user = f"write user and password, as it wants them, into {proxy.variable}: {proxy.scheme}://USER:PASSWORD@HOST"
        host = urlsplit(self.endpoint_url).netloc
        return f"{user}; have the proxy let {host} through; {without}"

    def _of_clock(self) -> Iterator[Check]:
        off_s = self.client.clock.off_s()
        if off_s is None:
            return
        said = f"{abs(off_s):.0f} s {'behind' if off_s > 0 else 'ahead of'} the service's"
        mending = "set it: timedatectl set-ntp true"
        if abs(off_s) > LARGEST_S:
            yield fail("clock", f"{said}, and no more than a day is corrected", mending)
        elif abs(off_s) > TOLERANCE_S:
            yield warn("clock", f"{said}, which is corrected when a signature is refused for it", mending)
        else:
            yield ok("clock", said)

    def _of_keys(self, error: CasfsError | None) -> Iterator[Check]:
        if isinstance(error, UnreachableError):
            return
        if isinstance(error, CredentialsError):
            mending = f"correct the keys of {self.origin}"
            yield fail("credentials", f"from {self.origin}: {error}", mending)
        elif error is None or isinstance(error, AccessDeniedError):
            self.is_answered = True
            yield ok("credentials", f"from {self.origin}")
        elif isinstance(error, ProtocolError):
            yield fail("service", f"does not answer like an archive service: {error}", "look at SOURCE")
        else:
            yield fail("service", str(error), ON_THE_WAY if isinstance(error, TransferError | DeadlineError) else "")
