"""Bytes in a file that grows to an output, and the leaves of their blocks in another, to check by what is there.

A block is written before its leaf. After a kill what has no leaf is cut off; after a loss of power also what its leaf
does not fit.
"""

import itertools
import os
from types import TracebackType
from typing import Self

from casfs.data.hashing import blocks
from casfs.data.hashing.leaves import DIGEST_SIZE
from casfs.drain.destinations.folders import failing
from casfs.tree_hash import PIECE_BYTES, TreeHasher, leaves_of

WRITE_BYTES = 256 << 10
"""What the system is given at once: of 8 MiB it makes folios so large that the copy into them takes three times as
long. Source: measured on ext4, Linux 6.18, 2026-11: 4.4 s for 1.25 GiB, with 64 KiB to 1 MiB 1.1 to 1.5 s."""


class PartFile:
    """A file that is written from the front.

    Args:
        data: its descriptor, open for reading and writing; closed with this.
        leaves: likewise of the file of the leaves; None where nobody will go on with it.
        what: what a user calls it.

    Threads: one at a time.
    """

    def __init__(self, data: int, leaves: int | None, what: str) -> None:
        self._data = data
        self._leaves = leaves
        self._what = what
        self._hasher = TreeHasher()

    @property
    def size(self) -> int:
        """Bytes that are there."""
        return self._hasher.size

    @property
    def tree_hash(self) -> str:
        """Their tree hash."""
        return self._hasher.hexdigest()

    def fileno(self) -> int:
        """Return the descriptor of the bytes."""
        return self._data

    def resume(self) -> None:
        """Read back what is there, and cut off what does not fit its leaves, and all behind it.

        Raises:
            DestinationError: it cannot be read or cut.
        """
        with failing(self._what):
            self._hasher = TreeHasher()
            buffer = memoryview(bytearray(PIECE_BYTES))
            while (data := _read(self._data, buffer, self.size)) and self._take(data):
                pass
            self._cut()

    def write(self, data: memoryview) -> None:
        """Add the next bytes; as ``Part.write``."""
        with failing(self._what):
            _write(self._data, data, self.size)
            at = self._leaves_bytes
            digests = b"".join(self._hasher.update(data))
            if self._leaves is not None:
                _write(self._leaves, memoryview(digests), at)

    def restart(self) -> None:
        """Forget all bytes; as ``Part.restart``."""
        with failing(self._what):
            self._hasher = TreeHasher()
            self._cut()

    def __enter__(self) -> Self:
        """Return this part."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close it, as it is."""
        self.close()

    def close(self) -> None:
        """Close both files; may be called more than once."""
        data, leaves, self._data, self._leaves = self._data, self._leaves, -1, None
        for descriptor in (data, leaves):
            if descriptor is not None and descriptor >= 0:
                os.close(descriptor)

    @property
    def _leaves_bytes(self) -> int:
        return blocks.count(self.size) * DIGEST_SIZE

    def _take(self, data: memoryview) -> bool:
        """Take bytes that are there, up to the first block that does not fit its leaf; say whether all of them did."""
        found, kept = leaves_of(data), memoryview(bytearray(blocks.count(len(data)) * DIGEST_SIZE))
        kept = kept if self._leaves is None else _read(self._leaves, kept, self._leaves_bytes)
        fits = (leaf == kept[at * DIGEST_SIZE : (at + 1) * DIGEST_SIZE] for at, leaf in enumerate(found))
        good = len(list(itertools.takewhile(bool, fits)))
        self._hasher.extend(found[:good], min(len(data), good * blocks.BLOCK_SIZE))
        return good == len(found) and not len(data) % blocks.BLOCK_SIZE

    def _cut(self) -> None:
        os.ftruncate(self._data, self.size)
        if self._leaves is not None:
            os.ftruncate(self._leaves, self._leaves_bytes)


def _read(descriptor: int, buffer: memoryview, at: int) -> memoryview:
    """Return the front of *buffer*, filled from *at* on as far as there is anything."""
    filled = 0
    while filled < len(buffer) and (count := os.preadv(descriptor, [buffer[filled:]], at + filled)):
        filled += count
    return buffer[:filled]


def _write(descriptor: int, data: memoryview, at: int) -> None:
    while data:
        count = os.pwrite(descriptor, data[:WRITE_BYTES], at)
        data, at = data[count:], at + count
