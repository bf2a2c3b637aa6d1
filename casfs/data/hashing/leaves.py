"""Leaf hashes of one output, as they become known.

An output may have 40 million blocks (40 TB), and a document may say anything: hashes are kept in stretches that are
made when one of their blocks is first fetched, so that memory goes with what was read and never with what was said.
"""

from casfs.data.hashing import treehash

STRETCH = 1024
"""Blocks a stretch. A power of two, so that a stretch is a node of the tree and has one hash; 32 KiB of hashes is small
beside the blocks that were fetched to learn them, and 40 million blocks make 40,000 stretches."""

DIGEST_SIZE = 32
KNOWN, PROVEN = 1, 3


class _Stretch:
    """Hashes and flags of neighbouring leaves."""

    __slots__ = ("digests", "flags")

    def __init__(self, length: int) -> None:
        self.digests = bytearray(length * DIGEST_SIZE)
        self.flags = bytearray(length)

    def get(self, index: int) -> bytes:
        return bytes(self.digests[index * DIGEST_SIZE : (index + 1) * DIGEST_SIZE])

    def put(self, index: int, digest: bytes) -> None:
        self.digests[index * DIGEST_SIZE : (index + 1) * DIGEST_SIZE] = digest

    def root(self) -> bytes:
        return treehash.root([self.get(index) for index in range(len(self.flags))])


class Leaves:
    """What is known of the leaves of an output of *count* blocks.

    A leaf is known once its block was hashed, and proven once the service's hash of a range that holds it was met.

    Threads: none of its own; the caller locks.
    """

    __slots__ = ("_stretches", "count", "known", "proven")

    def __init__(self, count: int) -> None:
        self.count = count
        self.known = 0
        self.proven = 0
        self._stretches: dict[int, _Stretch] = {}

    def get(self, block: int) -> bytes | None:
        """Return the hash of *block*, None where it is not known."""
        stretch = self._stretches.get(block // STRETCH)
        return stretch.get(block % STRETCH) if stretch is not None and stretch.flags[block % STRETCH] else None

    def is_proven(self, block: int) -> bool:
        """Say whether the hash of *block* was met by one that the service gave."""
        stretch = self._stretches.get(block // STRETCH)
        return self.proven == self.count or (stretch is not None and stretch.flags[block % STRETCH] == PROVEN)

    def put(self, block: int, digest: bytes, *, proven: bool) -> None:
        """Note the hash of *block*; one that was proven stays proven."""
        number, index = divmod(block, STRETCH)
        stretch = self._stretches.get(number)
        if stretch is None:
            stretch = self._stretches[number] = _Stretch(min(STRETCH, self.count - number * STRETCH))
        self.known += not stretch.flags[index]
        self.proven += proven and not self.is_proven(block)
        stretch.flags[index] |= PROVEN if proven else KNOWN
        stretch.put(index, digest)

    def forget(self, block: int) -> None:
        """Note that the hash of *block* is to be learnt anew, unless it was proven."""
        stretch = self._stretches.get(block // STRETCH)
        if stretch is not None and stretch.flags[block % STRETCH] == KNOWN:
            stretch.flags[block % STRETCH] = 0
            self.known -= 1

    def prove_all(self) -> int:
        """Note that the root was met: every leaf is proven. Returns how many were not before."""
        new = self.count - self.proven
        self.proven = self.count
        return new

    def root(self) -> bytes:
        """Return the tree hash of the whole output; every leaf must be known, and there must be one."""
        return treehash.root([self._stretches[number].root() for number in sorted(self._stretches)])
