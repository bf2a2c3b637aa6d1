"""Proxies of the tests' own: one of HTTP and one of SOCKS 5, which lead everywhere to one server."""

import contextlib
import select
import socket
import ssl
from collections.abc import Callable
from dataclasses import dataclass, field

from tests.api.listening import POLL_S, Listening


@dataclass
class Tunnels(Listening):
    """Takes one kind of greeting, then passes bytes on.

    Attributes:
        upstream: port of this machine that every connection leads to.
        greet: speaks to who connects, and returns whom it wants to reach, None where it was refused.
        tls: to be spoken to over TLS.
        asked: hosts and ports that were asked for.
    """

    upstream: int
    greet: Callable[[socket.socket], tuple[str, int] | None]
    tls: ssl.SSLContext | None = None
    asked: list[tuple[str, int]] = field(default_factory=list)

    @property
    def name(self) -> str:
        return f"127.0.0.1:{self.port}"

    def serve(self, connection: socket.socket, number: int) -> None:
        with connection, contextlib.suppress(OSError):
            connection.settimeout(10)
            with self.tls.wrap_socket(connection, server_side=True) if self.tls else connection as wrapped:
                wanted = self.greet(wrapped)
                if wanted is not None:
                    self.asked.append(wanted)
                    with socket.create_connection(("127.0.0.1", self.upstream), 10) as server:
                        self._pass_on(wrapped, server)

    def _pass_on(self, client: socket.socket, server: socket.socket) -> None:
        while not self._stopping.is_set():
            pending = isinstance(client, ssl.SSLSocket) and client.pending()
            for source in [client] if pending else select.select([client, server], [], [], POLL_S)[0]:
                data = source.recv(65536)
                if not data:
                    return
                (server if source is client else client).sendall(data)


def http_tunnel(client: socket.socket, answer: str = "HTTP/1.1 200 Connection established\r\n\r\n") -> tuple[str, int]:
    """Take a CONNECT, and answer it."""
    head = b""
    while b"\r\n\r\n" not in head:
        head += _exactly(client, 1)
    host, _, port = head.split(b" ")[1].decode().rpartition(":")
    client.sendall(answer.encode())
    return host, int(port)


def socks5(
    reply: int = 0, user: bytes = b"", password: bytes = b""
) -> Callable[[socket.socket], tuple[str, int] | None]:
    """Return who takes the greeting of SOCKS 5, and answers *reply*; a *user* must come with the *password*.

    Source: RFC 1928, RFC 1929.
    """

    def greet(client: socket.socket) -> tuple[str, int] | None:
        methods = _exactly(client, _exactly(client, 2)[1])
        method = 2 if user else 0
        if method not in methods:
            client.sendall(b"\x05\xff")
            return None
        client.sendall(bytes((5, method)))
        if user and not _authenticated(client, user, password):
            return None
        address = _destination(client)
        client.sendall(bytes((5, reply, 0, 1, 127, 0, 0, 1, 0, 0)))
        return None if reply else address

    return greet


def _authenticated(client: socket.socket, user: bytes, password: bytes) -> bool:
    given = [_exactly(client, _exactly(client, skipped)[-1]) for skipped in (2, 1)]
    client.sendall(bytes((1, given != [user, password])))
    return given == [user, password]


def _destination(client: socket.socket) -> tuple[str, int]:
    kind = _exactly(client, 4)[3]
    if kind == 3:
        host = _exactly(client, _exactly(client, 1)[0]).decode()
    else:
        host = socket.inet_ntop(socket.AF_INET, _exactly(client, 4))
    return host, int.from_bytes(_exactly(client, 2), "big")


def _exactly(sock: socket.socket, count: int) -> bytes:
    data = b""
    while len(data) < count:
        more = sock.recv(count - len(data))
        if not more:
            raise ConnectionError("the client is gone")
        data += more
    return data
