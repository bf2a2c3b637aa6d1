"""Mount one output out of the bare loop: what the loop's speed comes to once its bytes go through a kernel to a reader.

No name, signature, retry, hash to compare, deadline, cancellation or second reader: all of that is to its advantage.

Run as `bare_mount.py URL CONNECTIONS PART_BYTES MOUNTPOINT`; the one file is called as in the URL. Serves until it is
unmounted.
"""

import errno
import os
import stat
import sys
import threading
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

os.environ.setdefault("FUSE_LIBRARY_NAME", "fuse3")

import mfusepy

from bare import BLOCK_BYTES, Loop


class Ahead:
    """As many parts as there are connections, from where the reader is on; what it has passed is forgotten."""

    def __init__(self, loop: Loop, connections: int) -> None:
        self._loop = loop
        self._width = connections
        self._threads = ThreadPoolExecutor(connections)
        self._parts: dict[int, Future[list[bytes]]] = {}
        self._lock = threading.Lock()

    def read(self, offset: int, size: int) -> bytes:
        """Give up to *size* bytes of one block, as the kernel asks: in blocks, or a piece of one."""
        at, within = divmod(offset, self._loop.part_bytes)
        with self._lock:
            self._ask(at)
            part = self._parts[at]
        block, first = divmod(within, BLOCK_BYTES)
        return part.result()[block][first : first + size]

    def _ask(self, at: int) -> None:
        for passed in [part for part in self._parts if part < at - 1]:  # the kernel asks out of order, a little
            del self._parts[passed]
        last = -(-self._loop.size // self._loop.part_bytes)
        for part in range(at, min(at + self._width, last)):
            if part not in self._parts:
                self._parts[part] = self._threads.submit(self._loop.blocks, part * self._loop.part_bytes)


class File(mfusepy.Operations):
    """A directory with one file."""

    use_ns = True

    def __init__(self, ahead: Ahead, name: str, size: int) -> None:
        self._ahead = ahead
        self._name = name
        self._size = size

    def init_with_config(self, connection: Any, _config: Any) -> None:
        """Let a read bring a block, as casfs does."""
        connection.max_readahead = BLOCK_BYTES

    def getattr(self, path: str, fh: int | None = None) -> dict[str, int]:  # noqa: ARG002 - as the binding calls it
        """Say what is there."""
        if path == "/":
            return {"st_mode": stat.S_IFDIR | 0o555, "st_nlink": 2}
        if path != f"/{self._name}":
            raise FileNotFoundError(errno.ENOENT, "there is one file")
        return {"st_mode": stat.S_IFREG | 0o444, "st_nlink": 1, "st_size": self._size}

    def read(self, path: str, size: int, offset: int, fh: int) -> bytes:
        """Give what the kernel asks for."""
        if offset >= self._size:
            return b""
        found = self._ahead.read(offset, size)
        rest = min(size, self._size - offset) - len(found)
        return found + self.read(path, rest, offset + len(found), fh) if rest else found


def main() -> None:
    """Mount."""
    url, connections, part_bytes, mountpoint = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), sys.argv[4]
    loop = Loop(url, part_bytes)
    file = File(Ahead(loop, connections), url.rpartition("/")[2], loop.size)
    mfusepy.FUSE(file, mountpoint, foreground=True, ro=True, fsname="bare")


if __name__ == "__main__":
    main()
