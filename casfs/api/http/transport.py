"""One HTTP request and its response: pool, timeouts, and every failure of the network as an error with a name.

Bodies are handed out as they come; what a status means is not known here.
"""

import os
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from typing import Self

from urllib3 import BaseHTTPResponse
from urllib3.util import Timeout

from casfs.api.http.certificates import trust
from casfs.api.http.mixups import FIRST_S, FirstContact
from casfs.api.http.network_errors import SilenceError, Way, broken_bodies, failed_requests, refused_by_proxy
from casfs.api.http.pools import Adapter, Outgoing, Route, incoming
from casfs.api.http.proxies import Proxy, ProxyRefusalError, proxy_for
from casfs.api.http.response import Check, Incoming, unchecked, waiting
from casfs.errors import CasfsError, ProtocolError, TransferError, UnreachableError
from casfs.waiting import Deadline

USER_AGENT = "casfs"
SPARE_CONNECTIONS = 16
"""Kept beyond those for outputs, for listings and look-ups: a connection that does not fit is closed after its response
and costs the next one a handshake."""


class Response:
    """A response whose body has yet to be read.

    Attributes:
        status: HTTP status.
        headers: by name in any case.
        received: bytes of its body so far.

    Use as a context manager: at its end the connection is closed, unless ``finish`` has found the body at its end.
    """

    def __init__(self, response: BaseHTTPResponse, incoming: Incoming) -> None:
        self.status = response.status
        self.headers: Mapping[str, str] = response.headers
        self.received = 0
        self._response = response
        self._incoming = incoming
        self._ended: list[Callable[[], None]] = []

    def on_end(self, ended: Callable[[], None]) -> None:
        """Call *ended* too once nothing more is read of the body."""
        self._ended.append(ended)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._response.close()
        ended, self._ended = self._ended, []
        for tell in ended:
            tell()

    def begin(self, idle_s: float, deadline: Deadline) -> None:
        """Let the body begin, and its time.

        Raises:
            TransferError: it is encoded, though that was declined, or framed in a way that HTTP/1.1 does not know.
        """
        encoding = self.headers.get("Content-Encoding", "identity")
        framing = self.headers.get("Transfer-Encoding", "chunked")
        if encoding.lower() != "identity" or framing.lower() != "chunked":
            self._response.close()
            raise TransferError(f"a body that is encoded as {encoding!a}, {framing!a}")
        self._incoming.idle_timeout.body(idle_s, deadline)

    @property
    def chunked(self) -> bool:
        """Whether the body says itself where it ends."""
        return bool(self._incoming.chunked)

    def fill(self, view: memoryview, check: Check = unchecked) -> None:
        """Fill *view*, all of it, with the next bytes of the body.

        Args:
            view: to be filled.
            check: called whenever bytes came or half a second went by.

        Raises:
            TransferError: the body ends before, breaks off, or is too slow.
        """
        count = self.read_into(view, check)
        if count < len(view):
            raise TransferError(f"the body ended {len(view) - count} bytes early")

    def read_into(self, view: memoryview, check: Check = unchecked) -> int:
        """Fill *view* with the next bytes of the body, and return their count: fewer only where the body ends.

        Raises:
            TransferError: the body breaks off, or is too slow.
        """
        with broken_bodies():
            count = self._incoming.fill(view, check)
        self.received += count
        return count

    def skip(self, count: int, check: Check = unchecked) -> None:
        """Read *count* bytes of the body and forget them."""
        scratch = memoryview(bytearray(min(count, 1 << 20)))
        while count > 0:
            self.fill(scratch[:count], check)
            count -= min(count, len(scratch))

    def read(self, limit: int, check: Check = unchecked) -> bytearray:
        """Return the whole body.

        Args:
            limit: of its bytes.
            check: called whenever bytes came or half a second went by.

        Raises:
            ProtocolError: it is longer than *limit*; no more than that has been read.
            TransferError: it breaks off or is too slow.
        """
        announced = self._incoming.length
        if announced is not None and announced > limit:
            raise ProtocolError(f"an answer of {announced} bytes, more than {limit}")
        body = bytearray()
        piece = memoryview(bytearray(64 << 10))
        while count := self.read_into(piece, check):
            body += piece[:count]
            if len(body) > limit:
                raise ProtocolError(f"an answer of more than {limit} bytes")
        if announced is not None and len(body) < announced:
            raise TransferError(f"the body ended {announced - len(body)} bytes early")
        return body

    def finish(self) -> None:
        """Give the connection back for the next request, if the body is at its end; else it will be closed.

        Raises:
            TransferError: the body should be at its end, by its own framing or by that of the connection, and is not.
        """
        if self._incoming.length is None and self.read_into(memoryview(bytearray(1))):
            raise TransferError("the body goes on after its end")
        if self._incoming.length in (0, None) and not self._incoming.surplus:
            self._incoming.close()
            self._response.release_conn()


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
        timeout = Timeout(max(deadline.remaining_s, 0.001), connect_s, idle_s)
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
        response = Response(head, incoming(head))
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
        wants_trust = self._secure or (proxy is not None and proxy.scheme == "https")
        adapter = Adapter(self._connections, self._trust if wants_trust else None)
        is_relayed = proxy is not None and not proxy.is_socks and not self._secure
        return _Pool(os.getpid(), adapter, adapter.route(self._base, proxy), proxy, is_relayed)
