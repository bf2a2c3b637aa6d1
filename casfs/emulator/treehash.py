"""The tree hash of an archive, kept whole: every node of it is looked up, never computed again.

Written from the service's description of checksums, on its own: what casfs itself believes about tree hashes is
checked against this.
"""

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

BLOCK = 1 << 20
"""A leaf covers 1 MiB. Source: CAS "checksums" 572/9157; Glacier "Computing Checksums"."""


@dataclass(frozen=True, slots=True)
class TreeHash:
    """All nodes of the tree over an archive.

    Attributes:
        size: length of the archive in bytes.
        levels: digests, level by level; the first are the leaves, the last is the root alone.
    """

    size: int
    levels: Sequence[Sequence[bytes]]

    @classmethod
    def over(cls, pieces: Iterable[memoryview]) -> "TreeHash":
        """Hash an archive given as its bytes in order, cut anywhere."""
        size = 0
        leaves = []
        for block in _blocks(pieces):
            digest = hashlib.sha256()
            for piece in block:
                digest.update(piece)
                size += len(piece)
            leaves.append(digest.digest())
        return cls(size, _levels(leaves or [hashlib.sha256().digest()]))

    @property
    def root(self) -> str:
        """The tree hash of the whole archive, 64 lower-case hex digits."""
        return self.levels[-1][0].hex()

    def of_range(self, start: int, stop: int) -> str | None:
        """Return the hash of the bytes from *start* up to *stop*, or None where they are no node of the tree.

        Source: reference of the service, "tree-hash aligned"; the rule in full is: starts at a block, ends at a block
        or at the end, and covers a power of two of blocks aligned to itself or what the end leaves of one.
        """
        if not 0 <= start < stop <= self.size or start % BLOCK or (stop % BLOCK and stop != self.size):
            return None
        return self.of_blocks(start // BLOCK, -(-stop // BLOCK))

    def of_blocks(self, first: int, beyond: int) -> str | None:
        """Return the hash of the leaves from *first* up to *beyond*, or None where they are no node."""
        count = len(self.levels[0])
        for height, level in enumerate(self.levels):
            if first % (1 << height) == 0 and beyond == min(first + (1 << height), count):
                return level[first >> height].hex()
        return None


def _blocks(pieces: Iterable[memoryview]) -> Iterator[list[memoryview]]:
    """Regroup *pieces* so that each group is one block; the last may be shorter."""
    block: list[memoryview] = []
    missing = BLOCK
    for piece in pieces:
        rest = piece
        while rest:
            block.append(rest[:missing])
            missing -= len(block[-1])
            rest = rest[len(block[-1]) :]
            if not missing:
                yield block
                block, missing = [], BLOCK
    if block:
        yield block


def _levels(leaves: Sequence[bytes]) -> list[Sequence[bytes]]:
    levels = [leaves]
    while len(levels[-1]) > 1:
        below = levels[-1]
        levels.append([_parent(below[left : left + 2]) for left in range(0, len(below), 2)])
    return levels


def _parent(children: Sequence[bytes]) -> bytes:
    """Hash two neighbours together; an odd last one goes up unchanged."""
    return hashlib.sha256(b"".join(children)).digest() if len(children) == 2 else children[0]
