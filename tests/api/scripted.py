"""A server that answers with exactly the bytes it was told to, and breaks off exactly where."""

import contextlib
import select
import socket
import ssl
import struct
import threading
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import Enum, auto

from tests.api.listening import POLL_S, Listening


class Act(Enum):
    """What a server can do besides sending."""

    RESET = auto()  # close so that the other side sees a reset
    CLOSE = auto()
    STALL = auto()  # say nothing more until the client hangs up
    PAUSE = auto()  # say nothing for 0.4 s
    DRIP = auto()  # a byte each 10 ms until the client hangs up


Reply = tuple[bytes | Act, ...]


@dataclass(frozen=True)
class Seen:
    """A request as it came, without its body."""

    connection: int
    method: str
    target: str
    headers: Mapping[str, str]


def answer(status: str = "200 OK", body: bytes = b"", /, **headers: str) -> bytes:
    """Return a whole answer; underscores in the names of *headers* stand for hyphens."""
    fields = {"Content-Length": str(len(body))} | {name.replace("_", "-"): value for name, value in headers.items()}
    head = "".join(f"{name}: {value}\r\n" for name, value in fields.items() if value)
    return f"HTTP/1.1 {status}\r\n{head}\r\n".encode() + body


def part(body: bytes, start: int, stop: int, **headers: str) -> bytes:
    """Return the 206 that is the answer to a request for ``body[start:stop]``."""
    content_range = f"bytes {start}-{stop - 1}/{len(body)}"
    fields = {"Content_Range": content_range} | headers
    return answer("206 Partial Content", body[start:stop], **fields)


def chunked(*chunks: bytes, status: str = "200 OK", **headers: str) -> bytes:
    """Return an answer in chunks, the last of which is *not* added."""
    head = answer(status, b"", Content_Length="", Transfer_Encoding="chunked", **headers)
    return head + b"".join(b"%x\r\n%b\r\n" % (len(chunk), chunk) for chunk in chunks)


@dataclass
class ScriptedServer(Listening):
    """Answers its requests, whatever they ask and over however many connections, by a list of replies.

    Attributes:
        replies: what is still to be sent, a reply a request.
        always: what comes once they are used up; without it, a reset, which a test will notice.
        seen: the requests so far.
        tls: to answer over TLS.
        greeting: what comes as soon as anyone connects, before a request.
    """

    replies: list[Reply] = field(default_factory=list)
    always: Reply = (Act.RESET,)
    seen: list[Seen] = field(default_factory=list)
    tls: ssl.SSLContext | None = None
    greeting: bytes = b""
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def url(self) -> str:
        return f"{'https' if self.tls else 'http'}://127.0.0.1:{self.port}"

    def add(self, *replies: bytes | Act | Iterable[bytes | Act]) -> None:
        """Add replies: bytes, an act, or several of them one after another."""
        self.replies += [(reply,) if isinstance(reply, bytes | Act) else tuple(reply) for reply in replies]

    def serve(self, connection: socket.socket, number: int) -> None:
        with contextlib.suppress(OSError), connection:
            if self.tls:
                connection = self.tls.wrap_socket(connection, server_side=True)
            with connection:
                connection.sendall(self.greeting)
                for request in self._requests(connection, number):
                    with self._lock:
                        self.seen.append(request)
                        reply = self.replies.pop(0) if self.replies else self.always
                    if not all(self._act(connection, act) for act in reply):
                        return

    def _requests(self, connection: socket.socket, number: int) -> Iterator[Seen]:
        received = b""
        while not self._stopping.is_set():
            while b"\r\n\r\n" in received:
                head, _, received = received.partition(b"\r\n\r\n")
                first, *lines = head.decode("latin-1").split("\r\n")
                method, target, _ = first.split(" ")
                headers = dict(line.split(": ", 1) for line in lines)
                length = int(headers.get("Content-Length", 0))
                while len(received) < length and (data := connection.recv(65536)):
                    received += data
                received = received[length:]
                yield Seen(number, method, target, headers)
            if select.select([connection], [], [], POLL_S)[0]:
                data = connection.recv(65536)
                if not data or data.startswith(b"\x16\x03"):  # the hello of TLS, which few servers wait behind
                    return
                received += data

    def _act(self, connection: socket.socket, act: bytes | Act) -> bool:
        """Do one thing, and return whether the connection lives on."""
        match act:
            case bytes():
                connection.sendall(act)
                return True
            case Act.RESET:
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            case Act.PAUSE:
                return not self._stopping.wait(0.4)
            case Act.STALL | Act.DRIP:
                self._idle(connection, dripping=act is Act.DRIP)
            case Act.CLOSE:
                pass
        return False

    def _idle(self, connection: socket.socket, *, dripping: bool) -> None:
        while not self._stopping.is_set() and not select.select([connection], [], [], POLL_S)[0]:
            if dripping:
                connection.sendall(b"x")
