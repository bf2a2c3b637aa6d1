"""Fetch an output over many connections and hash every block: casfs's own library with no file system in the way.

Nothing is signed, and no hash compared: that is to its advantage.

Run as `bare.py URL CONNECTIONS PART_BYTES`; prints the seconds it took, the interpreter's start left out.
"""

import hashlib
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import requests

BLOCK_BYTES = 1 << 20
PATIENCE_S = 60.0


class Loop:
    """One session a thread, and parts for whoever is free."""

    def __init__(self, url: str, part_bytes: int) -> None:
        self._url = url
        self.part_bytes = part_bytes
        self._local = threading.local()
        self.size = int(self._ask(0, 1).headers["Content-Range"].rpartition("/")[2])

    def run(self, connections: int) -> int:
        """Fetch and hash everything; give how many bytes that were."""
        with ThreadPoolExecutor(connections) as threads:
            return sum(threads.map(self._fetch, range(0, self.size, self.part_bytes)))

    def blocks(self, start: int) -> list[bytes]:
        """Fetch the part from *start* on, and give its blocks, hashed."""
        return list(self._blocks(start))

    def _ask(self, start: int, stop: int) -> requests.Response:
        if not hasattr(self._local, "session"):
            self._local.session = requests.Session()
        asked = {"Range": f"bytes={start}-{stop - 1}"}
        answer: requests.Response = self._local.session.get(self._url, headers=asked, stream=True, timeout=PATIENCE_S)
        if answer.status_code != 206:
            raise RuntimeError(f"not a 206: {answer.status_code}")
        return answer

    def _fetch(self, start: int) -> int:
        return sum(map(len, self._blocks(start)))

    def _blocks(self, start: int) -> Iterator[bytes]:
        with self._ask(start, min(start + self.part_bytes, self.size)) as answer:
            while block := answer.raw.read(BLOCK_BYTES):
                hashlib.sha256(block).digest()
                yield block


def main() -> int:
    """Fetch, hash, and say how long it took; status 1 if a byte is missing."""
    url, connections, part_bytes = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    started = time.perf_counter()
    loop = Loop(url, part_bytes)
    hashed_bytes = loop.run(connections)
    sys.stdout.write(f"{time.perf_counter() - started}\n")
    return 0 if hashed_bytes == loop.size else 1


if __name__ == "__main__":
    sys.exit(main())
