"""Fetch an output over many connections and hash every block, over sockets by hand: what Python can do at most.

Run as `raw.py URL CONNECTIONS PART_BYTES`; prints the seconds it took, the interpreter's start left out.
"""

import hashlib
import re
import socket
import sys
import threading
import time
from urllib.parse import urlsplit

BLOCK_BYTES = 1 << 20
HEAD_END = b"\r\n\r\n"


class Loop:
    """Connections that take parts from one list until none is left."""

    def __init__(self, url: str, part_bytes: int) -> None:
        parts = urlsplit(url)
        self._address = (parts.hostname or "", parts.port or 80)
        self._target = parts.path
        self._part_bytes = part_bytes
        self._left = iter(range(0, self._size(), part_bytes))
        self._lock = threading.Lock()
        self.hashed_bytes = 0

    def run(self, connections: int) -> None:
        """Fetch and hash everything."""
        threads = [threading.Thread(target=self._fetch_parts) for _ in range(connections)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    def _size(self) -> int:
        with socket.create_connection(self._address) as connection:
            head, _ = self._ask(connection, 0, 1)
        found = re.search(rb"(?i)content-range: bytes 0-0/(\d+)", head)
        if not found:
            raise RuntimeError(f"no Content-Range: {head!r}")
        self.size = int(found[1])
        return self.size

    def _ask(self, connection: socket.socket, start: int, stop: int) -> tuple[bytes, bytes]:
        """Send one request; give the head and as much of the body as came with it."""
        ask = f"GET {self._target} HTTP/1.1\r\nHost: {self._address[0]}\r\nRange: bytes={start}-{stop - 1}\r\n\r\n"
        connection.sendall(ask.encode())
        received = b""
        while HEAD_END not in received:
            more = connection.recv(65536)
            if not more:
                raise RuntimeError("the connection was closed")
            received += more
        head, _, body = received.partition(HEAD_END)
        if not head.startswith(b"HTTP/1.1 206"):
            raise RuntimeError(f"not a 206: {head!r}")
        return head, body

    def _next(self) -> int | None:
        with self._lock:
            return next(self._left, None)

    def _fetch_parts(self) -> None:
        block = memoryview(bytearray(BLOCK_BYTES))
        with socket.create_connection(self._address) as connection:
            while (start := self._next()) is not None:
                self._fetch(connection, start, min(start + self._part_bytes, self.size), block)

    def _fetch(self, connection: socket.socket, start: int, stop: int, block: memoryview) -> None:
        _, body = self._ask(connection, start, stop)
        for at in range(start, stop, BLOCK_BYTES):
            length = min(BLOCK_BYTES, stop - at)
            early, body = body[:length], body[length:]
            block[: len(early)] = early
            if connection.recv_into(block[len(early) : length], flags=socket.MSG_WAITALL) != length - len(early):
                raise RuntimeError("the body was short")
            hashlib.sha256(block[:length]).digest()
            with self._lock:
                self.hashed_bytes += length


def main() -> int:
    """Fetch, hash, and say how long it took; status 1 if a byte is missing."""
    url, connections, part_bytes = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    started = time.perf_counter()
    loop = Loop(url, part_bytes)
    loop.run(connections)
    sys.stdout.write(f"{time.perf_counter() - started}\n")
    return 0 if loop.hashed_bytes == loop.size else 1


if __name__ == "__main__":
    sys.exit(main())
