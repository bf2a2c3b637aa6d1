"""Block arithmetic: how many blocks there are, and how long each is. Pure.

A block is 1 MiB, aligned, and the same thing as a leaf of the tree hash; the last one of an output may be shorter.
A run of blocks is a ``range`` of block numbers.
"""

from collections.abc import Iterator, Sequence
from itertools import groupby

BLOCK_SIZE = 1 << 20
"""1 MiB. Source: the tree hash of both services is made of SHA-256 over 1 MiB leaves, so nothing smaller can be
checked, and anything larger would fetch more than a random read needs."""


def count(size: int) -> int:
    """Return how many blocks an output of *size* bytes has; none for 0."""
    return -(-size // BLOCK_SIZE)


def length(block: int, size: int) -> int:
    """Return the bytes that *block* of an output of *size* bytes holds; 0 past its end."""
    return max(0, min(BLOCK_SIZE, size - block * BLOCK_SIZE))


def runs(numbers: Sequence[int]) -> Iterator[range]:
    """Yield the runs that *numbers*, in ascending order, are made of."""
    for _, members in groupby(enumerate(numbers), lambda item: item[1] - item[0]):
        run = [number for _, number in members]
        yield range(run[0], run[-1] + 1)
