"""A range of an output that is fetched, and answers to that."""

import hashlib
import random
from collections.abc import Callable

from casfs.api.client import Client
from casfs.models import Output, RangeResponse
from casfs.waiting import Deadline
from tests.api.conftest import Into
from tests.api.scripted import answer, chunked

MIB = 1 << 20
BODY = random.Random(1).randbytes(3 * MIB + 7)
SIZE = len(BODY)
OUTPUT = Output("v", "-j", SIZE, None, is_inventory=False)
HASH = hashlib.sha256(b"x").hexdigest()
UNAVAILABLE = answer("503 Service Unavailable", b"<html>busy</html>")


class Fetched:
    """Fetches a range into blocks, and keeps what it was told on the way."""

    def __init__(self, client: Client, start: int, stop: int, size: int = SIZE) -> None:
        self.client, self.span, self.size = client, range(start, stop), size
        self.blocks = [memoryview(bytearray(min(MIB, stop - at))) for at in range(start, stop, MIB)]
        self.filled: list[int] = []
        self.right = True
        self.accept: Callable[[RangeResponse], None] = lambda _answer: None

    def note(self, index: int) -> None:
        self.filled.append(index)
        first = self.span.start + index * MIB
        self.right = self.right and self.blocks[index] == BODY[first : first + len(self.blocks[index])]

    def __call__(self, patience_s: float = 60, cancelled: Callable[[], bool] = lambda: False) -> RangeResponse:
        sink = Into(*self.blocks, filled=self.note, accept=self.accept, cancelled=cancelled)
        return self.client.fetch(OUTPUT, self.size, self.span, sink, Deadline.after(patience_s))

    @property
    def bytes(self) -> bytes:
        return b"".join(self.blocks)


def whole_in_chunks(*chunks: bytes) -> bytes:
    return chunked(*chunks, status="206 Partial Content", Content_Range=f"bytes 0-{SIZE - 1}/{SIZE}")


def error(code: str, message: str = "", status: str = "400 Bad Request", **headers: str) -> bytes:
    body = f'{{\n  "code" : "{code}",\n  "message" : "{message}",\n  "type" : "Client"\n}}\n'.encode()
    return answer(status, body, x_cas_requestId="Rid", **headers)
