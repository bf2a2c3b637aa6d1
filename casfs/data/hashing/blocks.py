"""Block arithmetic: which blocks cover a read, and how long each is. Pure.

A block is 1 MiB, aligned, and the same thing as a leaf of the tree hash; the last one of an output may be shorter.
A run of blocks is a ``range`` of block numbers.
"""

from typing import NamedTuple

BLOCK_SIZE = 1 << 20
"""1 MiB. Source: the tree hash of both services is made of SHA-256 over 1 MiB leaves, so nothing smaller can be
checked, and anything larger would fetch more than a random read needs."""


class Piece(NamedTuple):
    """The bytes ``[start, stop)`` of one block."""

    block: int
    start: int
    stop: int


def count(size: int) -> int:
    """Return how many blocks an output of *size* bytes has; none for 0."""
    return -(-size // BLOCK_SIZE)


def length(block: int, size: int) -> int:
    """Return the bytes that *block* of an output of *size* bytes holds; 0 past its end."""
    return max(0, min(BLOCK_SIZE, size - block * BLOCK_SIZE))


def pieces(offset: int, wanted: int, size: int) -> list[Piece]:
    """Split a read into the parts of blocks it touches, in file order.

    Args:
        offset: first byte wanted; at or past *size* yields nothing.
        wanted: bytes wanted; what lies past *size* is dropped.
        size: length of the output in bytes.

    Returns:
        Non-empty pieces whose lengths sum to ``max(0, min(wanted, size - offset))``.
    """
    stop = min(offset + wanted, size)
    if stop <= offset:
        return []
    first = offset // BLOCK_SIZE
    begin = offset - first * BLOCK_SIZE
    end = stop - first * BLOCK_SIZE
    if end <= BLOCK_SIZE:
        return [Piece(first, begin, end)]
    found = [Piece(first, begin, BLOCK_SIZE)]
    last = (stop - 1) // BLOCK_SIZE
    found.extend(Piece(block, 0, BLOCK_SIZE) for block in range(first + 1, last))
    found.append(Piece(last, 0, stop - last * BLOCK_SIZE))
    return found
