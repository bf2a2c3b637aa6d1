"""The tree hash of whatever is read from the front, block by block, without keeping its leaves."""

import hashlib
from collections.abc import Callable, Sequence
from typing import Protocol

from casfs.data.hashing import lanes, treehash
from casfs.data.hashing.blocks import BLOCK_SIZE

PIECE_BYTES = 8 * BLOCK_SIZE
"""What is read and hashed at once, where no more lanes are had: small beside the blocks of an account."""


class Readable(Protocol):
    """What can be read from the front."""

    def readinto(self, buffer: memoryview, /) -> int | None:
        """Fill the buffer, or the front of it; return how many bytes there were, 0 at the end."""
        ...


class TreeHasher:
    """The tree hash of bytes that come in order.

    Attributes:
        size: how many bytes came.

    Threads: one at a time.
    """

    def __init__(self) -> None:
        self.size = 0
        self._nodes: list[tuple[int, bytes]] = []
        """The largest whole trees so far, from the left: the height of each, and its hash. No two are equally high."""

    def update(self, data: memoryview) -> list[bytes]:
        """Take the next bytes, and return the leaves of their blocks.

        Args:
            data: writable; whole blocks, unless they are the last bytes of all.

        Raises:
            ValueError: what came before was the end already, since it was no whole block.
        """
        leaves = leaves_of(data)
        self.extend(leaves, len(data))
        return leaves

    def extend(self, leaves: Sequence[bytes], length: int) -> None:
        """Take bytes whose leaves are known; as ``update``.

        Args:
            leaves: of their blocks.
            length: how many bytes they are.

        Raises:
            ValueError: as ``update``.
        """
        if self.size % BLOCK_SIZE and length:
            raise ValueError(f"{self.size} bytes are no whole blocks, and more are to come")
        for leaf in leaves:
            self._grow(leaf)
        self.size += length

    def hexdigest(self) -> str:
        """Return the tree hash of what came, as 64 hex digits."""
        if not self._nodes:
            return treehash.EMPTY
        _, digest = self._nodes[-1]
        for _, left in reversed(self._nodes[:-1]):
            digest = hashlib.sha256(left + digest).digest()
        return digest.hex()

    def _grow(self, digest: bytes) -> None:
        height = 0
        while self._nodes and self._nodes[-1][0] == height:
            _, left = self._nodes.pop()
            height, digest = height + 1, hashlib.sha256(left + digest).digest()
        self._nodes.append((height, digest))


def leaves_of(data: memoryview) -> list[bytes]:
    """Return the leaf of each block of *data*, which is writable; the last block may be shorter."""
    return lanes.leaves([data[at : at + BLOCK_SIZE] for at in range(0, len(data), BLOCK_SIZE)])


def fill(file: Readable, buffer: memoryview) -> memoryview:
    """Return the front of *buffer*, filled from *file*: all of it, unless the file ends before."""
    filled = 0
    while filled < len(buffer) and (count := file.readinto(buffer[filled:])):
        filled += count
    return buffer[:filled]


def hash_all(file: Readable, hashed: Callable[[int], object] = lambda _: None) -> TreeHasher:
    """Read *file* to its end, and return what its bytes come to.

    Args:
        file: where it stands, the first block begins.
        hashed: called with the length of each piece.
    """
    hasher, buffer = TreeHasher(), memoryview(bytearray(max(PIECE_BYTES, lanes.width() * BLOCK_SIZE)))
    while data := fill(file, buffer):
        hasher.update(data)
        hashed(len(data))
    return hasher
