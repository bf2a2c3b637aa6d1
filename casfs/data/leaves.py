"""Leaf hashes of one output, as they become known.

An output may have 40 million blocks (40 TB), so hashes are kept in stretches that are made when one of their blocks
is first fetched.
"""

from casfs.data import treehash

STRETCH = 1024
"""Blocks a stretch. A power of two, so that a stretch is a node of the tree and has one hash; 32 KiB of hashes is small
beside the blocks that were fetched to learn them, and 40 million blocks make 40,000 stretches."""

DIGEST_SIZE = 32
KNOWN, PROVEN = 1, 3


class Leaves:
    """What is known of the leaves of an output of *count* blocks.

    A leaf is known once its block was hashed, and proven once the service's hash of a range that holds it was met.

    Threads: none of its own; the caller locks.
    """

    def __init__(self, count: int) -> None:
        self.count = count
        self.known = 0
        self.proven = 0
        self._digests: dict[int, bytearray] = {}
        self._flags: dict[int, bytearray] = {}

    def get(self, block: int) -> bytes | None:
        """Return the hash of *block*, None where it is not known."""
        number, index = divmod(block, STRETCH)
        if number not in self._flags or not self._flags[number][index]:
            return None
        return bytes(self._digests[number][index * DIGEST_SIZE : (index + 1) * DIGEST_SIZE])

    def is_proven(self, block: int) -> bool:
        """Say whether the hash of *block* was met by one that the service gave."""
        number, index = divmod(block, STRETCH)
        return self.proven == self.count or (number in self._flags and self._flags[number][index] == PROVEN)

    def put(self, block: int, digest: bytes, *, proven: bool) -> None:
        """Note the hash of *block*; one that was proven stays proven."""
        number, index = divmod(block, STRETCH)
        if number not in self._flags:
            length = min(STRETCH, self.count - number * STRETCH)
            self._flags[number] = bytearray(length)
            self._digests[number] = bytearray(length * DIGEST_SIZE)
        flags = self._flags[number]
        self.known += not flags[index]
        self.proven += proven and not self.is_proven(block)
        flags[index] |= PROVEN if proven else KNOWN
        self._digests[number][index * DIGEST_SIZE : (index + 1) * DIGEST_SIZE] = digest

    def forget(self, block: int) -> None:
        """Note that the hash of *block*, which is known, is to be learnt anew; a proven one stays."""
        number, index = divmod(block, STRETCH)
        if self._flags[number][index] == KNOWN:
            self._flags[number][index] = 0
            self.known -= 1

    def prove_all(self) -> int:
        """Note that the root was met: every leaf is proven. Returns how many were not before."""
        new = self.count - self.proven
        self.proven = self.count
        return new

    def root(self) -> bytes:
        """Return the tree hash of the whole output; every leaf must be known, and there must be one."""
        return treehash.root([self._stretch_root(number) for number in range(len(self._digests))])

    def _stretch_root(self, number: int) -> bytes:
        digests = bytes(self._digests[number])
        return treehash.root([digests[i : i + DIGEST_SIZE] for i in range(0, len(digests), DIGEST_SIZE)])
