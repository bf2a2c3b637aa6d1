"""A response, whose body is handed out as it comes; what its status means is not known here."""

from collections.abc import Callable, Mapping
from typing import Self

from urllib3 import BaseHTTPResponse

from casfs.api.http.incoming import Check, Incoming, unchecked
from casfs.api.http.network_errors import broken_bodies
from casfs.errors import ProtocolError, TransferError
from casfs.waiting import Deadline


class Response:
    """A response whose body has yet to be read.

    Attributes:
        status: HTTP status.
        headers: by name in any case.
        received: bytes of its body so far.

    Use as a context manager: at its end the connection is closed, unless ``finish`` has found the body at its end.
    """

    def __init__(self, response: BaseHTTPResponse) -> None:
        self.status = response.status
        self.headers: Mapping[str, str] = response.headers
        self.received = 0
        self._response = response
        self._incoming = _behind(response)
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


def _behind(response: BaseHTTPResponse) -> Incoming:
    """Return the ``http.client`` response behind *response*."""
    found = getattr(response, "_fp", None)  # urllib3 has no public name for it
    if not isinstance(found, Incoming):
        raise TypeError(f"no response of http.client behind {type(response)}")
    return found
