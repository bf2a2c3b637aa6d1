"""Requests to one endpoint: pool, timeouts, and every failure of the network as an error with a name."""

import os
import ssl
import threading
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial

from urllib3.util import Timeout

from casfs.api.http.certificates import trust
from casfs.api.http.incoming import Check, unchecked, waiting
from casfs.api.http.mixups import FIRST_S, FirstContact
from casfs.api.http.network_errors import SilenceError, Way, failed_requests, refused_by_proxy
from casfs.api.http.pools import Adapter, Outgoing, Route
from casfs.api.http.proxies import Proxy, ProxyRefusalError, proxy_for
from casfs.api.http.response import Response
from casfs.api.http.tls import patient_context
from casfs.errors import CasfsError, TransferError, UnreachableError
from casfs.waiting import Deadline

USER_AGENT = "casfs"
SPARE_CONNECTIONS = 16
"""Kept beyond those for outputs, for listings and look-ups: a connection that does not fit is closed after its response
and costs the next one a handshake."""


@dataclass(frozen=True, slots=True)
class _Pool:
    """What a process talks through; another process makes its own.

    Attributes:
        process: its id.
        adapter: has the connections.
        route: leads to the endpoint.
        proxy: is between here and there, or None.
        is_relayed: whether the proxy reads requests and may answer them itself.
    """

    process: int
    adapter: Adapter
    route: Route
    proxy: Proxy | None
    is_relayed: bool


class Transport:
    """Requests to one endpoint.

    Threads: every method may be called from any thread. Connections are made on demand, and anew after a fork.

    Args:
        endpoint_url: scheme and host, and a port where it is not the scheme's own.
        connect_timeout_s: to open one connection.
        connections: how many outputs are fetched at once.
        ca_bundle: file or directory of the certificates to trust; None for what the environment names, or the system's.
        bundle_variables: variables of the environment that are asked for such a file before those that all have.
    """

    def __init__(
        self,
        endpoint_url: str,
        connect_timeout_s: float,
        connections: int,
        ca_bundle: str | None,
        bundle_variables: Sequence[str] = (),
    ) -> None:
        scheme, _, rest = endpoint_url.partition("://")
        self.host = rest.partition("/")[0]
        self._base = f"{scheme}://{self.host}"
        self._secure = scheme == "https"
        self._connect_timeout_s = connect_timeout_s
        self._connections = connections + SPARE_CONNECTIONS
        self._bundle_variables = bundle_variables
        self._trust = partial(trust, ca_bundle, bundle_variables)
        self._lock = threading.Lock()
        self._pool: _Pool | None = None
        self._contact = FirstContact(self._base)

    def send(self, request: Outgoing, idle_s: float, deadline: Deadline, check: Check = unchecked) -> Response:
        """Ask once, and return the response when its head has come.

        Args:
            request: what to ask; without Host and what every request has.
            idle_s: how long the service may say nothing.
            deadline: when the attempt must have ended, its body included.
            check: called every half a second while the head is awaited.

        Raises:
            NoWayError: nobody answers, or nobody that can be trusted, and waiting does not change that.
            UnreachableError: nobody answers.
            TransferError: the response did not come in time, or its head is none, or its body is encoded.
            ConfigError: the endpoint, the proxy or the certificates cannot be used.
        """
        fixed = {"Host": self.host, "User-Agent": USER_AGENT, "Accept-Encoding": "identity"}
        connect_s = min(self._connect_timeout_s, 2 * idle_s)  # room for another attempt, here too
        if self._secure and self._contact.is_due:
            connect_s = min(connect_s, FIRST_S)
        timeout = Timeout(deadline.timeout_s, connect_s, idle_s)
        pool = self._usable_pool()
        before = waiting.set(check)
        try:
            with failed_requests(Way(self.host, pool.proxy, self._contact.is_new)):
                head = pool.route.send(request, fixed, timeout)
        except UnreachableError:
            self._contact.looked = True  # so that the next attempt has all the time there is
            raise
        except TransferError as error:
            if self._secure or not isinstance(error, SilenceError):  # no server of TLS waits for more of a plain line
                self._look(pool, deadline)
            raise
        finally:
            waiting.reset(before)
        response = Response(head)
        self._heard(pool, response, deadline)
        response.begin(idle_s, deadline)
        return response

    def refused_on_the_way(self, status: int) -> CasfsError | None:
        """Return what a refusal is that the service did not make, where there is a proxy that may have made it."""
        pool = self._usable_pool()
        if not pool.is_relayed:
            return None
        way = Way(self.host, pool.proxy, self._contact.is_new)
        return refused_by_proxy(way, ProxyRefusalError.of_status(status))

    def trust_anew(self, ca_bundle: str | None) -> None:
        """Read the certificates to trust anew, for the connections that are made from now on.

        Raises:
            ConfigError: they cannot be used; those from before are trusted on.
        """
        renewed = partial(trust, ca_bundle, self._bundle_variables)
        if self._secure:
            renewed()
        with self._lock:
            self._trust, self._pool = renewed, None  # not closed: who is about to send over it would find no way

    def close(self) -> None:
        """Close the connections that wait for a next request."""
        with self._lock:
            pool, self._pool = self._pool, None
        if pool is not None:
            pool.adapter.close()

    def _look(self, pool: _Pool, deadline: Deadline) -> None:
        if self._contact.is_due and pool.proxy is None:
            self._contact.look(deadline)

    def _heard(self, pool: _Pool, response: Response, deadline: Deadline) -> None:
        """Note that somebody answers, unless it may be a proxy that could not find anybody.

        Raises:
            NoWayError: a server that wants TLS complains that this was none.
        """
        if not self._secure and response.status == 400 and "json" not in response.headers.get("Content-Type", ""):
            with ExitStack() as on_failure:
                on_failure.push(response)
                self._look(pool, deadline)
                on_failure.pop_all()
        if response.status < 400 or not pool.is_relayed:
            self._contact.is_new = False

    def _usable_pool(self) -> _Pool:
        with self._lock:
            if self._pool is None or self._pool.process != os.getpid():
                with failed_requests(Way(self.host)):
                    self._pool = self._new_pool()
            return self._pool

    def _new_pool(self) -> _Pool:
        proxy = proxy_for(self._base)
        adapter = Adapter(self._connections, self._trust_with(proxy))
        is_relayed = proxy is not None and not proxy.is_socks and not self._secure
        return _Pool(os.getpid(), adapter, adapter.route(self._base, proxy), proxy, is_relayed)

    def _trust_with(self, proxy: Proxy | None) -> ssl.SSLContext | None:
        """Return whom to trust on the way; None where nobody speaks TLS."""
        if proxy is not None and proxy.scheme == "https":
            return self._trust()  # urllib3 lays TLS over sockets of ssl only
        return patient_context(self._trust()) if self._secure else None
