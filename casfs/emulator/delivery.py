"""How one reply goes to the socket: the head, the body at the link's speed, and how it ends."""

import re
import socket
import ssl
import struct
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from email.utils import formatdate
from enum import Enum
from http import HTTPStatus
from itertools import chain, islice

from casfs.emulator.journal import Record
from casfs.emulator.messages import Reply
from casfs.emulator.shaping import Pacer, Shaping

PIECES_AT_ONCE = 512
"""Pieces in one sendmsg; Linux takes 1024."""


_CONTROLS = re.compile(r"[\x00-\x1f\x7f]")
"""What no header can hold, whatever somebody described an archive by."""


class Ending(Enum):
    """What becomes of the connection after the bytes that are sent."""

    KEEP = "keep"
    CLOSE = "close"
    RESET = "reset"
    STALL = "stall"


@dataclass(slots=True)
class Delivery:
    """An answer and how to deliver it.

    Attributes:
        reply: what to say.
        delay_s: before the first byte, besides the link's own.
        silent: send nothing at all, not even the head.
        stop_at: bytes of the body to send before the ending; None is all.
        ending: what becomes of the connection then.
        drip_s: seconds before each of the bytes past *stop_at*, which are then sent one by one; None is not at all.
        clock_offset_s: how far the service's clock is off.
        record: the request in the journal.
    """

    reply: Reply
    delay_s: float = 0.0
    silent: bool = False
    stop_at: int | None = None
    ending: Ending = Ending.KEEP
    drip_s: float | None = None
    clock_offset_s: float = 0.0
    record: Record | None = None


class Outbox:
    """The answers that leave on one connection, one after another."""

    def __init__(self, connection: socket.socket, stopped: threading.Event, count: Callable[[int], None]) -> None:
        self._connection = connection
        self._stopped = stopped
        self._count = count
        self._pacer = Pacer(stopped.wait)

    def send(self, delivery: Delivery, head: bytes, *, body: bool, shaping: Shaping) -> None:
        """Send what *delivery* says, and nothing else.

        Raises:
            OSError: the client has gone.
        """
        if shaping.first_byte_s + delivery.delay_s > 0:
            self._stopped.wait(shaping.first_byte_s + delivery.delay_s)
        if not delivery.silent:
            pieces = delivery.reply.body if body else ()
            now = pieces if delivery.stop_at is None else cut(pieces, 0, delivery.stop_at)
            self._bytes(head, now, shaping.bytes_per_s)
            if delivery.drip_s is not None and delivery.stop_at is not None:
                self._drip(cut(pieces, delivery.stop_at, delivery.reply.size), delivery.drip_s)
        self._end(delivery.ending)

    def _bytes(self, head: bytes, pieces: Sequence[memoryview], bytes_per_s: float | None) -> None:
        if bytes_per_s is None:
            self.whole(chain([memoryview(head)], pieces))
            return
        self._send_all(head)
        for turn in self._pacer.turns(pieces, bytes_per_s):
            self._send_all(turn)

    def whole(self, pieces: Iterable[memoryview]) -> None:
        """Hand everything to the kernel in one call, which sends it without the interpreter's lock."""
        if isinstance(self._connection, ssl.SSLSocket):  # which has no such call
            for piece in pieces:
                self._send_all(piece)
            return
        left = iter(pieces)
        while self._group(list(islice(left, PIECES_AT_ONCE))):
            pass

    def _group(self, pieces: Sequence[memoryview]) -> bool:
        """Send as many pieces as one call takes, and say whether there were any; nobody keeps them afterwards."""
        if pieces:
            sent = self._connection.sendmsg(pieces)
            self._count(sent)
            for piece in cut(pieces, sent, sum(map(len, pieces))):
                self._send_all(piece)
        return bool(pieces)

    def _send_all(self, piece: bytes | memoryview) -> None:
        self._connection.sendall(piece)
        self._count(len(piece))

    def _drip(self, pieces: Sequence[memoryview], seconds: float) -> None:
        for piece in pieces:
            for at in range(len(piece)):
                if self._stopped.wait(seconds):
                    return
                self._send_all(piece[at : at + 1])

    def _end(self, ending: Ending) -> None:
        if ending is Ending.RESET:
            self._connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        elif ending is Ending.STALL:
            while self._connection.recv(1 << 16):  # until the client gives up or the server stops
                pass


def cut(pieces: Sequence[memoryview], start: int, stop: int) -> list[memoryview]:
    """Return the bytes of *pieces* from *start* up to *stop*, uncopied."""
    found = []
    for piece in pieces:
        found.append(piece[max(0, start) : max(0, stop)])
        start, stop = start - len(piece), stop - len(piece)
    return [piece for piece in found if piece]


def head(answer: Reply, now_s: float, more: Mapping[str, str], *, keep_alive: bool) -> bytes:
    """Return the head of *answer*, with the date, the length, and the headers *more*."""
    lines = [
        f"HTTP/1.1 {answer.status} {_reason(answer.status)}",
        "Server: nginx",
        f"Date: {formatdate(now_s, usegmt=True)}",
        *([f"Content-Length: {answer.size}"] if answer.announced else []),
        f"Connection: {'keep-alive' if keep_alive and answer.announced else 'close'}",
        *(f"{name}: {_CONTROLS.sub(' ', value)}" for name, value in {**answer.headers, **more}.items()),
    ]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1", "replace")


def _reason(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "Unknown"
