"""Requests as they came from the socket and replies before they go to it."""

import socket
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from urllib.parse import unquote

from casfs.emulator.content import MadeWhenRead

HEAD_LIMIT = 64 << 10
"""Bytes of a request's head; nginx refuses 32 KiB, and no client of the service comes near either."""
BODY_LIMIT = 1 << 30
"""Bytes of a request's body. An upload is kept in memory; larger archives are made by the program that embeds us."""
RECEIVE = 64 << 10
"""Bytes asked of the socket at once: a whole head, in one call."""


class MalformedError(Exception):
    """What arrived is no HTTP request that can be answered; the message goes into the 400."""


@dataclass(frozen=True, slots=True)
class ReceivedRequest:
    """One request.

    Attributes:
        method: as sent, upper case by HTTP's rule.
        path: as sent, still percent-encoded, without the query.
        query: parameters, decoded, names as sent; the last of a name wins.
        headers: values without the blanks around them, by lower-case name.
        body: whole.
        keep_alive: whether the connection may serve another request.
    """

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes = b""
    keep_alive: bool = True


@dataclass(slots=True)
class Reply:
    """One answer.

    Attributes:
        status: HTTP status.
        headers: besides those that every answer has.
        body: pieces in order.
        offset: which byte of the output the body begins with.
        announced: whether the head says how long the body is; if not, the end of the connection is its end.
    """

    status: int
    headers: dict[str, str] = field(default_factory=dict)
    body: Sequence[memoryview] = ()
    offset: int = 0
    announced: bool = True

    @property
    def size(self) -> int:
        """Bytes in the body."""
        return self.body.size if isinstance(self.body, MadeWhenRead) else sum(map(len, self.body))


class Inbox:
    """The requests that arrive on one connection, one after another."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._ahead = b""

    def next(self) -> ReceivedRequest | None:
        """Return the next request; None once the client has closed the connection between two of them.

        Raises:
            MalformedError: what arrived is no request.
            OSError: the connection broke.
        """
        end = self._ahead.find(b"\r\n\r\n")
        while end < 0:
            if len(self._ahead) > HEAD_LIMIT:
                raise MalformedError("the head is too long")
            arrived = self._connection.recv(RECEIVE)
            if not arrived:
                return None
            self._ahead += arrived
            end = self._ahead.find(b"\r\n\r\n")
        head, self._ahead = self._ahead[:end], self._ahead[end + 4 :]
        return self._request(head.decode("latin-1").split("\r\n"))

    def _request(self, lines: list[str]) -> ReceivedRequest:
        words = lines[0].split(" ")
        if len(words) != 3 or not words[2].startswith("HTTP/1.") or not words[1].startswith("/"):
            raise MalformedError("no request line")
        path, _, query = words[1].partition("?")
        headers = dict(map(_header, lines[1:]))
        kept = headers.get("connection", "").lower() != "close" and words[2] != "HTTP/1.0"
        return ReceivedRequest(words[0], path, parameters(query), headers, self._body(headers), kept)

    def _body(self, headers: Mapping[str, str]) -> bytes:
        announced = headers.get("content-length", "0")
        if "transfer-encoding" in headers or not announced.isdecimal() or int(announced) > BODY_LIMIT:
            raise MalformedError("a body needs a Content-Length, of at most 1 GiB")
        if headers.get("expect", "").lower() == "100-continue":
            self._connection.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
        body = bytearray(self._ahead[: int(announced)])
        self._ahead = self._ahead[len(body) :]
        while len(body) < int(announced):
            arrived = self._connection.recv(min(int(announced) - len(body), 1 << 20))
            if not arrived:
                raise MalformedError("the body ended early")
            body += arrived
        return bytes(body)


def parameters(query: str) -> dict[str, str]:
    """Return the parameters of a query, decoded; a ``+`` stays one, as in the signatures of the vendor's clients."""
    pairs = (pair.partition("=") for pair in query.split("&") if pair)
    return {unquote(name): unquote(value) for name, _, value in pairs}


def _header(line: str) -> tuple[str, str]:
    name, colon, value = line.partition(":")
    if not colon:
        raise MalformedError(f"no header: {line[:80]}")
    return name.strip().lower(), value.strip()
